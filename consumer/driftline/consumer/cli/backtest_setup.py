"""What a backtest is made of: from a configuration, or from assumptions that are said."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.cli import file_rows
from driftline.consumer.cli.assumptions import ENOUGH, Pace, assume
from driftline.consumer.cli.backtest_found import Found
from driftline.consumer.cli.backtest_labels import LabelFile
from driftline.consumer.cli.configured import choose_model, read_config, read_references, refuse
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import (
    Config,
    KafkaConfig,
    LabelsConfig,
    ModelConfig,
    SourceConfig,
    WindowConfig,
)
from driftline.consumer.judge.sentence import amount
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan, load_reference
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.durations import format_duration
from driftline.producer.mapping import Mapping
from driftline.producer.reference import ReferenceSettings, reference_from_rows

_TOPIC = "file"


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
        labels: those of a file of their own, None where there are none.
        unlabelled: no labels are given, though the model has some: what is said of them is left
            out.
    """

    backtest: Backtest
    rows: Iterable[file_rows.Rows]
    total: int | None
    mapping: Mapping
    config: ModelConfig
    found: Found
    labels: LabelFile | None = None
    unlabelled: bool = False

    @property
    def model(self) -> str:
        """The model's name."""
        return self.found.model


def configured(
    config: Path,
    file: Path,
    model: str | None,
    reference: Path | None,
    labels: Path | None = None,
) -> Setup:
    """Set up a backtest of one model of a configuration.

    Args:
        config: the configuration.
        file: the events.
        model: one of its models; None for the only one.
        reference: instead of the configured one.
        labels: ground truth that came later.

    Raises:
        DriftlineError: the configuration, the reference or a file cannot be used.
    """
    loaded = read_config(config, offline=True)
    name = choose_model(loaded.config, model)
    settings = loaded.config.models[name]
    if reference is not None:
        settings = settings.model_copy(update={"reference": reference})
    # The other models' references may not be at hand, and the rows are this model's.
    whole = loaded.config.model_copy(update={"models": {name: settings}})
    references, problems = read_references(
        type(loaded)(whole, loaded.locations, loaded.files), [name]
    )
    refuse(problems)
    topic = settings.predictions[0]
    mapping = file_rows.mapping_for(whole, topic, file)
    own = settings.labels if settings.labels and settings.labels.topic != topic else None
    if labels is not None:
        if own is None:
            raise CommandError(
                f"--labels: models.{name}.labels names no topic of their own, so nothing says what"
                " the file's columns are"
            )
        given = LabelFile(labels, own.topic, _mapping(whole, own.topic))
        setup = _setup(whole, references[name], name, mapping, file)
        return dataclasses.replace(setup, labels=given)
    if own is not None:
        say("assumed  no labels: performance is estimated only; give --labels FILE")
    setup = _setup(whole, references[name], name, mapping, file)
    return dataclasses.replace(setup, unlabelled=own is not None)


def assumed(
    file: Path, model: str | None, reference: Path | None, actual: str | None = None
) -> Setup:
    """Set up a backtest of a file alone, and say on stderr what is assumed.

    Args:
        file: the events.
        model: its name, None if the events or the file tell.
        reference: what is normal; None for the first half of the file.
        actual: the column with the ground truth, None to guess it.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    given = load_reference(reference) if reference is not None else None
    found = assume(file, model or (given.model if given is not None else None), actual)
    name, mapping = found.model, found.mapping
    total = file_rows.count(file) or 0
    pace = Pace(mapping)
    baseline, skip = given, 0
    if baseline is None:
        skip = total // 2
        rows = pace.watch(file_rows.first(file_rows.read(file), skip))
        baseline = reference_from_rows(rows, mapping, ReferenceSettings(name)).reference
    else:
        for _ in pace.watch(file_rows.first(file_rows.read(file), total)):
            pass
    length = pace.length(file)
    if given is None:
        if skip < ENOUGH:
            raise CommandError(
                f"{file}: {total:,} rows are too few, {2 * ENOUGH:,} are needed: the first half is"
                " the reference and the second is judged; give a longer file, or --reference REF"
            )
        say(f"assumed  reference: the first {skip:,} of {total:,} rows")
    window = WindowConfig(length=length)
    outcomes = _outcomes(baseline, mapping, file)
    settings = ModelConfig(
        predictions=(_TOPIC,),
        reference=Path("-"),
        window=window,
        ignore=found.ignore,
        labels=LabelsConfig(topic=_TOPIC) if outcomes is not None else None,
    )
    if outcomes is not None:
        say(f"assumed  performance: actual is known at once; the budget watches {outcomes.watched}")
    say(
        f"assumed  windows of {format_duration(length)}, about"
        f" {amount(float(f'{pace.rate * length:.2g}'))} events each; budget {settings.budget}"
    )
    config = Config(
        kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)), models={name: settings}
    )
    return _setup(config, baseline, name, mapping, file, skip)


def _setup(
    config: Config, reference: Reference, name: str, mapping: Mapping, file: Path, skip: int = 0
) -> Setup:
    settings = config.models[name]
    topic = settings.predictions[0]
    config = _with_source(config, topic, mapping)
    total = file_rows.count(file)
    return Setup(
        backtest=Backtest(Plan(config, {name: reference}), name, topic),
        rows=file_rows.after(file_rows.read(file), skip),
        total=total - skip if total is not None else None,
        mapping=mapping,
        config=settings,
        found=Found(name),
    )


def _outcomes(reference: Reference, mapping: Mapping, file: Path) -> Outcomes | None:
    """Return how the model did on the reference, where events bring their ground truth too.

    Raises:
        ReferenceError: it was built by a version that did not count outcomes.
    """
    if not any("actual" in mapping.to_event(row) for row in next(file_rows.read(file))):
        return None
    return Outcomes.of(reference)


def _mapping(config: Config, topic: str) -> Mapping:
    source = config.sources.get(topic)
    return source.mapping if source is not None else Mapping.native()


def _with_source(config: Config, topic: str, mapping: Mapping) -> Config:
    source = SourceConfig(fields=mapping.fields, timestamp_unit=mapping.timestamp_unit)
    return config.model_copy(update={"sources": {**config.sources, topic: source}})
