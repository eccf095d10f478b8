"""`driftline demo`: the text it prints, what the terminal shows, the pace, and the ends."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.cli import demo_show
from driftline.consumer.cli.demo_board import render
from driftline.consumer.cli.demo_screen import LiveScreen, PlainScreen
from driftline.consumer.cli.demo_show import SPEED, Demo, report
from driftline.consumer.cli.demo_stream import BEGIN, DAY, HOURS, troubles_until
from driftline.consumer.cli.demo_text import compared

ID = re.compile(r"\b[0-9a-f]{16}\b")

LINES = """\
2026-01-02 06:05  FIRING    critical  payments: distance rose: median 9,213, normally 2,525, since 2026-01-02 06:00 UTC. Only this feature.
2026-01-02 10:00  FIRING    warning   payments: amount rose: median 36.8, normally 33.4, since 2026-01-02 09:30 UTC. 1 other feature changed too: distance.
2026-01-02 11:00  FIRING    critical  payments: amount rose: median 40.4, normally 33.4, since 2026-01-02 09:30 UTC. 1 other feature changed too: distance.
2026-01-02 12:30  RESOLVED  critical  payments: distance is back to normal since 2026-01-02 11:00 UTC, after 5 hours.
2026-01-02 14:30  FIRING    critical  payments: country is missing in 13.8 % of events, normally 0.5 %, since 2026-01-02 14:00 UTC. 1 other feature changed too: amount.
"""  # noqa: E501 (as it is printed)
TABLE = """\
payments   2026-01-02 17:30 UTC   27,000 events, 35 windows of 30m; normal are 36,000 events before

feature             effect  last 32 windows                   state
amount                1.76  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▂▅██████████████  critical  alert since 09:30
country               0.46  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁███████  critical  alert since 14:00
age                   0.01  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  ok
distance              0.00  ▁▁▁▁▁▁▁▁▁██████████▁▁▁▁▁▁▁▁▁▁▁▁▁  ok
prediction.label      0.00  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  ok
prediction.score      0.00  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  ok
returning             0.00  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  ok
"""
FIRST = """\
The first alert, as `driftline alerts show` prints it:

FIRING  critical  payments / distance
distance rose: median 9,213, normally 2,525, since 2026-01-02 06:00 UTC. Only this feature.

                       normally     now
  above 5830             10.0 %  69.4 %  ##|############
  2071.7 to 2525.4       10.0 %   0.7 %    |
  806.2 to 1241.2        10.0 %   1.4 %    |
  1658.7 to 2071.7       10.0 %   1.4 %    |
  2525.4 to 3043.8       10.0 %   2.1 %    |      | normally
  (the bins that contributed most)

144 events, 2026-01-02 06:00 to 2026-01-02 06:05, version 1, reference ID (36,000 events)
rule budget: 1 per 30d, min_effect: 0.02 (change alarm)    evidence 150 (limit 11.5), effect 1.85

The same as a record of driftline.alerts:

{"schema": "driftline.alert.v1", "alert_id": "ID", "revision": 1, "status": "firing",
 "severity": "critical", "kind": "feature_drift",
"""
END = """\
what was done to the stream                                   what was found
2026-01-02 06:00  distance: metres became feet, until 11:00   critical alert, since 06:00; normal since 11:00
2026-01-02 09:00  amount: rose little by little               critical alert, since 09:30
2026-01-02 14:00  country: one of eight got lost              critical alert, since 14:00
In 18 hours nothing else alerted. The budget allows 1 false alarm in 30 days.

Try next
  driftline backtest --input FILE     what a file of yours would have raised: CSV, Parquet, JSON lines
  driftline init --from FILE          a configuration and a reference made from it
  driftline demo --keep               the same stream, until Ctrl-C
"""  # noqa: E501 (as it is printed)


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1


def test_what_is_printed_where_nobody_watches(driftline: Driftline) -> None:
    ran = driftline("demo")
    assert ran.code == 0
    printed = ID.sub("ID", ran.out)
    assert printed.startswith(f"{LINES}\n{TABLE}\n{FIRST}")
    assert printed.endswith(f'"also_firing": [], "owner": null, "runbook": null}}\n\n{END}')
    said = ran.err.splitlines()
    assert said[0] == (
        "payments, 1,500 events an hour: a quiet day is the reference, the next day is watched"
    )
    assert re.fullmatch(r"first alert after \d+\.\d s", said[1])
    assert len(said) == 2
    record = json.loads(ran.out.split("driftline.alerts:\n\n")[1].split("\n\nwhat was")[0])
    assert (record["schema"], record["feature"]) == ("driftline.alert.v1", "distance")
    assert len(record["top"]) == 5


@pytest.fixture(scope="module")
def seven_hours() -> tuple[Demo, Watch]:
    """A demo at its usual pace."""
    watch = Watch()
    demo = Demo(PlainScreen(), watch, watch.sleep, SPEED)
    demo.run(7)
    return demo, watch


def test_two_hours_pass_in_a_second_and_the_first_alert_comes_in_time(
    seven_hours: tuple[Demo, Watch],
) -> None:
    demo, watch = seven_hours
    assert watch.now == pytest.approx(100.0 + 7 / 2)
    assert watch.slept == 7 * 12
    assert demo.alerted is not None
    # Five past six is the end of the first pane that drifts; it is final with the next look.
    assert demo.alerted - 100.0 == pytest.approx((6 + 5 / 60) / 2, abs=0.05)


def test_without_a_pace_nothing_sleeps() -> None:
    watch = Watch()
    Demo(PlainScreen(), watch, watch.sleep, None).run(1)
    assert (watch.now, watch.slept) == (100.0, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_terminal_shows_the_table_and_how_much_is_done(encoding: str) -> None:
    raw = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(raw, encoding), force_terminal=True, width=110, height=40,
        color_system=None, legacy_windows=False, _environ={},
    )  # fmt: skip
    watch = Watch()
    with LiveScreen(console) as screen:
        Demo(screen, watch, watch.sleep, SPEED).run(7)
    console.file.flush()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", raw.getvalue().decode(encoding))
    frames = ID.sub("ID", shown).split("payments   ")
    tail = "windows of 30m; normal are 36,000 events before"
    assert frames[1].splitlines()[0] == f"no window judged yet   0 events, 0 {tail}"
    assert frames[1].splitlines()[3] == "age"
    last = frames[-1].splitlines()
    block, low = ("█", "▁") if encoding == "utf-8" else ("#", "_")
    assert last[0] == f"2026-01-02 06:30 UTC   10,500 events, 13 {tail}"
    assert last[2] == "feature             effect  last 32 windows                   state"
    assert last[3] == (
        f"distance              2.02  {low * 12}{block}{' ' * 19}  critical  alert since 06:00"
    )
    assert len(last[11]) == 100  # the bar
    assert len(set(last[11])) == 1
    assert shown.count("FIRING    critical  payments: distance rose") == 1
    assert "\x1b[?25h" in raw.getvalue().decode(encoding)  # the cursor is back


def test_ctrl_c_ends_it_with_what_was_seen(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--keep has no other end: here a key is pressed after 25 hours."""
    real = demo_show.steps

    def pressed(hours: int | None) -> Iterator[list[dict[str, Any]]]:
        assert hours is None
        for number, events in enumerate(real(hours)):
            if number == 25 * 12:
                raise KeyboardInterrupt
            yield events

    monkeypatch.setattr(demo_show, "steps", pressed)
    ran = driftline("demo", "--keep")
    assert (ran.code, ran.err.splitlines()[1]) == (0, "ended by Ctrl-C")
    assert re.search(r"09:00  amount: rose .*, until 00:00 +critical alert, since 09:30\n", ran.out)
    assert "\nIn 25 hours nothing else alerted." in ran.out


def test_ctrl_c_before_the_first_alert(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(hours: int | None) -> Iterator[list[dict[str, Any]]]:
        yield []
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_show, "steps", pressed)
    ran = driftline("demo")
    assert ran.code == 0
    assert ran.out.startswith("\npayments   no window judged yet   0 events, 0 windows")
    assert "first alert" not in ran.out + ran.err


def test_what_is_known_to_be_done_is_all_that_may_alert(
    seven_hours: tuple[Demo, Watch],
) -> None:
    """The comparison says so when something else alerts, and when nothing was found."""
    demo, _ = seven_hours
    (alert,) = demo.board.alerts
    day = troubles_until(BEGIN + DAY)
    assert compared(day[1:], [alert], BEGIN + DAY).splitlines()[1:] == [
        "2026-01-02 09:00  amount: rose little by little    nothing",
        "2026-01-02 14:00  country: one of eight got lost   nothing",
        "In 24 hours 1 false: distance (2026-01-02 06:00). The budget allows 1 false alarm in 30"
        " days.",
    ]
    assert len(troubles_until(BEGIN + DAY + HOURS * 3_600_000)) == 6
    assert report(demo).startswith(render(demo.board))


def test_the_demo_forgets_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.consumer.cli import demo_service, demo_stream

    service = demo_service.DemoService(demo_stream.plan(), BEGIN)
    for number, events in enumerate(demo_show.steps(3), 1):
        service.write(demo_stream.TOPIC, events)
        service.run(BEGIN + number * demo_show.STEP)
    broker, shown = service.broker, {f"driftline.{name}" for name in demo_service.SHOWN}
    logs = {at: log for at, log in broker.logs.items() if at.topic not in shown}
    assert sum(map(len, logs.values())) > 4_500
    assert all(broker.begins[at] == len(log) for at, log in logs.items())
    assert len({id(record) for log in logs.values() for record in log}) == 1
    # What a page may still show stays, and no more.
    (verdicts,) = [log for at, log in broker.logs.items() if log and at not in logs]
    assert [record.offset for record in verdicts if record.value] == list(range(37))
    monkeypatch.setattr(demo_service, "KEPT", 20)
    service.run(BEGIN + 3 * 3_600_000)
    assert [record.offset for record in verdicts if record.value] == list(range(17, 37))


def test_an_effect_of_what_is_missing_counts() -> None:
    demo = Demo(PlainScreen(), Watch(), Watch().sleep, None)
    demo.run(HOURS)
    view = demo.board.views.feature("payments", "country")
    assert view is not None
    assert view.effect[-1] is not None
    assert view.effect[-1] < 0.02
    (row,) = (row for row in demo.board.rows() if row.name == "country")
    assert row.effects[-1] > 0.25
