"""`driftline reference show` and `diff`: what references hold, as tables and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

from driftline.consumer.cli.reference_build import outcome_lines
from driftline.consumer.judge.dispersed import notes_of
from driftline.consumer.judge.season_notes import season_notes
from driftline.consumer.judge.sentence import amount, clean, percent
from driftline.consumer.service.references import load_reference
from driftline.consumer.wire.text import counted, some
from driftline.detectors.baseline import Baseline
from driftline.detectors.dispersion import OTHER
from driftline.detectors.outcomes import METRICS, Outcomes
from driftline.detectors.reference import Reference
from driftline.detectors.reference_diff import (
    FeatureDiff,
    ReferenceDiff,
    diff_references,
    missing_share,
)
from driftline.detectors.rounding import significant
from driftline.producer.records.durations import format_duration

_QUANTILES = (0.1, 0.5, 0.9)
_NAMED = 3
_DERIVED = 8


def shown(address: str) -> tuple[str, dict[str, Any]]:
    """Return what a reference holds: as text, and as a document.

    Raises:
        ReferenceError, MissingExtraError: it cannot be read.
    """
    reference = load_reference(address)
    return "\n".join(_lines(reference)), _document(reference)


def compared(first: str, second: str) -> tuple[str, dict[str, Any]]:
    """Return what differs between two references: as text, and as a document.

    Raises:
        ReferenceError, MissingExtraError: one cannot be read.
    """
    a, b = load_reference(first), load_reference(second)
    found = diff_references(a, b)
    document = {
        "a": {"address": first, **_head(a)},
        "b": {"address": second, **_head(b)},
        **dataclasses.asdict(found),
    }
    return "\n".join(_differences((first, a), (second, b), found)), document


def _head(reference: Reference) -> dict[str, Any]:
    return {
        "reference": reference.id,
        "layout": reference.layout_id,
        "model": reference.model,
        "events": reference.events,
    }


def _features(reference: Reference) -> Iterator[dict[str, Any]]:
    layout, counts = reference.layout, reference.counts[0]
    baseline = Baseline(layout, counts)
    seasons = {} if reference.seasons is None else reference.seasons.streams[0]
    dispersion = reference.dispersion
    for f, feature in enumerate(layout.features):
        bins = baseline.bins(f)
        slots = layout.slots(counts, f)
        phi = None if dispersion is None else float(dispersion.phi[0, OTHER, f])
        yield {
            "name": feature.name,
            "type": feature.type,
            "values": feature.grid.size or len(feature.categories),
            "missing": missing_share(layout, counts, f),
            "quantiles": [_figure(baseline.quantile(f, share)) for share in _QUANTILES]
            if feature.type == "numeric"
            else None,
            "upper": None if bins.upper is None else list(map(_figure, bins.upper.tolist())),
            "categories": bins.categories,
            "counts": bins.reference.tolist(),
            "unlisted": 0 if feature.type == "numeric" else int(slots[-1]),
            "season": seasons[f].cycle if f in seasons else None,
            "phi": None if phi is None or isnan(phi) else _figure(phi),
        }


def _figure(value: float) -> float | None:
    return None if isnan(value) else float(significant(value))


def _document(reference: Reference) -> dict[str, Any]:
    seasons, dispersion = reference.seasons, reference.dispersion
    segments: dict[str, dict[str, int]] = {tag: {} for tag in reference.segments}
    for stream, events in zip(reference.streams, reference.stream_events.tolist(), strict=True):
        if stream is not None:
            tag, _, value = stream.partition("=")
            segments[tag][value] = events
    return {
        **_head(reference),
        "schema": reference.schema,
        "positive_label": reference.positive_label,
        "features": list(_features(reference)),
        "derived": [
            {"field": each.source, "kind": each.kind, "features": list(each.features)}
            for each in reference.layout.derived
        ],
        "segments": segments,
        "seasons": None if seasons is None else {"timezone": seasons.timezone},
        "dispersion": None
        if dispersion is None
        else {"pane": format_duration(dispersion.pane), "panes": dispersion.panes},
        "volume": reference.volume is not None,
        "performance": _performance(reference),
    }


def _performance(reference: Reference) -> dict[str, Any] | None:
    outcomes = Outcomes.of(reference)
    if outcomes is None or reference.outcome is None:
        return None
    figures = outcomes.figures[0].items()
    always = {name: each.value for name, each in figures if METRICS[name].always}
    return {"events": reference.outcome["n"], **{n: _figure(v) for n, v in always.items()}}


def _lines(reference: Reference) -> Iterator[str]:
    features = list(_features(reference))
    width = max([24, *(len(clean(each["name"])) for each in features)])
    yield (
        f"reference {reference.id}, layout {reference.layout_id}: model {clean(reference.model)},"
        f" {reference.events:,} events, {counted(len(features), 'feature')}"
    )
    yield ""
    yield f"{'feature':<{width}}  {'type':<12}{'distinct':>9}{'missing':>9}  {'phi':>5}  normally"
    for each in features:
        phi = "-" if each["phi"] is None else amount(each["phi"])
        yield (
            f"{clean(each['name']):<{width}}  {each['type']:<12}{each['values']:>9,}"
            f"{percent(each['missing']):>9}  {phi:>5}  {_normally(each)}"
        ).rstrip()
    yield ""
    for derivation in reference.layout.derived:
        names = some([clean(name) for name in derivation.features], _DERIVED)
        yield f"of the {derivation.kind} {clean(derivation.source)}: {names}"
    for tag, values in reference.segments.items():
        streams = [f"{tag}={value}" for value in (*values, "__other__")]
        events = {s: int(reference.stream_events[reference.position[s]]) for s in streams
                  if s in reference.position}  # fmt: skip
        parts = [f"{clean(s.partition('=')[2])} {many:,}" for s, many in events.items()]
        yield f"segments of {clean(tag)}: {', '.join(parts)}"
    if reference.positive_label is not None:
        yield f"positive label: {clean(reference.positive_label)}"
    yield from outcome_lines(reference)
    yield _dispersion(reference)
    yield from season_notes(reference)
    yield from notes_of(reference)


def _normally(feature: dict[str, Any]) -> str:
    """Return where most of a feature's events lie."""
    if feature["quantiles"] is not None:
        low, middle, high = (None if q is None else amount(q) for q in feature["quantiles"])
        return "" if middle is None else f"{middle} ({low} to {high})"
    many = max(sum(feature["counts"]), 1)
    found = sorted(
        zip(feature["counts"], feature["categories"], strict=True), key=lambda each: -each[0]
    )
    named = [f"{clean(name)} {percent(count / many)}" for count, name in found[:_NAMED]]
    return ", ".join(named) + (", ..." if len(found) > _NAMED else "")


def _dispersion(reference: Reference) -> str:
    found = reference.dispersion
    if found is None:
        return "no times: how much panes vary is learnt from the stream"
    return f"how much panes vary is known of {found.panes:,} panes of {format_duration(found.pane)}"


def _differences(
    a: tuple[str, Reference], b: tuple[str, Reference], found: ReferenceDiff
) -> Iterator[str]:
    for name, reference in (a, b):
        yield (
            f"{clean(name)}: reference {reference.id}, layout {reference.layout_id},"
            f" model {clean(reference.model)}, {reference.events:,} events"
        )
    yield ""
    if found.same_layout:
        yield "one layout: panes that are counted go on with the other reference"
    else:
        yield "other layouts: windows over both are insufficient while one follows the other"
    yield from _only("features", (a[0], b[0]), found.only)
    yield from _only("segments", (a[0], b[0]), found.segments)
    if found.positive_labels[0] != found.positive_labels[1]:
        yield f"positive label: {found.positive_labels[0]}, then {found.positive_labels[1]}"
    if not found.features:
        return
    width = max([24, *(len(clean(each.name)) for each in found.features)])
    yield ""
    yield f"{'feature':<{width}}  {'type':<12}{'psi':>9}  {'missing':<17}  differs"
    for each in found.features:
        effect = "-" if each.psi is None else f"{round(each.psi, 4) + 0.0:.4f}"
        missing = " -> ".join(map(percent, each.missing))
        yield (
            f"{clean(each.name):<{width}}  {each.types[1]:<12}{effect:>9}  {missing:<17}"
            f"  {_how(each)}"
        ).rstrip()


def _only(what: str, names: tuple[str, str], found: tuple[Sequence[str], ...]) -> Iterator[str]:
    for name, own in zip(names, found, strict=True):
        if own:
            yield f"{what} of {clean(name)} alone: {some([clean(each) for each in own], 10)}"


def _how(feature: FeatureDiff) -> str:
    parts = []
    if feature.types[0] != feature.types[1]:
        parts.append(f"was {feature.types[0]}")
    if feature.new:
        parts.append(f"new: {some([clean(name) for name in feature.new], _NAMED)}")
    if feature.gone:
        parts.append(f"gone: {some([clean(name) for name in feature.gone], _NAMED)}")
    if not parts and not feature.same_grid:
        parts.append("other grid")
    return "; ".join(parts)
