"""What a file shows before anything is counted: its columns, its labels, and when its rows are.

It needs neither the judge nor the service, so a file that cannot be used is refused at once.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace

from driftline.consumer.offline.assumptions import Assumptions, assume
from driftline.consumer.offline.extent import Extent, survey
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.truth import Truth, read_truth
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.text import counted
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.files.tables import read_tables
from driftline.producer.records.time_form import GUESSED, GivenTimes
from driftline.producer.reference.derive import DerivedKind

FEWEST = 200
"""Rows of a file that is its own reference."""

_NORMAL = 1_000  # events of a reference


@dataclass(frozen=True)
class FirstLook:
    """What one reading of a file tells.

    Attributes:
        found: how its rows are read.
        beside: the ground truth of a file of its own, None where there is none.
        extent: when the rows are.
    """

    found: Assumptions
    beside: Truth | None
    extent: Extent


def look_at(
    file: Input,
    model: str | None,
    feedback: Feedback,
    truth: GivenTruth,
    times: GivenTimes = GUESSED,
    known: AnyMapping[str, DerivedKind] | None = None,
    *,
    by_time: bool,
) -> FirstLook:
    """Look at a file without a configuration, and note what is assumed of it.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        feedback: takes the notes.
        truth: what is known of the ground truth.
        times: what is known of the times.
        known: fields of which a reference derives features; None: that is to be seen.
        by_time: whether windows are of time, if the rows have times.

    Raises:
        DriftlineError: the file, or that of the labels, cannot be used.
    """
    beside = None
    with feedback.progress("looking at the columns", None):
        found = assume(file, model, feedback, truth.beside, times, known)
    if truth.labels is not None:
        with feedback.progress("reading the labels", None):
            beside = read_truth(truth.labels, file, found.mapping, feedback, truth.actual)
        found = replace(found, mapping=beside.mapped(found.mapping))
    extent = survey(file, found.mapping, feedback)
    if found.unclear and by_time:
        found.check_times(file)
    return FirstLook(found, beside, extent)


def look_alone(
    file: Input,
    model: str | None,
    feedback: Feedback,
    truth: GivenTruth,
    wanted: WindowOptions,
    times: GivenTimes = GUESSED,
) -> FirstLook:
    """Look at a file that is its own reference, as `look_at` does.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        feedback: takes the notes.
        truth: what is known of the ground truth.
        wanted: of the windows.
        times: what is known of the times.

    Raises:
        DriftlineError: as of `look_at`; or there are too few rows to tell anything, and the user
            did not want them to be judged all the same.
    """
    seen = look_at(file, model, feedback, truth, times, by_time=wanted.rows is None)
    rows = seen.extent.rows
    if 0 < rows < FEWEST and wanted.min_events is None:
        raise InputError(
            f"{file}: {counted(rows, 'row')} {'is' if rows == 1 else 'are'} too few,"
            f" {FEWEST:,} are needed: the first half is the reference and the second is judged, and"
            " so few tell only great changes from chance; give a longer file, or --min-events"
            f" {max(rows // 4, 1)} to judge them all the same"
        )
    return seen


def check_topic(file: Input, found: Assumptions, extent: Extent) -> None:
    """Refuse events that could be of no topic, whose windows are of time.

    Raises:
        InputError: they have no times.
    """
    if not extent.events:
        found.check_times(file)
    if not extent.spread:
        why = "all events have the same time" if extent.events else "no column holds times"
        raise InputError(
            f"{file}: {why}, and the windows of a topic are of time; add a column of times,"
            " as text such as 2026-11-01T12:00:00Z or as seconds since 1970, and call it timestamp"
        )


def check_normal(file: Input, events: int) -> None:
    """Refuse a file with too few events for a reference of a topic.

    Raises:
        InputError: they are too few.
    """
    if events < _NORMAL:
        raise InputError(
            f"{file}: {events:,} events are too few to know what is normal, {_NORMAL:,} are"
            " needed; give a longer file"
        )


def look_for_topic(
    file: Input, model: str | None, feedback: Feedback, truth: GivenTruth, times: GivenTimes
) -> Assumptions:
    """Look at the columns of events that a topic will have, and note what is assumed of them.

    A file of few rows is read whole, and refused as `check_topic` and `check_normal` do.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        feedback: takes the notes.
        truth: what is known of the ground truth.
        times: what is known of the times.

    Raises:
        DriftlineError: the file cannot be used.
    """
    with feedback.progress("looking at the columns", None):
        found = assume(file, model, feedback, truth.beside, times)
    extent = Extent(found.mapping)
    for _ in extent.watch(read_tables(file)):
        if extent.rows >= _NORMAL:  # those before this table
            return found
    if extent.rows < _NORMAL:
        check_topic(file, found, extent)
        check_normal(file, extent.events)
    return found
