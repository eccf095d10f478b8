"""Build a reference: native events, or rows and their mapping, to a frozen baseline.

Feature types are inferred over all events: only booleans (or the texts `true` and `false`) is
boolean, only numbers numeric, everything else categorical. `prediction.label` is never numeric.
Values are counted as the stream's are: null is missing, no key is absent, a value of another type
or not finite is invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from driftline.detectors.build import check_grid
from driftline.detectors.counts import (
    ABSENT,
    EXTRA_CELLS,
    INVALID,
    MISSING,
    Feature,
    Layout,
)
from driftline.detectors.reference import Reference, ReferenceCounts
from driftline.detectors.registry import FeatureType
from driftline.detectors.volume import Volume
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.names import (
    is_legal,
    listed,
    tag_problem,
)
from driftline.producer.records.table import Table
from driftline.producer.records.time_zone import find_zone
from driftline.producer.reference.choosing import Chosen
from driftline.producer.reference.derived import Fitted, derived_events, fitted_for
from driftline.producer.reference.events import Events, events_of
from driftline.producer.reference.fixed_layout import error_model_of
from driftline.producer.reference.frame import frame_of
from driftline.producer.reference.joint import joint_counts
from driftline.producer.reference.kept_answers import KeptAnswers
from driftline.producer.reference.measuring import AnswersRead
from driftline.producer.reference.outcome_counts import outcome_content
from driftline.producer.reference.panes import PaneCounts
from driftline.producer.reference.readings import InTurn, Reader
from driftline.producer.reference.scans import Counted, compare_errors, count_seasons, fit
from driftline.producer.reference.seen import Seen
from driftline.producer.reference.settings import ReferenceSettings, Together

__all__ = [
    "BuiltFeature",
    "BuiltReference",
    "ReferenceSettings",
    "Together",
    "reference_from_events",
    "reference_from_rows",
    "reference_from_tables",
]

_CHUNK = 10_000


@dataclass(frozen=True)
class BuiltFeature:
    """One feature as built: distinct valid values, shares (0 to 1) of missing and invalid.

    Of more than 65,536 distinct numbers `distinct` is an estimate, within 1 % or so.
    """

    name: str
    type: FeatureType
    distinct: int
    missing: float  # null or absent
    invalid: float


@dataclass(frozen=True)
class BuiltReference:
    """A reference and what is worth telling about it.

    Attributes:
        reference: what was built.
        features: one report per feature, in the reference's order.
        skipped: events of other models.
        unusable: records that the monitor would refuse.
        left_out: sentences: features left out and why.
        ignored: features that the settings leave out.
        unmeasured: why there is a prediction and ground truth, but no performance was measured.
        perhaps: what the ground truth of a regression may be instead.
    """

    reference: Reference
    features: tuple[BuiltFeature, ...]
    skipped: int
    unusable: int
    left_out: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    unmeasured: str | None = None
    perhaps: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences: features left out and why, and what there is to say of the outcome."""
        unmeasured = self.unmeasured and f"no performance measured: {self.unmeasured}"
        return (*self.left_out, *filter(None, (unmeasured, self.perhaps)))


def reference_from_rows(
    chunks: Iterable[Sequence[AnyMapping[str, Any]]],
    mapping: Mapping,
    settings: ReferenceSettings,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference from rows, which are read once and kept in memory as columns.

    Raises:
        InputError: as `reference_from_tables`.

    >>> rows = [{"km": 10.0, "fuel": "gas"}, {"km": 12.5, "fuel": None}]
    >>> built = reference_from_rows([rows], Mapping({"features": "*"}), ReferenceSettings("cars"))
    >>> [(f.name, f.type, f.distinct, f.missing) for f in built.features]
    [('km', 'numeric', 2, 0.0), ('fuel', 'categorical', 1, 0.5)]
    """
    _check(settings)
    kept = [
        events_of(Table.of_rows(chunk), mapping, settings.model, settings.tags) for chunk in chunks
    ]
    return _build(lambda: kept, settings, together)


def reference_from_events(
    events: Iterable[AnyMapping[str, Any]],
    settings: ReferenceSettings,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference from native events, which are kept in memory as columns.

    Raises:
        InputError: as `reference_from_tables`.
    """
    _check(settings)
    kept: list[Events] = []
    iterator = iter(events)
    while chunk := list(islice(iterator, _CHUNK)):
        records = [event if isinstance(event, dict) else {} for event in chunk]
        kept.append(
            events_of(Table.of_rows(records), Mapping.native(), settings.model, settings.tags)
        )
    return _build(lambda: kept, settings, together)


def reference_from_tables(
    scan: Callable[[], Iterable[Table]],
    mapping: Mapping,
    settings: ReferenceSettings,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference from tables.

    The order of the events does not matter, but where something is derived of them (`derived`).

    Args:
        scan: gives all tables from the first on; it is called up to eight times, and each time has
            to give the same, as reading a file again does.
        mapping: how their rows become events.
        settings: what to build.
        together: which numbers are counted together; None: none. Over the layout of another
            reference its own are.

    Raises:
        InputError: no usable event, no feature with values, a type or segment for something that
            the events do not have, a name that cannot be (`names`), or a positive label that never
            occurs.
        ReferenceError: the grid is too small.

    >>> table = Table.of_rows([{"km": 10.0}, {"km": 12.5}])
    >>> settings = ReferenceSettings("cars")
    >>> built = reference_from_tables(lambda: [table], Mapping({"features": "*"}), settings)
    >>> built.reference.counts.tolist()
    [[0, 1, 0, 1, 0, 0, 0, 0]]
    """
    _check(settings)

    def events() -> Iterator[Events]:
        for table in scan():
            yield events_of(table, mapping, settings.model, settings.tags)

    return _build(events, settings, together)


def _check(settings: ReferenceSettings) -> None:
    if not is_legal(settings.model):
        raise InputError(
            f"model {settings.model!r}: not a legal name: use 1 to 249 letters, digits, dots,"
            " underscores and hyphens"
        )
    for problem in filter(None, map(tag_problem, settings.segments)):
        raise InputError(problem)
    check_grid(settings.grid)


def _build(
    read: Callable[[], Iterable[Events]], settings: ReferenceSettings, together: Together | None
) -> BuiltReference:
    fitted = fitted_for(read, settings)

    def scan() -> Iterable[Events]:
        return derived_events(read(), fitted) if fitted else read()

    return reference_by(InTurn(scan), KeptAnswers(), settings, together, fitted)


def reference_by(
    reader: Reader,
    answers: AnswersRead,
    settings: ReferenceSettings,
    together: Together | None = None,
    fitted: tuple[Fitted, ...] = (),
) -> BuiltReference:
    """Build a reference of what a reader reads, which need not be in this process.

    Args:
        reader: reads the events.
        answers: takes in predictions and ground truth.
        settings: what to build.
        together: which numbers are counted together; None: none.
        fitted: how derived features are computed.

    Raises:
        InputError: as `reference_from_tables`.
    """
    _check(settings)
    seen = reader.read(Seen(settings.grid, answers))
    if seen.events == 0:
        raise InputError(_no_events(seen, settings.model))
    frame = frame_of(reader, seen, settings, fitted)
    chosen, layout, counted, measured = frame.chosen, frame.layout, frame.counted, frame.measured
    to_pane = _panes(seen, layout, counted, settings)
    base = settings.layout_of
    both = together if base is None else base.joint
    to_join = joint_counts(layout, counted.counts[0], seen.times.plan(), both)
    errors, panes, joint = fit(reader, layout, counted, frame.to_fit, to_pane, to_join)
    if settings.layout_of is not None:
        errors = error_model_of(settings.layout_of)
    told = None if panes is None else panes.findings()
    seasons = None if told is None else count_seasons(reader, layout, chosen, counted, told)
    measured, counted = compare_errors(reader, layout, chosen, measured, counted, errors)
    built = [
        _describe(feature, f, counted, layout, chosen) for f, feature in enumerate(layout.features)
    ]
    reference = Reference(
        model=settings.model,
        layout=layout,
        counted=ReferenceCounts(
            counted.streams,
            counted.counts,
            counted.events,
            seasons,
            _volume(seen, settings),
            joint=None if joint is None else joint.normal(),
        ),
        segments=chosen.segments,
        positive_label=measured.positive_label,
        outcome=outcome_content(measured, counted.outcomes, errors),
        dispersion=None if told is None else told.dispersion,
    )
    return BuiltReference(
        reference,
        tuple(built),
        seen.left_out.skipped,
        seen.left_out.unusable,
        tuple(frame.notes),
        tuple(filter(settings.is_ignored, seen.inputs)),
        measured.unmeasured,
        measured.perhaps,
    )


def _panes(
    seen: Seen, layout: Layout, counted: Counted, settings: ReferenceSettings
) -> PaneCounts | None:
    """Return what counts panes; None where events have no times, or too few."""
    plan = seen.times.plan()
    if plan is None:
        return None
    zone = None if settings.timezone is None else find_zone(settings.timezone)
    return PaneCounts(plan, layout, counted.counts[0], zone)


def _volume(seen: Seen, settings: ReferenceSettings) -> Volume | None:
    """Return how many events come; None where it is not known."""
    hours = seen.times.hours(seen.times.plan())
    return None if hours is None else Volume(settings.timezone or "UTC", hours)


def _describe(
    feature: Feature, f: int, counted: Counted, layout: Layout, chosen: Chosen
) -> BuiltFeature:
    """Return what is told of the f-th feature."""
    block = counted.counts[0][layout.starts[f] : layout.starts[f + 1]]
    slots, extra = block[:-EXTRA_CELLS], block[-EXTRA_CELLS:]
    events = max(int(block.sum()), 1)
    return BuiltFeature(
        name=feature.name,
        type=feature.type,
        distinct=chosen.distinct.get(feature.name, int(np.count_nonzero(slots))),
        missing=int(extra[MISSING] + extra[ABSENT]) / events,
        invalid=int(extra[INVALID]) / events,
    )


def _no_events(seen: Seen, model: str) -> str:
    others = seen.left_out
    if others.skipped:
        return f"all {others.skipped:,} events are of other models; check the name {model}"
    if others.wrong:
        return (
            f"none of {others.unusable:,} records is an event: {others.wrong}; log that, or map it"
        )
    if others.unusable:
        there = f", but {listed(seen.columns)}" if seen.columns else ""
        return (
            f"none of {others.unusable:,} records has features or a prediction{there};"
            " map them with sources.<topic>.fields"
        )
    return "there are no events to build a reference from; check the input"
