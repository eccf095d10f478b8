"""Running a backtest over its rows."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from driftline.consumer.judge.sentence import percent
from driftline.consumer.offline.labels import unknown_class
from driftline.consumer.offline.setup import Setup
from driftline.consumer.sketch.event_rows import event_times
from driftline.consumer.wire.axis import RowAxis
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE

_MANY_LATE = 0.01
_MANY_AGAIN = 0.01


def run(setup: Setup) -> Iterator[Verdict | Alert]:
    """Yield verdicts and alerts as the rows make them known; `setup.found` has the sum of them.

    Raises:
        InputError: a row cannot be read.
        InputError: no row is an event of the model.
    """
    done = 0
    labels = setup.truth.labels
    with setup.feedback.progress("events", setup.total) as show:
        for table, later in setup.chunks:
            _note_first(setup, table)
            if labels is not None:
                labels.note_predictions(table)
            yield from _kept(setup, setup.backtest.feed_table(table))
            yield from _kept(setup, setup.backtest.close(later))
            if labels is not None:
                yield from _kept(setup, labels.feed(setup.backtest, later))
            done += table.rows
            show(done)
        if labels is not None:
            yield from _kept(setup, labels.feed(setup.backtest, None))
        yield from _kept(setup, setup.backtest.end())
    if setup.model not in setup.backtest.failures:
        _note_what_was_left_out(setup)


def _note_first(setup: Setup, table: Table) -> None:
    """Note when the earliest event was, or which row was the first."""
    found = setup.found
    if setup.config.window.rows is not None:
        found.first = RowAxis.of(setup.config.window.every).origin + setup.halves.rows
        return
    times = event_times(table, setup.halves.mapping)
    times = times[times != UNREADABLE]
    if times.size:
        first = int(times.min())
        found.first = first if found.first is None else min(first, found.first)


def _kept(setup: Setup, outputs: Iterator[Verdict | Alert]) -> Iterator[Verdict | Alert]:
    for output in outputs:
        if not (setup.truth.unlabelled and is_of_labels(output)):
            setup.found.add(output)
            yield output


def is_of_labels(output: Verdict | Alert) -> bool:
    """Return whether a record is of labels, or of performance measured with them."""
    of_labels = isinstance(output, Alert) and output.kind == "labels"
    return of_labels or output.subject.is_realised


def _note_what_was_left_out(setup: Setup) -> None:
    totals, name = setup.backtest.totals, setup.model
    counted, late = totals.counted[name], totals.late[name]
    read, rejected = totals.read, totals.rejected
    if setup.truth.labels is not None:
        read, rejected = read - setup.truth.labels.fed, rejected - setup.truth.labels.refused
        setup.found.refused = setup.truth.labels.refused.total()
    worst = rejected.most_common(1)
    if worst and worst[0][1]:
        reason, rows = worst[0]
        said = f"{rows:,} of {read:,} rows are no events: {reason}, {_detail(setup, reason)}"
        said += _first_place(setup, reason)
        if reason == "unknown_class":  # beside an event, which counts all the same
            said = f"{rows:,} of {read:,} labels are rejected: {_detail(setup, reason)}"
        if not counted:
            topic = setup.config.predictions[0]
            raise InputError(f"{said}; map the columns with sources.{topic}.fields")
        setup.feedback.note("warning", said)
    if not counted:
        raise InputError(f"none of {read:,} rows is an event of the model {name}")
    if late > _MANY_LATE * (counted + late):
        setup.feedback.note(
            "warning",
            f"{percent(late / (counted + late))} of the events were late, as they would be in the"
            " service: more time for them is models.<name>.window.grace",
        )
    if setup.recording is not None and (again := setup.recording.repeated):
        setup.feedback.note(
            "note",
            f"{again:,} rows have the partition and offset of an earlier one, and count as further"
            " events of its record: if records are in the file twice, leave them out",
        )
    joined = setup.backtest.join_totals
    if joined is not None and joined.duplicates > _MANY_AGAIN * (counted + late):
        setup.feedback.note(
            "warning",
            f"{percent(joined.duplicates / (counted + late))} of the events have the event_id of an"
            " earlier one, and their ground truth is not used: map event_id to what names one event"
            " alone, or to nothing if the ground truth is in the same row",
        )
    named, beside = setup.truth.actual, setup.truth.beside
    if (named is not None or beside is not None) and not totals.labels[name]:
        given, why = "--labels" if named is None else f"--actual {named}", "it is empty"
        if beside is not None:
            labels = len(beside.labels.values)
            why = f"no id of {labels:,} labels is one of theirs; check event_id of both"
        if worst:
            why = f"{worst[0][0]}, {_detail(setup, worst[0][0])}"
        raise InputError(f"{given}: none of {counted:,} events has a label: {why}")
    if setup.truth.labels is not None:
        setup.truth.labels.note_what_was_left_out(setup.backtest, name, setup.feedback)
        setup.found.causes += setup.truth.labels.causes(name)


def _first_place(setup: Setup, reason: str) -> str:
    """Return where the first record stands that was rejected so; empty where that is not known."""
    record = setup.backtest.examples[reason].record
    if record.topic != setup.config.predictions[0]:
        return ""
    if setup.recording is not None:
        return f" (first: partition {record.partition}, offset {record.offset:,})"
    if setup.halves.time is not None or setup.halves.rows:
        return ""  # of the rows that are judged, not of all
    return f" (first: row {record.offset + 1:,})"


def _detail(setup: Setup, reason: str) -> str:
    """Return what is wrong with the first record that was rejected so.

    A dead letter holds no value of its record; this is the operator's own file.
    """
    example = setup.backtest.examples[reason]
    if reason != "unknown_class" or not setup.truth.classes:
        return example.detail
    event = msgspec.json.decode(example.record.value or b"{}")
    return unknown_class([event], Mapping.native(), setup.truth.classes)
