"""Work for minutes: the worker polls again long before all of it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, plan, row

from driftline.consumer.config.client_options import POLL_INTERVAL_MS
from driftline.consumer.http.health import _LONGEST_SILENCE_MS
from driftline.consumer.log.protocol import Record
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.stage import Batch, ByModel, Stage
from driftline.consumer.service.worker import Worker

SLOW = 600  # ms that judge takes for each record of the log of panes


def filled() -> Rig:
    """Return a deployment in whose log of panes many records wait to be judged."""
    rig = Rig(plan(thresholds={"ks": {"warning": 0.3}}))
    rig.write(row(second * SECOND, x=second // 50 % 2) for second in range(0, 6_000, 10))
    worker = rig.start(batch=600)
    while len(rig.records("panes")) < 400:
        worker.step()
        rig.workers[0][2].flush()
    rig.kill()
    return rig


def published(rig: Rig) -> tuple[object, object]:
    return rig.verdicts(), rig.alerts()


@pytest.fixture(scope="module")
def calm() -> tuple[object, object]:
    """What a worker publishes that takes no time."""
    rig = filled()
    rig.start(batch=100_000)
    rig.settle()
    return published(rig)


def longest_silence(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> int:
    """Let a worker read all that waits; return the longest time between two polls, ms."""
    take = PanesPartition.take

    def slowly(self: PanesPartition, names: Iterable[str], *more: Any) -> Iterator[Batch]:
        rig.broker.now += SLOW
        yield from take(self, names, *more)

    monkeypatch.setattr(PanesPartition, "take", slowly)
    worker = rig.start(batch=100_000)
    panes = [at for at in rig.broker.logs if at.topic == rig.plan.output("panes")]
    (_, consumer, _), *_ = rig.workers
    longest, polled = 0, rig.broker.now
    while any(consumer.lag(at) != 0 for at in panes):
        worker.step()
        longest, polled = max(longest, rig.broker.now - polled), rig.broker.now
    rig.settle()
    return longest


def test_what_a_poll_brought_is_done_in_steps(
    monkeypatch: pytest.MonkeyPatch, calm: tuple[object, object]
) -> None:
    rig = filled()
    assert longest_silence(monkeypatch, rig) < _LONGEST_SILENCE_MS
    assert published(rig) == calm


def test_in_one_step_the_group_would_take_the_worker_for_lost(
    monkeypatch: pytest.MonkeyPatch, calm: tuple[object, object]
) -> None:
    rig = filled()
    monkeypatch.setattr(ByModel, "at_once", 100_000)
    assert longest_silence(monkeypatch, rig) > POLL_INTERVAL_MS
    assert published(rig) == calm


def test_records_that_take_long_together_are_fed_in_smaller_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig, runs = Rig(plan()), list[int]()
    feed = InputPartition.feed

    def slowly(self: InputPartition, records: Sequence[Record], now: int) -> Sequence[Batch]:
        runs.append(len(records))
        rig.broker.now += 50 * len(records) if len(runs) <= 2 else 0
        return feed(self, records, now)

    monkeypatch.setattr(InputPartition, "feed", slowly)
    monkeypatch.setattr(InputPartition, "at_once", 400)
    rig.write(row(second * SECOND) for second in range(1_200))
    worker = rig.start(batch=600)
    for _ in range(20):
        worker.step()
    assert worker.status.polled == rig.broker.now
    # 20 s are too long, 10 s are not; what takes no time is fed by twice as many again.
    assert runs == [400, 200, 200, 400]


OPENING = 50_000  # ms that a partition takes to be opened


def slowly_opened(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    open_stage = Opening.stage

    def slowly(self: Opening, *given: Any) -> Stage:
        rig.broker.now += OPENING
        return open_stage(self, *given)

    monkeypatch.setattr(Opening, "stage", slowly)


def opened(worker: Worker) -> bool:
    return worker.status.generation >= 0 and not worker.status.unopened


def test_a_worker_polls_between_the_partitions_that_it_opens(
    monkeypatch: pytest.MonkeyPatch, calm: tuple[object, object]
) -> None:
    rig = filled()
    slowly_opened(monkeypatch, rig)
    worker = rig.start()
    steps = 0
    while not opened(worker):
        before = rig.broker.now
        worker.step()
        assert rig.broker.now - before <= OPENING
        assert bool(worker.status.catching_up()) != opened(worker)
        steps += 1
    assert steps == 2  # the input and the first of the two partitions of panes, then the other
    rig.settle()
    assert published(rig) == calm


def test_partitions_may_go_while_they_are_opened(
    monkeypatch: pytest.MonkeyPatch, calm: tuple[object, object]
) -> None:
    rig = filled()
    slowly_opened(monkeypatch, rig)
    first = rig.start()
    first.step()
    assert first.status.unopened == 1
    second = rig.start()  # it gets one or two of the three
    first.step()
    second.step()
    rig.kill()
    for _ in range(9):
        second.step()
    assert opened(second)
    assert len(second.status.stages) == 3
    rig.settle()
    assert published(rig) == calm
