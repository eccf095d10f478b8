"""What retention deletes before it is read: told with the exact range, and judged nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, SECOND, TOPIC, plan, reference, row

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.wire.messages import partition_of

PARTITION = TopicPartition(TOPIC, 0)


def events(start: int, end: int, step: int = 1) -> list[dict[str, Any]]:
    return [row(time * SECOND) for time in range(start, end, step)]


def reasons(rig: Rig) -> dict[str, str | None]:
    """Window end (minutes and seconds) to the reason, of feature x."""
    return {
        v["window"]["end"][14:19]: v["reason"]
        for v in rig.verdicts().values()
        if v["feature"] == "x"
    }


LOST = "events of this time were deleted before they were read"


def test_events_deleted_while_no_worker_ran() -> None:
    rig = Rig(plan())
    rig.write(events(0, 40))
    rig.start()
    rig.settle()
    rig.kill()
    rig.write(events(40, 200))
    rig.broker.delete_before(PARTITION, 70)
    rig.start()
    rig.settle()
    fired, resolved = rig.alerts("data_loss")
    # The pane that was open began with offset 30: what it had counted is gone with it.
    assert fired["summary"] == (
        "m: events 30 to 69 of in partition 0 were deleted before they were read; windows from "
        "2020-09-20 00:00 UTC to 2020-09-20 00:01 UTC are not judged."
    )
    assert (fired["status"], fired["severity"]) == ("firing", "critical")
    assert (fired["feature"], fired["detector"], fired["breaches"]) == (None, None, None)
    assert (fired["window"]["start"], fired["window"]["end"]) == (
        "2020-09-20T00:00:30Z",
        "2020-09-20T00:01:20Z",
    )
    assert (resolved["status"], resolved["revision"]) == ("resolved", 2)
    assert resolved["alert_id"] == fired["alert_id"]
    judged = reasons(rig)
    lost = [end for end, reason in judged.items() if reason == LOST]
    assert lost == ["00:40", "00:50", "01:00", "01:10", "01:20", "01:30", "01:40"]
    assert judged["00:30"] is None
    assert judged["01:50"] is None
    assert resolved["window"]["end"] == "2020-09-20T00:01:50Z"
    worker, _, _ = rig.workers[0]
    assert worker.status.totals[TOPIC].read == 130


def test_a_loss_is_told_once_whatever_restarts() -> None:
    rig = Rig(plan())
    rig.write(events(0, 40))
    rig.start()
    rig.settle()
    rig.kill()
    rig.write(events(40, 120))
    rig.broker.delete_before(PARTITION, 70)
    for _ in range(3):
        rig.start(batch=5)
        for _ in range(6):
            rig.workers[0][0].step()
        rig.kill()
    rig.start()
    rig.settle()
    told = [(a["status"], a["revision"]) for a in rig.alerts("data_loss")]
    assert told == [("firing", 1), ("resolved", 2)]


def test_what_was_read_and_is_needed_no_more_is_no_loss() -> None:
    rig = Rig(plan())
    rig.write(events(0, 40))
    rig.start()
    rig.settle()
    rig.kill()
    rig.broker.delete_before(PARTITION, 30)
    rig.write(events(40, 80))
    rig.start()
    rig.settle()
    assert rig.alerts("data_loss") == []
    assert LOST not in reasons(rig).values()


def test_what_a_failed_model_alone_needs_is_no_loss_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig(plan({"n": reference(model="n")}, models={"n": {}}))

    def both(start: int, end: int) -> list[dict[str, Any]]:
        return [{**event, "model": name} for event in events(start, end) for name in (MODEL, "n")]

    count = ModelSketch.count

    def broken(model: ModelSketch, *args: Any) -> Any:
        return 1 / 0 if model._model.name == "n" else count(model, *args)

    monkeypatch.setattr(ModelSketch, "count", broken)
    rig.write(both(0, 40))
    rig.start(batch=20)
    rig.settle()
    rig.kill()
    monkeypatch.undo()
    rig.broker.delete_before(PARTITION, 50)
    rig.write(both(40, 120))
    rig.start()
    rig.settle()
    fired, resolved = rig.alerts("data_loss")
    assert fired["summary"].startswith("n: events 0 to 49 of in partition 0 were deleted")
    assert resolved["alert_id"] == fired["alert_id"]
    lost = {v["model"] for v in rig.verdicts().values() if v["reason"] == LOST}
    assert lost == {"n"}


def test_panes_deleted_before_they_were_judged() -> None:
    rig = Rig(plan())
    rig.write(events(0, 40))
    rig.start()
    rig.settle()
    rig.stop()
    panes = TopicPartition("driftline.panes", partition_of("m", 2))
    end = len(rig.broker.logs[panes])
    rig.broker.delete_before(panes, end)
    rig.write(events(40, 200))
    rig.start()
    rig.settle()
    fired, resolved = rig.alerts("data_loss")
    assert f"to {end - 1} of driftline.panes partition {panes.partition} " in fired["summary"]
    assert resolved["status"] == "resolved"
    judged = reasons(rig)
    assert judged["00:40"] == LOST
    assert list(judged.values())[-1] is None


@pytest.mark.parametrize("begin", [40, 41, 90])
def test_everything_was_deleted(begin: int) -> None:
    rig = Rig(plan())
    rig.write(events(0, 40))
    rig.start()
    rig.settle()
    rig.kill()
    rig.write(events(40, begin))
    rig.broker.delete_before(PARTITION, begin)
    rig.start()
    rig.settle()
    (silent,) = rig.alerts("data_loss")  # nothing has come since: it is told all the same
    rig.write(events(120, 240))
    rig.settle()
    told, fired, resolved = rig.alerts("data_loss")  # now it is known how far it reaches
    assert told == silent
    for alert in (told, fired):
        assert f"events 30 to {begin - 1} of in partition 0 were deleted" in alert["summary"]
    assert told["window"]["start"] == fired["window"]["start"]
    assert told["window"]["end"] < fired["window"]["end"]
    assert [alert["revision"] for alert in (told, fired, resolved)] == [1, 2, 3]
    assert [alert["status"] for alert in (told, fired, resolved)] == ["firing"] * 2 + ["resolved"]
