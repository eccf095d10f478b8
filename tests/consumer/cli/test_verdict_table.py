"""The table of `driftline backtest --verdicts`, from records alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.consumer.cli.records import verdict

from driftline.consumer.cli.verdict_table import VerdictTable
from driftline.consumer.config import ModelConfig, PerformanceLimit
from driftline.consumer.wire.records import DetectorValue, Verdict, Window


def config(**performance: PerformanceLimit) -> ModelConfig:
    return ModelConfig.model_validate(
        {"predictions": ("in",), "reference": Path("r.json"), "performance": performance}
    )


def printed(*verdicts: Verdict, limits: ModelConfig | None = None) -> list[str]:
    table = VerdictTable("car-loan", limits or config())
    for each in verdicts:
        table.add(each)
    return table.text().splitlines()


def changed(day: int = 1, segment: str = "", **more: Any) -> Verdict:
    window = Window(f"2019-04-{day:02}T00:00:00Z", f"2019-04-{day + 1:02}T00:00:00Z", 9)
    stream = f"car-loan/{segment}" if segment else "car-loan"
    more |= {"window": window, "stream": stream, "segment": segment or None}
    return msgspec.structs.replace(verdict(), **more)


def accuracy(value: float = 0.9, threshold: float | None = 0.93364, **more: Any) -> Verdict:
    found = DetectorValue(value, None, threshold, "ok", (0.88, 0.9210), 0.94364)
    return changed(
        type="performance", feature="performance.accuracy", detectors={"accuracy": found},
        effect=None, state="ok", **more,
    )  # fmt: skip


def test_it_is_in_the_order_of_time_stream_and_feature() -> None:
    rows = [
        changed(day, segment, feature=feature)
        for day in (1, 2)
        for segment in ("", "channel=shop", "channel=web")
        for feature in ("a", "b", "prediction.score")
    ]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert printed(*shuffled) == printed(*rows)
    shown = [line[32:].split("  ")[0] for line in printed(*shuffled)[1:10]]
    assert shown == [
        f"{feature}{segment}"
        for segment in ("", " (channel=shop)", " (channel=web)")
        for feature in ("a", "b", "prediction.score")
    ]


def test_columns_stand_under_each_other_whatever_the_segments_are_called() -> None:
    long = changed(2, "channel=a_very_long_name_of_a_channel")
    reason = changed(3, reason="12 events, 500 needed", state="insufficient", detectors={})
    head, *rows = printed(changed(), long, reason)[:4]
    at = head.index("effect")
    assert [row[at : at + 6] for row in rows] == ["  1.53", "  1.53", "      "]
    starts = {row.index(what) for row, what in zip(rows, ("ks", "ks", "12 ev"), strict=True)}
    assert starts == {head.index("detectors")}


def test_an_effect_that_rounds_to_nothing_has_no_sign() -> None:
    assert "  0.00  " in printed(changed(effect=-0.001))[1]


def test_figures_of_a_line_have_the_same_digits() -> None:
    assert printed(accuracy())[1].endswith("accuracy 0.900, interval 0.880 to 0.921, limit 0.934")
    small = DetectorValue(0.0027, None, 0.05, "ok")
    line = printed(changed(detectors={"psi": small}))[1]
    assert line.endswith("psi 0.0027 (limit 0.0500)")


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (PerformanceLimit(min=0.9, max=0.96), "limits 0.900 and 0.960"),
        (PerformanceLimit(max_drop=0.01, max=0.96), "limits 0.934 and 0.960"),
        (PerformanceLimit(max_drop=0.01, min=0.9, max=0.96), "limits 0.934 and 0.960"),
        (PerformanceLimit(max_drop=0.01), "limit 0.934"),
    ],
)
def test_both_limits_are_shown(limit: PerformanceLimit, said: str) -> None:
    assert printed(accuracy(), limits=config(accuracy=limit))[1].endswith(f" to 0.921, {said}")


def test_the_last_line_counts_states_and_kinds() -> None:
    rows = [changed(day, state="ok") for day in range(1, 5)]
    rows += [changed(5), changed(6, feature="prediction.score", state="ok"), accuracy()]
    assert printed(*rows)[-1] == (
        "7 verdicts: features 4 ok, 1 critical; prediction 1 ok; performance 1 ok"
    )
    assert printed()[-1] == "no verdicts"
