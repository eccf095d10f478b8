"""When a worker lives, and when it is ready."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftline.consumer.http import Check, Health, Report
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.log.protocol import Ownership, TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status

from .conftest import SECOND, START, Site, input_partition, read


def said(report: Report) -> dict[str, tuple[bool, str]]:
    return {check.name: (check.ok, check.says) for check in report.checks}


def test_a_worker_lives_while_it_polls(plan: Plan) -> None:
    now = START
    status = Status(plan)
    health = Health(status, lambda: now)
    assert said(health.live()) == {"polling": (True, "starting")}
    now = START + 60 * SECOND
    assert health.live().ok
    now = START + 61 * SECOND
    assert said(health.live()) == {"polling": (False, "no poll for 61 s: restart this worker")}
    status.polled = START + 59 * SECOND
    assert said(health.live()) == {"polling": (True, "polled 2 s ago")}
    now = status.polled + 60 * SECOND + 1
    assert not health.live().ok
    now = status.polled - 5 * SECOND  # the clock was set back
    assert said(health.live()) == {"polling": (True, "polled 0 s ago")}


def test_a_worker_is_ready_when_it_has_partitions_and_has_read_its_past(site: Site) -> None:
    first = site.worker()
    health = Health(first.status, lambda: site.broker.now)
    assert said(health.ready())["partitions"] == (
        False,
        "no partitions yet: waiting for the group",
    )
    site.events(range(22))
    first.step()
    assert said(health.ready()) == {
        "polling": (True, "polled 0 s ago"),
        "partitions": (True, "owns 1 input partitions, 2 of driftline.panes"),
        "caught_up": (True, "what was open has been read again"),
        "transactions": (True, "no partition waits for one"),
    }
    site.run(first)
    first.checkpoint()
    site.broker.members.clear()  # killed

    second = site.worker()
    health = Health(second.status, lambda: site.broker.now)
    second.step()
    report = health.ready()
    assert not report.ok
    ok, says = said(report)["caught_up"]
    assert not ok
    # Two events a second; with 5 s of grace the panes from second 10 on are open.
    assert "in[0] is read again from 20 to 44" in says
    assert "driftline.panes[" in says
    site.run(second)
    assert health.ready().ok
    site.broker.now += 61 * SECOND  # it hangs
    assert not health.ready().ok


def test_a_spare_worker_is_ready(site: Site) -> None:
    workers = [site.worker() for _ in range(4)]  # for 3 partitions
    for worker in workers:
        worker.step()
    reports = [Health(worker.status, lambda: site.broker.now).ready() for worker in workers]
    assert [report.ok for report in reports] == [True, True, True, True]
    assert said(reports[3])["partitions"] == (
        True,
        "a spare: there are more workers than partitions",
    )


def test_many_sentences_are_cut(site: Site) -> None:
    class Busy(Status):
        def catching_up(self) -> list[str]:
            return [f"in[{i}] is read again from 0 to 9" for i in range(40)]

    ok, says = said(Health(Busy(site.plan), lambda: START).ready())["caught_up"]
    assert not ok
    assert says.startswith("in[0] is read again from 0 to 9; in[1]")
    assert says.endswith("; in[4] is read again from 0 to 9; and 35 more")


def test_the_page_is_json() -> None:
    page: dict[str, Any] = json.loads(Report([Check("polling", False, 'no "poll"')]).to_json())
    assert page == {
        "ok": False,
        "checks": [{"name": "polling", "ok": False, "says": 'no "poll"'}],
    }


def test_a_partition_that_an_open_transaction_holds_is_named(plan: Plan) -> None:
    now = START
    status = Status(plan)
    health = Health(status, lambda: now)
    place = TopicPartition("in", 1)
    held = input_partition(plan, place)
    status.own(Ownership(0, frozenset({place}), frozenset()), {place: held})
    for seconds in (0, 5, 9):
        now = status.polled = START + seconds * SECOND
        held.hold(42, now)
    assert said(health.ready())["transactions"] == (True, "no partition waits for one")
    now = status.polled = START + 10 * SECOND
    held.hold(42, now)
    report = health.ready()
    assert report.ok  # its producer is to blame: a restart of this worker changes nothing
    assert said(report)["transactions"] == (
        True,
        "in[1] waits at offset 42 for an open transaction, for 10 s",
    )
    held.hold(57, now)  # that one has ended, the next one began
    assert said(health.ready())["transactions"] == (True, "no partition waits for one")


def test_a_model_that_failed_is_named_and_leaves_the_worker_ready(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ModelJudge.feed

    def broken(self: ModelJudge, *args: Any) -> Any:
        if self.name == "loan":
            raise ZeroDivisionError("a defect")
        return feed(self, *args)

    monkeypatch.setattr(ModelJudge, "feed", broken)
    worker = site.worker()
    site.events(range(22))
    site.run(worker)
    ready = Health(worker.status, lambda: site.broker.now).ready()
    assert ready.ok
    assert said(ready)["models"] == (
        True,
        "failed, and not watched here until a restart: loan; see the log",
    )
    samples = read(worker.status)
    assert samples["model_failed", (("model", "loan"),)] == 1
    assert samples["model_failed", (("model", "churn"),)] == 0
