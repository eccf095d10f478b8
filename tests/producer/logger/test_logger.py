"""The prediction logger: never waits, never raises for data, and counts what it drops."""

from __future__ import annotations

import asyncio
import enum
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.logger.logger import PredictionLogger
from driftline.producer.logger.outbox import Delivered, MemorySender, Outgoing, QueueLimits
from driftline.producer.records.event import Event, Label

NOW = 1_553_644_800.25
WAIT = 30.0  # seconds: never reached, only to fail instead of hanging


class Fuel(str, enum.Enum):  # noqa: UP042 - an older program's
    GAS = "gas"


class Code(enum.IntEnum):
    TWO = 2


class HeldSender(MemorySender):
    """Takes nothing until it is let go, as in an outage; `held` is set while it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.held = threading.Event()

    def send(self, records: Sequence[Outgoing], stop: threading.Event) -> Delivered:
        self.held.set()
        while not self.let_go.wait(0.001):
            if stop.is_set():
                return Delivered(0)
        return super().send(records, stop)


@pytest.fixture
def sender() -> MemorySender:
    return MemorySender()


@pytest.fixture
def predictions(sender: MemorySender) -> Iterator[PredictionLogger]:
    with PredictionLogger("m", sender, clock=lambda: NOW) as logger:
        yield logger


def sent(predictions: PredictionLogger, sender: MemorySender) -> list[dict[str, Any]]:
    assert predictions.flush(WAIT)
    return [json.loads(record.value) for record in sender.records]


# What is written.


def test_an_event_has_all_that_was_given(
    predictions: PredictionLogger, sender: MemorySender
) -> None:
    features = {"amount": 12.5, "country": "DE", "age": None, "returning": True, "n": 3}
    prediction = {"label": "fraud", "score": 0.93}
    event_id = predictions.log(
        features, prediction, "a1", "2026-11-23T03:10:15Z", "3.2", {"channel": "web"}
    )
    assert event_id == "a1"
    (event,) = sent(predictions, sender)
    assert event == {
        "event_id": "a1",
        "timestamp": "2026-11-23T03:10:15Z",
        "model": "m",
        "model_version": "3.2",
        "features": features,
        "prediction": prediction,
        "tags": {"channel": "web"},
    }
    Event.model_validate(event)
    assert sender.records[0].key == b"a1"
    assert sender.records[0].kind == "event"


def test_what_is_not_given_is_made_or_left_out(sender: MemorySender) -> None:
    ids = iter(["first", "second"])
    with PredictionLogger(
        "m", sender, model_version="7", clock=lambda: NOW, new_id=lambda: next(ids)
    ) as logger:
        assert logger.log({"x": 1}, None) == "first"
        assert logger.log({"x": 1}, 0.5, model_version="8") == "second"
        first, second = sent(logger, sender)
    assert first == {
        "event_id": "first",
        "timestamp": 1_553_644_800_250,
        "model": "m",
        "model_version": "7",
        "features": {"x": 1},
    }
    assert second["model_version"] == "8"
    assert second["prediction"] == 0.5


def test_made_ids_are_distinct(predictions: PredictionLogger) -> None:
    assert len({predictions.log({}, 1.0) for _ in range(1_000)}) == 1_000


def test_a_label_names_its_event(predictions: PredictionLogger, sender: MemorySender) -> None:
    predictions.label("a1", {"label": 1})
    predictions.label("a2", np.float64(9.5), datetime(2026, 1, 1, tzinfo=UTC))
    first, second = sent(predictions, sender)
    assert first == {
        "event_id": "a1",
        "timestamp": 1_553_644_800_250,
        "model": "m",
        "actual": {"label": 1},
    }
    assert (second["actual"], second["timestamp"]) == (9.5, 1_767_225_600_000)
    Label.model_validate(second)
    assert [record.kind for record in sender.records] == ["label", "label"]


@pytest.mark.parametrize(
    ("given_time", "written"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), 1_767_225_600_000),
        (datetime(2026, 1, 1), 1_767_225_600_000),  # noqa: DTZ001 - read as UTC, as text is
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1_767_225_600_000),
        (datetime(2026, 1, 1, 0, 0, 0, 250_999, UTC), 1_767_225_600_250),
        (1_767_225_600, 1_767_225_600),
        (np.int64(1_767_225_600_000), 1_767_225_600_000),
        ("2026-01-01", "2026-01-01"),
    ],
)
def test_times_are_written_as_the_monitor_reads_them(
    given_time: object, written: object, predictions: PredictionLogger, sender: MemorySender
) -> None:
    predictions.log({"x": 1}, None, timestamp=given_time)
    assert sent(predictions, sender)[0]["timestamp"] == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(1.25), 1.25),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Fuel.GAS, "gas"),
        (Code.TWO, 2),
        (np.array(2.5), 2.5),
        (np.array([0.5, math.nan], np.float32), [0.5, "NaN"]),
        ((1.5, Decimal("0.5")), [1.5, 0.5]),
        (Decimal("12.30"), 12.3),
        (math.nan, "NaN"),
        (np.float32(math.inf), "Infinity"),
        (-math.inf, "-Infinity"),
        (np.datetime64("2026-01-01T00:00:00", "ms"), 1_767_225_600_000),
    ],
)
def test_values_become_json_that_keeps_their_meaning(
    value: object, written: object, predictions: PredictionLogger, sender: MemorySender
) -> None:
    predictions.log({"x": value}, {"score": value}, tags={"t": value})
    (event,) = sent(predictions, sender)
    assert event["features"] == {"x": written}
    assert event["prediction"] == {"score": written}
    assert event["tags"] == {"t": written}
    assert type(event["features"]["x"]) is type(written)


def test_what_the_caller_changes_later_changes_nothing(sender: MemorySender) -> None:
    held = HeldSender()
    with PredictionLogger("m", held) as logger:
        features = {"x": 1}
        logger.log(features, None)
        features["x"] = 2
        held.let_go.set()
        assert sent(logger, held)[0]["features"] == {"x": 1}


# Bounds and counts.


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    sender = HeldSender()
    logger = PredictionLogger("m", sender, limits=QueueLimits(records=5, record_bytes=200))
    for number in range(9):
        logger.log({"n": number}, None)
    logger.log({"text": "x" * 200}, None)
    logger.log({"odd": object()}, None)
    assert not logger.flush(timeout=0)
    counts = logger.counts
    assert (counts.sent, counts.outstanding) == (0, 5)
    assert counts.dropped == {"queue_full": 4, "too_large": 1, "unencodable": 1}
    sender.let_go.set()
    assert [event["features"]["n"] for event in sent(logger, sender)] == [0, 1, 2, 3, 4]
    logger.log({"n": 9}, None)  # there is room again
    assert sent(logger, sender)[-1]["features"] == {"n": 9}
    logger.close()
    assert logger.counts.sent == 6


def test_bytes_are_bounded_too() -> None:
    sender = HeldSender()
    logger = PredictionLogger("m", sender, limits=QueueLimits(bytes=1_000))
    logger.log_batch([{"text": "x" * 300}] * 10)
    assert logger.counts.outstanding == 2
    assert logger.counts.dropped == {"queue_full": 8}
    sender.let_go.set()
    assert logger.flush(WAIT)
    logger.log_batch([{"text": "x" * 300}] * 2)  # what is sent gives its room back
    logger.close()
    assert logger.counts.sent == 4


def test_what_the_sender_has_in_hand_counts_as_outstanding() -> None:
    sender = HeldSender()
    logger = PredictionLogger("m", sender, limits=QueueLimits(records=3))
    logger.log_batch([{"n": n} for n in range(3)])
    assert sender.held.wait(WAIT)
    logger.log({"n": 3}, None)
    assert logger.counts.dropped == {"queue_full": 1}
    sender.let_go.set()
    logger.close()


@given(
    st.lists(st.integers(1, 30), max_size=20),
    st.integers(1, 60),
    st.integers(0, 3_000),
    st.booleans(),
)
def test_every_record_is_sent_or_counted(
    batches: list[int], records: int, size: int, outage: bool
) -> None:
    sender = HeldSender()
    if not outage:
        sender.let_go.set()
    logger = PredictionLogger("m", sender, limits=QueueLimits(records, size, 80), close_timeout=0.0)
    for batch in batches:
        logger.log_batch([{"n": "x" * n} for n in range(batch)])
        counts = logger.counts
        assert counts.outstanding <= records
    logger.close()
    logger.log({}, None)
    counts = logger.counts
    assert counts.sent == len(sender.records)
    assert counts.outstanding == 0
    assert counts.sent + sum(counts.dropped.values()) == sum(batches) + 1
    assert counts.dropped["closed"] >= 1
    lengths = [len(json.loads(record.value)["features"].get("n", "")) for record in sender.records]
    assert len(lengths) == counts.sent


def test_threads_lose_nothing(predictions: PredictionLogger, sender: MemorySender) -> None:
    def work(thread: int) -> None:
        for number in range(500):
            predictions.log({"thread": thread, "number": number}, None)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen: dict[int, list[int]] = {}
    for event in sent(predictions, sender):
        seen.setdefault(event["features"]["thread"], []).append(event["features"]["number"])
    assert seen == {thread: list(range(500)) for thread in range(4)}


def test_a_sender_that_refuses_or_fails_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    class Picky(MemorySender):
        def send(self, records: Sequence[Outgoing], stop: threading.Event) -> Delivered:
            if any(b'"bad"' in record.value for record in records):
                raise ValueError("no such topic")
            return Delivered(len(records) - 1, 1)

    logger = PredictionLogger("m", Picky())
    logger.log_batch([{"n": n} for n in range(5)])
    assert logger.flush(WAIT)
    logger.log({"bad": 1}, None)
    assert logger.flush(WAIT)
    assert (logger.counts.sent, logger.counts.dropped) == (4, {"refused": 2})
    assert "1 predictions were not logged: no such topic" in caplog.text
    logger.close()


# The end.


def test_closing_flushes_and_a_second_time_is_harmless(sender: MemorySender) -> None:
    logger = PredictionLogger("m", sender)
    logger.log_batch([{"n": n} for n in range(5_000)])
    logger.close()
    logger.close()
    assert len(sender.records) == 5_000
    assert sender.closed
    assert logger.log({"n": 1}, None)  # the server goes on
    assert logger.counts.dropped == {"closed": 1}


def test_closing_in_an_outage_ends_and_counts_what_is_lost() -> None:
    sender = HeldSender()
    logger = PredictionLogger("m", sender, close_timeout=0.0)
    logger.log_batch([{"n": n} for n in range(3_000)])
    logger.close()
    assert logger.counts.outstanding == 0
    assert logger.counts.dropped == {"closed": 3_000}


def test_an_unused_logger_starts_no_thread(sender: MemorySender) -> None:
    before = threading.active_count()
    logger = PredictionLogger("m", sender)
    assert logger.flush(timeout=0)
    assert threading.active_count() == before
    logger.close()


def test_asyncio_needs_no_other_call(sender: MemorySender) -> None:
    async def serve() -> None:
        async with PredictionLogger("m", sender) as logger:
            await asyncio.gather(*(predict(logger, number) for number in range(50)))

    async def predict(logger: PredictionLogger, number: int) -> None:
        await asyncio.sleep(0)
        logger.log({"n": number}, 0.5)

    asyncio.run(serve())
    assert len(sender.records) == 50


PROGRAM = """
import os, sys, threading
from driftline.producer.logger.logger import PredictionLogger
from driftline.producer.logger.outbox import Delivered

class FileSender:
    def send(self, records, stop):
        with open(sys.argv[1], "ab") as file:
            for record in records:
                file.write(str(os.getpid() == PARENT).encode() + b" " + record.value + b"\\n")
        return Delivered(len(records))
    def close(self): ...

PARENT = os.getpid()
predictions = PredictionLogger("m", FileSender())
"""


def run(tmp_path: Path, program: str) -> list[tuple[bool, dict[str, Any]]]:
    path = tmp_path / "sent"
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM + program, str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line.split(" ", 1) for line in path.read_text().splitlines()]
    return [(own == "True", json.loads(value)) for own, value in lines]


def test_the_end_of_the_process_flushes(tmp_path: Path) -> None:
    found = run(tmp_path, "for n in range(2_500): predictions.log({'n': n}, None)")
    assert [event["features"]["n"] for _, event in found] == list(range(2_500))


def test_a_forked_child_has_a_queue_and_a_thread_of_its_own(tmp_path: Path) -> None:
    program = """
import warnings
# So Python warns from 3.12 on; that it goes well all the same is what is tested.
warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
predictions.log({"n": 0}, None)   # the parent's thread runs, and may hold any lock
child = os.fork()
predictions.log({"n": 1}, None)
if child:
    os.waitpid(child, 0)
"""
    found = run(tmp_path, program)
    numbers = sorted((own, event["features"]["n"]) for own, event in found)
    assert numbers == [(False, 1), (True, 0), (True, 1)]
