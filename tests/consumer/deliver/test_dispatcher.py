"""Handing on: at least once, each alert in order, nobody held up; time and threads are played."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.deliver.conftest import TOPIC, Alerts, alert

from driftline.consumer.deliver.dispatcher import (
    MOST_WAITING,
    POLL,
    Attempts,
    Dispatcher,
    Failure,
    forward,
)
from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.position import MemoryPosition
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber


class Stage(Executor):
    """Runs nothing by itself: the test says what ends next."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Future[Any], Callable[..., Any], AlertRecord]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.jobs.append((future, fn, args[0]))
        return future

    @property
    def names(self) -> list[tuple[str, int]]:
        return [(job[2].alert.alert_id, job[2].alert.revision) for job in self.jobs]

    def end(self, number: int = 0) -> None:
        future, fn, record = self.jobs.pop(number)
        try:
            future.set_result(fn(record))
        except Exception as error:
            future.set_exception(error)


class Inline(Executor):
    """Runs at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        stage = Stage()
        future = stage.submit(fn, *args)
        stage.end()
        return future


class Play:
    """A dispatcher with a clock and a delivery that the test plays."""

    def __init__(self, executor: Executor, parallel: int = 2, **attempts: Any) -> None:
        self.now = 0.0
        self.bad: dict[str, Exception] = {}
        self.tried: list[tuple[float, str, int]] = []
        self.done: list[tuple[str, int]] = []
        self.failures: list[Failure[AlertRecord]] = []
        self.dispatcher = Dispatcher(
            self.deliver,
            executor,
            parallel,
            Attempts(**attempts),
            lambda: self.now,
            lambda record: self.done.append((record.alert.alert_id, record.alert.revision)),
            self.failures.append,
        )

    def deliver(self, record: AlertRecord) -> None:
        self.tried.append((self.now, record.alert.alert_id, record.alert.revision))
        if record.alert.alert_id in self.bad:
            raise self.bad[record.alert.alert_id]

    def offer(self, alert_id: str, revision: int = 1) -> None:
        self.dispatcher.offer(AlertRecord(alert(alert_id, revision), b"", 0, len(self.tried), 0))

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_alerts_run_side_by_side_up_to_the_bound_and_one_alert_in_order() -> None:
    stage = Stage()
    play = Play(stage, parallel=2)
    for name, revision in (("a", 1), ("a", 2), ("b", 1), ("c", 1)):
        play.offer(name, revision)
    play.dispatcher.step()
    assert stage.names == [("a", 1), ("b", 1)]
    stage.end(1)
    play.dispatcher.step()
    assert stage.names == [("a", 1), ("c", 1)]
    stage.end(0)
    play.dispatcher.step()
    assert stage.names == [("c", 1), ("a", 2)]
    assert play.done == [("b", 1), ("a", 1)]


def test_a_failure_is_repeated_with_growing_pauses_and_then_given_up() -> None:
    play = Play(Inline(), limit=4, backoff=10.0, longest=25.0)
    play.bad["a"] = DeliveryError("exit code 3")
    play.offer("a", 1)
    play.offer("a", 2)
    play.dispatcher.step()
    del play.tried[1:]
    while play.dispatcher.waiting and play.now < 60:
        play.dispatcher.rest(POLL, play.sleep)
        play.dispatcher.step()
    assert play.tried[:4] == [(0, "a", 1), (10, "a", 1), (30, "a", 1), (55, "a", 1)]
    assert play.tried[4] == (55, "a", 2)  # the next revision has attempts of its own
    (failure,) = play.failures
    assert (failure.attempts, failure.error) == (4, "exit code 3")
    assert play.done == [("a", 1)]
    counts = play.dispatcher.counts
    assert (counts.delivered, counts.retried, counts.failed) == (0, 4, 1)


def test_nobody_waits_while_one_alert_pauses() -> None:
    play = Play(Inline(), parallel=1)
    play.bad["a"] = DeliveryError("no")
    play.offer("a")
    play.dispatcher.step()
    play.offer("b")
    play.dispatcher.step()
    assert play.done == [("b", 1)]
    assert play.dispatcher.waiting == 1


def test_what_hangs_holds_up_its_own_alert_only() -> None:
    stage = Stage()
    play = Play(stage, parallel=2)
    play.offer("hangs")
    for number in range(5):
        play.offer("hangs", number + 2)
        play.offer(f"b{number}")
    play.dispatcher.step()
    for _ in range(5):
        stage.end(1)
        play.dispatcher.step()
    assert play.done == [(f"b{number}", 1) for number in range(5)]
    assert stage.names == [("hangs", 1)]


def test_no_attempt_is_wasted_on_a_refusal() -> None:
    play = Play(Inline())
    play.bad["a"] = DeliveryError("answered 404", again=False)
    play.offer("a")
    play.dispatcher.step()
    assert [failure.attempts for failure in play.failures] == [1]
    assert play.done == [("a", 1)]


def test_an_error_of_another_kind_is_a_failed_attempt_too() -> None:
    play = Play(Inline(), limit=1)
    play.bad["a"] = RuntimeError()
    play.offer("a")
    play.dispatcher.step()
    assert [failure.error for failure in play.failures] == ["RuntimeError"]


def test_a_failure_is_a_line_on_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(record: AlertRecord) -> None:
        raise DeliveryError("exit code 3")

    dispatcher = Dispatcher(refuse, Inline(), 1, Attempts(limit=1), lambda: 0.0, lambda record: 0)
    dispatcher.offer(AlertRecord(alert("a", 7), b"", 0, 0, 0))
    dispatcher.step()
    assert caplog.messages == [
        "alert a, revision 7 (car-loan) is given up after 1 attempts: exit code 3"
    ]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=25),
    st.integers(1, 4),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_at_least_once_in_order_and_never_two_at_a_time(
    offers: list[tuple[str, int]], limit: int, parallel: int, rng: random.Random
) -> None:
    stage = Stage()
    play = Play(stage, parallel, limit=limit, backoff=1.0)
    order: dict[str, list[int]] = {}
    failing: dict[tuple[str, int], int] = {}  # how often each still fails
    tries: Counter[tuple[str, int]] = Counter()

    def deliver(record: AlertRecord) -> None:
        key = (record.alert.alert_id, record.alert.revision)
        tries[key] += 1
        if failing[key] > 0:
            failing[key] -= 1
            raise DeliveryError("no")

    play.deliver = deliver  # type: ignore[method-assign]  # another delivery for the same play
    play.dispatcher._deliver = deliver
    waiting = list(offers)
    while waiting or play.dispatcher.waiting:
        if waiting and rng.random() < 0.5:
            name, times = waiting.pop(0)
            revisions = order.setdefault(name, [])
            revisions.append(len(revisions) + 1)
            failing[name, revisions[-1]] = times
            play.offer(name, revisions[-1])
        play.dispatcher.step()
        running = [name for name, _ in stage.names]
        assert len(running) == len(set(running)) <= parallel
        if stage.jobs and rng.random() < 0.7:
            stage.end(rng.randrange(len(stage.jobs)))
        elif not stage.jobs:
            play.now += 1.0
    done: dict[str, list[int]] = {}
    for name, revision in play.done:
        done.setdefault(name, []).append(revision)
    assert done == order
    assert all(1 <= times <= limit for times in tries.values())
    assert play.dispatcher.counts.delivered + len(play.failures) == len(offers)


# The loop.


def test_forwarding_ends_when_all_is_handed_on_and_keeps_the_position(alerts: Alerts) -> None:
    positions = MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    play = Play(Inline(), limit=3)
    play.bad["a"] = DeliveryError("no")
    play.dispatcher._on_done = subscriber.done
    alerts.publish(alert("a"), alert("b"))
    forward(subscriber.poll, play.dispatcher, play.sleep, lambda: False, follow=False)
    assert play.dispatcher.counts.delivered == 1
    assert len(play.failures) == 1
    assert play.now == 3.0  # pauses of 1 s and 2 s
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


def test_forwarding_goes_on_until_it_is_stopped(alerts: Alerts) -> None:
    play = Play(Inline())

    def sleep(seconds: float) -> None:
        play.sleep(seconds)
        alerts.publish(alert(f"n{play.now:g}"))

    poll = AlertSubscriber(alerts.log, TOPIC).poll
    forward(poll, play.dispatcher, sleep, lambda: len(play.done) >= 3)
    assert play.done == [("n1", 1), ("n2", 1), ("n3", 1)]


def test_a_flood_of_alerts_is_taken_in_parts(alerts: Alerts) -> None:
    stage = Stage()
    play = Play(stage)
    for number in range(MOST_WAITING):
        play.offer(f"n{number}")
    alerts.publish(alert("later"))
    stops = iter([False, True])
    play.dispatcher.rest = lambda *args: None  # type: ignore[method-assign]  # nothing ends here
    poll = AlertSubscriber(alerts.log, TOPIC).poll
    forward(poll, play.dispatcher, play.sleep, lambda: next(stops))
    assert play.dispatcher.waiting == MOST_WAITING


def test_pauses_have_a_longest() -> None:
    assert Attempts(backoff=2.0, longest=30.0).pause(10_000) == 30.0


def test_a_receiver_says_how_long_it_wants_to_be_left_alone() -> None:
    play = Play(Inline(), limit=3)
    play.bad["a"] = DeliveryError("busy", after=120.0)
    play.offer("a")
    play.dispatcher.step()
    while play.dispatcher.waiting:
        play.dispatcher.rest(POLL, play.sleep)
        play.dispatcher.step()
    assert [time for time, *_ in play.tried] == [0.0, 120.0, 240.0]
