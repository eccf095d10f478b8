"""The parts of a backtest: from a configuration, or from assumptions, which are noted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.config import (
    Config,
    KafkaConfig,
    LabelsConfig,
    Loaded,
    ModelConfig,
    SourceConfig,
    WindowConfig,
)
from driftline.consumer.judge.sentence import amount
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.assumptions import ENOUGH, EventRate, assume
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.ground_truth import check_measured
from driftline.consumer.offline.labels import Files, LabelFile
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference, read_references, sort_out
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.records.durations import format_duration
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

_TOPIC = "file"
_UNKNOWN = "it has no value in any row; name the right column"
_UNMEASURED = "the reference was built without ground truth: build it again with --actual"


@dataclass(frozen=True)
class GroundTruth:
    """Where the ground truth is.

    Attributes:
        classes: that the reference has.
        labels: those of a file of their own, None where there are none.
        unlabelled: no labels are given, though the model has some: the text leaves them out.
        actual: the column that was named as the ground truth, None where none was.
    """

    classes: tuple[str, ...] = ()
    labels: LabelFile | None = None
    unlabelled: bool = False
    actual: str | None = None


@dataclass
class Setup:
    """A backtest that can begin.

    Attributes:
        backtest: the judge of the events.
        rows: the rows, in chunks.
        total: about how many there are, None if nobody knows.
        mapping: how a row becomes an event.
        config: the model's settings.
        found: what it has yielded so far.
        truth: what is known of the ground truth.
        feedback: takes the notes, and shows progress.
    """

    backtest: Backtest
    rows: Iterable[file_rows.Rows]
    total: int | None
    mapping: Mapping
    config: ModelConfig
    found: Found
    truth: GroundTruth
    feedback: Feedback

    @property
    def model(self) -> str:
        """The model's name."""
        return self.found.model


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
        whole = _with_source(whole, topic, mapping)
    # The other models' references may not be at hand, and the rows are this model's.
    whole = whole.model_copy(update={"models": {name: settings}})
    references, problems = read_references(
        type(loaded)(whole, loaded.locations, loaded.files), [name]
    )
    for warning in sort_out(problems):
        feedback.note("warning", str(warning))
    mapping = file_rows.mapping_for(whole, topic, file, feedback)
    classes = _classes(references[name]) if settings.labels is not None else ()
    if labels is not None:
        if own is None:
            raise InputError(
                f"--labels: nothing says what the file's columns are: set models.{name}.labels to"
                " a topic of their own, and map its columns with sources.<topic>.fields"
            )
        files = Files(labels, own, _mapping(whole, own.topic), file, topic, mapping, classes)
        truth = GroundTruth(classes, labels=LabelFile(files))
        return _setup(whole, references[name], name, mapping, file, truth, feedback)
    if own is not None:
        feedback.note("assumed", "no labels: performance is estimated only; give --labels FILE")
    if settings.labels is None and _has_actual(mapping, file):
        feedback.note("note", f"ground truth is not used: set models.{name}.labels: {topic}")
    truth = GroundTruth(classes, unlabelled=own is not None, actual=actual)
    return _setup(whole, references[name], name, mapping, file, truth, feedback)


def assumed(
    file: Path,
    model: str | None,
    reference: Path | None,
    feedback: Feedback,
    actual: str | None = None,
) -> Setup:
    """Set up a backtest of a file alone, and note what is assumed.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        reference: what is normal; None for the first half of the file.
        feedback: takes the notes.
        actual: the column with the ground truth, None to guess it.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    given = load_reference(reference) if reference is not None else None
    found = assume(file, model or (given.model if given is not None else None), feedback, actual)
    name, mapping = found.model, found.mapping
    total = count_rows(file) or 0
    pace = EventRate(mapping)
    baseline, skip = given, 0
    if baseline is None:
        skip = total // 2
        rows = pace.watch(file_rows.first(read_rows(file), skip))
        built = reference_from_rows(rows, mapping, ReferenceSettings(name))
        check_measured(built, mapping, actual, file)
        baseline = built.reference
        for note in built.notes if _has_actual(mapping, file) else ():
            feedback.note("note", note)
    else:
        for _ in pace.watch(file_rows.first(read_rows(file), total)):
            pass
    length = pace.length(file)
    if given is None:
        if skip < ENOUGH:
            raise InputError(
                f"{file}: {total:,} rows are too few, {2 * ENOUGH:,} are needed: the first half is"
                " the reference and the second is judged; give a longer file, or --reference REF"
            )
        feedback.note("assumed", f"reference: the first {skip:,} of {total:,} rows")
    window = WindowConfig(length=length)
    outcomes = Outcomes.of(baseline) if _has_actual(mapping, file) else None
    if actual is not None and outcomes is None:
        raise InputError(f"--actual {actual}: {_UNKNOWN if baseline.outcome else _UNMEASURED}")
    settings = ModelConfig(
        predictions=(_TOPIC,),
        reference=Path("-"),
        window=window,
        ignore=found.ignore,
        labels=LabelsConfig(topic=_TOPIC) if outcomes is not None else None,
    )
    if outcomes is not None:
        feedback.note(
            "assumed",
            f"performance: actual is known at once; the budget watches {outcomes.watched}",
        )
    feedback.note(
        "assumed",
        f"windows of {format_duration(length)}, about"
        f" {amount(float(f'{pace.rate * length:.2g}'))} events each; budget {settings.budget}",
    )
    config = Config(
        kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)), models={name: settings}
    )
    truth = GroundTruth(_classes(baseline) if outcomes is not None else (), actual=actual)
    return _setup(config, baseline, name, mapping, file, truth, feedback, skip)


def _setup(
    config: Config,
    reference: Reference,
    name: str,
    mapping: Mapping,
    file: Path,
    truth: GroundTruth,
    feedback: Feedback,
    skip: int = 0,
) -> Setup:
    settings = config.models[name]
    topic = settings.predictions[0]
    config = _with_source(config, topic, mapping)
    total = count_rows(file)
    return Setup(
        backtest=Backtest(Plan(config, {name: reference}), name, topic),
        rows=file_rows.after(read_rows(file), skip),
        total=total - skip if total is not None else None,
        mapping=mapping,
        config=settings,
        found=Found(name, settings.window.min_events),
        truth=truth,
        feedback=feedback,
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


def _has_actual(mapping: Mapping, file: Path) -> bool:
    """Return whether events bring their ground truth."""
    if not mapping.names("actual"):
        return False
    return any(
        mapping.to_event(row).get("actual") is not None for rows in read_rows(file) for row in rows
    )


def _classes(reference: Reference) -> tuple[str, ...]:
    """Return the classes that a reference has; none of a regression."""
    outcomes = Outcomes.of(reference)
    return () if outcomes is None else tuple(outcomes.layout.classes)


def _mapping(config: Config, topic: str) -> Mapping:
    source = config.sources.get(topic)
    return source.mapping if source is not None else Mapping.native()


def _with_source(config: Config, topic: str, mapping: Mapping) -> Config:
    source = SourceConfig(fields=mapping.fields, timestamp_unit=mapping.timestamp_unit)
    return config.model_copy(update={"sources": {**config.sources, topic: source}})
