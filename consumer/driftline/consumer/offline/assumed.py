"""A backtest of a file alone: the columns, the reference and the windows are assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from driftline.consumer.config import (
    Budget,
    Config,
    KafkaConfig,
    LabelsConfig,
    ModelConfig,
    ReferenceConfig,
    WindowConfig,
)
from driftline.consumer.config.model import BUDGET_OF_ROWS
from driftline.consumer.config.seasons import UTC
from driftline.consumer.judge.season_notes import season_notes
from driftline.consumer.judge.sentence import amount, clean
from driftline.consumer.offline.assumptions import Assumptions
from driftline.consumer.offline.daily_cycle import HourlyValues
from driftline.consumer.offline.extent import Extent
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.first_look import FirstLook, look_alone, look_at
from driftline.consumer.offline.given_truth import UNKNOWN, GivenTruth
from driftline.consumer.offline.ground_truth import (
    check_class,
    check_measured,
    unmeasured,
    unmeasured_with_labels,
)
from driftline.consumer.offline.halves import Halves, Parts, step_of
from driftline.consumer.offline.setup import (
    GroundTruth,
    Setup,
    classes_of,
    set_up,
)
from driftline.consumer.offline.truth import Truth
from driftline.consumer.offline.window_options import GUESSED, WindowOptions
from driftline.consumer.offline.windows import MIN_EVENTS, rows_for, windows_for
from driftline.consumer.service.references import load_reference
from driftline.consumer.wire.axis import axis_of
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.tables import read_tables
from driftline.producer.records.table import Table
from driftline.producer.records.time_form import GUESSED as ANY_TIMES
from driftline.producer.records.time_form import GivenTimes
from driftline.producer.records.timestamp import format_time
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

_TOPIC = "file"
_UNKNOWN = "it has no value in any row; name the right column"
_UNMEASURED = "the reference was built without ground truth: build it again with --actual"
_FEW = 1_000  # rows of a half, from which on the small windows of a small file are not needed


def assumed(
    file: Input,
    model: str | None,
    reference: Reference | str | Path | None,
    feedback: Feedback,
    truth: GivenTruth = UNKNOWN,
    wanted: WindowOptions = GUESSED,
    times: GivenTimes = ANY_TIMES,
    seen: FirstLook | None = None,
) -> Setup:
    """Set up a backtest of a file alone, and note what is assumed.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        reference: what is normal; None for the earlier half of the file.
        feedback: takes the notes.
        truth: what is known of the ground truth.
        wanted: of the windows.
        times: what is known of the times.
        seen: what the file showed; None: nobody looked at it.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    given = load_reference(reference) if isinstance(reference, str | Path) else reference
    model = model or (given.model if given is not None else None)
    if given is not None:
        check_class(truth, given)
        derived = given.layout.derived
        kinds = {each.source: each.kind for each in derived}
        by_time = wanted.rows is None
        seen = seen or look_at(file, model, feedback, truth, times, kinds, by_time=by_time)
    seen = seen or look_alone(file, model, feedback, truth, wanted, times)
    found, beside, extent = seen.found, seen.beside, seen.extent
    name, mapping = found.model, found.mapping
    timed = wanted.rows is None and extent.spread
    if timed:
        halves, window = Halves(mapping, extent.half() if given is None else None), None
    else:
        halves, window = _by_rows(file, found, extent, given is None, wanted, feedback)

    def tables(columns: Columns | None = None) -> Iterator[Table]:
        return read_tables(file, columns) if beside is None else beside.read_from(file, columns)

    baseline, parts = given, None
    first: list[Table] = []
    if baseline is None:
        in_order = extent.in_order or not timed
        with feedback.progress("rows kept for the reference", extent.rows) as show:
            step = step_of(halves.rows or extent.before(halves.time))
            first, rows, parts = halves.part(
                tables, extent.rows, show, in_order=in_order, step=step
            )
        found = found.without_growing(first, feedback)
        baseline = _build(file, found, (first, rows), halves, extent, truth, feedback, beside)
    if window is None:
        seasons = baseline.seasons
        hourly = seasons is not None and seasons.of_hours
        sample = [] if hourly else first or islice(tables(), 1)
        window = _by_time(found, sample, extent, halves, wanted)
    outcomes = Outcomes.of(baseline) if beside is not None or extent.actual else None
    if truth.labels is not None and outcomes is None:
        raise InputError(f"--labels {truth.labels}: {_UNMEASURED.replace('--actual', '--labels')}")
    if truth.actual is not None and outcomes is None:
        why = _UNKNOWN if baseline.outcome else _UNMEASURED
        raise InputError(f"--actual {truth.actual}: {why}")
    settings = ModelConfig(
        predictions=(_TOPIC,),
        reference=_compared_with(wanted, window),
        window=window,
        ignore=found.ignore,
        show_values=True,
        labels=LabelsConfig(topic=_TOPIC) if outcomes is not None else None,
    )
    if wanted.budget is not None:
        settings = _with_budget(settings, wanted.budget)
    elif _would_allow_any(settings):
        settings = settings.model_copy(update={"budget": BUDGET_OF_ROWS})
    if outcomes is not None:
        feedback.note(
            "assumed",
            f"performance: actual is known at once; the budget watches {outcomes.watched}",
        )
    _note_windows(settings, extent, halves, feedback)
    config = Config(
        kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)), models={name: settings}
    )

    def read(columns: Columns) -> Parts:
        return halves.second(tables(columns)) if parts is None else parts

    classes = classes_of(baseline) if outcomes is not None else ()
    known = GroundTruth(classes, actual=truth.beside, beside=beside)
    return set_up(config, baseline, name, read, halves, extent, known, feedback)


def _compared_with(wanted: WindowOptions, window: WindowConfig) -> ReferenceConfig:
    """Return what windows are compared with: the reference, or a past that moves.

    Raises:
        InputError: that does not fit the windows.
    """
    if wanted.rolling is not None and window.rows is not None:
        raise InputError("--rolling: windows of rows have no times: give --previous N")
    if wanted.rolling is not None and wanted.rolling < window.length:
        length = axis_of(window).short(window.length)
        raise InputError(f"--rolling: it is shorter than a window of {length}")
    return ReferenceConfig(layout="-", rolling=wanted.rolling, previous=wanted.previous)


def _by_time(
    found: Assumptions,
    sample: Iterable[Table],
    extent: Extent,
    halves: Halves,
    wanted: WindowOptions,
) -> WindowConfig:
    """Return the windows of a file with times."""

    def daily() -> bool:
        values = HourlyValues(found.mapping, found.model, found.ignore)
        for _ in values.watch(sample):
            pass
        return values.follow_the_hour()

    return windows_for(extent, halves.time, wanted, daily=daily)


def _by_rows(
    file: Input,
    found: Assumptions,
    extent: Extent,
    half: bool,
    wanted: WindowOptions,
    feedback: Feedback,
) -> tuple[Halves, WindowConfig]:
    """Return which rows are judged, and in which windows, where no times are known, or wanted."""
    why = _no_times(extent) + (f" ({found.no_time})" if found.no_time else "")
    if wanted.length is not None:
        raise InputError(
            f"{file}: --window: {why}; give --rows N for windows of N rows, or name"
            " the column of times with --timestamp COLUMN"
        )
    window = rows_for(extent.rows, wanted, whole=not half)
    many = window.length
    if wanted.rows is None:
        feedback.note(
            "assumed",
            clean(
                f"{why}, so windows are of {many:,} rows in the file's order; other"
                " windows with --rows N, a column of times with --timestamp COLUMN"
            ),
        )
    # The second half begins with a window.
    middle = max(round(extent.rows / 2 / window.every), 1) * window.every
    return Halves(found.mapping, rows=middle if half and middle < extent.rows else 0), window


def _no_times(extent: Extent) -> str:
    return "all events have the same time" if extent.events else "no column holds times"


def _with_budget(settings: ModelConfig, budget: Budget) -> ModelConfig:
    """Return a model with another budget.

    Raises:
        InputError: windows of rows have no times, and the budget is of a time.
    """
    if settings.window.rows is not None and not budget.windows:
        raise InputError(
            f"--budget {budget}: windows of rows have no times: write {BUDGET_OF_ROWS}"
        )
    return settings.model_copy(update={"budget": budget})


def _would_allow_any(settings: ModelConfig) -> bool:
    """Return whether windows are so long that the usual budget allows a false alarm in each.

    Every difference would be worth an alert then.
    """
    window, budget = settings.window, settings.budget
    return budget is not None and budget.length(window.every) <= budget.alarms * window.every


def _build(
    file: Input,
    found: Assumptions,
    first: tuple[list[Table], int],
    halves: Halves,
    extent: Extent,
    truth: GivenTruth,
    feedback: Feedback,
    beside: Truth | None,
) -> Reference:
    """Return the reference of the earlier half of a file: what is kept, and how many it has."""
    kept, rows = first
    many = sum(table.rows for table in kept)
    settings = ReferenceSettings(
        found.model,
        types=found.types,
        positive_label=truth.positive_label,
        timezone=None if halves.time is None else found.mapping.times.timezone or UTC,
    )
    built = reference_from_tables(
        lambda: feedback.watched("rows of the reference", kept, many),
        found.mapping,
        settings,
    )
    if beside is not None and built.reference.outcome is None:
        raise InputError(f"--labels: {unmeasured_with_labels(built, found.mapping)}")
    check_measured(built, found.mapping, truth.beside, file)
    if truth.positive_label is not None and built.reference.outcome is None:
        raise InputError(
            f"--positive-label {truth.positive_label}: {unmeasured(built, found.mapping)}"
        )
    for note in built.notes if beside is not None or extent.actual else ():
        feedback.note("note", note)
    which = f"the first {rows:,} of {extent.rows:,} rows"
    if not extent.in_order and halves.time is not None:
        which = f"the {rows:,} of {extent.rows:,} rows before {format_time(halves.time)}"
    if many < rows:
        which = f"{many:,} of {which}"
    feedback.note("assumed", f"reference: {which}")
    for note in season_notes(built.reference):
        feedback.note("assumed", note)
    if rows < _FEW:
        feedback.note("note", f"a reference of {rows:,} rows tells only great changes from chance")
    return built.reference


def _note_windows(
    settings: ModelConfig, extent: Extent, halves: Halves, feedback: Feedback
) -> None:
    window, axis = settings.window, axis_of(settings.window)
    about = ""
    if window.rows is None:
        rate = extent.pace(halves.time).rate
        about = f", about {amount(float(f'{rate * window.length:.2g}'))} events each"
        wild, time = extent.wild()
        if wild:
            feedback.note(
                "note",
                f"{wild:,} of {extent.events:,} events {'is' if wild == 1 else 'are'} far from all"
                f" others, such as at {format_time(time)}: are their times right?",
            )
    budget = "off" if settings.budget is None else settings.budget
    usual = min(MIN_EVENTS, window.length // 2 if window.rows else MIN_EVENTS)
    least = "" if window.min_events == usual else f", judged from {window.min_events} on"
    every = "" if window.every == window.length else f" every {axis.short(window.every)}"
    feedback.note(
        "assumed", f"windows of {axis.short(window.length)}{every}{about}{least}; budget {budget}"
    )
