"""A backtest of one model of a configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from driftline.consumer.config import Config, LabelsConfig, Loaded, ModelConfig
from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.extent import survey
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import UNKNOWN, GivenTruth
from driftline.consumer.offline.ground_truth import check_class
from driftline.consumer.offline.halves import Halves, Parts
from driftline.consumer.offline.labels import Files, LabelFile
from driftline.consumer.offline.opened_file import opened
from driftline.consumer.offline.setup import (
    GroundTruth,
    Setup,
    classes_of,
    set_up,
    with_source,
)
from driftline.consumer.offline.truth import Truth, read_truth
from driftline.consumer.service.references import read_references, sort_out
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping


def configured(
    loaded: Loaded,
    name: str,
    file: Input,
    reference: str | Path | None,
    feedback: Feedback,
    truth: GivenTruth = UNKNOWN,
) -> Setup:
    """Set up a backtest of one model of a configuration.

    Args:
        loaded: the configuration.
        name: one of its models.
        file: the events.
        reference: instead of the configured one.
        feedback: takes the notes.
        truth: what is known of the ground truth, beside what the configuration says.

    Raises:
        DriftlineError: the configuration, the reference or a file cannot be used.
    """
    settings = loaded.config.models[name]
    if reference is not None:
        given = settings.reference.model_copy(update={"layout": str(reference)})
        settings = settings.model_copy(update={"reference": given})
    topic = settings.predictions[0]
    file = opened(file, loaded.config, topic)
    own = settings.labels if settings.labels and settings.labels.topic != topic else None
    whole = loaded.config
    actual = truth.actual
    if actual is not None and (truth.labels is None or own is not None):
        mapping = file_rows.mapping_for(whole, topic, file, feedback, actual)
        mapping, settings = _beside(file, mapping, name, settings, actual)
        whole = with_source(whole, topic, mapping)
    # The other models' references may not be at hand, and the rows are this model's.
    whole = whole.model_copy(update={"models": {name: settings}})
    with feedback.progress("reading the reference", None):
        references, problems = read_references(
            type(loaded)(whole, loaded.locations, loaded.files), [name]
        )
    for warning in sort_out(problems):
        feedback.note("warning", str(warning))
    check_class(truth, references[name])
    mapping = file_rows.mapping_for(whole, topic, file, feedback)
    file_rows.check_mapping(file, mapping, topic, feedback)
    extent = survey(file, mapping, feedback)
    classes = classes_of(references[name]) if settings.labels is not None else ()
    beside = None
    if isinstance(truth.labels, Path):
        labels = None
        if own is not None:
            of_labels = _mapping(whole, own.topic)
            files = Files(truth.labels, own, of_labels, file, topic, mapping, classes)
            labels = LabelFile(files)
        if labels is None:
            beside = _guessed(truth.labels, file, mapping, references[name], feedback, actual)
        elif not labels.timed or settings.window.rows is not None:
            beside = labels.truth(name, feedback)
            feedback.note("assumed", clean(f"labels: {truth.labels.name}, known at once"))
        known = GroundTruth(classes_of(references[name]), labels, beside=beside)
        if beside is not None:
            known = replace(known, labels=None)
            mapping = beside.mapped(mapping)
            settings = _with_labels_in(topic, settings)
            whole = whole.model_copy(update={"models": {name: settings}})
    else:
        if own is not None:
            feedback.note("assumed", "no labels: performance is estimated only; give --labels FILE")
        if settings.labels is None and extent.actual:
            feedback.note("note", f"ground truth is not used: set models.{name}.labels: {topic}")
        known = GroundTruth(classes, unlabelled=own is not None, actual=actual)
    halves = Halves(mapping)

    def read(columns: Columns) -> Parts:
        rows = read_tables(file, columns) if beside is None else beside.read_from(file, columns)
        return halves.second(rows)

    return set_up(
        whole,
        references[name],
        name,
        read,
        halves,
        extent,
        known,
        feedback,
    )


def _guessed(
    labels: Path,
    file: Input,
    mapping: Mapping,
    reference: Reference,
    feedback: Feedback,
    actual: str | None,
) -> Truth:
    """Return the ground truth of a file that the configuration does not know.

    Raises:
        InputError: it cannot be used, or the reference has no ground truth.
    """
    if Outcomes.of(reference) is None:
        raise InputError(
            f"--labels {labels}: the reference was built without ground truth: build it again with"
            " --labels"
        )
    rows = next(read_rows(file))
    if not any("actual" in mapping.to_event(row) for row in rows):
        mapping = mapping.without("actual")
    return read_truth(labels, file, mapping, feedback, actual)


def _with_labels_in(topic: str, settings: ModelConfig) -> ModelConfig:
    """Return a model whose labels stand beside its events."""
    own = settings.labels
    found = LabelsConfig(topic=topic) if own is None else own.model_copy(update={"topic": topic})
    return settings.model_copy(update={"labels": found})


def _beside(
    file: Input, mapping: Mapping, name: str, settings: ModelConfig, actual: str
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
