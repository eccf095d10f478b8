"""Whether the number of events alarms in quiet streams, and how small a rest of them is found.

Of each kind ten seeded streams of 60 days behind a reference of 0, 7 or 28 days, at the level that
a model of ten features has for it: a fifth of `budget: 1 per 30d`, shared by 21 tests and 720
looks. Printed are the windows that alarm, of those judged; and the windows of which an alarm would
come if no event, 20 % or 35 % of them came, after 28 days of reference.

Run: python benchmarks/volume.py   (about 3 minutes)
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.signal import lfilter

from driftline.detectors.budget import WINDOW
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.volume import DAY, HOUR, WEEK, StepEvents, cells_of, normal_events

LEVEL = WINDOW / (720 * 21)
DAYS, STREAMS, FIRST = 60, 10, 400_008
REST = (0.0, 0.2, 0.35)

KINDS: dict[str, dict[str, float]] = {
    "1,000 an hour": {},
    "20 an hour": {"mean": 20},
    "each hour varies by 30 %": {"hours": 0.3},
    "hours like those before, 20 %": {"lasting": 0.2},
    "hours like those before, 40 %": {"lasting": 0.4},
    "each day varies by 30 %": {"days": 0.3, "day": 0.8},
    "a daily cycle": {"day": 0.8},
    "daily and weekly": {"day": 0.8, "weekend": 0.25},
    "the same, varying by 30 %": {"day": 0.8, "weekend": 0.25, "lasting": 0.3},
    "the same, 20 an hour": {"mean": 20, "day": 0.8, "weekend": 0.25, "hours": 0.3},
    "office hours": {"offices": 1.0},
}


def events(rng: np.random.Generator, days: int, kind: dict[str, float]) -> IntArray:
    """Return the events of each hour of a stream."""
    hours = np.arange(days * DAY)
    rates: FloatArray = np.full(hours.size, float(kind.get("mean", 1_000)))
    rates *= 1.0 + kind.get("day", 0.0) * np.sin(2 * np.pi * hours / DAY)
    weekend = hours // DAY % 7 >= 5
    rates[weekend] *= kind.get("weekend", 1.0)
    if "offices" in kind:
        rates[weekend | (hours % DAY < 8) | (hours % DAY >= 18)] = 0.0
    if "hours" in kind:
        rates *= rng.gamma(kind["hours"] ** -2, kind["hours"] ** 2, hours.size)
    if "lasting" in kind:
        noise = rng.normal(0, kind["lasting"] * np.sqrt(1 - 0.81), hours.size + 200)
        rates *= np.exp(lfilter([1], [1, -0.9], noise)[200:])
    if "days" in kind:
        rates *= np.repeat(np.exp(rng.normal(0, kind["days"], days)), DAY)
    found: IntArray = rng.poisson(rates)
    return found


def hour_of_week(times: IntArray) -> IntArray:
    """Return the hour of the week, from some day on."""
    return times // HOUR % WEEK


def judged(seed: int, kind: dict[str, float], before: int, steps: int) -> Counter[str]:
    """Return how many windows there were, how many alarmed, and how many would have."""
    rng, found = np.random.default_rng(seed), Counter[str]()
    counts = events(rng, before + DAYS, kind)
    reference = StepEvents(FIRST - before * DAY, counts[: before * DAY]) if before else None
    own = StepEvents(FIRST, counts[before * DAY :])
    for day in range(1, DAYS):
        past = own.between(FIRST + (day - 28) * DAY, FIRST + day * DAY)
        pattern = normal_events(reference, past, steps, hour_of_week)
        if pattern is None:
            continue
        for end in range(day * DAY + steps, (day + 1) * DAY + 1):
            window = own.between(FIRST + end - steps, FIRST + end)
            normal = pattern.expected(cells_of(window.first, steps, 1, hour_of_week))
            number = int(window.events.sum())
            found["windows"] += 1
            found["alarms"] += pattern.alarms(number, normal, LEVEL)
            for rest in REST if before == 28 and number and end % 5 == 0 else ():
                found["changed"] += rest == REST[0]
                found[f"{rest}"] += pattern.alarms(rng.binomial(number, rest), normal, LEVEL)
    return found


def main() -> None:
    """Print a row for each kind and length of windows."""
    print(f"{'events':<32}{'window':>7}{'windows':>10}{'alarms':>8}", *(f"{r:>7.0%}" for r in REST))
    for steps in (1, 6, 24):
        for name, kind in KINDS.items():
            found = Counter[str]()
            for before in (0, 7, 28):
                for seed in range(STREAMS):
                    found += judged(seed, kind, before, steps)
            shares = [f"{found[f'{rest}'] / max(found['changed'], 1):7.0%}" for rest in REST]
            row = f"{name:<32}{steps:>6}h{found['windows']:>10,}{found['alarms']:>8}"
            print(row, *shares, flush=True)


if __name__ == "__main__":
    main()
