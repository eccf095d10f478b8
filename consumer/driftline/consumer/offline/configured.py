"""A backtest of one model of a configuration."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.config import Config, LabelsConfig, Loaded, ModelConfig
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.halves import Halves
from driftline.consumer.offline.labels import Files, LabelFile
from driftline.consumer.offline.setup import (
    GroundTruth,
    Setup,
    classes_of,
    set_up,
    survey,
    with_source,
)
from driftline.consumer.service.references import read_references, sort_out
from driftline.producer.errors import InputError
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping


def configured(
    loaded: Loaded,
    name: str,
    file: Path,
    reference: Path | None,
    feedback: Feedback,
    labels: Path | None = None,
    actual: str | None = None,
) -> Setup:
    """Set up a backtest of one model of a configuration.

    Args:
        loaded: the configuration.
        name: one of its models.
        file: the events.
        reference: instead of the configured one.
        feedback: takes the notes.
        labels: ground truth that came later.
        actual: the column with the ground truth, where the configuration names none.

    Raises:
        DriftlineError: the configuration, the reference or a file cannot be used.
    """
    settings = loaded.config.models[name]
    if reference is not None:
        settings = settings.model_copy(update={"reference": reference})
    topic = settings.predictions[0]
    own = settings.labels if settings.labels and settings.labels.topic != topic else None
    whole = loaded.config
    if actual is not None:
        mapping = file_rows.mapping_for(whole, topic, file, feedback, actual)
        mapping, settings = _beside(file, mapping, name, settings, actual)
        whole = with_source(whole, topic, mapping)
    # The other models' references may not be at hand, and the rows are this model's.
    whole = whole.model_copy(update={"models": {name: settings}})
    references, problems = read_references(
        type(loaded)(whole, loaded.locations, loaded.files), [name]
    )
    for warning in sort_out(problems):
        feedback.note("warning", str(warning))
    mapping = file_rows.mapping_for(whole, topic, file, feedback)
    file_rows.check_mapping(file, mapping, topic, feedback)
    extent = survey(file, mapping, feedback)
    classes = classes_of(references[name]) if settings.labels is not None else ()
    if labels is not None:
        if own is None:
            raise InputError(
                f"--labels: nothing says what the file's columns are: set models.{name}.labels to"
                " a topic of their own, and map its columns with sources.<topic>.fields"
            )
        files = Files(labels, own, _mapping(whole, own.topic), file, topic, mapping, classes)
        truth = GroundTruth(classes, labels=LabelFile(files))
    else:
        if own is not None:
            feedback.note("assumed", "no labels: performance is estimated only; give --labels FILE")
        if settings.labels is None and extent.actual:
            feedback.note("note", f"ground truth is not used: set models.{name}.labels: {topic}")
        truth = GroundTruth(classes, unlabelled=own is not None, actual=actual)
    halves = Halves(mapping)
    return set_up(
        whole,
        references[name],
        name,
        lambda columns: halves.second(read_tables(file, columns)),
        halves,
        extent,
        truth,
        feedback,
    )


def _beside(
    file: Path, mapping: Mapping, name: str, settings: ModelConfig, actual: str
) -> tuple[Mapping, ModelConfig]:
    """Return mapping and model with a column of the events' file as their ground truth.

    Raises:
        InputError: it is not there, or the configuration has another one.
    """
    topic = settings.predictions[0]
    file_rows.check_actual(file, next(read_rows(file)), actual)
    if settings.labels is not None and settings.labels.topic != topic:
        raise InputError(
            f"--actual {actual}: models.{name}.labels has the ground truth in"
            f" {settings.labels.topic}: give a file of it with --labels FILE, or leave labels out"
        )
    mapping = file_rows.with_actual(mapping, actual, topic)
    if settings.labels is None:
        settings = settings.model_copy(update={"labels": LabelsConfig(topic=topic)})
    return mapping, settings


def _mapping(config: Config, topic: str) -> Mapping:
    source = config.sources.get(topic)
    return source.mapping if source is not None else Mapping.native()
