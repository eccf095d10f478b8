"""What is counted of the events: chosen on them, or taken from another reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from driftline.detectors.counts import Layout, with_ks_error, with_ties
from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.names import (
    PREDICTION_FEATURES,
    feature_problem,
    listed,
    nearest,
)
from driftline.producer.reference.choosing import Chosen, choose
from driftline.producer.reference.derive import FIELD_TYPES
from driftline.producer.reference.derived import Fitted, derived_types
from driftline.producer.reference.fixed_layout import chosen_of, layout_notes, measured_over
from driftline.producer.reference.look import Look
from driftline.producer.reference.outcome import MeasuredOutcome, scoring_summary
from driftline.producer.reference.readings import Reader
from driftline.producer.reference.scans import Counted, count
from driftline.producer.reference.seen import Seen
from driftline.producer.reference.settings import ReferenceSettings

_SCORE, _LABEL = PREDICTION_FEATURES
_OF_LABELS: tuple[FeatureType, ...] = ("categorical", "boolean")


@dataclass(frozen=True)
class Frame:
    """What is counted, and its counts.

    Attributes:
        notes: sentences on what is left out.
        to_fit: of what the errors of a regression are fitted.
    """

    chosen: Chosen
    layout: Layout
    counted: Counted
    measured: MeasuredOutcome
    notes: Sequence[str]
    to_fit: MeasuredOutcome


def frame_of(
    reader: Reader,
    seen: Seen,
    settings: ReferenceSettings,
    fitted: Sequence[Fitted] = (),
) -> Frame:
    """Choose what is counted, or take it from another reference; count it.

    Args:
        reader: reads the events.
        seen: what the first reading told.
        settings: what to build.
        fitted: how derived features are computed.
    """
    score, base = seen.looks.get(_SCORE), settings.layout_of
    measure = partial(seen.answers.measure, reader, () if score is None else score.sample)
    if base is not None:
        chosen, measured = chosen_of(base, seen.looks), measured_over(base, measure)
        usable = {name for name, look in seen.looks.items() if look.infer() is not None}
        inputs = [name for name in seen.inputs if not settings.is_ignored(name)]
        notes = layout_notes(base, inputs, usable)
        counted = count(reader, chosen, measured)
        to_fit = MeasuredOutcome(base.positive_label)
        return Frame(chosen, base.layout, counted, measured, notes, to_fit)
    types, notes = _typed(seen, settings, derived_types(fitted))
    measured = measure(settings.positive_label)
    chosen = choose(reader, types, seen.looks, settings.segments, settings.grid)
    counted = count(reader, chosen, measured)
    if measured.summary is None and measured.layout is not None and counted.outcomes is not None:
        told = scoring_summary(measured.layout, counted.outcomes[0])
        measured = replace(measured, summary=told)
    layout = with_ties(chosen.layout, counted.counts[0])
    layout = with_ks_error(layout, counted.counts[0])
    derived = tuple(each.derivation for each in fitted)
    layout = replace(layout, left_out=_left_out(seen, types), derived=derived)
    for f, feature in enumerate(layout.features):
        if not layout.slots(counted.counts[0], f).any():
            raise _no_value(feature.name, feature.type)
    return Frame(chosen, layout, counted, measured, notes, measured)


def _typed(
    seen: Seen, settings: ReferenceSettings, derived: Mapping[str, FeatureType]
) -> tuple[dict[str, FeatureType], list[str]]:
    """Decide each feature's type; those without any usable value are left out, with a note.

    `derived`: the types of derived features, which nobody else decides.
    """
    given = dict.fromkeys(seen.inputs, True) | dict.fromkeys(PREDICTION_FEATURES, False)
    types = settings.feature_types
    for name, chosen in types.items():
        if name in derived:
            raise InputError(f"type of {name}: it is derived, so it is {derived[name]}")
        if name not in given:
            hint = nearest(name, given) or "check the name"
            raise InputError(f"type of {name}: the events have no such feature, {hint}")
        if chosen not in get_args(FeatureType) or (name == _LABEL and chosen == "numeric"):
            allowed = FIELD_TYPES if name != _LABEL else _OF_LABELS
            raise InputError(f"type of {name}: not {chosen}, use one of {', '.join(allowed)}")

    looks = {name: seen.looks.get(name, Look()) for name in given}
    found: dict[str, FeatureType] = {}
    notes: list[str] = []
    for name in seen.inputs:
        why = feature_problem(name)
        if why and not settings.is_ignored(name) and looks[name].infer() is not None:
            raise InputError(why)
    for name, is_input in given.items():
        if is_input and settings.is_ignored(name):
            continue
        inferred = looks[name].infer()
        if inferred is None:
            if is_input:
                notes.append(f"{name} is left out: it never has a usable value")
            continue
        if name == _SCORE:
            inferred = "numeric"
        elif name == _LABEL and inferred == "numeric":
            inferred = "categorical"
        if is_input and name not in types and looks[name].holds_times:
            notes.append(
                f"{name} is left out: it holds times; to keep it, give --type {name}=categorical"
            )
            continue
        found[name] = types.get(name, derived.get(name, inferred))
        if found[name] == "numeric" and not looks[name].count:
            raise _no_value(name, "numeric")
    if not found:
        raise InputError(
            "no event has a feature or prediction with values (times, arrays and empty columns are"
            " none); check the mapping" + (f" of {listed(seen.columns)}" if seen.columns else "")
        )
    return found, notes


def _left_out(seen: Seen, types: Mapping[str, FeatureType]) -> tuple[str, ...]:
    """Return the fields with values that are no features; in the stream they are not new."""
    rest = [name for name in seen.inputs if name not in types]
    return tuple(sorted(name for name in rest if seen.looks.get(name, Look()).infer() is not None))


def _no_value(name: str, kind: FeatureType) -> InputError:
    return InputError(f"{name}: no value is {kind}; correct its type or mapping")
