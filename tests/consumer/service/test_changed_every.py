"""After `every` was changed no window is judged on a part of its events."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import DAY, SECOND, backtest, plan, row, seconds, verdicts

SEGMENT_FREE = {"feature": "x", "segment": None}


def window(length: int, every: int, pane: int | None = None) -> dict[str, Any]:
    found = {"length": f"{length}s", "every": f"{every}s", "grace": "5s", "min_events": 1}
    return found if pane is None else {**found, "pane": f"{pane}s"}


def events(start: int, end: int) -> list[dict[str, Any]]:
    return [row(t * SECOND) for t in range(start, end)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((60, 60), (10, 10)),
        ((60, 60), (40, 40)),
        ((30, 10), (30, 15)),
        ((10, 10), (60, 60)),
        ((60, 60), (60, 60, 10)),
        ((60, 60, 10), (60, 60)),
        ((60, 60, 15), (60, 60, 20)),
        ((30, 10, 2), (30, 15, 5)),
    ],
)
def test_windows_over_two_lengths_are_not_judged(
    before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    rig = Rig(plan(window=window(*before)), partitions=2)
    rig.write(events(0, 400), partition=0)
    rig.write(events(0, 130), partition=1)
    worker = rig.start()
    for _ in range(12):  # no time passes: partition 1 holds the clock
        worker.step()
    rig.stop()
    rig.write(events(130, 700), partition=1)
    rig.write(events(400, 700), partition=0)
    rig.start(plan(window=window(*after)))
    rig.settle()
    found = [v for v in rig.verdicts().values() if SEGMENT_FREE.items() <= v.items()]
    changed = [v for v in found if v["reason"] == "reference changed"]
    assert changed
    assert {v["state"] for v in changed} == {"insufficient"}
    judged = [v for v in found if v["state"] != "insufficient"]
    for verdict in judged:
        start, end = seconds(verdict["window"]["start"]), seconds(verdict["window"]["end"])
        whole = 2 * (min(end, 700) - max(start, 0))
        assert verdict["window"]["events"] == whole, verdict["window"]
    # It is judged again as soon as all panes are of the new length.
    last = max(seconds(v["window"]["end"]) for v in changed)
    assert any(seconds(v["window"]["start"]) >= last - after[0] for v in judged)


def test_a_stretch_without_events_has_counts_of_nothing() -> None:
    rows = [*events(0, 30), *events(DAY // SECOND, DAY // SECOND + 30)]
    quiet = [v for v in verdicts(backtest(plan(), rows), "x") if v.reason == "no events"]
    assert len(quiet) == 1
    assert quiet[0].window.events == 0
    assert seconds(quiet[0].window.start) > 0
    names = ("valid", "missing", "absent", "invalid", "unseen", "out_of_range")
    assert quiet[0].counts == dict.fromkeys(names, 0)
