"""Predictions and labels of one input partition as slim rows, packed in blocks for the join.

A row is matched at its own time. Where others of its partition are more than `grace` ahead already,
it is matched at the time they have reached, less `grace`. So the order of all rows depends on what
the partitions hold alone, and each partition has a time before which no more of its rows count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.consumer.log.protocol import Gap
from driftline.consumer.sketch.decode import ModelRows, Rejected
from driftline.consumer.sketch.event_ids import NO_ID, hash_ids
from driftline.consumer.sketch.input_rows import InputRows
from driftline.consumer.sketch.join_progress import JoinModel, JoinProgress
from driftline.consumer.sketch.labels import DecodedLabels, LabelReader, LabelRows
from driftline.consumer.wire.join_rows import IdArray, JoinRows, pack_rows, packed_size
from driftline.consumer.wire.messages import LARGEST_MESSAGE, Block, Horizon, Loss
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray

# Versions are named by the stream: those beyond this number have no name in a block.
_MOST_VERSIONS = 200
_NEVER = -(1 << 62)


@dataclass(frozen=True)
class PolledRows:
    """What was read in one poll of the partition.

    Attributes:
        offsets: int64, of every record.
        events: the predictions, by model.
        versions: names that the events' version codes stand for, by model.
        labels: the labels, by model.
    """

    offsets: IntArray
    events: Mapping[str, ModelRows]
    versions: Mapping[str, Sequence[str]]
    labels: Mapping[str, LabelRows]

    def since(self, offset: int, name: str) -> PolledRows:
        """Return what a model has at an offset or behind it; what others have may be left out."""
        if not len(self.offsets) or self.offsets[0] >= offset:
            return self
        own, marks = self.events.get(name), self.labels.get(name)
        events = {} if own is None else {name: own.select(self._late(own, offset))}
        labels = {} if marks is None else {name: marks.select(self._late(marks, offset))}
        return PolledRows(self.offsets, events, self.versions, labels)

    def _late(self, rows: ModelRows | LabelRows, offset: int) -> NDArray[np.bool_]:
        late: NDArray[np.bool_] = self.offsets[rows.index] >= offset
        return late


class BlockWriter:
    """Writes the blocks of one input partition.

    Args:
        models: the models whose predictions or labels the topic holds, and are joined.
        labels: reads the labels that the topic holds; None where it holds none.
        targets: how many partitions `joins` has.
        progress: as read from the log, by model; of those not among `models` it is kept.
        now: wall-clock time, ms.
    """

    def __init__(
        self,
        models: Mapping[str, JoinModel],
        labels: LabelReader | None,
        targets: int,
        progress: Mapping[str, JoinProgress],
        now: int,
    ) -> None:
        self._models = dict(models)
        self._labels = labels
        self._targets = targets
        self.progress = {
            name: msgspec.structs.replace(progress[name]) if name in progress else JoinProgress(now)
            for name in models
        }
        self._others = {name: each for name, each in progress.items() if name not in models}
        self._marked: dict[str, int] = {}  # when a model's idle mark was sent last
        self._closed: dict[str, int] = {}  # of a set, the time before which no more rows come

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it writes of."""
        return tuple(self._models)

    @property
    def labelled(self) -> tuple[str, ...]:
        """The models whose labels it reads."""
        return () if self._labels is None else self._labels.models

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that labels in a table are read from."""
        return frozenset() if self._labels is None else self._labels.columns

    def rest(self, name: str) -> None:
        """Write no more of a model that failed."""
        for known in (self._models, self.progress, self._marked):
            known.pop(name, None)
        if self._labels is not None:
            self._labels.rest(name)

    def read_labels(
        self,
        polled: InputRows,
        events: Mapping[str, ModelRows],
        safely: Callable[[str], AbstractContextManager[object]],
    ) -> tuple[dict[str, LabelRows], list[Rejected]]:
        """Return the labels among the rows by model, and what is wrong with the others.

        Args:
            polled: what was read.
            events: those among them, by model.
            safely: lets a model fail alone.
        """
        labels: dict[str, LabelRows] = {}
        wrong: list[Rejected] = []
        if self._labels is None or not self.labelled:
            return labels, wrong
        reader, failure = self._labels, None
        decoded: DecodedLabels = {}
        try:
            decoded = polled.labels(reader)
        except Exception as error:  # of no model alone: all of them rest
            failure = error
        for name in self.labelled:
            with safely(name):
                if failure is not None:
                    raise failure
                rows, rejected = reader.labels_of(name, decoded)
                labels[name], refused = _with_ids(rows, rejected, events.get(name))
                wrong += refused
        return labels, wrong

    def without(self, name: str, batch: PolledRows, labelled: NDArray[np.bool_]) -> dict[str, int]:
        """Return how many predictions of a model no label can be for, by what they are without.

        `labelled`: which records hold a label.
        """
        events = batch.events.get(name)
        if events is None or events.ids is None:
            return {}
        alone = (events.ids == NO_ID) & ~labelled[events.index]  # no label of their own either
        lacking = ~self._models[name].answers.usable(events.columns) & ~alone
        return {"id": int(alone.sum()), "answer": int(lacking.sum())}

    def write(
        self, name: str, horizon: Horizon, batch: PolledRows, now: int
    ) -> Iterator[Block | Loss]:
        """Yield a model's blocks of a batch, read at `now` (wall clock, ms); `horizon`: whose."""
        model, progress = self._models[name], self.progress[name]
        if model.over(progress):
            return
        batch = batch.since(progress.start, name)
        events, labels = batch.events.get(name), batch.labels.get(name)
        read = [rows.times for rows in (events, labels) if rows is not None]
        largest = max((int(times.max()) for times in read if times.size), default=None)
        if largest is None:
            return
        rows = self._rows(model, horizon, batch)
        before = _NEVER if progress.progress is None else progress.progress
        passed = partial(_passed, batch.offsets, (events, labels), before)
        if model.ordered:
            rows.times = np.maximum(rows.times, passed(rows.offsets) - model.grace)
        if progress.life or model.end is not None:
            end = -_NEVER if model.end is None else model.end
            rows = rows.select((rows.times >= progress.life) & (rows.times < end))
        progress.progress, progress.active_at = max(before, largest), now
        self._marked.pop(name, None)
        if progress.lost is not None:
            first = min(before, largest) if before != _NEVER else largest
            place = (horizon.source, horizon.partition, name)
            yield Loss(
                *place, *progress.lost, first, largest + 1, outcomes=True, refused=progress.refused
            )
            progress.lost = None
        names = batch.versions.get(name, ())
        yield from self._blocks(self._said(horizon, model), model, rows, names, passed)

    def _blocks(
        self,
        horizon: Horizon,
        model: JoinModel,
        rows: JoinRows,
        names: Sequence[str],
        passed: Callable[[IntArray], IntArray],
    ) -> Iterator[Block]:
        """Yield rows as blocks to every target, by halves where one would be too large to send."""
        target = (rows.ids % np.uint64(self._targets)).astype(np.int64)
        blocks = [
            _block(block, model, rows.select(target == block.target), names)
            for block in self._to_all(horizon)
        ]
        if (
            max(packed_size(block.rows) for block in blocks) <= LARGEST_MESSAGE
            or rows.offsets[0] == rows.offsets[-1]
        ):
            yield from blocks
            return
        middle = (rows.offsets[0] + rows.offsets[-1] + 1) // 2
        early = rows.offsets < middle
        (progress,) = passed(np.array([middle])).tolist()
        until = msgspec.structs.replace(
            horizon, until=int(middle), progress=progress, horizon=self._frontier(model, progress)
        )
        yield from self._blocks(until, model, rows.select(early), names, passed)
        yield from self._blocks(horizon, model, rows.select(~early), names, passed)

    def lost(self, name: str, gap: Gap, *, refused: bool = False) -> None:
        """Note records that are never read; see `PartitionSketch.lost`."""
        progress = self.progress[name]
        known = progress.lost or (gap.wanted, gap.begin)
        progress.lost = (min(known[0], gap.wanted), max(known[1], gap.begin))
        progress.refused = refused

    def close(self, name: str, time: int, horizon: Horizon, *, whole: bool) -> Iterator[Block]:
        """Yield how far a set of rows has come; see `PartitionSketch.close`."""
        model, progress = self._models[name], self.progress[name].progress
        if whole:
            self._closed[name] = time
        elif progress is not None:
            self._closed[name] = min(time, progress - model.grace)
        yield from self._to_all(self._said(horizon, model))

    def claim(self, name: str, horizon: Horizon) -> Iterator[Block]:
        """Yield the first records of a new owner: older generations' idle marks are void now."""
        return self._to_all(self._said(horizon, self._models[name]))

    def silent(self, now: int, idle_after: int) -> list[str]:
        """Return the models of which an idle mark is due; see `PartitionSketch.idle`."""
        marked = self._marked
        return [
            name
            for name, progress in self.progress.items()
            if now - marked.get(name, progress.active_at) >= idle_after
        ]

    def idle(self, name: str, horizon: Horizon, now: int) -> Iterator[Block]:
        """Yield an idle mark of a model."""
        self._marked[name] = now
        model = self._models[name]
        if model.end is not None and now >= model.end + model.grace:
            self.progress[name].ended = True
        said = self._said(horizon, model)
        return self._to_all(msgspec.structs.replace(said, idle=True))

    @property
    def settled(self) -> bool:
        """Whether the life of a model is over here."""
        return any(model.over(self.progress[name]) for name, model in self._models.items())

    def state(self) -> dict[str, JoinProgress]:
        """Return the progress of every model as of now."""
        known = {name: msgspec.structs.replace(p) for name, p in self.progress.items()}
        for name, progress in known.items():
            if self._models[name].over(progress):
                progress.ended = True
        return self._others | known

    def _to_all(self, horizon: Horizon) -> Iterator[Block]:
        life = self.progress[horizon.model].life or msgspec.UNSET
        return (Block(horizon, number, life=life) for number in range(self._targets))

    def _said(self, horizon: Horizon, model: JoinModel) -> Horizon:
        progress = self.progress[model.name].progress
        return msgspec.structs.replace(
            horizon, model=model.name, horizon=self._frontier(model, progress), progress=progress
        )

    def _frontier(self, model: JoinModel, progress: int | None) -> int | None:
        """Return the time (ms) before which no more of a model's rows count."""
        if not model.ordered:
            return self._closed.get(model.name)
        return model.frontier(self.progress[model.name], progress)

    def _rows(self, model: JoinModel, horizon: Horizon, batch: PolledRows) -> JoinRows:
        """Return the predictions and labels of a model in the order of their records."""
        events, labels = batch.events.get(model.name), batch.labels.get(model.name)
        own = _ids_by_offset(horizon, batch.offsets, labels)
        parts = [JoinRows.none(len(model.segments))]
        if events is not None and events.ids is not None:
            ids = np.where(events.ids == NO_ID, own[events.index], events.ids)
            codes = [events.segments[tag] for tag in model.segments]
            n = len(ids)
            predictions = JoinRows(
                batch.offsets[events.index], np.zeros(n, bool), events.times, ids,
                model.answers.scores(events.columns), model.answers.predicted(events.columns),
                events.versions.astype(np.int64) + 1,
                np.array(codes, np.int64).reshape(len(codes), n),
            )  # fmt: skip
            if model.errors is not None:
                predictions.expected = model.errors.of(events.columns)
            usable = (ids != NO_ID) & model.answers.usable(events.columns)
            parts.append(predictions.select(usable))
        if labels is not None:
            ids = np.where(labels.ids == NO_ID, own[labels.index], labels.ids)
            none = np.zeros(len(ids), np.int64)
            parts.append(
                JoinRows(
                    batch.offsets[labels.index], none == 0, labels.times, ids, labels.actual,
                    none, none, np.zeros((len(model.segments), len(ids)), np.int64),
                )
            )  # fmt: skip
        rows = JoinRows.concatenate(parts)
        return rows.select(np.lexsort((rows.labels, rows.offsets)))


def _with_ids(
    rows: LabelRows, rejected: Sequence[Rejected], own: ModelRows | None
) -> tuple[LabelRows, list[Rejected]]:
    """Return the labels that find their events, and what is wrong with the others.

    An event that brings its own label needs no id; a label alone does.

    Args:
        rows: of a model.
        rejected: of it, one or more a place.
        own: the model's events.
    """
    lost = (rows.ids == NO_ID) & ~np.isin(rows.index, [] if own is None else own.index)
    # One place has one reason: the last.
    by_place = {one.index: one for one in rejected}
    for place in rows.index[lost].tolist():
        by_place[place] = Rejected(place, "schema", "the label has no event_id")
    return rows.select(~lost), list(by_place.values())


def _passed(
    offsets: IntArray,
    read: Sequence[ModelRows | LabelRows | None],
    before: int,
    wanted: IntArray,
) -> IntArray:
    """Return the largest time (ms) read before each wanted offset; `before`: before the batch.

    Records that become no row count too, as they do in the progress: a batch may be cut anywhere.
    """
    parts = [(offsets[rows.index], rows.times) for rows in read if rows is not None]
    at = np.concatenate([part for part, _ in parts])
    order = np.argsort(at, kind="stable")
    times = np.concatenate([part for _, part in parts])[order]
    newest = np.maximum.accumulate(np.concatenate([[before], times]))
    passed: IntArray = newest[np.searchsorted(at[order], wanted)]
    return passed


def _ids_by_offset(horizon: Horizon, offsets: IntArray, labels: LabelRows | None) -> IdArray:
    """Return, by place in the batch, ids for events with their own label but without an id."""
    own = np.full(len(offsets), NO_ID, np.uint64)
    if labels is not None and (labels.ids == NO_ID).any():
        places = labels.index[labels.ids == NO_ID]
        index = places - np.searchsorted(offsets, offsets[places])  # among events of one record
        own[places] = hash_ids(
            [
                f"{horizon.source}/{horizon.partition}/{offset}" + (f"/{event}" if event else "")
                for offset, event in zip(offsets[places].tolist(), index.tolist(), strict=True)
            ]
        )
    return own


def _block(block: Block, model: JoinModel, rows: JoinRows, names: Sequence[str]) -> Block:
    """Return a block with rows; codes are places in lists of its own: it can be read alone."""
    if not len(rows):
        return block
    used, first = np.unique(rows.versions[rows.versions > 0], return_index=True)
    used = used[np.argsort(first)]  # codes depend on what was read before
    listed = [names[code - 1] for code in used[:_MOST_VERSIONS].tolist()]
    lookup = np.zeros(len(names) + 1, np.int64)
    lookup[used] = np.minimum(np.arange(len(used)), _MOST_VERSIONS) + 1
    rows.versions = lookup[rows.versions]
    if len(used) > _MOST_VERSIONS:
        listed.append(OTHER)
    return msgspec.structs.replace(
        block,
        classes=list(model.answers.classes),
        versions=listed,
        segments={tag: list(values) for tag, values in model.segments.items()},
        rows=pack_rows(rows),
        errors=None if model.errors is None else model.errors.model_id,
    )
