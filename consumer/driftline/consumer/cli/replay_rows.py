"""Rows to records of one topic, in the form that its readers expect, with drift laid over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, Self

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import Config
from driftline.consumer.log.protocol import Log, Message, Producer
from driftline.consumer.offline.file_rows import Rows, guess
from driftline.consumer.wire.messages import partition_of
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.records.fields import RecordFields
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.time_form import GivenTimes
from driftline.producer.replay.generator import generate
from driftline.producer.replay.replay import Pace, encode_event
from driftline.producer.replay.scenario_text import ScenarioText, survey
from driftline.producer.replay.scenarios import lay_over, truth_lines, write_truth

# Reads a row as it is; only what JSON cannot hold is written as text, as in a native event.
_AS_IT_IS = Mapping({"features": "*"})


@dataclass
class Target:
    """Where the rows go.

    Attributes:
        topic: its name.
        partitions: how many it has.
        mapping: how a row becomes an event.
        mapped: whether the readers of the topic apply `mapping` themselves, so that rows are sent
            as they are; else events are sent.
    """

    topic: str
    partitions: int
    mapping: Mapping
    mapped: bool

    @classmethod
    def of(cls, topic: str, log: Log, config: Config | None) -> Self:
        """Return the topic as the configuration knows it.

        Raises:
            CommandError: it does not exist.
        """
        info = log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise CommandError(f"--topic {topic}: there is no such topic; create it first")
        source = config.sources.get(topic) if config is not None else None
        mapped = source is not None and not source.mapping.is_native
        mapping = source.mapping if source is not None else Mapping.native()
        return cls(topic, info.partitions, mapping, mapped)

    def record(self, row: dict[str, Any], model: str | None) -> tuple[bytes | None, bytes, Any]:
        """Return key, value and the event's own time of one row."""
        event = self.mapping.to_event(row)
        if model is not None:
            event.setdefault("model", model)
        key, value = encode_event(event)
        if self.mapped:
            value = encode_event(_AS_IT_IS.to_event(row)["features"])[1]
        return key, value, event.get("timestamp")


def send_rows(
    chunks: Iterable[Rows],
    target: Target,
    model: str | None,
    producer: Producer,
    pace: Pace,
    show: Callable[[int], None],
) -> int:
    """Send every row; return how many, when all are acknowledged.

    A row without an event id has no key, and goes to the partitions in turn.

    Raises:
        InputError: a row cannot be read.
        WorkerLost: the broker refuses, or gives no answer any more.
    """
    turn = count()
    sent = 0
    for chunk in chunks:
        for row in chunk:
            key, value, timestamp = target.record(row, model)
            if pace.wait(timestamp):
                show(sent)
            number = (
                partition_of(key.decode(), target.partitions)
                if key is not None
                else next(turn) % target.partitions
            )
            producer.send(Message(target.topic, number, key, value))
            sent += 1
        show(sent)
    producer.flush()
    return sent


_CHUNK = 10_000


def source(
    file: Path | None, hours: int, seed: int
) -> tuple[Callable[[], Iterator[Rows]], Callable[[], int | None]]:
    """Return what reads the rows of a file, or of the bundled stream, and what counts them."""
    if file is None:
        return lambda: _chunks(generate(hours, seed=seed)), lambda: None
    return lambda: read_rows(file), lambda: count_rows(file)


def guessed(file: Path, times: GivenTimes) -> Mapping:
    """Return how a file's rows become events, and print what is assumed of them."""
    return guess(file, Screen(), times=times, suggest=False)


def drifting(
    read: Callable[[], Iterable[Rows]],
    mapping: Mapping,
    texts: Sequence[ScenarioText],
    seed: int,
    truth: Path | None,
) -> Iterator[Rows]:
    """Yield rows with the drift in them; say, and write, where it is.

    Args:
        read: reads the rows from the beginning; called twice, for scenarios refer to the whole.
        mapping: how a row becomes an event.
        texts: the scenarios.
        seed: of all that is drawn at random.
        truth: a file for the truth, None for none.

    Raises:
        InputError: a scenario does not fit the rows, or the file cannot be written.
    """
    fields = RecordFields(mapping)
    found = survey(chain.from_iterable(read()), texts, fields)
    scenarios = [text.resolve(found) for text in texts]
    if truth is not None:
        write_truth(truth, scenarios)
    for line in truth_lines(scenarios):
        say(f"truth  {line}")
    return _chunks(lay_over(chain.from_iterable(read()), scenarios, fields, seed))


def _chunks(rows: Iterator[dict[str, object]]) -> Iterator[Rows]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk
