"""Making a configuration and a reference of a file, and writing both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from driftline.consumer.cli import reference_build as building
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.init_options import may_write
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.whole_file import write_whole
from driftline.consumer.config import WindowConfig
from driftline.consumer.config.seasons import UTC
from driftline.consumer.offline.assumptions import Assumptions, glob_of
from driftline.consumer.offline.daily_cycle import HourlyValues
from driftline.consumer.offline.extent import Extent
from driftline.consumer.offline.first_look import check_normal, check_topic, look_for_topic
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.ground_truth import check_measured, unmeasured
from driftline.consumer.offline.label_source import LabelSource, label_source
from driftline.consumer.offline.truth import Truth, read_truth
from driftline.consumer.offline.windows import windows_for
from driftline.producer.files.given import Given, Input
from driftline.producer.files.tables import read_tables
from driftline.producer.records.durations import UNITS
from driftline.producer.records.table import Table
from driftline.producer.records.time_form import GivenTimes
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_tables,
)

_LONGEST = 52 * UNITS["w"]  # window of a topic


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for.

    Attributes:
        file: the events; of a topic its first records.
        output: the configuration to write.
        model, topic: their names; None for those that are made up.
        truth: what is known of the ground truth.
        times: what is known of the times.
        servers: the brokers.
        overwrite: whether files that exist may be replaced.
    """

    file: Input
    output: Path
    model: str | None
    topic: str | None
    truth: GivenTruth
    times: GivenTimes
    servers: tuple[str, ...]
    overwrite: bool


@dataclass(frozen=True)
class Draft:
    """What is to be written.

    Attributes:
        wanted: what was asked for.
        found: how the rows are read.
        built: the reference of all rows.
        length: of a window, ms.
        least: events that windows should have, to be judged.
        pace: how often events come.
        labels: how those of a file of their own are read; None where there is none.
    """

    wanted: Wanted
    found: Assumptions
    built: BuiltReference
    length: int
    least: int
    pace: Extent
    labels: LabelSource | None = None

    @property
    def model(self) -> str:
        """The model's name."""
        return self.found.model

    @property
    def topic(self) -> str:
        """The topic with the model's events."""
        own = self.wanted.file.name if isinstance(self.wanted.file, Given) else None
        return self.wanted.topic or own or f"{self.model}.predictions"

    @property
    def labels_topic(self) -> str:
        """The topic with their ground truth."""
        return self.topic if self.labels is None else f"{self.model}.labels"

    @property
    def a_window(self) -> float:
        """About how many events a window has."""
        return self.pace.pace().rate * self.length

    @property
    def min_events(self) -> int | None:
        """What a window needs, where many have less than is needed usually; None: the usual."""
        usual = WindowConfig().min_events
        many = usual + 3 * math.sqrt(usual)
        return self.least if self.least < usual and self.least <= self.a_window < many else None


def make(wanted: Wanted, found: Assumptions | None = None) -> Draft:
    """Read the events.

    Args:
        wanted: what was asked for.
        found: how the rows are read; None: nobody looked at them.

    Raises:
        DriftlineError: it cannot be used, or has too little; the message says what to do.
    """
    given, screen = wanted.truth, Screen()
    found = found or look_for_topic(wanted.file, wanted.model, screen, given, wanted.times)
    found = found.with_marks()
    may_write(reference_path(wanted.output, found.model), overwrite=wanted.overwrite)
    mapping, truth, labels = found.mapping, None, None
    if given.labels is not None:
        with screen.progress("reading the labels", None):
            truth = read_truth(
                given.labels, wanted.file, mapping, screen, given.actual, at_once=False
            )
        found = _with_ids(found, truth)
        mapping = truth.mapped(found.mapping)
        found = replace(found, mapping=mapping.without("actual"))
        labels = label_source(given.labels, truth, wanted.file, found.mapping, screen)
    pace = Extent(found.mapping)
    hours = HourlyValues(found.mapping, found.model, found.ignore)
    rows, needed = screen.count_rows(wanted.file), building.all_but_ids(mapping)
    with screen.progress("rows", rows) as show:
        for _ in hours.watch(pace.watch(read_tables(wanted.file, needed), show)):
            pass

    def scan() -> Iterator[Table]:
        if truth is None:
            tables = read_tables(wanted.file, needed)
        else:
            tables = truth.read_from(wanted.file, needed)
        return screen.watched("rows", tables, rows)

    settings = ReferenceSettings(
        found.model,
        types=found.types,
        ignore=found.ignore,
        positive_label=given.positive_label,
        timezone=found.mapping.times.timezone or UTC,
    )
    built = reference_from_tables(scan, mapping, settings)
    check_measured(built, mapping, given.beside, wanted.file)
    if built.reference.outcome is None:
        for option, value in (("labels", given.labels), ("positive-label", given.positive_label)):
            if value is not None:
                raise CommandError(f"--{option} {value}: {unmeasured(built, mapping)}")
    check_topic(wanted.file, found, pace)
    seasons = built.reference.seasons
    hourly = seasons is not None and seasons.of_hours  # then windows need not be whole days
    window = windows_for(
        pace, None, longest=_LONGEST, daily=lambda: not hourly and hours.follow_the_hour()
    )
    check_normal(wanted.file, built.reference.events)
    return Draft(wanted, found, built, window.length, window.min_events, pace, labels)


def _with_ids(found: Assumptions, truth: Truth) -> Assumptions:
    """Return how rows are read where the ids that labels have are another column than was guessed.

    The column that was guessed is no feature all the same.
    """
    path = found.mapping.paths().get("event_id")
    if found.mapping.is_native or not isinstance(path, tuple) or truth.ids in {path, None}:
        return found
    mapping = found.mapping.without("event_id")
    return replace(found, mapping=mapping, ignore=(*found.ignore, glob_of(".".join(path))))


def reference_path(output: Path, model: str) -> Path:
    """Return where the reference stands.

    >>> str(reference_path(Path("conf/driftline.yaml"), "car-loan"))
    'conf/references/car-loan.json.gz'
    """
    return output.parent / "references" / f"{model}.json.gz"


def write(draft: Draft, text: str) -> int:
    """Write the reference, then the configuration; return the reference's size in bytes.

    Raises:
        CommandError: one cannot be written.
    """
    path, output = reference_path(draft.wanted.output, draft.model), draft.wanted.output
    size = building.write(draft.built.reference, path)
    write_whole(output, text.encode())
    return size
