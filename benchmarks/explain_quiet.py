"""How often `driftline explain` tells two samples of the same stream apart.

By its interval of 95 % one in 40 is expected: the area may lie above .5 by chance, not below.

    .venv/bin/python -m benchmarks.explain_quiet --repetitions 200
"""

from __future__ import annotations

import argparse

import numpy as np

from driftline.consumer.offline.explain.compare import compare
from driftline.consumer.offline.rows.event_row import EventRow


def rows(seed: int, many: int) -> list[EventRow]:
    """Six numbers, a category, a score and two tags."""
    rng = np.random.default_rng(seed)
    values, scores = rng.normal(size=(many, 6)), rng.random(many)
    fuels, shops = rng.choice(["p", "q", "r"], many), rng.choice(list("abcd"), many)
    channels = rng.choice(["web", "app", "phone"], many)
    return [
        EventRow(
            n,
            n,
            f"{seed}-{n}",
            "1",
            {**{f"x{i}": float(x) for i, x in enumerate(values[n])}, "fuel": str(fuels[n])},
            float(scores[n]),
            None,
            None,
            {"shop": str(shops[n]), "channel": str(channels[n])},
        )
        for n in range(many)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1_000, help="of a side")
    wanted = parser.parse_args()
    apart = named = 0
    for seed in range(wanted.repetitions):
        both = rows(seed, 2 * wanted.rows)
        found = compare(both[wanted.rows :], both[: wanted.rows])
        apart += found.apart
        named += found.apart and any(each.tells for each in found.told)
    print(f"{wanted.repetitions} repetitions: told apart in {apart}, a feature named in {named}")


if __name__ == "__main__":
    main()
