"""The readings that a reference takes: of each what it adds up, whatever the order of the events.

First types (`look`), then categories and order statistics, the values near these, the counts, and
then what needs these: panes in the order of time, and the model of a regression's errors, with
which they are compared last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from driftline.detectors.build import (
    BOOLEANS,
    numeric_feature,
    segment_values,
    stream_names,
)
from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.listing import Listing, count_listed
from driftline.detectors.outcomes import OutcomeRows, count_outcomes
from driftline.detectors.outcomes.counting import LARGEST
from driftline.detectors.outcomes.error_model import ErrorFit, ErrorModel, EventErrors
from driftline.detectors.registry import FeatureType
from driftline.detectors.seasons import Seasons
from driftline.producer.errors import InputError
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.values import numeric
from driftline.producer.reference.answers import GatheredAnswers
from driftline.producer.reference.category_counts import CategoryCounts
from driftline.producer.reference.event_columns import (
    columns_of,
    count_rows,
    rows_of,
    stream_rows,
    uncounted,
)
from driftline.producer.reference.events import Events, LeftOut
from driftline.producer.reference.field import Field
from driftline.producer.reference.joint import JointCounts
from driftline.producer.reference.look import Look
from driftline.producer.reference.order_statistics import GridSearch
from driftline.producer.reference.outcome import MeasuredOutcome
from driftline.producer.reference.pane_plan import TimesSeen
from driftline.producer.reference.panes import PaneCounts, PaneFindings
from driftline.producer.reference.segment_cycles import SegmentCycles

_DISTINCT = 1 << 16


@dataclass
class Seen:
    """The first reading.

    Attributes:
        events: how many.
        left_out: the other rows.
        columns: the top-level fields of all records, in their order.
        looks: input's name, `prediction.score` or `prediction.label` to what was seen of it.
        inputs: the names of inputs, ascending.
        answers: predictions and ground truth.
        times: of the events.
    """

    events: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    columns: dict[str, None] = field(default_factory=dict)
    looks: dict[str, Look] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    answers: GatheredAnswers = field(default_factory=GatheredAnswers)
    times: TimesSeen = field(default_factory=TimesSeen)

    @classmethod
    def of(cls, tables: Iterable[Events], grid: int | None) -> Seen:
        """Read events; `grid` is the most values of a grid, None for all."""
        seen = cls()
        most = None if grid is None else max(_DISTINCT, grid)
        inputs: set[str] = set()
        for events in tables:
            seen.events += events.rows
            seen.left_out += events.left_out
            seen.columns |= dict.fromkeys(events.columns)
            inputs |= events.features.keys()
            for name in {*events.features, *PREDICTION_FEATURES}:
                found = events.field(name)
                if found is not None and len(found.column):
                    seen.looks.setdefault(name, Look(most, found.texts)).add(found)
            seen.answers.add(events)
            times = events.times()
            if times is not None:
                seen.times.add(times)
        seen.inputs = sorted(inputs)
        return seen


@dataclass(frozen=True)
class Chosen:
    """What is counted.

    Attributes:
        layout: the features.
        segments: tag to its listed values.
        distinct: feature to how many different valid values it has; about, where it has many.
        listings: categorical feature to its categories, and what is counted of them.
    """

    layout: Layout
    segments: dict[str, tuple[str, ...]]
    distinct: dict[str, int]
    listings: dict[str, Listing]


def choose(
    scan: Callable[[], Iterable[Events]],
    types: Mapping[str, FeatureType],
    looks: Mapping[str, Look],
    tags: Collection[str],
    grid: int | None,
) -> Chosen:
    """Choose grids and categories, by one or two readings.

    Args:
        scan: reads the events.
        types: feature to its type.
        looks: what is known of each.
        tags: the tags that are segments.
        grid: most grid values; None for all.

    Raises:
        InputError: no event has a tag.
    """
    grids: dict[str, FloatArray] = {}
    searches: dict[str, GridSearch] = {}
    for name in (name for name, kind in types.items() if kind == "numeric"):
        numbers = looks[name].numbers.all()
        if numbers is not None and (grid is None or numbers.size <= grid):
            grids[name] = numbers
        elif grid is not None:
            sample = np.concatenate(looks[name].sample) if numbers is None else numbers
            searches[name] = GridSearch(sample, grid)
    categories = {name: CategoryCounts() for name, kind in types.items() if kind == "categorical"}
    tagged = {tag: CategoryCounts() for tag in tags}
    if searches or categories or tagged:
        for events in scan():
            for name, search in searches.items():
                search.count(_finite(events.field(name)))
            for name, counter in categories.items():
                counter.add(events.field(name))
            for tag, counter in tagged.items():
                counter.add(events.tags.get(tag))
    open_searches = {name: search for name, search in searches.items() if search.needs_values}
    if open_searches:
        for events in scan():
            for name, search in open_searches.items():
                search.keep(_finite(events.field(name)))
    grids |= {name: search.grid() for name, search in searches.items()}
    texts = {name: counter.counted() for name, counter in categories.items()}
    listings = {name: Listing.of(name, counted) for name, counted in texts.items()}
    features = [
        numeric_feature(name, grids[name])
        if kind == "numeric"
        else Feature(
            name,
            kind,
            np.empty(0),
            BOOLEANS if kind == "boolean" else listings[name].categories,
        )
        for name, kind in types.items()
    ]
    distinct = {name: looks[name].numbers.about() for name in grids}
    distinct |= {name: len(counted) for name, counted in texts.items()}
    values = {tag: tagged[tag].counted() for tag in sorted(tagged)}
    for tag, counted in values.items():
        if not counted:
            raise InputError(f"segment {tag}: no event has this tag; check the name or mapping")
    segments = {tag: segment_values(counted) for tag, counted in values.items()}
    return Chosen(Layout.of(features), segments, distinct, listings)


@dataclass(frozen=True)
class Counted:
    """The counts of all streams.

    Attributes:
        streams: None for the whole model, then segments.
        counts: of the features, shape (streams, layout.size).
        events: of each stream, shape (streams,).
        outcomes: counts of the outcomes, of each stream; None if none are measured.
        answered: counts of the features of those events that have prediction and truth.
    """

    streams: tuple[str | None, ...]
    counts: IntArray
    events: IntArray
    outcomes: list[IntArray] | None
    answered: IntArray


def count(scan: Iterable[Events], chosen: Chosen, measured: MeasuredOutcome) -> Counted:
    """Count what was chosen, by one reading."""
    layout, names = chosen.layout, stream_names(chosen.segments)
    counts = np.zeros((len(names), layout.size), np.int64)
    sizes = np.zeros(len(names), np.int64)
    answered = np.zeros(layout.size, np.int64)
    outcome, rows = measured.layout, measured.rows
    outcomes = None if outcome is None else [np.zeros(outcome.size, np.int64) for _ in names]
    first = 0
    for events in scan:
        columns = columns_of(layout, events)
        own = None if rows is None else rows.select(slice(first, first + events.rows))
        for s, members in enumerate(stream_rows(events, chosen.segments)):
            counts[s] += count_rows(layout, columns, events, members)
            sizes[s] += len(columns.numeric[members])
            if outcomes is not None and outcome is not None and own is not None:
                outcomes[s] += count_outcomes(outcome, own.select(members))
        if own is not None and outcome is not None and outcome.grid is not None:
            answered += count_columns(layout, rows_of(columns, _answered(own)))
        first += events.rows
    kept = count_listed(layout, chosen.listings, counts)
    return Counted(names, kept, sizes, outcomes, answered)


def fit(
    scan: Callable[[], Iterable[Events]],
    layout: Layout,
    counted: Counted,
    measured: MeasuredOutcome,
    panes: PaneCounts | None,
    joint: JointCounts | None = None,
) -> ErrorModel | None:
    """Fit the errors of a regression, and count what needs grids, by one reading.

    Args:
        scan: reads the events.
        layout: of the features.
        counted: the counts.
        measured: how well the model did.
        panes: takes the events in the order of time; None where they have no times, or too few.
        joint: takes them to count features together; None: that is not asked for.

    Returns:
        What estimates a regression's errors; None for a classifier.
    """
    errors = _error_fit(layout, counted.answered, measured)
    if panes is None and errors is None and joint is None:
        return None
    first = 0
    for events in scan():
        columns = columns_of(layout, events)
        times = None if panes is None else events.times()
        if panes is not None and times is not None:
            panes.add(times, columns, uncounted(layout, events))
        if joint is not None:
            joint.add(times, columns, uncounted(layout, events))
        if errors is not None:
            errors.add(columns, slice(first, first + events.rows))
        first += events.rows
    return None if errors is None else errors.fit.model()


def count_seasons(
    scan: Callable[[], Iterable[Events]],
    layout: Layout,
    chosen: Chosen,
    counted: Counted,
    found: PaneFindings,
) -> Seasons | None:
    """Count what is normal in the cells of cycles, of segments by one reading.

    Args:
        scan: reads the events.
        layout: of the features.
        chosen: what is counted.
        counted: the counts.
        found: what panes told of the whole model.
    """
    if found.cycles is None:
        return None
    streams = [found.seasons]
    if chosen.segments:
        segments = SegmentCycles(found.cycles, layout, counted.counts[1:])
        for events in scan():
            times = events.times()
            if times is not None:
                columns = columns_of(layout, events)
                skip = uncounted(layout, events)
                for s, rows in enumerate(islice(stream_rows(events, chosen.segments), 1, None)):
                    own = None if skip is None else skip[rows]
                    segments.add(s, times[rows], rows_of(columns, rows), own)
        streams += segments.seasons()
    return Seasons(found.cycles.zone.name, tuple(streams))


def compare_errors(
    scan: Callable[[], Iterable[Events]],
    layout: Layout,
    chosen: Chosen,
    measured: MeasuredOutcome,
    counted: Counted,
    model: ErrorModel | None,
) -> tuple[MeasuredOutcome, Counted]:
    """Compare a regression's errors with those that its inputs let expect, by one reading.

    Args:
        scan: reads the events.
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
    found = [np.zeros(wider.size, np.int64) for _ in counted.outcomes]
    first = 0
    for events in scan():
        if rows is not None:
            own = rows.select(slice(first, first + events.rows))
            own.expected = errors.of(columns_of(layout, events))
            for s, members in enumerate(stream_rows(events, chosen.segments)):
                found[s] += count_outcomes(wider, own.select(members))
        first += events.rows
    return replace(measured, layout=wider), replace(counted, outcomes=found)


@dataclass(frozen=True)
class _Errors:
    """A regression's errors, being fitted; `residual`: of every row."""

    fit: ErrorFit
    rows: OutcomeRows
    residual: FloatArray

    def add(self, columns: Columns, own: slice) -> None:
        there = _answered(self.rows.select(own))
        self.fit.add(rows_of(columns, there), self.residual[own][there])


def _error_fit(layout: Layout, answered: IntArray, measured: MeasuredOutcome) -> _Errors | None:
    outcome, rows = measured.layout, measured.rows
    if outcome is None or outcome.grid is None or rows is None:
        return None
    largest = outcome.grid.scale * 2.0**LARGEST  # a residual counts as no more than that
    residual = np.clip(rows.score - rows.actual, -largest, largest)
    return _Errors(ErrorFit(layout, answered, residual[_answered(rows)]), rows, residual)


def _answered(rows: OutcomeRows) -> IntArray:
    return np.flatnonzero(~np.isnan(rows.actual))


def _finite(found: Field | None) -> FloatArray:
    if found is None:
        return np.empty(0)
    values = found.doubles(numeric(found.texts))
    return values[np.isfinite(values)] + 0.0
