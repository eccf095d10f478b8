"""What travels on `driftline.panes` and `driftline.joins`.

On `panes`, keyed by model: counts of panes, horizons and losses, from the inputs and, marked as
`outcomes`, from the join, changes of the model, and what people say of it. On `joins`, by
partition: blocks of predictions and labels.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.samples import EventSample

LARGEST_MESSAGE = 800_000
"""Bytes: a broker takes 1 MiB by default; a larger pane is sent in parts."""
MOST_TOGETHER = 1_000
"""Models whose horizons one record holds; their names may be long."""


class StreamCounts(msgspec.Struct, frozen=True, array_like=True):
    """Counts of one stream in one pane: sparse over the reference's flat layout.

    `indexes` are the gaps between successive non-zero positions, `counts` what stands there, both
    packed by `pack_integers`. `stream` is as in the reference: None for the whole model.
    """

    stream: str | None
    events: int
    versions: dict[str, int]
    indexes: bytes
    counts: bytes


class MergedPart(msgspec.Struct, frozen=True, array_like=True):
    """A part of a pane that a worker added up with those of other partitions of its source.

    It is the whole count of `partition` from `first` until `until`, as a `Pane` of its own would
    be. `events`: of the whole model, in it.
    """

    partition: int
    first: int
    until: int
    events: int


class Pane(msgspec.Struct, frozen=True, tag="pane", rename={"layout_id": "reference"}):
    """The whole count of (source, partition, model, pane, layout) from `first` until `until`.

    With the same `first` the larger `until` replaces the smaller; different `first` add up. A
    message holds the flat positions `low` to `high` - 1; too large for one, a pane is split there.
    `start`, `length`: ms. `layout_id`: what is counted; version 0.1.0 wrote the id of the whole
    reference there. `outcomes`: what is counted are predictions with their labels, and the
    source is a partition of `joins`. `sample`: events looked at whole, in the first message of a
    pane; at most 110 kB. None in others, and in what 0.1.0 wrote. `releases`: of each tag that says
    what was released at most 32 values, those of smallest hash, with their events; in the first
    message of a pane, where such tags are configured. `parts`: what it is the sum of, in the order
    of partitions, where a worker has added up those of several; `partition`, `first` and `until`
    are those of the first one then, and one message holds all.
    """

    source: str
    partition: int
    model: str
    start: int
    length: int
    layout_id: str
    first: int
    until: int
    low: int
    high: int
    streams: list[StreamCounts]
    outcomes: bool = False
    sample: EventSample | None = None
    releases: dict[str, dict[str, int]] | msgspec.UnsetType = msgspec.UNSET
    parts: list[MergedPart] | msgspec.UnsetType = msgspec.UNSET

    @property
    def whole(self) -> Sequence[MergedPart]:
        """The parts that it is the sum of: one, where none were added up."""
        if self.parts is not msgspec.UNSET:
            return self.parts
        events = sum(counts.events for counts in self.streams if counts.stream is None)
        return [MergedPart(self.partition, self.first, self.until, events)]


class Horizon(msgspec.Struct, frozen=True, tag="horizon"):
    """How far one input partition has come, for one model.

    `horizon` (ms): every pane that ends there or before is final; None before the first event.
    `progress` (ms): the largest event time seen. `until`: offset read up to. `partitions`: how
    many the topic has, so that judge knows whom to wait for. `idle`: read to its end and silent;
    `stale`: silent for `stale_after`; `held`: an open transaction keeps the rest from being read.
    The first record of a new owner has none of them. `outcomes`: of the join, whose source is a
    partition of `joins`.
    """

    source: str
    partition: int
    partitions: int
    model: str
    horizon: int | None
    progress: int | None
    until: int
    generation: int
    idle: bool = False
    stale: bool = False
    outcomes: bool = False
    held: bool = False


class ModelHorizon(msgspec.Struct, frozen=True, array_like=True):
    """What a `Horizon` says of one model beside the partition and its owner; see there."""

    model: str
    horizon: int | None
    progress: int | None
    until: int
    idle: bool
    stale: bool
    held: bool


class Horizons(msgspec.Struct, frozen=True, tag="horizons"):
    """How far one input partition has come, for models of one partition of `panes`, each once.

    The same as a `Horizon` for each of them, in a record without a key. `target`: that partition.
    """

    source: str
    partition: int
    partitions: int
    generation: int
    target: int
    models: list[ModelHorizon]

    def each(self) -> Iterator[Horizon]:
        """Yield the horizon of each model."""
        for one in self.models:
            yield Horizon(
                self.source, self.partition, self.partitions, one.model, one.horizon, one.progress,
                one.until, self.generation, one.idle, one.stale, held=one.held,
            )  # fmt: skip


class Loss(msgspec.Struct, frozen=True, tag="loss"):
    """Offsets `wanted` to `begin` - 1 were deleted unread; they fall into `start` to `end` (ms).

    While the partition is silent nobody knows the end: None. `refused`: they were not deleted, but
    are a batch that cannot be unpacked.
    """

    source: str
    partition: int
    model: str
    wanted: int
    begin: int
    start: int
    end: int | None
    outcomes: bool = False
    refused: bool = False


class ModelChange(msgspec.Struct, frozen=True, tag="change"):
    """A model has another configuration or reference, or is watched no more, from a time on.

    The first one of a `version` in the log holds; others repeat it.

    `version`: id of both together; `configuration`, `reference`: of each, empty where the model is
    `removed`. `first` (ms): start of the first pane that is counted and judged by it.
    """

    model: str
    version: str
    configuration: str
    reference: str
    first: int
    removed: bool = False


class Acceptance(msgspec.Struct, frozen=True, tag="acceptance"):
    """That what a feature of a model is now is normal from now on; somebody says it.

    `id`: of one and a feature the first record holds. `feature`: empty for every one that is
    watched. `since`: start of the panes whose events are the new normal, ms; None: as its alert
    says, else those of the last window. `start`: of the first pane that is compared with them, ms;
    where that is past or None, the next one that judge has not seen. `who`, `why`: accepts it.
    """

    id: str
    model: str
    feature: str
    who: str
    why: str
    since: int | None = None
    start: int | None = None


class Rows(msgspec.Struct, frozen=True, array_like=True):
    """Predictions and labels of one model, columns packed as `pack_integers` or little-endian.

    `offsets`: of the records in their partition, gaps between them. `labels`: 1 for a label, 0 for
    a prediction. `ids`: uint64. `times`: ms after `start`, the time at which a row has its effect.
    `values`: float64; a prediction's score, NaN without one; a label's value, or the place of its
    class in the block's `classes`. `predicted`: place of a prediction's class in them, their number
    for another or none. `versions`: 1 + place in the block's `versions`, 0 for none. `segments`:
    per tag, place among the reference's values. `expected`: float32, the size of the error that a
    prediction's inputs let expect, NaN of others; empty where none is known, as of 0.1.0.
    """

    start: int
    offsets: bytes
    labels: bytes
    ids: bytes
    times: bytes
    values: bytes
    predicted: bytes
    versions: bytes
    segments: list[bytes]
    expected: bytes = b""


class Block(msgspec.Struct, frozen=True, tag="block", rename={"horizon": "word"}):
    """Rows of one model from one batch of an input partition, for one partition of `joins`.

    `horizon` is how far the input partition has come; no row counts before its time (ms)
    any more. It goes to every partition of `joins`, with rows or without. `errors`: id of the error
    model by which the rows' errors were estimated; None: by none. `life`: of a model that was
    removed and applied again, from which time (ms) on it has rows; those of before are others.
    """

    horizon: Horizon
    target: int
    classes: list[str] = []
    versions: list[str] = []
    segments: dict[str, list[str]] = {}
    rows: Rows | None = None
    errors: str | None = None
    life: int | msgspec.UnsetType = msgspec.UNSET


PanesMessage = Pane | Horizon | Loss | ModelChange | Acceptance


def decode_panes(record: bytes) -> PanesMessage:
    """Read a record of the log of panes.

    Raises:
        RecordError: it is damaged, or of a newer version.
    """
    message: PanesMessage = decode(record, PanesMessage)  # type: ignore[arg-type]  # a union is a type to msgspec
    return message


def decode_horizons(record: bytes) -> Horizons:
    """Read a record of the log of panes that has no key.

    Raises:
        RecordError: it is damaged, or of a newer version.
    """
    return decode(record, Horizons)


def together(horizons: Sequence[Horizon], targets: int) -> list[Horizons]:
    """Return horizons of one input partition as few records, in the order of each model's.

    Args:
        horizons: under one generation.
        targets: how many partitions the log of panes has.

    >>> one = Horizon("in", 0, 1, "churn", 5, 9, 7, 2)
    >>> (record,) = together([one], 1)
    >>> list(record.each()) == [one]
    True
    """
    found: dict[tuple[int, int, int], list[Horizon]] = defaultdict(list)
    before: dict[str, int] = defaultdict(int)
    filled: dict[tuple[int, int], int] = defaultdict(int)
    for one in horizons:
        target, again = partition_of(one.model, targets), before[one.model]
        before[one.model] += 1
        found[again, target, filled[again, target] // MOST_TOGETHER].append(one)
        filled[again, target] += 1
    return [
        Horizons(
            own[0].source, own[0].partition, own[0].partitions, own[0].generation, target,
            [
                ModelHorizon(h.model, h.horizon, h.progress, h.until, h.idle, h.stale, h.held)
                for h in own
            ],
        )
        # A record that is begun because one is full must not come behind a later one of its models.
        for (_, target, _), own in sorted(found.items(), key=lambda item: item[0][0])
    ]  # fmt: skip


def decode_block(record: bytes) -> Block:
    """Read a record of the log of joins.

    Raises:
        RecordError: it is damaged, or of a newer version.
    """
    return decode(record, Block)


def partition_of(key: str, partitions: int) -> int:
    """Return the partition that holds `key`: the same in every process and for every log.

    Example:
        >>> partition_of("car-loan", 6) == partition_of("car-loan", 6)
        True
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % partitions
