"""What is counted of a reference's events once it is known what is to be counted.

First the counts, then what needs these: panes in the order of time, and the model of a regression's
errors, with which they are compared last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Self

import numpy as np

from driftline.detectors.build import stream_names
from driftline.detectors.counts import Columns, Layout, count_columns
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.listing import count_listed
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes
from driftline.detectors.outcomes.counting import LARGEST
from driftline.detectors.outcomes.error_model import ErrorFit, ErrorModel, EventErrors
from driftline.detectors.outcomes.error_sums import ErrorSums
from driftline.detectors.seasons import FeatureSeason, Seasons
from driftline.producer.reference.choosing import Chosen
from driftline.producer.reference.event_columns import (
    columns_of,
    count_rows,
    rows_of,
    stream_rows,
    uncounted,
)
from driftline.producer.reference.events import Events
from driftline.producer.reference.joint import JointCounts
from driftline.producer.reference.outcome import MeasuredOutcome, RowsOf
from driftline.producer.reference.panes import PaneCounts, PaneFindings
from driftline.producer.reference.readings import Reader
from driftline.producer.reference.segment_cycles import SegmentCycles


@dataclass(frozen=True)
class Counted:
    """The counts of all streams.

    Attributes:
        streams: None for the whole model, then segments.
        counts: of the features, shape (streams, layout.size).
        events: of each stream, shape (streams,).
        outcomes: counts of the outcomes, of each stream; None if none are measured.
        answered: counts of the features of those events that have prediction and truth.
        errors: sums of a regression's errors.
    """

    streams: tuple[str | None, ...]
    counts: IntArray
    events: IntArray
    outcomes: list[IntArray] | None
    answered: IntArray
    errors: ErrorSums


def count(reader: Reader, chosen: Chosen, measured: MeasuredOutcome) -> Counted:
    """Count what was chosen, by one reading."""
    found = reader.read(_Counts(chosen.layout, chosen.segments, measured.layout, measured.rows))
    kept = count_listed(chosen.layout, chosen.listings, found.counts)
    outcomes = None if measured.layout is None else list(found.outcomes)
    names = stream_names(chosen.segments)
    return Counted(names, kept, found.sizes, outcomes, found.answered, found.errors)


def fit(
    reader: Reader,
    layout: Layout,
    counted: Counted,
    measured: MeasuredOutcome,
    panes: PaneCounts | None,
    joint: JointCounts | None = None,
) -> tuple[ErrorModel | None, PaneCounts | None, JointCounts | None]:
    """Fit the errors of a regression, and count what needs grids, by one reading.

    Args:
        reader: reads the events.
        layout: of the features.
        counted: the counts.
        measured: how well the model did.
        panes: takes the events in the order of time; None where they have no times, or too few.
        joint: takes them to count features together; None: that is not asked for.

    Returns:
        What estimates a regression's errors, None for a classifier; and what was counted.
    """
    errors = None
    outcome, rows = measured.layout, measured.rows
    if outcome is not None and outcome.grid is not None and rows is not None:
        own = ErrorFit(layout, counted.answered, counted.errors)
        errors = _Errors(own, rows, _largest(outcome))
    if panes is None and errors is None and joint is None:
        return None, None, None
    found = reader.read(_Fits(layout, panes, joint, errors))
    model = None if found.errors is None else found.errors.fit.model()
    return model, found.panes, found.joint


def count_seasons(
    reader: Reader, layout: Layout, chosen: Chosen, counted: Counted, found: PaneFindings
) -> Seasons | None:
    """Count what is normal in the cells of cycles, of segments by one reading.

    Args:
        reader: reads the events.
        layout: of the features.
        chosen: what is counted.
        counted: the counts.
        found: what panes told of the whole model.
    """
    if found.cycles is None:
        return None
    streams: list[Mapping[int, FeatureSeason]] = [found.seasons]
    if chosen.segments:
        cycles = SegmentCycles(found.cycles, layout, counted.counts[1:])
        streams += reader.read(_Cycles(layout, chosen.segments, cycles)).cycles.seasons()
    return Seasons(found.cycles.zone.name, tuple(streams))


def compare_errors(
    reader: Reader,
    layout: Layout,
    chosen: Chosen,
    measured: MeasuredOutcome,
    counted: Counted,
    model: ErrorModel | None,
) -> tuple[MeasuredOutcome, Counted]:
    """Compare a regression's errors with those that its inputs let expect, by one reading.

    Args:
        reader: reads the events.
        layout: of the features.
        chosen: what is counted.
        measured: how well the model did.
        counted: the counts.
        model: of the errors; None: nothing is compared.

    Returns:
        The outcome, and the counts of every stream, with what was compared.
    """
    outcome, rows = measured.layout, measured.rows
    if model is None or counted.outcomes is None or outcome is None or outcome.grid is None:
        return measured, counted
    wider = replace(outcome, errors=model.id)
    errors = EventErrors(layout, model, outcome.grid.scale)
    found = reader.read(_Compared(layout, chosen.segments, wider, rows, errors))
    return replace(measured, layout=wider), replace(counted, outcomes=list(found.outcomes))


@dataclass(eq=False)
class _Counts:
    """A reading that counts features and outcomes, whole and by stream."""

    layout: Layout
    segments: Mapping[str, tuple[str, ...]]
    outcome: OutcomeLayout | None
    rows: RowsOf | None
    first: int = 0
    counts: IntArray = field(init=False)
    sizes: IntArray = field(init=False)
    answered: IntArray = field(init=False)
    outcomes: IntArray = field(init=False)
    errors: ErrorSums = field(init=False, default_factory=ErrorSums)

    def __post_init__(self) -> None:
        streams = len(stream_names(self.segments))
        self.counts = np.zeros((streams, self.layout.size), np.int64)
        self.sizes = np.zeros(streams, np.int64)
        self.answered = np.zeros(self.layout.size, np.int64)
        cells = 0 if self.outcome is None else self.outcome.size
        self.outcomes = np.zeros((streams, cells), np.int64)

    def add(self, events: Events) -> None:
        layout, outcome = self.layout, self.outcome
        columns = columns_of(layout, events)
        own = None if self.rows is None else self.rows.of(events, self.first)
        for s, members in enumerate(stream_rows(events, self.segments)):
            self.counts[s] += count_rows(layout, columns, events, members)
            self.sizes[s] += len(columns.numeric[members])
            if outcome is not None and own is not None:
                self.outcomes[s] += count_outcomes(outcome, own.select(members))
        if own is not None and outcome is not None and outcome.grid is not None:
            there, residual = _residual(own, _largest(outcome))
            self.answered += count_columns(layout, rows_of(columns, there))
            self.errors.add(residual)
        self.first += events.rows

    def merge(self, other: Self) -> None:
        self.counts += other.counts
        self.sizes += other.sizes
        self.answered += other.answered
        self.outcomes += other.outcomes
        self.errors.merge(other.errors)


@dataclass(eq=False)
class _Errors:
    """A regression's errors, being fitted."""

    fit: ErrorFit
    rows: RowsOf
    largest: float

    def add(self, columns: Columns, events: Events, first: int) -> None:
        there, residual = _residual(self.rows.of(events, first), self.largest)
        self.fit.add(rows_of(columns, there), residual)


@dataclass(eq=False)
class _Fits:
    """A reading that counts what needs grids."""

    layout: Layout
    panes: PaneCounts | None
    joint: JointCounts | None
    errors: _Errors | None
    first: int = 0

    def add(self, events: Events) -> None:
        columns, skip = columns_of(self.layout, events), uncounted(self.layout, events)
        times = None if self.panes is None else events.times()
        if self.panes is not None and times is not None:
            self.panes.add(times, columns, skip)
        if self.joint is not None:
            self.joint.add(times, columns, skip)
        if self.errors is not None:
            self.errors.add(columns, events, self.first)
        self.first += events.rows

    def merge(self, other: Self) -> None:
        if self.panes is not None and other.panes is not None:
            self.panes.merge(other.panes)
        if self.joint is not None and other.joint is not None:
            self.joint.merge(other.joint)
        if self.errors is not None and other.errors is not None:
            self.errors.fit.merge(other.errors.fit)


@dataclass(eq=False)
class _Cycles:
    """A reading that counts the cells of cycles in segments."""

    layout: Layout
    segments: Mapping[str, tuple[str, ...]]
    cycles: SegmentCycles

    def add(self, events: Events) -> None:
        times = events.times()
        if times is None:
            return
        columns, skip = columns_of(self.layout, events), uncounted(self.layout, events)
        for s, rows in enumerate(islice(stream_rows(events, self.segments), 1, None)):
            own = None if skip is None else skip[rows]
            self.cycles.add(s, times[rows], rows_of(columns, rows), own)

    def merge(self, other: Self) -> None:
        self.cycles.merge(other.cycles)


@dataclass(eq=False)
class _Compared:
    """A reading that counts outcomes beside the errors that the inputs let expect."""

    layout: Layout
    segments: Mapping[str, tuple[str, ...]]
    outcome: OutcomeLayout
    rows: RowsOf | None
    errors: EventErrors
    first: int = 0
    outcomes: IntArray = field(init=False)

    def __post_init__(self) -> None:
        streams = len(stream_names(self.segments))
        self.outcomes = np.zeros((streams, self.outcome.size), np.int64)

    def add(self, events: Events) -> None:
        if self.rows is not None:
            own = self.rows.of(events, self.first)
            own.expected = self.errors.of(columns_of(self.layout, events))
            for s, members in enumerate(stream_rows(events, self.segments)):
                self.outcomes[s] += count_outcomes(self.outcome, own.select(members))
        self.first += events.rows

    def merge(self, other: Self) -> None:
        self.outcomes += other.outcomes


def _largest(outcome: OutcomeLayout) -> float:
    """Return the largest residual that counts: a larger one counts as that."""
    return (0.0 if outcome.grid is None else outcome.grid.scale) * 2.0**LARGEST


def _residual(rows: OutcomeRows, largest: float) -> tuple[IntArray, FloatArray]:
    """Return which events have prediction and ground truth, and the residual of these."""
    there = np.flatnonzero(~np.isnan(rows.actual))
    residual: FloatArray = np.clip(rows.score[there] - rows.actual[there], -largest, largest)
    return there, residual
