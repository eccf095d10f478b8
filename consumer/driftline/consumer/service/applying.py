"""What is to be applied, compared with what was: the records to be written, and the writing."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from driftline.consumer.config import Config, ModelConfig
from driftline.consumer.config.applied import changed_keys, read_model, write_model, write_section
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Message, Producer, TopicPartition
from driftline.consumer.service.applied import AppliedModels
from driftline.consumer.wire.applied import (
    Applied,
    AppliedComparison,
    AppliedModel,
    AppliedSource,
    ReferencePart,
    Version,
    digest,
    key_of,
    part_key,
)
from driftline.consumer.wire.codec import encode, is_record
from driftline.consumer.wire.messages import (
    Horizon,
    PanesMessage,
    decode_horizons,
    decode_panes,
    partition_of,
)
from driftline.detectors.reference import Reference

Action = Literal["added", "changed", "removed", "unchanged", "left"]
Kind = Literal["model", "source", "comparison"]

MARGIN_MS = 10_000
"""How far ahead a change lies at least: until then every worker has looked."""
KEPT_MS = 7 * 24 * 3_600_000
"""So long a version that was replaced is kept: a judge may be as far behind."""

_PART = 256_000  # bytes of a part of a reference
_LONGEST_STEP = 24 * 3_600_000
_CHUNKS = (100, 1_000, 10_000)  # records read from the end of a partition


class Author(NamedTuple):
    """Who applies, and when (ms since 1970)."""

    who: str
    at: int


@dataclass(frozen=True)
class Change:
    """What becomes of one model, source or comparison.

    Attributes:
        kind, name: of it.
        action: `left`: it was applied, and is not among what is applied now.
        keys: those that change; `reference` among them.
        first: start of the first pane that it concerns, ms; None: at once.
        record: to be written; None with `removed`: its record is deleted.
        parts: of the reference, to be written before.
    """

    kind: Kind
    name: str
    action: Action
    keys: Sequence[str] = ()
    first: int | None = None
    record: Applied | None = None
    parts: Sequence[ReferencePart] = field(default=(), repr=False)


def compare(
    applied: AppliedModels,
    config: Config,
    references: Mapping[str, Reference],
    author: Author,
    progress: Callable[[str], int | None],
) -> list[Change]:
    """Return what applying a configuration changes, models first.

    Args:
        applied: what was applied.
        config: what is to be.
        references: of its models.
        author: who applies it.
        progress: returns the largest event time of a model, ms; None: it has none.
    """
    found = [
        _model(applied, name, model, references[name], author, progress)
        for name, model in sorted(config.models.items())
    ]
    found += [
        Change("model", name, "left")
        for name, model in sorted(applied.models.items())
        if name not in config.models and not model.newest.removed
    ]
    found += _sections(
        "source",
        {n: AppliedSource(n, write_section(s), *author) for n, s in config.sources.items()},
        applied.sources,
    )
    found += _sections(
        "comparison",
        {n: AppliedComparison(n, write_section(c), *author) for n, c in config.comparisons.items()},
        applied.comparisons,
    )
    return found


def removal(applied: AppliedModels, change: Change, author: Author, progress: int | None) -> Change:
    """Return the change that removes what was applied; `progress`: see `compare`."""
    if change.kind != "model":
        return Change(change.kind, change.name, "removed")
    known = applied.models[change.name]
    version = known.newest
    pace = read_pace(version, applied.reference(change.name, version))
    first = _first(progress, author.at, [pace], version.first or 0)
    identity = digest(f"{version.version} removed at {author.at}".encode()).hex()
    gone = Version(identity, first, None, "", [], *author)
    record = AppliedModel(change.name, [*_recent(known, author.at), gone])
    return Change("model", change.name, "removed", (), first, record)


def write(applied: AppliedModels, changes: Sequence[Change], producer: Producer, now: int) -> None:
    """Write what changes: parts of references first, then what names them, then deletions.

    Args:
        applied: what was applied.
        changes: what differs from it.
        producer: writes in order.
        now: wall-clock time, ms.

    Raises:
        LogError: another one applied something else meanwhile, or the broker refuses.
        WorkerLost: the broker gives no answer.
    """
    written = [each for each in changes if each.action in ("added", "changed", "removed")]
    for message in _messages(applied, written, now):
        producer.send(message)
    producer.flush()
    applied.refresh()
    for each in written:
        if applied.find(each.kind, each.name) != each.record:
            raise LogError(
                f"{each.kind} {each.name} was applied by somebody else at the same time:"
                " look what they applied, then apply again"
            )


def largest_time(log: Log, topic: str, partitions: int, model: str) -> int | None:
    """Return the largest event time (ms) that the log of panes reports of a model, as of late."""
    place = TopicPartition(topic, partition_of(model, partitions))
    end = log.end_offsets(frozenset([place]))[place]
    for many in _CHUNKS:
        found = None
        for record in log.read({place: max(end - many, 0)}):
            if not is_record(record.value or b""):
                continue  # a batch that cannot be unpacked, or what others have written
            messages: Iterable[PanesMessage] = ()
            if record.key is None:
                messages = decode_horizons(record.value or b"").each()
            elif record.key == model.encode():
                messages = [decode_panes(record.value or b"")]
            for message in messages:
                if isinstance(message, Horizon) and message.model == model:
                    times = [t for t in (found, message.progress) if t is not None]
                    found = max(times, default=None)
        if found is not None or many >= end:
            return found
    return None


class Pace(NamedTuple):
    """How time goes on for a model; ms.

    Attributes:
        pane: length of a pane.
        report: so long at most goes by between an event and the report of its time.
    """

    pane: int
    report: int

    @classmethod
    def of(cls, model: ModelConfig, reference: Reference) -> Pace:
        """Return the pace of a configuration and reference."""
        pane = model.window.pane_for(reference.dispersion)
        return cls(pane, 2 * (pane + model.window.grace) + 5 * 60_000)


def read_pace(version: Version, reference: Reference) -> Pace:
    """Return the pace of a version that was applied."""
    return Pace.of(read_model(version.configuration or ""), reference)


def _model(
    applied: AppliedModels,
    name: str,
    model: ModelConfig,
    reference: Reference,
    author: Author,
    progress: Callable[[str], int | None],
) -> Change:
    text, packed = write_model(model), gzip.compress(reference.to_json(), 6, mtime=0)
    parts = [ReferencePart(name, packed[at : at + _PART]) for at in range(0, len(packed), _PART)]
    digests = [digest(part.data) for part in parts]
    known = applied.models.get(name)

    def record(first: int | None) -> AppliedModel:
        """Return the model's record with a version more."""
        identity = digest(msgspec.json.encode([text, reference.id, first])).hex()
        version = Version(identity, first, text, reference.id, digests, *author)
        return AppliedModel(name, [*(_recent(known, author.at) if known else ()), version])

    if known is None:
        return Change("model", name, "added", record=record(None), parts=parts)
    newest = known.newest
    if newest.removed:
        pane = Pace.of(model, reference).pane
        again = record(((newest.first or 0) // pane + 1) * pane)
        return Change("model", name, "added", record=again, parts=parts)
    keys = changed_keys(newest.configuration or "{}", text)
    keys += ["reference"] if newest.reference != reference.id else []
    whole = all(part_key(name, part) in applied.parts for part in newest.parts)
    if not keys and whole:
        return Change("model", name, "unchanged")
    if not keys:  # a part was lost: written again, the version is the same
        return Change("model", name, "changed", ["reference"], record=known, parts=parts)
    paces = [Pace.of(model, reference), read_pace(newest, applied.reference(name, newest))]
    first = _first(progress(name), author.at, paces, newest.first or 0)
    return Change("model", name, "changed", keys, first, record(first), parts)


def _sections(
    kind: Kind,
    wanted: Mapping[str, AppliedSource | AppliedComparison],
    known: Mapping[str, AppliedSource | AppliedComparison],
) -> Iterator[Change]:
    for name in sorted({*wanted, *known}):
        new, old = wanted.get(name), known.get(name)
        if new is None:
            yield Change(kind, name, "left")
        elif old is None:
            yield Change(kind, name, "added", record=new)
        elif keys := changed_keys(old.configuration, new.configuration):
            yield Change(kind, name, "changed", keys, record=new)
        else:
            yield Change(kind, name, "unchanged")


def _first(progress: int | None, now: int, paces: Sequence[Pace], after: int) -> int:
    """Return the start of the first pane of a change: none of its events has been read yet."""
    old = paces[-1]
    step = math.lcm(*(pace.pane for pace in paces))
    if step > _LONGEST_STEP:
        step = paces[0].pane
    return max(-(-(_base(progress, now, old) + MARGIN_MS) // step) * step, after + step)


def _base(progress: int | None, now: int, pace: Pace) -> int:
    """Return up to which time events may have been read: of a stream that goes on, up to now."""
    if progress is None or now - progress < pace.report:
        return max(now, progress or 0)
    return progress


def _recent(known: AppliedModel, now: int) -> list[Version]:
    """Return the versions that may still be needed, the newest too.

    The oldest of them says when its life began: by that its rows are known.
    """
    versions = known.versions
    replaced = enumerate(versions[1:])
    oldest = next((at for at, after in replaced if now - after.at < KEPT_MS), len(versions) - 1)
    begun = oldest
    while begun and not versions[begun].removed and not versions[begun - 1].removed:
        begun -= 1
    if begun == oldest:
        return versions[oldest:]
    first = msgspec.structs.replace(versions[oldest], life=versions[begun].begun)
    return [first, *versions[oldest + 1 :]]


def _messages(applied: AppliedModels, changes: Sequence[Change], now: int) -> Iterator[Message]:
    def message(key: bytes, value: bytes | None) -> Message:
        return Message(applied.topic, 0, key, value)

    models = dict(applied.models)
    for part in (part for each in changes for part in each.parts):
        if key_of(part) not in applied.parts:
            yield message(key_of(part), encode(part))
    for each in changes:
        if each.record is None:
            yield message(f"{each.kind}/{each.name}".encode(), None)
        else:
            yield message(key_of(each.record), encode(each.record))
        if isinstance(each.record, AppliedModel):
            models[each.name] = each.record
    for name, known in applied.models.items():
        recent = AppliedModel(name, _recent(models[name], now))
        if models[name] is known and recent != known:
            models[name] = recent
            yield message(key_of(recent), encode(recent))
    named = {
        part_key(name, part)
        for name, model in models.items()
        for version in model.versions
        for part in version.parts
    }
    for key in sorted(applied.parts.keys() - named):
        yield message(key, None)
