"""Names without an end: how often quiet files of them alarm, and what becomes of a new name.

    python -m benchmarks.long_tails [--seeds N]

Files of 1,500 to 8,000 rows have a feature of names by Zipf's law, and a number. The first half of
each is the reference of the second, as `driftline backtest` takes them, with nothing configured.
From 70 % of the rows on a new name takes the place of some of the others.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from itertools import product

import numpy as np
import pandas as pd

from driftline.consumer import backtest

SHARES = (0.0, 0.05, 0.2)
"""Of the rows after the change that have the new name."""
LAWS = (1.25, 1.4, 1.6, 2.0)
ROWS = (1_500, 2_400, 3_600, 8_000)


def frame(law: float, rows: int, share: float, seed: int) -> pd.DataFrame:
    """Return a file's rows."""
    rng = np.random.default_rng(seed)
    names = np.char.add("m", rng.zipf(law, rows).astype(str)).astype(object)
    changed = (np.arange(rows) >= 0.7 * rows) & (rng.random(rows) < share)
    names[changed] = "new"
    return pd.DataFrame(
        {
            "ts": pd.date_range("2026-03-01", periods=rows, freq="3min"),
            "merchant": names,
            "amount": rng.normal(50, 10, rows),
        }
    )


def main() -> None:
    """Count files with an alert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    for share in SHARES:
        cases = list(product(LAWS, ROWS, seeds))
        with contextlib.redirect_stderr(io.StringIO()):
            found = [backtest(frame(law, rows, share, seed)).alerts for law, rows, seed in cases]
        alarmed = [case for case, alerts in zip(cases, found, strict=True) if alerts]
        what = f"a new name in {share:.0%} of the rows" if share else "quiet"
        print(f"{what:<32} {len(alarmed):>3} of {len(cases)} files have an alert")
        for law in LAWS:
            some = sum(case[0] == law for case in alarmed)
            print(f"    Zipf {law:<4} {some:>6} of {len(cases) // len(LAWS)}")


if __name__ == "__main__":
    main()
