"""All findings about a configuration, its references, the broker and recent records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing

from driftline.consumer.cli.check_bodies import body_findings
from driftline.consumer.cli.check_config import client_findings, config_findings
from driftline.consumer.cli.check_events import (
    Sample,
    decode,
    describe,
    event_findings,
    merge,
    sample_topic,
)
from driftline.consumer.cli.check_findings import Finding, finding
from driftline.consumer.cli.check_formats import format_findings
from driftline.consumer.cli.check_kept import kept_findings
from driftline.consumer.cli.check_kinds import kind_findings
from driftline.consumer.cli.check_labels import LabelSample, label_findings, sample_labels
from driftline.consumer.cli.check_moving import kept_past, moving_finding
from driftline.consumer.cli.check_thresholds import threshold_findings
from driftline.consumer.cli.load_models import schema_source, source_problems
from driftline.consumer.cli.progress import progress
from driftline.consumer.cli.topic_checks import (
    all_topics,
    describe_inputs,
    few_judges,
    input_topics,
    missing_inputs,
    wanted_topics,
)
from driftline.consumer.config import Config, Loaded, ModelConfig
from driftline.consumer.judge.dispersed import MEASURED, NO_TIMES, WINDOWS_ALONE, notes_of
from driftline.consumer.judge.season_notes import season_notes, season_problems
from driftline.consumer.judge.version_notes import version_notes
from driftline.consumer.judge.volume_sentence import how_known
from driftline.consumer.judge.volume_steps import VolumeSteps
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.log.ranges import newest_records, partitions_of
from driftline.consumer.log.topics import check_topics, missing_topics
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import read_references
from driftline.consumer.wire.text import plural
from driftline.detectors.reference import Reference
from driftline.detectors.volume import LEAST_DAYS
from driftline.errors import DriftlineError
from driftline.producer.records.durations import format_duration
from driftline.producer.records.formats.schemas import SchemaSource

RECENT = 1_000
"""Records read of each input topic."""

_HOUR = 3_600_000


def inspect(loaded: Loaded, log: Log | None) -> list[Finding]:
    """Return the findings: the broker, its topics, then the models.

    Args:
        loaded: the configuration.
        log: on its broker, which is given up; None leaves the broker alone.
    """
    references, problems = read_references(loaded)
    known = [*config_findings(loaded), *map(finding, problems)]
    findings = [found for found in known if found.subject not in loaded.config.models]
    samples: Mapping[str, tuple[Sample, LabelSample]] = {}
    if log is None:
        findings += client_findings(loaded.config)
        findings += map(finding, source_problems(Plan(loaded.config, references), loaded))
    else:
        broken = {found.subject for found in known if found.level == "error"}
        sound = {name: each for name, each in references.items() if name not in broken}
        try:
            with closing(log), progress("asking the broker") as show:
                findings.append(Finding("ok", "kafka", _describe_broker(loaded.config)))
                topics = log.topics(all_topics(loaded.config))
                missing = missing_inputs(loaded.config, loaded.locations, topics)
                known += [finding(problem) for problem in missing]
                findings += _topic_findings(loaded.config, topics)
                findings += kept_findings(loaded.config, topics)
                findings += _held_findings(loaded.config, log, topics)
                findings += body_findings(loaded.config, log, topics)
                known += kept_past(loaded.config, log, topics)
                source = schema_source(loaded.config, patience=0)
                if source is not None:
                    source.check()
                    findings.append(Finding("ok", "schema_registry", source.url))
                plan = _plan(loaded.config, sound, source)
                findings += map(finding, wrong := source_problems(plan, loaded))
                inputs = plan.inputs - {problem.key[1] for problem in wrong}
                there = {t: topics[t] for t in inputs & topics.keys()}
                samples, kinds = _samples(plan, log, there, show)
                findings += [*format_findings(plan, inputs), *kinds]
        except DriftlineError as error:
            findings.append(Finding("error", "kafka", str(error)))
    own: dict[str, list[Finding]] = {name: [] for name in loaded.config.models}
    for found in known:
        if found.subject in own:
            own[found.subject].append(found)
    for name, of_it in own.items():
        findings += _model_findings(name, loaded.config, references.get(name), samples, of_it)
    return findings


def _describe_broker(config: Config) -> str:
    kafka = config.kafka
    login = f"{kafka.sasl.mechanism} as {kafka.sasl.username}" if kafka.sasl else "no login"
    return f"{kafka.bootstrap_servers[0]}, {'TLS' if kafka.tls else 'no TLS'}, {login}"


def _topic_findings(config: Config, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    existing = describe_inputs(config, topics)
    if existing:
        yield Finding("ok", "topics", existing)
    specs = wanted_topics(config)
    missing = missing_topics(specs, topics)
    if config.output.create_topics:
        specs = [spec for spec in specs if spec not in missing]
    elif len(missing) == len(specs):
        text = f"none of {config.output.prefix}.* exists: run  driftline topics create"
        yield Finding("error", "topics", text)
        return
    for text in check_topics(specs, topics):
        yield Finding("error", "topics", text)
    for spec in specs:
        if spec in missing and spec.name == config.output.topic("control"):
            text = f"without {spec.name} alerts cannot be marked: run  driftline topics create"
            yield Finding("ok", "topics", text)
    if (few := few_judges(config, topics)) is not None:
        yield Finding("ok", "topics", few)


def _held_findings(config: Config, log: Log, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    """Yield the partitions of input topics of which an open transaction holds the rest."""
    for topic in input_topics(config):
        partitions = partitions_of(topics[topic]) if topic in topics else frozenset()
        stable, written = log.end_offsets(partitions), log.high_watermarks(partitions)
        for partition in sorted(partitions):
            waiting = written[partition] - stable[partition]
            if waiting > 0:
                text = (
                    f"{topic}[{partition.partition}]: an open transaction holds what was written"
                    f" from offset {stable[partition]} on ({waiting:,} records at the most);\n"
                    "windows wait for it: let its producer commit or abort it"
                )
                yield Finding("warning", "topics", text)


def _plan(
    config: Config, references: Mapping[str, Reference], schemas: SchemaSource | None
) -> Plan:
    """Return the plan of the models that can be decoded."""
    models = {name: model for name, model in config.models.items() if name in references}
    return Plan(config.model_copy(update={"models": models}), references, schemas=schemas)


def _samples(
    plan: Plan, log: Log, topics: Mapping[str, TopicInfo], show: Callable[[int], object]
) -> tuple[dict[str, tuple[Sample, LabelSample]], list[Finding]]:
    """Read recent records; `show` takes how many topics are read.

    Returns:
        What is counted of each model, and the topics of several kinds of records.
    """
    kinds: list[Finding] = []
    found: dict[str, list[Sample]] = {name: [] for name in plan.config.models}
    labels = {name: LabelSample() for name in plan.config.models}
    for done, topic in enumerate(sorted(plan.inputs & topics.keys())):
        show(done)
        newest = list(log.read(*newest_records(log, topics[topic], RECENT)))
        records = plan.opener(topic).open(newest)
        decoded = decode(plan, topic, records)
        sample_labels(plan, topic, records, decoded, labels)
        kinds += kind_findings(plan, topic, records)
        for name, sample in sample_topic(plan, topic, records, decoded).items():
            found[name].append(sample)
    return {name: (merge(samples), labels[name]) for name, samples in found.items()}, kinds


def _pane_findings(name: str, model: ModelConfig, pane: int) -> Iterator[Finding]:
    """Yield what panes shorter than a step of the windows cost."""
    if pane < model.window.every:
        hourly = float(f"{_HOUR / pane:.2g}")
        text = f"panes of {format_duration(pane)}: {hourly:,g} pane {plural(hourly, 'message')}"
        yield Finding("ok", name, f"{text} an hour and partition")


def _model_findings(
    name: str,
    config: Config,
    reference: Reference | None,
    samples: Mapping[str, tuple[Sample, LabelSample]],
    own: Sequence[Finding],
) -> Iterator[Finding]:
    """Yield a model's rows: that it is fine, then what is not.

    The first is left out where an error or a finding about its events says more.
    """
    model = config.models[name]
    sample, labels = samples.get(name, (None, None))
    if reference is None:
        yield from own
        return
    pane = model.window.pane_for(reference.dispersion)
    steps = None if model.window.rows else VolumeSteps.of(model.window.length, pane)
    in_a_week = steps is not None and steps.judged and steps.least == LEAST_DAYS
    events = list(event_findings(name, model, sample)) if sample is not None else []
    if not events and not any(found.level == "error" for found in own):
        many = len(reference.layout.features)
        features = f"{many} {plural(many, 'feature')}"
        if reference.dispersion is None and model.budget is not None:
            features += f", {NO_TIMES if in_a_week else WINDOWS_ALONE}"
        text = f"reference {reference.id} ({reference.events:,} events, {features})"
        yield Finding("ok", name, text + (f"; {describe(sample)}" if sample is not None else ""))
    ignored = [f.name for f in reference.layout.features if model.is_ignored(f.name)]
    if model.reference.moves:
        yield moving_finding(name, model, reference)
    yield from _pane_findings(name, model, pane)
    for note in season_notes(reference, ignored):
        yield Finding("ok", name, note)
    for note in version_notes(reference, model.tags, ignored):
        yield Finding("ok", name, note)
    for problem in season_problems(reference, model.zone, pane):
        yield Finding("warning", name, problem)
    if reference.model != name:
        text = f"the reference was built for the model {reference.model}"
        yield Finding("warning", name, text)
    if model.budget is not None:
        if steps is not None and (reference.dispersion is not None or not in_a_week):
            yield Finding("ok", name, how_known(reference.volume, steps))
        notes = list(notes_of(reference, ignored))
        for note in notes:
            yield Finding("warning", name, note)
        if notes:
            yield Finding("ok", name, MEASURED)
    yield from threshold_findings(name, model, reference)
    yield from events
    if labels is not None:
        yield from label_findings(name, model, labels)
    yield from own
