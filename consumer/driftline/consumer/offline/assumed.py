"""A backtest of a file alone: the columns, the reference and the windows are assumed."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.config import Config, KafkaConfig, LabelsConfig, ModelConfig
from driftline.consumer.judge.sentence import amount
from driftline.consumer.offline.assumptions import Assumptions, assume
from driftline.consumer.offline.extent import Extent, Pace
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.ground_truth import check_measured
from driftline.consumer.offline.halves import Halves
from driftline.consumer.offline.setup import (
    GroundTruth,
    Setup,
    classes_of,
    has_actual,
    set_up,
    survey,
)
from driftline.consumer.offline.windows import FEWEST, GUESSED, WindowOptions, windows_for
from driftline.consumer.service.references import load_reference
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.rows import read_rows
from driftline.producer.records.durations import format_duration
from driftline.producer.records.timestamp import format_time
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

_TOPIC = "file"
_UNKNOWN = "it has no value in any row; name the right column"
_UNMEASURED = "the reference was built without ground truth: build it again with --actual"
_FEW = 1_000  # rows of a half, from which on the small windows of a small file are not needed


def assumed(
    file: Path,
    model: str | None,
    reference: Path | None,
    feedback: Feedback,
    actual: str | None = None,
    wanted: WindowOptions = GUESSED,
) -> Setup:
    """Set up a backtest of a file alone, and note what is assumed.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        reference: what is normal; None for the earlier half of the file.
        feedback: takes the notes.
        actual: the column with the ground truth, None to guess it.
        wanted: of the windows.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    given = load_reference(reference) if reference is not None else None
    found = assume(file, model or (given.model if given is not None else None), feedback, actual)
    name, mapping = found.model, found.mapping
    extent = survey(file, mapping, feedback)
    halves = Halves(mapping, extent.half() if given is None and extent.spread else None)
    window = windows_for(file, extent, halves.time, wanted)
    if given is None:
        _check_enough(file, extent, wanted)
        baseline = _build(file, found, halves, extent, actual, feedback)
    else:
        baseline = given
    outcomes = Outcomes.of(baseline) if has_actual(mapping, file) else None
    if actual is not None and outcomes is None:
        raise InputError(f"--actual {actual}: {_UNKNOWN if baseline.outcome else _UNMEASURED}")
    settings = ModelConfig(
        predictions=(_TOPIC,),
        reference=Path("-"),
        window=window,
        ignore=found.ignore,
        labels=LabelsConfig(topic=_TOPIC) if outcomes is not None else None,
    )
    if wanted.budget is not None:
        settings = settings.model_copy(update={"budget": wanted.budget})
    if outcomes is not None:
        feedback.note(
            "assumed",
            f"performance: actual is known at once; the budget watches {outcomes.watched}",
        )
    _note_windows(settings, extent.pace(halves.time), feedback)
    config = Config(
        kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)), models={name: settings}
    )
    truth = GroundTruth(classes_of(baseline) if outcomes is not None else (), actual=actual)
    return set_up(config, baseline, name, file, halves, extent, truth, feedback)


def _check_enough(file: Path, extent: Extent, wanted: WindowOptions) -> None:
    """Refuse a file that tells nothing, unless the user wants few events to be judged."""
    if extent.rows < FEWEST and wanted.min_events is None:
        raise InputError(
            f"{file}: {extent.rows:,} rows are too few, {FEWEST:,} are needed: the first half is"
            " the reference and the second is judged, and so few tell only great changes from"
            f" chance; give a longer file, or --min-events {max(extent.rows // 4, 1)} to judge"
            " them all the same"
        )


def _build(
    file: Path,
    found: Assumptions,
    halves: Halves,
    extent: Extent,
    actual: str | None,
    feedback: Feedback,
) -> Reference:
    """Return the reference of the earlier half of a file."""
    rows = halves.earlier(read_rows(file))
    built = reference_from_rows(rows, found.mapping, ReferenceSettings(found.model))
    check_measured(built, found.mapping, actual, file)
    for note in built.notes if has_actual(found.mapping, file) else ():
        feedback.note("note", note)
    many = extent.before(halves.time)
    which = f"the first {many:,} of {extent.rows:,} rows"
    if not extent.in_order and halves.time is not None:
        which = f"the {many:,} of {extent.rows:,} rows before {format_time(halves.time)}"
    feedback.note("assumed", f"reference: {which}")
    if many < _FEW:
        feedback.note("note", f"a reference of {many:,} rows tells only great changes from chance")
    return built.reference


def _note_windows(settings: ModelConfig, pace: Pace, feedback: Feedback) -> None:
    window = settings.window
    about = amount(float(f"{pace.rate * window.length:.2g}"))
    budget = "off" if settings.budget is None else settings.budget
    least = "" if window.min_events == 500 else f", judged from {window.min_events} on"
    every = "" if window.every == window.length else f" every {format_duration(window.every)}"
    feedback.note(
        "assumed",
        f"windows of {format_duration(window.length)}{every}, about {about} events each{least};"
        f" budget {budget}",
    )
