"""A synthetic stream of events: for demos, for trying scenarios, and for tests.

A model that finds fraud in payments, quiet by itself: every hour is drawn from the same
distributions, so whatever a monitor finds was laid over it (`driftline.producer.replay.scenarios`).

| feature | type | drawn from |
|---|---|---|
| `age` | numeric, whole | normal, 41 years, standard deviation 12; 1 % missing |
| `distance` | numeric | gamma, 3 km on average, in metres |
| `amount` | numeric, skewed | log-normal, median 33 |
| `country` | categorical | 6 countries, from 38 % to 4 %; 0.5 % missing |
| `returning` | boolean | 62 % |

`prediction.score` follows from amount, distance and returning, with noise; `prediction.label` is
`fraud` from 0.5 on. A scenario changes the features only, as a broken pipeline behind the model
does: the prediction stays what the undisturbed model said.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

HOUR = 3_600_000  # ms
FIRST_HOUR = 1_767_225_600_000
"""2026-01-01T00:00:00Z in ms: where a stream begins by default."""

_COUNTRIES = ("DE", "FR", "NL", "PL", "ES", "IT")
_SHARES = (0.38, 0.22, 0.15, 0.12, 0.09, 0.04)


def generate(
    hours: int | None,
    rate: int = 1_500,
    start: int = FIRST_HOUR,
    seed: int = 0,
    model: str = "payments",
) -> Iterator[dict[str, Any]]:
    """Yield native events in the order of their times.

    Each hour has a seed of its own, so a stream begun later continues one begun earlier.

    Args:
        hours: how many; None: without end.
        rate: events an hour.
        start: of the first hour, ms since 1970.
        seed: of everything drawn.
        model: that the events name.

    >>> event = next(generate(hours=1, seed=7))
    >>> sorted(event["features"]), sorted(event["prediction"])
    (['age', 'amount', 'country', 'distance', 'returning'], ['label', 'score'])
    """
    for hour in count() if hours is None else range(hours):
        yield from _hour(start + hour * HOUR, rate, seed, model)


def _hour(start: int, rate: int, seed: int, model: str) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng((seed, start // HOUR))
    times = start + np.sort(rng.integers(0, HOUR, rate))
    age = np.clip(np.rint(rng.normal(41, 12, rate)), 18, 95).astype(int)
    distance = rng.gamma(2.0, 1_500.0, rate)
    amount = rng.lognormal(3.5, 0.9, rate)
    country = rng.choice(_COUNTRIES, rate, p=_SHARES)
    returning = rng.random(rate) < 0.62
    logit = (
        0.9 * (np.log(amount) - 3.5) + distance / 6_000 - 1.2 * returning + rng.normal(0, 0.5, rate)
    )
    score = 1 / (1 + np.exp(1.4 - logit))
    years, code = age.astype(object), country.astype(object)
    years[rng.random(rate) < 0.01] = None
    code[rng.random(rate) < 0.005] = None
    columns = (
        times.tolist(),
        years.tolist(),
        np.round(distance, 1).tolist(),
        np.round(amount, 2).tolist(),
        code.tolist(),
        returning.tolist(),
        np.round(score, 4).tolist(),
    )
    for number, row in enumerate(zip(*columns, strict=True)):
        time, year, metres, euros, where, known, probability = row
        yield {
            "event_id": f"{seed:x}-{start // HOUR:x}-{number:x}",
            "timestamp": time,
            "model": model,
            "model_version": "1",
            "features": {
                "age": year,
                "distance": metres,
                "amount": euros,
                "country": where,
                "returning": known,
            },
            "prediction": {
                "score": probability,
                "label": "fraud" if probability >= 0.5 else "ok",
            },
        }
