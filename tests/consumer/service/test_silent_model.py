"""A model that is silent: its alert is one life, also over restarts and late events."""

from __future__ import annotations

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, TOPIC, plan, row

from driftline.consumer.sketch.state import SketchState

PLAN = plan(stale_after="60s")


def wait(rig: Rig, steps: int = 70) -> None:
    """Let `stale_after` pass in which nothing arrives."""
    for _ in range(steps):
        rig.broker.now += 1_100
        for worker, _, _ in rig.workers:
            worker.step()
    rig.settle()


def silent(partitions: int) -> Rig:
    """A model that spoke for a minute, in partition 0 only, and is silent since."""
    rig = Rig(PLAN, partitions)
    rig.write([row(t * SECOND) for t in range(60)])
    rig.start()
    rig.settle()
    wait(rig)
    return rig


def said(rig: Rig) -> list[tuple[str, int, str]]:
    """What was written about silence; no id and revision stands for two records."""
    found = [(b["alert_id"], b["revision"], b["status"]) for b in rig.bodies("alerts")]
    names = [record[:2] for record in found]
    assert len(set(names)) == len(names)
    return found


def test_a_restart_is_no_end_of_a_silence() -> None:
    rig = silent(partitions=2)
    (fired,) = said(rig)
    assert fired[1:] == (1, "firing")
    rig.stop()
    rig.start()
    wait(rig)
    assert said(rig) == [fired]
    rig.write([row(90 * SECOND)], partition=1)
    rig.settle()
    assert said(rig) == [fired, (fired[0], 2, "resolved")]


def test_a_late_event_is_no_end_of_a_silence() -> None:
    rig = silent(partitions=1)
    fired = said(rig)
    rig.write([row(58 * SECOND)])
    wait(rig)
    assert said(rig) == fired
    assert fired[0][1:] == (1, "firing")


def test_a_stale_flag_alone_is_a_new_state() -> None:
    rig = silent(partitions=2)
    states = rig.states(f"sketch/{TOPIC}/1", SketchState)
    assert (states[-1].position, states[-1].rewind) == (0, 0)  # nothing ever came
    assert states[-1].models["m"].stale
