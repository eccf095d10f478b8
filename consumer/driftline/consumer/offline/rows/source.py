"""Where the rows of an alert are read from: a file here, topics in `of_topic`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from driftline.consumer.config import Config
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.labels import Files, LabelFile
from driftline.consumer.offline.opened_file import opened
from driftline.consumer.offline.rows.event_row import EventRow, RowReader
from driftline.consumer.offline.rows.kept import Label
from driftline.consumer.offline.rows.of_file import rows_of_file
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.offline.truth import Truth, read_truth
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.time_form import GUESSED, GivenTimes


class RowSource(Protocol):
    """Gives the events of a stream, and the labels that came for them."""

    def rows(self, spans: Sequence[Span], listed: dict[str, Sequence[str]]) -> Iterator[EventRow]:
        """Yield the events that are in one of some spans of one model and segment.

        Args:
            spans: when they are.
            listed: values of tags that are segments of their own; see `RowReader`.
        """

    def labels(self, span: Span) -> Iterable[Label]:
        """Yield labels that stand apart from the events."""


@dataclass(frozen=True)
class FileRows:
    """Reads events from a file, with their ground truth where it is known.

    Attributes:
        file: the events.
        mapping: how a row becomes an event.
        feedback: shows how far it is.
        truth: of a file of its own; None: it is beside the events, if anywhere.
    """

    file: Input
    mapping: Mapping
    feedback: Feedback
    truth: Truth | None = None

    def rows(self, spans: Sequence[Span], listed: dict[str, Sequence[str]]) -> Iterator[EventRow]:
        """Yield the events of some spans; see `RowSource`."""
        tables = read_tables(self.file) if self.truth is None else self.truth.read_from(self.file)
        total = self.feedback.count_rows(self.file)
        reader = RowReader(self.mapping, spans[0], listed)
        yield from rows_of_file(self.feedback.watched("rows", tables, total), reader, spans)

    def labels(self, span: Span) -> Iterable[Label]:
        """Return none: they are put beside the events."""
        return ()


def file_source(
    file: Input,
    model: str,
    config: Config | None,
    feedback: Feedback,
    truth: GivenTruth,
    times: GivenTimes = GUESSED,
) -> FileRows:
    """Return a file as a source of rows, and note what is assumed of it.

    Args:
        file: the events.
        model: whose they are.
        config: how they are read, where there is a configuration of the model.
        feedback: takes the notes.
        truth: what is known of the ground truth.
        times: what is known of the times.

    Raises:
        InputError: a file cannot be used.
    """
    settings = None if config is None else config.models.get(model)
    topic = None if settings is None else settings.predictions[0]
    whole = None if settings is None else config
    file = opened(file, whole, topic)
    if truth.beside is not None:
        file_rows.check_actual(file, next(read_rows(file)), truth.beside)
    mapping = file_rows.mapping_for(whole, topic, file, feedback, truth.beside, times)
    mapping = file_rows.with_actual(mapping, truth.beside, topic if whole is not None else None)
    if not isinstance(truth.labels, Path):
        return FileRows(file, mapping, feedback)
    labels = None if settings is None else settings.labels
    if config is not None and labels is not None and labels.topic in config.sources:
        of_labels = config.sources[labels.topic].mapping
        files = Files(truth.labels, labels, of_labels, file, topic or "", mapping, ())
        known = LabelFile(files).truth(model, feedback)
    else:
        known = read_truth(truth.labels, file, mapping, feedback, truth.actual)
    return FileRows(file, known.mapped(mapping), feedback, known)
