"""What a backtest is made of: from a configuration, or from assumptions that are said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.cli import file_rows
from driftline.consumer.cli.assumptions import ENOUGH, Pace, assume
from driftline.consumer.cli.backtest_text import Found
from driftline.consumer.cli.configured import choose_model, read_config, read_references, refuse
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.consumer.cli.timed_rows import TimedRows
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
        model, config: the model and its settings.
        found: what it has yielded so far.
        labels: those of a file of their own, None where there are none.
    """

    backtest: Backtest
    rows: Iterable[file_rows.Rows]
    total: int | None
    mapping: Mapping
    model: str
    config: ModelConfig
    found: Found
    labels: TimedRows | None = None


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
    timed = None
    if labels is not None:
        if settings.labels is None or settings.labels.topic in settings.predictions:
            raise CommandError(
                f"--labels: models.{name}.labels names no topic of their own, so nothing says what"
                " the file's columns are"
            )
        own = file_rows.mapping_for(whole, settings.labels.topic, labels)
        whole = _with_source(whole, settings.labels.topic, own)
        timed = TimedRows(file_rows.read(labels), own)
    elif settings.labels is not None and settings.labels.topic not in settings.predictions:
        say("assumed  no labels: performance is estimated only; give --labels FILE")
    setup = _setup(whole, references[name], name, mapping, file)
    setup.labels = timed
    return setup


def assumed(file: Path, model: str | None, reference: Path | None) -> Setup:
    """Set up a backtest of a file alone, and say on stderr what is assumed.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    given = load_reference(reference) if reference is not None else None
    found = assume(file, model or (given.model if given is not None else None))
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
    known = baseline.outcome is not None and "actual" in {
        name.split(".")[0] for name in mapping.fields
    }
    settings = ModelConfig(
        predictions=(_TOPIC,),
        reference=Path("-"),
        window=window,
        ignore=found.ignore,
        labels=LabelsConfig(topic=_TOPIC) if known else None,
    )
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
        model=name,
        config=settings,
        found=Found(name),
    )


def _with_source(config: Config, topic: str, mapping: Mapping) -> Config:
    source = SourceConfig(fields=mapping.fields, timestamp_unit=mapping.timestamp_unit)
    return config.model_copy(update={"sources": {**config.sources, topic: source}})
