"""No verdict is `ok` without a test, and one that is `insufficient` says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Verdict
from driftline.detectors import RATES

N, HOUR = 3_000, 3_600_000


def odd() -> pd.DataFrame:
    """Constants, rare flags, classes, a score that never moves, and values that come or go."""
    rng = np.random.default_rng(1)
    place = np.arange(N)
    columns = {
        "timestamp": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(place, "min"),
        "constant": 1.0,
        "word": "a",
        "rare_flag": (rng.random(N) < 0.003).astype(int),
        "rare_boolean": rng.random(N) < 0.003,
        "few": rng.choice([0, 0, 0, 0, 1], N),
        "mostly_missing": np.where(rng.random(N) < 0.99, np.nan, rng.normal(size=N)),
        "ends": np.where(place < N * 3 / 4, rng.normal(size=N), np.nan),
        "plan": rng.choice(["a", "b", "c"], N, p=[0.9, 0.09, 0.01]),
        "ids": rng.integers(0, 1_000, N),
        "score": 0.5,
        "label": "yes",
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    file = tmp_path_factory.mktemp("odd") / "rows.parquet"
    odd().to_parquet(file)
    wanted = WindowOptions(length=6 * HOUR, min_events=100)
    found = run(assumed(file, None, None, Feedback(), wanted=wanted))
    return [each for each in found if isinstance(each, Verdict)]


def test_what_is_ok_was_tested(verdicts: list[Verdict]) -> None:
    quiet = [each for each in verdicts if each.state == "ok"]
    assert {each.feature for each in quiet} >= {
        "constant", "word", "rare_flag", "rare_boolean", "few", "mostly_missing", "plan", "ids",
        "prediction.score",
    }  # fmt: skip
    for each in quiet:
        tests = [
            name for name, figure in each.detectors.items()
            if name not in RATES and figure.state == "ok" and figure.p_value is not None
        ]  # fmt: skip
        assert tests, each.feature
        assert each.reason is None


def test_what_was_not_tested_says_why(verdicts: list[Verdict]) -> None:
    untested = [each for each in verdicts if each.state == "insufficient"]
    assert untested
    assert all(each.reason for each in untested)
    assert not any(each.detectors for each in untested)
    gone = [each for each in verdicts if each.feature == "ends"][-1]
    assert gone.state == "critical" or gone.reason
