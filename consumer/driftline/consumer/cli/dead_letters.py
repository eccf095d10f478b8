"""Dead letters as records, as text, and on their way back."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.consumer.cli.alert_text import minute
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config import Config
from driftline.consumer.judge.sentence import clean
from driftline.consumer.log.protocol import Log, Message, Producer, Record
from driftline.consumer.wire.text import plural
from driftline.producer.records.timestamp import format_time

PREFIX = "driftline.error."


@dataclass(frozen=True)
class Letter:
    """One dead letter.

    Attributes:
        record: as it stands among the dead letters: the original key, value and headers.
        topic, partition, offset: where the original stood.
        reason: why it could not be used, of the closed set.
        detail: what is wrong.
        index: of one of several events of a record its place; the value is that event alone.
        last: offset of the last of several records, a batch, that it stands for; else None.
    """

    record: Record
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    last: int | None = None
    index: int | None = None

    @property
    def cut(self) -> bool:
        """Whether the record cannot be had back from it."""
        return self.reason == "too_large" or self.last is not None


@dataclass(frozen=True)
class LetterChoice:
    """Which dead letters are asked for; None asks for all. Times in ms, of the dead letter."""

    reason: str | None = None
    topic: str | None = None
    since: int | None = None
    until: int | None = None

    def holds(self, letter: Letter) -> bool:
        """Tell whether `letter` is asked for."""
        return (
            self.reason in (None, letter.reason)
            and self.topic in (None, letter.topic)
            and (self.since is None or letter.record.timestamp >= self.since)
            and (self.until is None or letter.record.timestamp < self.until)
        )


def choose(records: Iterable[Record], choice: LetterChoice) -> list[Letter]:
    """Return the dead letters asked for, oldest first; each once, however often it was written."""
    found: dict[tuple[str, int, int, int], Letter] = {}
    for record in records:
        letter = _read(record)
        if letter is not None and choice.holds(letter):
            place = (letter.topic, letter.partition, letter.offset, letter.index or 0)
            found.setdefault(place, letter)
    return sorted(
        found.values(),
        key=lambda one: (
            one.record.timestamp,
            one.topic,
            one.partition,
            one.offset,
            one.index or 0,
        ),
    )


def overview(letters: Sequence[Letter]) -> str:
    """Return how many there are, by reason."""
    if not letters:
        return "no dead letters"
    reasons = Counter(letter.reason for letter in letters).most_common()
    parts = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
    return f"{len(letters):,} dead {plural(len(letters), 'letter')}: {parts}"


def row(letter: Letter, *, values: bool) -> str:
    """Return one dead letter on a line, its value on the next if asked for."""
    time = minute(format_time(letter.record.timestamp))
    place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    if letter.last is not None:
        place += f"-{letter.last}"
    if letter.index is not None:
        place += f" event {letter.index}"
    line = clean(f"{time}  {letter.reason:<13}  {place}  {letter.detail}")
    if not values:
        return line
    value = (letter.record.value or b"").decode(errors="backslashreplace").replace("\n", "\\n")
    return f"{line}\n    {value}"


def as_document(letter: Letter, *, values: bool) -> dict[str, Any]:
    """Return one dead letter as a JSON document; bytes that are no text as `value_base64`."""
    document: dict[str, Any] = {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "time": format_time(letter.record.timestamp),
    }
    if letter.last is not None:
        document["last_offset"] = letter.last
    if letter.index is not None:
        document["index"] = letter.index
    value = letter.record.value
    if values and value is not None:
        try:
            document["value"] = value.decode()
        except UnicodeDecodeError:
            document["value_base64"] = base64.b64encode(value).decode()
    return document


def is_apart(letter: Letter, config: Config | None) -> bool:
    """Tell whether a letter is an event in JSON, and its topic is read in another form."""
    source = None if config is None else config.sources.get(letter.topic)
    if letter.index is None or source is None:
        return False
    return source.preset is not None or source.format in ("avro", "protobuf")


def resend(letters: Iterable[Letter], log: Log, producer: Producer) -> None:
    """Send each letter to the partition that it came from; return when all are acknowledged.

    Raises:
        CommandError: one of the topics does not exist any more; nothing was sent.
        WorkerLost: the broker refused a record.
    """
    letters = list(letters)
    topics = log.topics(frozenset(letter.topic for letter in letters))
    gone = sorted({letter.topic for letter in letters} - topics.keys())
    if gone:
        raise CommandError(f"{', '.join(gone)}: no such topic any more; choose others with --topic")
    for letter in letters:
        headers = [entry for entry in letter.record.headers if not entry[0].startswith(PREFIX)]
        partition = letter.partition % topics[letter.topic].partitions
        producer.send(
            Message(letter.topic, partition, letter.record.key, letter.record.value, headers)
        )
    producer.flush()


def _read(record: Record) -> Letter | None:
    """Return a record as a dead letter, None if it is none."""
    # The last of several headers with one name is ours: the original's come first.
    said = {
        name.removeprefix(PREFIX): value.decode(errors="replace")
        for name, value in record.headers
        if name.startswith(PREFIX) and value is not None
    }
    try:
        place = (said["topic"], int(said["partition"]), int(said["offset"]))
        last = int(said["last_offset"]) if "last_offset" in said else None
        index = int(said["index"]) if "index" in said else None
        return Letter(record, *place, said["reason"], said["detail"], last, index)
    except (KeyError, ValueError):
        return None
