"""Outer values that become more: one alert, in words of their share, for as long as it lasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert

N, HOUR, CHANGED, ENDED = 20_000, 3_600_000, 11_000, 13_000
BEGIN = pd.Timestamp("2026-03-01", tz="UTC")


def rows() -> pd.DataFrame:
    """An event a minute; 3 % of a number are outliers for a while, and a rare flag comes often."""
    rng, place = np.random.default_rng(1), np.arange(N)
    odd = (place >= CHANGED) & (place < ENDED) & (rng.random(N) < 0.03)
    often = np.where(place >= CHANGED, 0.015, 0.003)
    columns = {
        "timestamp": BEGIN + pd.to_timedelta(place, "min"),
        "amount": np.where(odd, 500.0, rng.normal(100.0, 10.0, N)),
        "flag": (rng.random(N) < often).astype(int),
        "other": rng.normal(size=N),
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> list[Alert]:
    file = tmp_path_factory.mktemp("outliers") / "rows.parquet"
    rows().to_parquet(file)
    found = run(assumed(file, None, None, Feedback(), wanted=WindowOptions(length=12 * HOUR)))
    return [each for each in found if isinstance(each, Alert)]


def test_the_sentence_is_of_the_outer_values_as_the_rows_have_them(alerts: list[Alert]) -> None:
    first = next(each for each in alerts if each.feature == "amount")
    said = first.summary.partition(": ")[2]
    assert said.startswith("amount has more extreme values: those above the normal 99 % point (")
    end = float(said.split("(")[1].split(")")[0])
    data = rows()
    normal = (data.amount[: N // 2] > end).mean()
    times = data.timestamp
    since = data.amount[(times >= first.window.start) & (times < first.window.end)]
    share = (since > end).mean()
    assert f"rose from {100 * normal:.1f} % to {100 * share:.1f} % of events, since " in said
    assert first.window.events == since.size
    begun = (pd.Timestamp(first.window.start) - BEGIN) / pd.Timedelta("1min")
    assert abs(begun - CHANGED) <= 600
    assert first.effect is not None
    assert first.effect > 0.02


def test_it_is_one_alert_that_ends_when_they_do(alerts: list[Alert]) -> None:
    own = [each for each in alerts if each.feature == "amount"]
    assert len({each.alert_id for each in own}) == 1
    assert own[-1].status == "resolved"
    over = (pd.Timestamp(own[-1].until or 0) - BEGIN) / pd.Timedelta("1min")
    assert over >= ENDED - 720
    # Windows hold a handful of them: too few to say that it is over.
    flags = [each for each in alerts if each.feature == "flag"]
    assert len({each.alert_id for each in flags}) == 1
    assert {each.status for each in flags} == {"firing"}
