"""Building a reference: its settings, its file, and the text that is printed about it."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import say
from driftline.consumer.cli.whole_file import write_whole
from driftline.consumer.config import Config
from driftline.consumer.config.seasons import UTC
from driftline.consumer.judge.dispersed import notes_of
from driftline.consumer.judge.season_notes import season_notes
from driftline.consumer.judge.sentence import amount, clean, percent
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.ground_truth import check_measured, unmeasured_with_labels
from driftline.consumer.offline.opened_file import opened
from driftline.consumer.offline.reference_settings import together as together
from driftline.consumer.offline.reference_settings import with_config as with_config
from driftline.consumer.offline.truth import read_truth
from driftline.consumer.service.references import load_reference
from driftline.consumer.sketch.event_rows import columns_of
from driftline.consumer.wire.text import plural
from driftline.detectors.outcomes import METRICS, Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import file_notes, read_tables
from driftline.producer.records.mapping import Mapping as EventMapping
from driftline.producer.records.table import Table
from driftline.producer.records.time_form import GUESSED, GivenTimes
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    Together,
    reference_from_tables,
)
from driftline.producer.reference.derive import FieldType


def settings(
    model: str,
    grid: int | None,
    types: Mapping[str, FieldType],
    segments: Iterable[str],
    positive_label: str | None,
    timezone: str | None = None,
) -> ReferenceSettings:
    """Return what the options ask for."""
    segments = tuple(dict.fromkeys(segments))
    return ReferenceSettings(model, grid, types, segments, positive_label, timezone=timezone or UTC)


def over(wanted: ReferenceSettings, address: str) -> ReferenceSettings:
    """Return the settings with the layout of another reference.

    Raises:
        ReferenceError: it cannot be read.
    """
    return dataclasses.replace(wanted, layout_of=load_reference(address))


def from_file(
    file: Input,
    wanted: ReferenceSettings,
    config: Config | None,
    actual: str | None,
    times: GivenTimes = GUESSED,
    labels: Path | None = None,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference from the rows of a file, with the ground truth that `labels` has of them.

    Raises:
        DriftlineError: the file or the settings cannot be used.
    """
    column = actual if labels is None else None  # of this file
    screen = Screen()
    topic = config.models[wanted.model].predictions[0] if config is not None else None
    file = opened(file, config, topic)
    if column is not None:
        file_rows.check_actual(file, next(read_rows(file)), column)
    with screen.progress("looking at the columns", None):
        mapping = file_rows.with_actual(
            file_rows.mapping_for(config, topic, file, screen, column, times), column
        )
    truth = None
    if labels is not None:
        with screen.progress("reading the labels", None):
            truth = read_truth(labels, file, mapping, screen, actual)
        mapping = truth.mapped(mapping)
    for kind, sentence in file_notes(file):
        say(f"{kind}  {sentence}")
    rows, needed = screen.count_rows(file), all_but_ids(mapping)

    def scan() -> Iterator[Table]:
        tables = read_tables(file, needed) if truth is None else truth.read_from(file, needed)
        return screen.watched("rows", tables, rows)

    built = reference_from_tables(scan, mapping, wanted, together)
    check_measured(built, mapping, column, file)
    if truth is not None and built.reference.outcome is None:
        raise CommandError(f"--labels {labels}: {unmeasured_with_labels(built, mapping)}")
    return built


def all_but_ids(mapping: EventMapping) -> Columns:
    """Return the columns of a file without those of event ids alone, which nobody counts.

    As each row has another one, they would take as long to read as several features.
    """
    others = (columns_of(name, mapping) for name in mapping.paths() if name != "event_id")
    left_out = columns_of("event_id", mapping).difference(*others)
    return Columns(frozenset(), lambda name: name not in left_out)


def write(reference: Reference, path: Path) -> int:
    """Write a reference, all of it or nothing; return the file's size in bytes.

    A folder that is not there is made. The same reference gives the same bytes, with gzip too.

    Raises:
        CommandError: it cannot be written.
    """
    data = reference.to_json()
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    write_whole(path, data)
    return len(data)


def render(built: BuiltReference, path: Path, size: int) -> str:
    """Return the table of features, and a line on the file."""
    names = {each.name: clean(each.name) for each in built.features}
    width = max([24, *map(len, names.values())])
    lines = [f"{'feature':<{width}}  {'type':<12}{'distinct':>10}{'missing':>10}{'invalid':>10}"]
    lines += [
        f"{names[each.name]:<{width}}  {each.type:<12}{each.distinct:>10,}"
        f"{percent(each.missing):>10}{percent(each.invalid):>10}"
        for each in built.features
    ]
    reference = built.reference
    segments = [
        f"{clean(tag)} ({len(values)} {plural(len(values), 'value')})"
        for tag, values in reference.segments.items()
    ]
    many = f"{len(built.features)} {plural(len(built.features), 'feature')}"
    told = f"{reference.events:,} events, {many}"
    if segments:
        told += f", segments {', '.join(segments)}"
    if reference.joint is not None:
        together = reference.joint.layout
        told += f", {len(together.names)} numbers together in {len(together.pairs):,} pairs"
    lines += ["", f"{path}   {_bytes(size)}, reference {reference.id}: {told}"]
    return "\n".join([*lines, *outcome_lines(reference)])


def outcome_lines(reference: Reference) -> list[str]:
    """Return a line on how good the predictions were, none without ground truth."""
    outcomes = Outcomes.of(reference)
    if outcomes is None or reference.outcome is None:
        return []
    metrics = [
        f"{name} {amount(each.value)}"
        for name, each in outcomes.figures[0].items()
        if METRICS[name].always and not isnan(each.value)
    ]
    if not reference.outcome["n"]:
        return ["no event has ground truth: its performance is not known"]
    return [f"on {reference.outcome['n']:,} events with ground truth: {', '.join(metrics)}"]


def notes(built: BuiltReference) -> Iterator[str]:
    """Yield sentences on what is not in the reference, and on what few events tell."""
    yield from map(clean, built.notes)
    yield from season_notes(built.reference)
    yield from notes_of(built.reference)
    if built.skipped:
        yield f"{built.skipped:,} events of other models are left out"
    if built.unusable:
        yield f"{built.unusable:,} records without features and prediction are left out"


def as_document(built: BuiltReference, path: Path, size: int) -> dict[str, Any]:
    """Return all of it as a JSON document."""
    return {
        "reference": built.reference.id,
        "model": built.reference.model,
        "file": str(path),
        "bytes": size,
        "events": built.reference.events,
        "features": [dataclasses.asdict(feature) for feature in built.features],
        "segments": {tag: list(values) for tag, values in built.reference.segments.items()},
        "notes": list(notes(built)),
    }


def _bytes(size: int) -> str:
    """Return a size as people write it.

    >>> _bytes(812), _bytes(1_234_567)
    ('812 B', '1.2 MB')
    """
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
