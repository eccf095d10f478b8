"""Backtest: the same sketch, join and judge over the rows of files.

A file is one input partition, a recording of a topic as many as the topic has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.judging import Judge, PanesPartition, SentAlerts
from driftline.consumer.service.messages import OUTPUTS
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stage import ByModel
from driftline.consumer.service.states import join_key, judge_key, sketch_key
from driftline.consumer.sketch.input_rows import TableRows
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import DeadLetter, InputTotals, Output
from driftline.consumer.wire.axis import RowAxis
from driftline.consumer.wire.messages import Acceptance
from driftline.consumer.wire.records import EVENTS, Alert, Verdict
from driftline.producer.files.columns import Columns
from driftline.producer.records.event_fields import ALIASES
from driftline.producer.records.mapping import Mapping, quote_name
from driftline.producer.records.table import Table, Times
from driftline.producer.records.timestamp import LATEST

_ROW = "number of the row"  # no column is called so, or it is not needed


class Backtest:
    """Judges one model over the rows of a file, which become events by the mapping of its topic.

    With an ordered plan the rows are records of one partition, in the file's order, or of several
    with `places` of their own, and the end of the file is "every partition idle": panes, verdicts
    and alerts are those of the service, byte for byte.
    Else they are a set: in any order they give the same, nothing is late, and `close` tells how far
    they have come. Where none is late in the service they are the same too, but for what the end of
    the file leaves open there: it is judged with `complete` false.

    Args:
        plan: holds the model and its reference.
        model: whose events they are.
        topic: the input topic whose mapping the rows have.
        first: rows of the file before the first that is fed.
        states: to go on from, as `states` returned them; then what they need is fed again first.
        sides: models of the topic whose comparisons are judged, in place of the model itself.
        recorded: topic to the number of its partitions, where its tables are of a recording: each
            of one partition, in the order of offsets, a record's events in one table.

    Attributes:
        join_totals: what became of the labels; None where none are read.
    """

    def __init__(
        self,
        plan: Plan,
        model: str,
        topic: str,
        first: int = 0,
        states: AnyMapping[str, Any] | None = None,
        sides: Sequence[str] = (),
        recorded: AnyMapping[str, int] | None = None,
    ) -> None:
        known, many = states or {}, recorded or {}
        self.totals = InputTotals()
        self.examples: dict[str, DeadLetter] = {}  # the first dead letter of each reason
        self._plan, self._model = plan, model
        self._events = _File(plan, topic, self.totals, known, many.get(topic), first)
        self._labels: _File | None = None
        # Of the comparisons those of models whose events are at hand.
        models = {model, *sides}
        compared = {
            name: each for name, each in plan.comparisons.items() if models >= {*each.model.models}
        }
        judges: dict[str, Judge] = {}
        if not sides:
            judges[model] = plan.judge(model, known.get(judge_key(model), JudgeState(0, 0)))
        for name, comparison in compared.items():
            judges[name] = comparison.judge(known.get(judge_key(name), ComparisonState(0, 0)))
        sent = {name: SentAlerts() for name in judges}
        self._judging = PanesPartition(judges, sent, 0, 0)
        joins: dict[str, ModelJoin] = {}
        labels = plan.labelled.get(model)
        if labels is not None:
            joins = {
                name: plan.join(name, 0, 1, known.get(join_key(0, name), JoinState(0, 0)))
                for name in (model, *(side for side in sides if side != model), *compared)
            }
            if labels.topic != topic:
                of_labels = many.get(labels.topic)
                self._labels = _File(plan, labels.topic, self.totals, known, of_labels)
        self._joining = JoinsPartition(0, joins, 0)
        self._readers: dict[str, ByModel[Any]] = {"joins": self._joining, "panes": self._judging}
        self.join_totals = joins[model].totals if joins else None
        self._offsets: Counter[str] = Counter()  # of the messages between the stages, by topic
        self._begun = bool(known)

    def accept(self, acceptances: Iterable[Acceptance]) -> None:
        """Let what features are at a time be normal from then on; to be called before all else.

        In the service the records lie in the log of panes, and hold when they are read there.
        """
        for acceptance in acceptances:
            for _ in self._taken([acceptance]):
                raise AssertionError("before the first pane nothing comes of an acceptance")

    def feed(self, rows: Sequence[dict[str, Any]]) -> Iterator[Verdict | Alert]:
        """Count `rows`; yield the verdicts and alerts of the windows that they make final."""
        yield from self._begin()
        yield from self._taken(self._events.feed(rows))

    def feed_table(self, table: Table) -> Iterator[Verdict | Alert]:
        """Count the rows of a table, as `feed` does; its first is behind those fed before."""
        yield from self._begin()
        yield from self._taken(self._events.feed_table(table))

    def take(self, outputs: Iterable[Output], rows: int) -> Iterator[Verdict | Alert]:
        """Take in what was counted elsewhere of `rows` rows: panes, and rows for the join."""
        (sketch,) = self._events.sketches
        sketch.next = sketch.position = sketch.position + rows
        yield from self._taken(outputs)

    def feed_labels(self, rows: Sequence[dict[str, Any]]) -> Iterator[Verdict | Alert]:
        """Match the labels in `rows` with their predictions; yield as `feed` does."""
        yield from self._begin()
        if self._labels is not None:
            yield from self._taken(self._labels.feed(rows))

    def feed_label_table(self, table: Table) -> Iterator[Verdict | Alert]:
        """Match the labels in a table with their predictions; yield as `feed` does."""
        yield from self._begin()
        if self._labels is not None:
            yield from self._taken(self._labels.feed_table(table))

    def close(self, time: int) -> Iterator[Verdict | Alert]:
        """Yield what is final where no row to come is before `time` (ms), which a log never tells.

        Of a recording nothing: its own order closes the panes.
        """
        yield from self._begin()
        for sketch in () if self._plan.ordered else self._events.sketches:
            yield from self._taken(sketch.close(time))

    def close_labels(self, time: int) -> Iterator[Verdict | Alert]:
        """The same where no label to come is before `time`."""
        yield from self._begin()
        labels = None if self._plan.ordered else self._labels
        for sketch in () if labels is None else labels.sketches:
            yield from self._taken(sketch.close(time))

    def end(self, beyond: int = 0) -> Iterator[Verdict | Alert]:
        """Yield what the end of the files makes final; of a set also what it leaves open.

        `beyond`: ms behind the last pane that are over too, because nothing is to come.
        """
        yield from self._begin()
        if not self._plan.ordered:
            for sketch in self._sketches:
                yield from self._taken(sketch.close(LATEST))
        yield from self._idle()
        if not self._plan.ordered:
            yield from self._end_of_a_set(beyond)

    def _idle(self) -> Iterator[Verdict | Alert]:
        for _ in range(2):  # the first marks tell how far the others are lifted
            for sketch in self._sketches:
                yield from self._taken(sketch.idle(0, 0))

    def _end_of_a_set(self, beyond: int) -> Iterator[Verdict | Alert]:
        """Yield what is judged of windows that the files end in."""
        sketches = self._sketches
        times = [time for sketch in sketches if (time := sketch.event_time()) is not None]
        every = self._plan.config.models[self._model].window.every
        if not times:
            return
        last = (max(times) // every + 1) * every + beyond
        closed = (self._taken(sketch.close(last, whole=True)) for sketch in sketches)
        for output in chain(chain.from_iterable(closed), self._idle()):
            if isinstance(output, Verdict):
                if output.type == EVENTS:  # more of them may be still to come
                    reason = "the file ends in this window"
                    output = msgspec.structs.replace(
                        output, state="insufficient", reason=reason, effect=None, detectors={}
                    )
                yield msgspec.structs.replace(output, complete=False)
            # How labels come, and how many events, is not known of a time that goes on.
            elif output.kind != "labels" and output.detector != EVENTS:
                yield output

    @property
    def columns(self) -> Columns:
        """The columns that are read of the events' tables.

        Where each column may be a feature, those that the reference does not list may be new ones.
        """
        sketch = self._events.sketches[0]
        named, mapping = sketch.columns, self._plan.mapping_of(sketch.source.topic)
        if not mapping.wildcard:
            return Columns(named)
        used, is_new = mapping.used(), self._plan.listed(self._model).is_new
        return Columns(named, lambda name: name not in used and is_new(name))

    @property
    def features(self) -> frozenset[str]:
        """The features that the model's reference describes."""
        return frozenset(self._plan.references[self._model].layout.position)

    @property
    def failures(self) -> dict[str, Exception]:
        """The unexpected errors of the model and its comparisons, by their names in the logs.

        Where a stage failed nothing more comes of it; the other stages and names go on.
        """
        stages = [*(sketch.failures for sketch in self._sketches), self._joining.failures]
        failed = [self._judging.failures, *stages[::-1]]
        return {name: error for stage in failed for name, error in stage.items()}

    @property
    def passed_over(self) -> int:
        """Events of the model that are in no verdict, because their windows were judged."""
        return self._plan.passed_over[self._model].total()

    @property
    def last_event(self) -> int | None:
        """The largest event time seen, ms."""
        times = (sketch.event_time() for sketch in self._events.sketches)
        return max((time for time in times if time is not None), default=None)

    @property
    def judged_until(self) -> int | None:
        """Event time up to which windows have been judged, ms."""
        found = (sketch.progress().get(self._model) for sketch in self._events.sketches)
        horizons = (progress.horizon for progress in found if progress is not None)
        return min((time for time in horizons if time is not None), default=None)

    def states(self) -> dict[str, Any]:
        """Return the state of every stage, by the names of `service.states`; encode it at once."""
        found: dict[str, Any] = {
            sketch_key(sketch.source): sketch.state() for sketch in self._sketches
        }
        for stage, key in ((self._joining, partial(join_key, 0)), (self._judging, judge_key)):
            found |= {key(name): part.state() for name, part in stage.parts.items()}
        return found

    @property
    def _sketches(self) -> list[PartitionSketch]:
        files = [file for file in (self._events, self._labels) if file is not None]
        return [sketch for file in files for sketch in file.sketches]

    def _keep(self, topic: str, offset: int, message: Any) -> None:
        """Take note of a message between two stages; a backtest forgets it."""

    def _begin(self) -> Iterator[Verdict | Alert]:
        """Let each partition speak once, so that the join knows for whom to wait."""
        if not self._begun:
            self._begun = True
            for sketch in self._sketches:
                yield from self._taken(sketch.claim())

    def _taken(self, outputs: Iterable[Any]) -> Iterator[Verdict | Alert]:
        """Hand each output to the stage that reads its topic; yield what no stage reads."""
        for output in outputs:
            topic, _ = OUTPUTS[type(output)]
            if (stage := self._readers.get(topic)) is not None:
                names, offset = stage.names(output), self._offsets[topic]
                self._offsets[topic] += 1
                self._keep(topic, offset, output)
                for batch in stage.take(names, output, offset):
                    yield from self._taken(made for _, made in batch)
            elif isinstance(output, DeadLetter):
                self.examples.setdefault(output.reason, output)
            else:
                yield output


def numbered(table: Table, mapping: Mapping, axis: RowAxis) -> Table:
    """Return a table in which the time of a row is its number.

    It is under `timestamp` in native events, else where the mapping has it. See `row_mapping`.

    >>> numbered(Table(2, first=4), Mapping.native(), RowAxis.of(10)).columns["timestamp"].values()
    ['2000-01-01T00:00:00.004Z', '2000-01-01T00:00:00.005Z']
    """
    name = "timestamp" if mapping.is_native else _ROW
    times = Times(axis.origin + table.first + np.arange(table.rows))
    gone = ALIASES.get("timestamp", ()) if mapping.is_native else ()
    kept = {other: column for other, column in table.columns.items() if other not in gone}
    return replace(table, columns={**kept, name: times})


def row_mapping(mapping: Mapping) -> Mapping:
    """Return a mapping that takes a row's number for its time."""
    if mapping.is_native:
        return mapping
    fields = {**mapping.fields, "timestamp": quote_name(_ROW)}
    return Mapping(fields, texts=mapping.texts)


class _File:
    """The rows of one file as those of one partition, the offset of each being its place.

    Or, as a recording, those of several partitions.
    """

    def __init__(
        self,
        plan: Plan,
        topic: str,
        totals: InputTotals,
        known: AnyMapping[str, Any],
        partitions: int | None,
        first: int = 0,
    ) -> None:
        self._mapping = plan.mapping_of(topic)
        windows = [plan.config.models[name].window for name in plan.models_of(topic)]
        rows = [window for window in windows if window.rows is not None]
        self._axis = RowAxis.of(rows[0].every) if rows else None
        self._recorded, many = partitions is not None, partitions or 1
        self.sketches = []
        for number in range(many):
            source = TopicPartition(topic, number)
            state = known.get(sketch_key(source), SketchState("file", many, 0, 0, 0, {}))
            self.sketches.append(plan.sketch(source, many, state, 0, totals, 1))
        self._rows = max(first, self.sketches[0].next)

    def feed(self, rows: Sequence[dict[str, Any]]) -> Sequence[Output]:
        """Count rows that are dictionaries."""
        return self.feed_table(Table.of_rows(rows))

    def feed_table(self, table: Table) -> Sequence[Output]:
        """Count the rows of a table."""
        if not table.rows:
            return []
        if self._recorded and table.places is not None:
            sketch = self.sketches[int(table.places.partitions[0])]
            return sketch.feed_table(TableRows(table, sketch.source, self._mapping), 0)
        here = replace(table, first=self._rows, places=None)
        self._rows += table.rows
        if self._axis is not None:
            here = numbered(here, self._mapping, self._axis)
        (sketch,) = self.sketches
        return sketch.feed_table(TableRows(here, sketch.source, self._mapping), 0)
