"""Files without times: windows of rows, through the stages, the records and the command line."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.consumer.cli.conftest import Driftline
from tests.consumer.service.small import MODEL, SECOND, TOPIC, alerts, plan, rows, verdicts

from driftline.consumer.config import WindowConfig
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.axis import RowAxis
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import identity

Row = dict[str, Any]


def of_rows(**window: Any) -> Plan:
    return replace(plan(window=window, budget="1 per 100 windows"), ordered=False)


def events() -> list[Row]:
    """230 rows; the last 80 of them drift. Their times go backwards, and are not looked at."""
    rng = np.random.default_rng(8)
    quiet = rows(0, 150, -SECOND, rng)
    return [*quiet, *rows(-1_000 * SECOND, 80, -SECOND, rng, x=2.5)]


EVENTS = events()


def fed(
    of: Plan, size: int, first: int = 0, events: Sequence[Row] = EVENTS
) -> list[Verdict | Alert]:
    run = Backtest(of, MODEL, TOPIC, first)
    origin = RowAxis.of(of.config.models[MODEL].window.every).origin
    found: list[Verdict | Alert] = []
    for i in range(0, len(events), size):
        found += run.feed(events[i : i + size])
        found += run.close(origin + first + min(i + size, len(events)))
    assert +run.totals.late == {}
    return [*found, *run.end()]


def spans(found: Sequence[Verdict | Alert]) -> list[tuple[tuple[int, int] | None, int, bool]]:
    return [(v.window.rows, v.window.events, v.complete) for v in verdicts(found, "x")]


def test_windows_are_consecutive_and_the_last_is_complete_only_if_it_is_full() -> None:
    assert spans(fed(of_rows(rows=100), 1_000)) == [
        ((1, 100), 100, True), ((101, 200), 100, True), ((201, 300), 30, False),
    ]  # fmt: skip
    assert spans(fed(of_rows(rows=115), 50)) == [((1, 115), 115, True), ((116, 230), 115, True)]
    sliding = spans(fed(of_rows(rows=100, every=50), 7))
    assert sliding[2:] == [
        ((51, 150), 100, True), ((101, 200), 100, True), ((151, 250), 80, False),
    ]  # fmt: skip
    # Before the first row there is none.
    assert sliding[0] == ((1, 50), 50, True)


def test_numbers_are_those_of_the_file() -> None:
    found = fed(of_rows(rows=100), 60, first=400)
    assert [rows for rows, _, _ in spans(found)] == [(401, 500), (501, 600), (601, 700)]


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 300))
def test_chunks_change_nothing(size: int) -> None:
    of = of_rows(rows=60, every=20)
    expected = [*map(msgspec.json.encode, fed(of, 230))]
    assert [*map(msgspec.json.encode, fed(of, size))] == expected


def test_records_have_rows_and_no_times() -> None:
    found = fed(of_rows(rows=50, min_events=20), 100)
    (alert,) = alerts(found, "x")
    document = json.loads(msgspec.json.encode(alert))
    assert (document["since"], document["until"], document["rows"]) == (None, None, [151, 200])
    assert document["window"] == {"start": None, "end": None, "events": 50, "rows": [151, 200]}
    assert document["rule"] == "budget: 1 per 100 windows, min_effect: 0.02 (window alarm)"
    assert ", since row 151. " in alert.summary
    assert alert.alert_id == identity(MODEL, "x", "feature_drift", "151")
    verdict = verdicts(found, "x")[0]
    assert verdict.verdict_id == identity(MODEL, "x", "1", "51", verdict.reference.id)
    assert (verdict.window.times, verdict.window.span) == (("", ""), (0, 50))
    for each in (alert, verdict):  # what is printed as JSON can be read again
        assert msgspec.json.decode(msgspec.json.encode(each), type=type(each)) == each


def test_the_end_of_an_alert_is_a_row_too() -> None:
    quiet, shifted = EVENTS[:150], EVENTS[150:]
    longer = [*quiet, *quiet, *shifted, *shifted[:20], *quiet * 2]
    *_, last = alerts(fed(of_rows(rows=50, min_events=20), 100, events=longer), "x")
    assert (last.status, last.rows) == ("resolved", (301, 400))
    assert "x is back to normal since row 401, after 100 rows." in last.summary


def test_windows_of_rows_in_a_configuration() -> None:
    of = WindowConfig.model_validate({"rows": 300, "every": 100})
    assert (of.length, of.every, of.min_events) == (300, 100, 150)
    assert WindowConfig(rows=5_000).min_events == 500
    for wrong, why in (
        ({"rows": 300, "every": 200}, "whole number of every"),
        ({"rows": 300, "length": "1h"}, "give rows or length, not both"),
        ({"rows": 0}, "must be above 0"),
    ):
        with pytest.raises(ValidationError, match=why):
            WindowConfig.model_validate(wrong)


CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  m:
    predictions: in
    reference: ref.json
    window: {rows: 500}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = random.Random(1)
    lines = [f"{rng.gauss(3 * (i >= 3_250), 1):.3f},{rng.choice('xyz')}\n" for i in range(4_000)]
    (tmp_path / "notime.csv").write_text("a,kind\n" + "".join(lines))
    return Path("notime.csv")


def test_a_file_without_times_is_judged_by_rows_and_it_is_said(
    driftline: Driftline, file: Path
) -> None:
    ran = driftline("backtest", "--input", file, "--fail-on-drift")
    assert ran.code == 1
    assert ran.err.splitlines()[1:] == [
        "assumed  no column holds times, so windows are of 1,000 rows in the file's order; other"
        " windows with --rows N, a column of times with --timestamp COLUMN",
        "assumed  reference: the first 2,000 of 4,000 rows",
        "assumed  windows of 1,000 rows; budget 1 per 100 windows",
    ]
    assert "2,000 events, rows 2,001 to 4,000, 2 windows of 1,000 rows against" in ran.out
    assert "\nsince row          severity" in ran.out
    assert "\n3,001              critical  a " in ran.out
    assert "The budget allows 0.02 false alarms in 2 windows. Not judged: late 0" in ran.out
    table = driftline("backtest", "--input", file, "--rows", "800", "--verdicts").out
    assert "\nrows              state" in table
    assert "\n3,201 to 4,000    critical      a " in table


def test_what_does_not_go_with_rows_is_said(driftline: Driftline, file: Path) -> None:
    for options, why in (
        (("--window", "6h"), "notime.csv: --window: no column holds times; give --rows N"),
        (("--rows", "500", "--window", "6h"), "--rows: leave out --window"),
        (("--rows", "500", "--every", "6h"), "--every 6h: write a number of rows"),
        (("--rows", "500", "--every", "300"), "--every: the length of a window must be"),
        (("--rows", "500", "--budget", "1 per 30d"), "--budget 1 per 30d: windows of rows have no"),
    ):
        ran = driftline("backtest", "--input", file, *options)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.splitlines()[-1].startswith(why)


def test_rows_of_a_configuration_are_for_backtests(
    driftline: Driftline, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    assert (
        driftline("reference", "build", "--input", file, "--model", "m", "-o", "ref.json").code == 0
    )
    shown = driftline("config", "show").out
    assert (
        "    window:\n      rows: 500\n      every: 500\n      pane: 100\n      min_events: 250\n"
        in shown
    )
    assert "    budget: 1 per 100 windows\n" in shown
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    ran = driftline("backtest", "--input", file)
    assert "4,000 events, rows 1 to 4,000, 8 windows of 500 rows against" in ran.out
    ran = driftline("run")
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == (
        "driftline.yaml:6: models.m.window.rows: the events of a topic come in time: give length;"
        " rows are for a backtest"
    )
    ran = driftline("check", "--offline")
    assert ran.code == 2
    assert (
        "error    m                 window.rows: the events of a topic come in time: give length;"
        " rows are for a backtest   driftline.yaml:6\n"
    ) in ran.out
    (tmp_path / "driftline.yaml").write_text(CONFIG + "    budget: 1 per 30d\n")
    ran = driftline("backtest", "--input", file)
    assert "budget: windows of rows have no times: write 1 per 100 windows" in ran.err
