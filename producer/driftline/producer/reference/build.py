"""Build a reference: native events, or rows and their mapping, to a frozen baseline.

Feature types are inferred over all events: only booleans (or the texts `true` and `false`) is
boolean, only numbers numeric, everything else categorical. `prediction.label` is never numeric.
Values are counted as the stream's are: null is missing, no key is absent, a value of another type
or not finite is invalid.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, cast, get_args

import numpy as np

from driftline.detectors.build import DEFAULT_GRID, build_reference
from driftline.detectors.columns import FeatureColumn
from driftline.detectors.reference import Reference
from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.names import (
    PREDICTION_FEATURES,
    feature_problem,
    is_legal,
    nearest,
    tag_problem,
)
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.reference.event_columns import EventColumns
from driftline.producer.reference.outcome import OutcomeColumns, measure_outcome
from driftline.producer.reference.outcome_counts import outcome_content

_CHUNK = 10_000
_MOST_TIMES = 1_000
_SCORE, _LABEL = PREDICTION_FEATURES


@dataclass(frozen=True)
class ReferenceSettings:
    """What to build.

    Attributes:
        model: the model's name; events that name another one are left out.
        grid: most grid values of a numeric feature; None keeps every distinct value.
        types: feature to type, where the inferred one is wrong.
        segments: tags (`model_version` is one) that also get counts per value.
        positive_label: the class whose probability `prediction.score` is; by default "1" or "true"
            where the labels are 0 and 1 or false and true.
        ignore: globs of input features that are not built.
    """

    model: str
    grid: int | None = DEFAULT_GRID
    types: AnyMapping[str, FeatureType] = field(default_factory=dict)
    segments: Sequence[str] = ()
    positive_label: str | None = None
    ignore: Sequence[str] = ()

    def is_ignored(self, feature: str) -> bool:
        """Tell whether an input feature is not built."""
        return any(fnmatch.fnmatchcase(feature, glob) for glob in self.ignore)


@dataclass(frozen=True)
class BuiltFeature:
    """One feature as built: distinct valid values, shares (0 to 1) of missing and invalid."""

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
    """

    reference: Reference
    features: tuple[BuiltFeature, ...]
    skipped: int
    unusable: int
    left_out: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    unmeasured: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences: features left out and why, an outcome that could not be measured."""
        if self.unmeasured is None:
            return self.left_out
        return (*self.left_out, f"no performance measured: {self.unmeasured}")


def reference_from_rows(
    chunks: Iterable[Sequence[AnyMapping[str, Any]]], mapping: Mapping, settings: ReferenceSettings
) -> BuiltReference:
    """Build a reference from the rows of a file (`files.rows.read_rows`).

    Raises:
        InputError: as `reference_from_events`.

    >>> rows = [{"km": 10.0, "fuel": "gas"}, {"km": 12.5, "fuel": None}]
    >>> built = reference_from_rows([rows], Mapping({"features": "*"}), ReferenceSettings("cars"))
    >>> [(f.name, f.type, f.distinct, f.missing) for f in built.features]
    [('km', 'numeric', 2, 0.0), ('fuel', 'categorical', 1, 0.5)]
    """
    events = (mapping.to_event(row) for chunk in chunks for row in chunk)
    return reference_from_events(events, settings)


def reference_from_events(
    events: Iterable[AnyMapping[str, Any]], settings: ReferenceSettings
) -> BuiltReference:
    """Build a reference from native events. Their order does not matter.

    Raises:
        InputError: no usable event, no feature with values, a type or segment for something that
            the events do not have, a name that cannot be (`names`), or a positive label that never
            occurs.
        ReferenceError: the grid is too small.
    """
    if not is_legal(settings.model):
        raise InputError(
            f"model {settings.model!r}: not a legal name: use 1 to 249 letters, digits, dots,"
            " underscores and hyphens"
        )
    for problem in filter(None, map(tag_problem, settings.segments)):
        raise InputError(problem)
    gathered = EventColumns(settings.model, settings.segments)
    iterator = iter(events)
    while chunk := list(islice(iterator, _CHUNK)):
        gathered.add(chunk)
    if gathered.events == 0:
        raise InputError(_no_events(gathered, settings.model))

    columns, notes = _typed(gathered, settings)
    outcomes = OutcomeColumns(
        predicted=gathered.prediction["label"],
        score=gathered.prediction["score"],
        actual=gathered.actual["label"],
        actual_score=gathered.actual["score"],
    )
    measured = measure_outcome(outcomes, settings.positive_label)
    segments = _segments(gathered, settings.segments)
    reference = build_reference(
        model=settings.model,
        features=columns,
        segments=segments,
        grid=settings.grid,
        positive_label=measured.positive_label,
    )
    reference = replace(reference, outcome=outcome_content(reference, measured, columns, segments))
    names = [feature.name for feature in reference.layout.features]
    return BuiltReference(
        reference,
        tuple(_describe(name, columns[name]) for name in names),
        gathered.skipped,
        gathered.unusable,
        tuple(notes),
        tuple(filter(settings.is_ignored, gathered.features)),
        measured.unmeasured,
    )


def _typed(
    gathered: EventColumns, settings: ReferenceSettings
) -> tuple[dict[str, FeatureColumn], list[str]]:
    """Decide each feature's type; those without any usable value are left out, with a note."""
    types = settings.types
    all_columns = {
        **gathered.features,
        _SCORE: gathered.prediction["score"],
        _LABEL: gathered.prediction["label"],
    }
    for name, chosen in types.items():
        if name not in all_columns:
            hint = nearest(name, all_columns) or "check the name"
            raise InputError(f"type of {name}: the events have no such feature, {hint}")
        if chosen not in get_args(FeatureType) or (name == _LABEL and chosen == "numeric"):
            allowed = [
                kind for kind in get_args(FeatureType) if name != _LABEL or kind != "numeric"
            ]
            raise InputError(f"type of {name}: not {chosen}, use one of {', '.join(allowed)}")

    columns: dict[str, FeatureColumn] = {}
    notes: list[str] = []
    for name, column in gathered.features.items():
        why = feature_problem(name)
        if why and not settings.is_ignored(name) and column.infer() is not None:
            raise InputError(why)
    for name, column in all_columns.items():
        given = name in gathered.features and name not in PREDICTION_FEATURES
        if given and settings.is_ignored(name):
            continue
        inferred = column.infer()
        if inferred is None:
            if name in gathered.features:
                notes.append(f"{name} is left out: it never has a usable value")
            continue
        if name == _SCORE:
            inferred = "numeric"
        elif name == _LABEL and inferred == "numeric":
            inferred = "categorical"
        prepared = column.prepare(types.get(name, inferred))
        if given and name not in types and _holds_times(prepared):
            notes.append(
                f"{name} is left out: it holds times; to keep it, give --type {name}=categorical"
            )
            continue
        if not _valid(prepared):
            raise InputError(f"{name}: no value is {prepared.type}; correct its type or mapping")
        columns[name] = prepared
    if not columns:
        raise InputError("no event has a feature or prediction with values; check the mapping")
    return columns, notes


def _holds_times(column: FeatureColumn) -> bool:
    """Return whether a column's many texts are all times, of which each window has others."""
    if column.type != "categorical":
        return False
    texts = set(column.values) - {None}
    return len(texts) > _MOST_TIMES and all(parse_timestamp(text) is not None for text in texts)


def _segments(gathered: EventColumns, segments: Sequence[str]) -> dict[str, Sequence[str | None]]:
    values: dict[str, Sequence[str | None]] = {}
    for tag in segments:
        texts = cast("Sequence[str | None]", gathered.tags[tag].prepare("categorical").values)
        if not any(text is not None for text in texts):
            raise InputError(f"segment {tag}: no event has this tag; check the name or mapping")
        values[tag] = texts
    return values


def _valid(column: FeatureColumn) -> list[Any]:
    """Return the usable values."""
    if column.type == "numeric":
        numbers = np.asarray(column.values, np.float64)
        finite: list[Any] = numbers[np.isfinite(numbers)].tolist()
        return finite
    return [text for text in column.values if text is not None]


def _describe(name: str, column: FeatureColumn) -> BuiltFeature:
    events = len(column.values)
    valid = _valid(column)
    if column.invalid is None:
        invalid = int(np.count_nonzero(np.asarray(column.values) == -np.inf))
    else:
        invalid = int(np.count_nonzero(column.invalid))
    return BuiltFeature(
        name=name,
        type=column.type,
        distinct=len(set(valid)),
        missing=(events - len(valid) - invalid) / events,
        invalid=invalid / events,
    )


def _no_events(gathered: EventColumns, model: str) -> str:
    if gathered.skipped:
        return f"all {gathered.skipped:,} events are of other models; check the name {model}"
    if gathered.unusable:
        return (
            f"none of {gathered.unusable:,} records has features or a prediction;"
            " map them with sources.<topic>.fields"
        )
    return "there are no events to build a reference from; check the input"
