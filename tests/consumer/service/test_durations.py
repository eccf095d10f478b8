"""What a worker measures of itself, by clocks that the test holds."""

from __future__ import annotations

from itertools import count

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, plan, row

from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.status import Histogram
from driftline.consumer.service.worker import Worker


def number(durations: Histogram) -> int:
    return durations.cumulative()[-1][1]


def ran(partitions: int = 1, timestamp: int | None = None) -> tuple[Rig, Worker]:
    """A worker whose timer goes on by a second at each look."""
    rig = Rig(plan(), partitions)
    seconds = count()
    worker = rig.start(timer=lambda: float(next(seconds)))
    rig.write([row(t * SECOND) for t in range(60)], timestamp=timestamp)
    return rig, worker


def test_a_poll_is_a_batch_and_one_without_records_is_none() -> None:
    rig, worker = ran()
    worker.step()  # it comes to own its partitions
    worker.step()
    status = worker.status
    assert number(status.batch_processing) == 1
    assert status.batch_processing.sum == 1.0
    worker.checkpoint()
    rig.settle()
    batches = number(status.batch_processing)
    worker.step()
    assert number(status.batch_processing) == batches > 1
    assert 1 <= number(status.window_evaluation) < batches
    assert status.window_evaluation.sum == number(status.window_evaluation)


def test_the_age_of_the_newest_record_when_verdicts_are_sent() -> None:
    rig, worker = ran()
    worker.step()
    worker.step()
    worker.checkpoint()
    rig.broker.now += 1_500
    while not worker.status.windows["m"]:
        assert number(worker.status.end_to_end) == 0
        worker.step()
    assert number(worker.status.end_to_end) == 1
    assert worker.status.end_to_end.sum == 1.5


def test_a_record_of_the_future_has_no_negative_age_and_one_without_time_none() -> None:
    rig, worker = ran(timestamp=1 << 50)
    rig.settle()
    assert number(worker.status.end_to_end) >= 1
    assert worker.status.end_to_end.sum == 0
    rig, worker = ran(timestamp=-1)
    rig.settle()
    assert worker.status.windows["m"] >= 1
    assert number(worker.status.end_to_end) == 0


def test_a_worker_that_reads_no_input_observes_no_age() -> None:
    rig, first = ran()
    second = rig.start()
    rig.settle()
    both = (first.status, second.status)
    reads = [any(p.topic == "in" for p in status.of(InputPartition)) for status in both]
    judges = ["m" in status.models() for status in both]
    assert sorted(reads) == sorted(judges) == [False, True]
    for status, reads_input, judges_model in zip(both, reads, judges, strict=True):
        assert (number(status.end_to_end) > 0) == (reads_input and judges_model)
        assert (number(status.window_evaluation) > 0) == judges_model


def test_a_bound_belongs_to_its_bucket() -> None:
    durations = Histogram([1, 2])
    for seconds in (0.0, 1.0, 1.5, 2.0, 2.5):
        durations.observe(seconds)
    assert durations.cumulative() == [(1, 2), (2, 4), (float("inf"), 5)]
    assert durations.sum == 7.0
