"""Subscribing: the present state, then what comes; nothing twice, nothing lost over restarts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.deliver.conftest import FIRING, TOPIC, Alerts, alert, resolved

from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.position import FilePosition, MemoryPosition, Position
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.wire.records import Alert


def names(records: list[AlertRecord]) -> list[tuple[str, int]]:
    return [(record.alert.alert_id, record.alert.revision) for record in records]


def test_what_fires_now_comes_first_then_what_is_new(alerts: Alerts) -> None:
    alerts.publish(
        alert("late", end="2019-05-02T00:00:00Z"),
        alert("gone"),
        alert("small", end="2019-05-01T00:00:00Z", effect=0.1),
        alert("large", end="2019-05-01T00:00:00Z", effect=0.9),
        alert("whole", end="2019-05-01T00:00:00Z", effect=None, feature=None, kind="stale"),
        resolved("gone"),
        alert("late", 2, end="2019-05-03T00:00:00Z"),
    )
    subscriber = AlertSubscriber(alerts.log, TOPIC)
    assert names(subscriber.poll()) == [("large", 1), ("small", 1), ("whole", 1), ("late", 2)]
    assert subscriber.poll() == []
    alerts.publish(resolved("large"), alert("new"))
    assert sorted(names(subscriber.poll())) == [("large", 2), ("new", 1)]


def test_repeats_and_older_revisions_are_dropped(alerts: Alerts) -> None:
    alerts.publish(alert("a", 2), alert("a", 1), alert("a", 2))
    subscriber = AlertSubscriber(alerts.log, TOPIC)
    assert names(subscriber.poll()) == [("a", 2)]
    alerts.publish(alert("a", 2), alert("a", 1), alert("a", 3), alert("a", 3))
    assert names(subscriber.poll()) == [("a", 3)]


def test_the_value_is_that_published_with_fields_of_newer_versions(alerts: Alerts) -> None:
    value = msgspec.json.encode({**FIRING, "a_new_field": [1]})
    alerts.publish(b"{}", b"no json", msgspec.json.encode({**FIRING, "kind": "unheard_of"}), value)
    (record,) = AlertSubscriber(alerts.log, TOPIC).poll()
    assert record.value == value
    assert record.alert.alert_id == FIRING["alert_id"]


def test_with_a_time_it_begins_with_every_record_since_then(alerts: Alerts) -> None:
    alerts.publish(
        alert("a", end="2019-05-01T00:00:00Z"),
        resolved("a", end="2019-05-03T00:00:00Z"),
        alert("b", end="2019-05-02T00:00:00Z"),
        alert("b", 2, end="2019-05-04T00:00:00Z"),
    )
    second_of_may = 1_556_755_200_000
    positions = MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, Choice(since=second_of_may), positions)
    records = subscriber.poll()
    assert sorted(names(records)) == [("a", 2), ("b", 1), ("b", 2)]
    alerts.publish(alert("c", end="2019-05-01T00:00:00Z"), alert("d", end="2019-05-05T00:00:00Z"))
    assert names(subscriber.poll()) == [("d", 1)]
    assert len(AlertSubscriber(alerts.log, TOPIC, Choice(since=0)).poll()) == 6
    subscriber.done(records[-1])  # two of the first three and d are open
    again = AlertSubscriber(alerts.log, TOPIC, Choice(since=second_of_may), positions)
    assert {*names(again.poll())} >= {*names(records[:-1]), ("d", 1)}


def test_a_record_has_the_time_of_its_publication(alerts: Alerts) -> None:
    alerts.broker.now = 1_700_000_000_000
    alerts.publish(alert("a"))
    (record,) = AlertSubscriber(alerts.log, TOPIC).poll()
    assert record.timestamp == 1_700_000_000_000


def test_a_topic_that_does_not_exist(alerts: Alerts) -> None:
    with pytest.raises(AlertsError, match=r"^other.alerts does not exist: check output.prefix"):
        AlertSubscriber(alerts.log, "other.alerts")


def test_following_says_done_of_what_it_yielded(alerts: Alerts) -> None:
    positions = MemoryPosition()
    alerts.publish(alert("a"), alert("b"))
    rounds = iter([True, True, False])

    def wait() -> bool:
        alerts.publish(alert("c"))  # a repeat from the second time on
        return next(rounds)

    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert names(list(subscriber.follow(wait))) == [("a", 1), ("b", 1), ("c", 1)]
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


def test_what_was_being_handled_at_the_end_comes_again(alerts: Alerts) -> None:
    positions = MemoryPosition()
    first = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert first.poll() == []
    alerts.publish(alert("a"), partition=0)
    alerts.publish(alert("b"), partition=0)
    seen = []
    for record in first.follow(lambda: False):
        seen.append(record.alert.alert_id)
        if record.alert.alert_id == "b":
            break  # as a crash while it is handled
    assert seen == ["a", "b"]
    again = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert names(again.poll()) == [("b", 1)]


def test_it_is_iterated_over_without_end(alerts: Alerts, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        alerts.publish(alert(f"n{len(slept)}"))

    monkeypatch.setattr("driftline.consumer.deliver.subscriber.time.sleep", sleep)
    found = []
    with AlertSubscriber(alerts.log, TOPIC) as subscriber:
        for record in subscriber:
            found.append(record.alert.alert_id)
            if len(found) == 3:
                break
    assert found == ["n1", "n2", "n3"]


def test_a_resolved_alert_is_told_after_a_restart(alerts: Alerts) -> None:
    """What happened while nobody listened is not folded into the present state."""
    positions = MemoryPosition()
    alerts.publish(alert("a"))
    list(AlertSubscriber(alerts.log, TOPIC, positions=positions).follow(lambda: False))
    alerts.publish(resolved("a"), alert("b"), resolved("b"))
    again = AlertSubscriber(alerts.log, TOPIC, positions=positions).poll()
    assert sorted(names(again)) == [("a", 2), ("b", 1), ("b", 2)]


def test_the_present_state_comes_again_until_all_of_it_is_done(alerts: Alerts) -> None:
    positions = MemoryPosition()
    alerts.publish(alert("a"), alert("b"))
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    one, other = subscriber.poll()
    subscriber.done(one)
    assert subscriber.position is None
    assert positions.load() is None
    assert len(AlertSubscriber(alerts.log, TOPIC, positions=positions).poll()) == 2
    subscriber.done(other)
    assert positions.load() == subscriber.position
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


# Laws.

IDS = "abcde"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(IDS), st.integers(1, 4)), st.just("poll"), st.just("crash")
        ),
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_every_record_is_handled_at_least_once_and_the_highest_revision_wins(
    steps: list[Any], rng: random.Random
) -> None:
    alerts, positions = Alerts(), MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    handled: list[tuple[str, int]] = []
    open_records: list[AlertRecord] = []
    in_process: dict[str, int] = {}
    newest: dict[str, int] = {}
    expected: set[tuple[str, int]] = set()  # new records that came after the first start

    def poll() -> None:
        for record in subscriber.poll():
            name = record.alert.alert_id
            assert record.alert.revision > in_process.get(name, 0)  # never back, never twice
            in_process[name] = record.alert.revision
            open_records.append(record)
        rng.shuffle(open_records)
        while open_records and rng.random() < 0.7:
            handle()

    def handle() -> None:
        record = open_records.pop()
        handled.append((record.alert.alert_id, record.alert.revision))
        subscriber.done(record)

    for step in [*steps, "poll"]:
        if step == "poll":
            poll()
        elif step == "crash":
            open_records.clear()
            in_process.clear()
            subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
        else:
            alerts.publish(alert(*step))
            if step[1] > newest.get(step[0], 0):
                newest[step[0]] = step[1]
                if positions.load() is not None:
                    expected.add(step)
    while open_records:
        handle()
    assert expected <= set(handled)
    assert set(newest.items()) <= set(handled)
    final = positions.load()
    assert final is not None
    assert sum(final.offsets) == sum(1 for _ in alerts.broker.records(TOPIC))
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


# Choices.


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), "abcd"),
        (Choice(models=["car-loan"]), "abc"),
        (Choice(models=["fraud", "car-loan"]), "abcd"),
        (Choice(severity="warning"), "abcd"),
        (Choice(severity="critical"), "b"),
        (Choice(kinds=["stale", "data_quality"]), "cd"),
        (Choice(features=["car_*"]), "ab"),
        (Choice(features=["*"]), "abd"),
        (Choice(features=["CAR_*"]), ""),
        (Choice(status="firing"), "acd"),
        (Choice(status="resolved"), "b"),
        (Choice(models=["car-loan"], status="firing", features=["car_value"]), "a"),
    ],
)
def test_only_what_is_asked_for_comes(choice: Choice, expected: str, alerts: Alerts) -> None:
    positions = MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, choice, positions)
    assert subscriber.poll() == []
    alerts.publish(
        alert("a"),
        alert("b", status="resolved", severity="critical", feature="car_age"),
        alert("c", feature=None, kind="stale"),
        alert("d", model="fraud", feature="amount", kind="data_quality"),
    )
    found = subscriber.poll()
    assert sorted(record.alert.alert_id for record in found) == list(expected)
    for record in found:
        subscriber.done(record)
    assert AlertSubscriber(alerts.log, TOPIC, choice, positions).poll() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"severity": "bad"}, "severity bad: use one of warning, critical"),
        ({"kinds": ["stale", "drift"]}, "kind drift: use one of feature_drift"),
        ({"status": "open"}, "status open: use one of firing, resolved"),
    ],
)
def test_a_word_that_does_not_exist_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(AlertsError, match=said):
        Choice(**wrong)


# Positions, and logs that are not as they were.


def test_a_topic_that_was_created_again_begins_anew(
    alerts: Alerts, caplog: pytest.LogCaptureFixture
) -> None:
    positions = MemoryPosition()
    alerts.publish(alert("a"), alert("b"))
    list(AlertSubscriber(alerts.log, TOPIC, positions=positions).follow(lambda: False))
    info = alerts.broker.infos[TOPIC]
    alerts.broker.infos[TOPIC] = replace(info, topic_id="another")
    assert len(AlertSubscriber(alerts.log, TOPIC, positions=positions).poll()) == 2
    assert "was re-created" in caplog.text
    alerts.broker.infos[TOPIC] = info
    for shorter in (Position(TOPIC, info.topic_id, (0,)), Position(TOPIC, info.topic_id, (9,) * 3)):
        positions.save(shorter)
        assert len(AlertSubscriber(alerts.log, TOPIC, positions=positions).poll()) == 2


def test_a_position_of_another_topic_is_refused(alerts: Alerts) -> None:
    positions = MemoryPosition()
    positions.save(Position("staging.alerts", "id", (0, 0, 0)))
    with pytest.raises(AlertsError, match=r"is of staging.alerts, not of driftline.alerts"):
        AlertSubscriber(alerts.log, TOPIC, positions=positions)


def test_records_that_retention_took_are_no_obstacle(alerts: Alerts) -> None:
    positions = MemoryPosition()
    list(AlertSubscriber(alerts.log, TOPIC, positions=positions).follow(lambda: False))
    alerts.publish(alert("a"), alert("b"), alert("c"), partition=1)
    alerts.broker.delete_before(TopicPartition(TOPIC, 1), 2)
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert names(subscriber.poll()) == [("c", 1)]
    alerts.broker.delete_before(TopicPartition(TOPIC, 1), 3)
    assert AlertSubscriber(alerts.log, TOPIC).poll() == []


def test_a_read_that_breaks_off_loses_nothing(
    alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts.publish(alert("a"), alert("b"))
    subscriber = AlertSubscriber(alerts.log, TOPIC)
    whole = alerts.log.read

    def broken(start: Mapping[TopicPartition, int]) -> Iterator[MemoryRecord]:
        yield next(whole(start))
        raise WorkerLost("the broker is gone")

    monkeypatch.setattr(alerts.log, "read", broken)
    with pytest.raises(WorkerLost):
        subscriber.poll()
    monkeypatch.undo()
    assert sorted(names(subscriber.poll())) == [("a", 1), ("b", 1)]


def test_a_position_in_a_file_survives(alerts: Alerts, tmp_path: Path) -> None:
    path = tmp_path / "position.json"
    alerts.publish(alert("a"))
    list(AlertSubscriber(alerts.log, TOPIC, positions=FilePosition(path)).follow(lambda: False))
    assert AlertSubscriber(alerts.log, TOPIC, positions=FilePosition(path)).poll() == []
    assert list(tmp_path.iterdir()) == [path]
    kept = FilePosition(path).load()
    assert kept is not None
    assert (kept.topic, sum(kept.offsets)) == (TOPIC, 1)


def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "position.json"
    assert FilePosition(path).load() is None
    path.write_text("{}")
    with pytest.raises(AlertsError, match="holds no position of a subscriber; delete it"):
        FilePosition(path).load()
    with pytest.raises(AlertsError, match="cannot be read"):
        FilePosition(tmp_path).load()
    (tmp_path / "device").symlink_to("/dev/zero")
    with pytest.raises(AlertsError, match=r"cannot be read .it is a pipe or a device"):
        FilePosition(tmp_path / "device").load()
    with pytest.raises(AlertsError, match="cannot be written"):
        FilePosition(tmp_path / "no" / "file").save(Position(TOPIC, "id", (1,)))


def test_alerts_in_this_suite_are_alerts() -> None:
    assert isinstance(alert(), Alert)
