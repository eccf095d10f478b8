"""Replay: what is sent, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.replay.replay import Pace, encode_event, replay

MAPPING = Mapping({"event_id": "id", "timestamp": "ts", "features": "*"})


class FakeTime:
    """A clock that only moves when somebody sleeps, or sends."""

    def __init__(self, send_takes: float = 0.0) -> None:
        self.now = 100.0
        self.send_takes = send_takes
        self.sent_at: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def send(self, key: bytes | None, value: bytes) -> None:
        self.sent_at.append(self.now - 100.0)
        self.now += self.send_takes


def rows(*times: object) -> list[list[dict[str, Any]]]:
    return [[{"id": i, "ts": time, "km": 1.5}] for i, time in enumerate(times)]


def test_events_are_sent_in_order_with_their_id_as_key() -> None:
    sent: list[tuple[bytes | None, bytes]] = []
    progress: list[int] = []
    count = replay(
        [[{"id": 1, "a": None, "b": float("nan")}, {"a": "x", "b": 2}], [{"id": "z", "b": True}]],
        MAPPING,
        lambda key, value: sent.append((key, value)),
        progress=progress.append,
    )
    assert count == 3
    assert progress == [2, 3]
    assert [key for key, _ in sent] == [b"1", None, b"z"]
    assert [json.loads(value) for _, value in sent] == [
        {"event_id": 1, "features": {"a": None, "b": "NaN"}},
        {"features": {"a": "x", "b": 2}},
        {"event_id": "z", "features": {"b": True}},
    ]


def test_without_a_pace_nothing_waits() -> None:
    time = FakeTime()
    replay(rows(*range(5)), MAPPING, time.send)
    assert time.sent_at == [0.0] * 5


def test_a_rate_is_kept_on_average_even_if_sending_takes_time() -> None:
    time = FakeTime(send_takes=0.03)
    replay(rows(*range(5)), MAPPING, time.send, Pace(time.clock, time.sleep, rate=10))
    assert time.sent_at == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_rate_that_cannot_be_reached_never_sleeps() -> None:
    time = FakeTime(send_takes=0.5)
    replay(rows(*range(3)), MAPPING, time.send, Pace(time.clock, time.sleep, rate=10))
    assert time.sent_at == pytest.approx([0.0, 0.5, 1.0])


def test_very_short_waits_add_up() -> None:
    time = FakeTime()
    replay(rows(*range(20_000)), MAPPING, time.send, Pace(time.clock, time.sleep, rate=10_000))
    assert time.sent_at[-1] == pytest.approx(2.0, abs=0.002)
    assert len(set(time.sent_at)) == pytest.approx(2000, rel=0.1)


def test_speed_follows_event_time() -> None:
    time = FakeTime()
    times = ["2019-03-27 00:00:00", "2019-03-27 00:01:00", "2019-03-27 01:00:00"]
    replay(rows(*times), MAPPING, time.send, Pace(time.clock, time.sleep, speed=60))
    assert time.sent_at == pytest.approx([0.0, 1.0, 60.0])


def test_events_out_of_order_or_without_time_are_due_at_once() -> None:
    time = FakeTime()
    times = [1553644800, 1553644810, 1553644805, "never", None, 1553644820]
    replay(rows(*times), MAPPING, time.send, Pace(time.clock, time.sleep, speed=1))
    assert time.sent_at == pytest.approx([0.0, 10.0, 10.0, 10.0, 10.0, 20.0])


def test_progress_is_told_before_every_sleep_too() -> None:
    time = FakeTime()
    progress: list[int] = []
    pace = Pace(time.clock, time.sleep, rate=1)
    replay([[{"a": 1}, {"a": 2}, {"a": 3}]], MAPPING, time.send, pace, progress.append)
    assert progress == [1, 2, 3]


@pytest.mark.parametrize(
    ("rate", "speed", "sentence"),
    [
        (1.0, 2.0, "rate and speed exclude each other; give one of them"),
        (0.0, None, "rate 0: has to be above 0"),
        (None, -1.0, "speed -1: has to be above 0"),
        (float("nan"), None, "rate nan: has to be above 0"),
    ],
)
def test_a_pace_that_cannot_be(rate: float | None, speed: float | None, sentence: str) -> None:
    time = FakeTime()
    with pytest.raises(InputError) as caught:
        Pace(time.clock, time.sleep, rate, speed)
    assert str(caught.value) == sentence


def test_an_event_without_id_has_no_key() -> None:
    assert encode_event({"features": {}})[0] is None
    assert encode_event({"event_id": None, "features": {}})[0] is None
