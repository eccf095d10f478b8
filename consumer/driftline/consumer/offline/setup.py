"""A backtest that can begin: its judge, its rows and what is known of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from driftline.consumer.config import Config, ModelConfig, SourceConfig
from driftline.consumer.offline.extent import Extent
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.halves import Halves, Parts
from driftline.consumer.offline.labels import LabelFile
from driftline.consumer.offline.recording import Recording
from driftline.consumer.offline.row_windows import by_rows
from driftline.consumer.offline.truth import Truth
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.event_rows import columns_of
from driftline.consumer.wire.axis import RowAxis
from driftline.consumer.wire.text import counted
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.places import OFFSET, PARTITION
from driftline.producer.records.table import Table


@dataclass(frozen=True)
class GroundTruth:
    """Where the ground truth is.

    Attributes:
        classes: that the reference has.
        labels: those of a file of their own, None where there are none.
        unlabelled: no labels are given, though the model has some: the text leaves them out.
        actual: the column that was named as the ground truth, None where none was.
        beside: the ground truth of another file, which is put beside the events.
    """

    classes: tuple[str, ...] = ()
    labels: LabelFile | None = None
    unlabelled: bool = False
    actual: str | None = None
    beside: Truth | None = None


@dataclass
class Setup:
    """A backtest that can begin.

    Attributes:
        backtest: the judge of the events.
        chunks: the rows, each chunk with the time (ms) before which no row of a later one is.
        total: how many there are.
        halves: how a row becomes an event, and which rows of the file are judged.
        config: the model's settings.
        found: what it has yielded so far.
        truth: what is known of the ground truth.
        feedback: takes the notes, and shows progress.
        recording: where the rows stood in their topic; None where they are a set.
    """

    backtest: Backtest
    chunks: Iterable[tuple[Table, int]]
    total: int
    halves: Halves
    config: ModelConfig
    found: Found
    truth: GroundTruth
    feedback: Feedback
    recording: Recording | None = field(init=False, default=None)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.found.model


def set_up(
    config: Config,
    reference: Reference,
    name: str,
    read: Callable[[Columns], Parts],
    halves: Halves,
    extent: Extent,
    truth: GroundTruth,
    feedback: Feedback,
) -> Setup:
    """Set up a backtest of rows of a file.

    Args:
        config: the configuration.
        reference: what is normal.
        name: the model.
        read: gives the rows that are judged, with the columns that are needed.
        halves: how they become events, and which of the file they are.
        extent: when they are.
        truth: what is known of the ground truth.
        feedback: takes notes, and shows progress.
    """
    settings = config.models[name]
    topic = settings.predictions[0]
    mapping, recording = halves.mapping, extent.recording
    later: Callable[[int], int] = extent.later
    recorded: dict[str, int] = {}
    if settings.window.rows is not None:
        if reference.seasons is not None:
            # How much all hours together vary is not known: the first panes tell.
            reference = replace(reference.without_seasons(), dispersion=None)
        (settings, mapping), recording = by_rows(settings, mapping), None
        config = config.model_copy(update={"models": {**config.models, name: settings}})
        later = RowAxis.of(settings.window.every).origin.__add__
    if recording is not None:
        note_recording(recording, mapping, topic, feedback)
        recorded[topic] = recording.partitions
        if truth.labels is not None and truth.labels.partitions is not None:
            recorded[truth.labels.topic] = truth.labels.partitions
    config = with_source(config, topic, mapping)
    plan = Plan(config, {name: reference}, ordered=recording is not None)
    backtest = Backtest(plan, name, topic, halves.rows, recorded=recorded)
    columns = backtest.columns
    parts = read(replace(columns, named=columns.named | columns_of("timestamp", mapping)))
    if recording is not None:
        parts = recording.in_order(parts)
    setup = Setup(
        backtest=backtest,
        chunks=((table, later(until)) for table, until in parts),
        total=extent.rows - halves.rows - extent.before(halves.time),
        halves=halves,
        config=settings,
        found=Found(name, settings.window.min_events),
        truth=truth,
        feedback=feedback,
    )
    setup.recording = recording
    return setup


def note_recording(recording: Recording, mapping: Mapping, topic: str, feedback: Feedback) -> None:
    """Note that a file is judged as a recording.

    Raises:
        InputError: the mapping takes a column that says where rows stood for a field of events.
    """
    taken = sorted(mapping.used() & {PARTITION, OFFSET})
    if taken and not mapping.is_native:
        raise InputError(
            f"sources.{topic}.fields reads {taken[0]}, but a file with columns {PARTITION} and"
            f" {OFFSET} is a recording of a topic, where they say where each row stood: give the"
            " event's own field another name in the file and in the mapping"
        )
    many = counted(recording.partitions, "partition")
    feedback.note(
        "note",
        f"a recording of {many}: rows are taken in the order of their offsets, late ones are left"
        " out and the last window too while it is open, as in the service",
    )


def classes_of(reference: Reference) -> tuple[str, ...]:
    """Return the classes that a reference has; none of a regression."""
    outcomes = Outcomes.of(reference)
    return () if outcomes is None else tuple(outcomes.layout.classes)


def with_source(config: Config, topic: str, mapping: Mapping) -> Config:
    """Return a configuration in which a topic's records are mapped so."""
    source = SourceConfig.of(mapping)
    return config.model_copy(update={"sources": {**config.sources, topic: source}})
