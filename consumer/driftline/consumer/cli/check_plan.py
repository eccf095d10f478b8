"""What `driftline check --plan` prints: what a configuration will need at a rate of events."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from driftline.consumer.capacity.estimate import Estimate, estimate
from driftline.consumer.capacity.limits import Limit, limits
from driftline.consumer.capacity.load import Load
from driftline.consumer.capacity.measured import TABLE
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.cli.check_rates import Question
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_models import read_plan
from driftline.consumer.cli.topic_checks import all_topics, wanted_topics
from driftline.consumer.config import Loaded
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.service.worker import POLL_S
from driftline.consumer.wire.text import counted, some
from driftline.producer.records.durations import format_duration


class Planned(NamedTuple):
    """A plan: what is needed, and where it would break."""

    estimate: Estimate
    limits: list[Limit]


def plan(loaded: Loaded, log: Log | None, question: Question) -> Planned:
    """Work out what a configuration needs.

    Args:
        loaded: the configuration.
        log: on its broker, which is given up; None where partitions are given.
        question: what comes, and how many workers there are.

    Raises:
        CommandError: a rate or the partitions of a topic are missing, or are none.
        ConfigError: a reference cannot be used.
    """
    config = loaded.config
    rates, partitions = question.read(config)
    known: Mapping[str, TopicInfo] = {}
    if log is not None:
        with closing(log):
            known = log.topics(all_topics(config))
    for topic in rates:
        if topic not in partitions:
            if topic not in known:
                raise CommandError(f"how many partitions has {topic}? give --partitions {topic}=12")
            partitions[topic] = known[topic].partitions
    specs = {
        spec.name.removeprefix(f"{config.output.prefix}."): spec for spec in wanted_topics(config)
    }
    panes = known.get(config.output.topic("panes"))
    load = Load(
        rates=rates,
        partitions=partitions,
        outputs=(specs["panes"] if panes is None else panes).partitions,
        workers=question.workers,
        keyed=question.keyed,
    )
    retention: dict[str, int | None] = {}
    for name, spec in specs.items():
        found, asked = known.get(spec.name), spec.configs.get("retention.ms")
        retention[name] = None if asked is None else int(asked)
        if found is not None and found.retention is not None and asked is not None:
            retention[name] = found.retention
    watched = read_plan(loaded)
    shapes = {name: ModelShape.of(watched, name) for name in config.models}
    needed = estimate(shapes, config, load, retention)
    return Planned(needed, limits(needed, shapes, config))


def document(planned: Planned) -> dict[str, object]:
    """Return a plan as a JSON document; bytes, seconds and milliseconds as they are."""
    found, load = planned.estimate, planned.estimate.load
    return {
        "rates": dict(load.rates),
        "partitions": dict(load.partitions),
        "workers": load.workers,
        "keyed": load.keyed,
        "topics": [
            {
                "topic": each.topic,
                "records_per_second": each.records,
                "bytes_per_second": each.bytes,
                "retention_ms": each.retention,
                "kept_bytes": each.kept,
            }
            for each in found.topics
        ],
        "stages": [
            {
                "stage": each.stage,
                "cores": each.total,
                "cores_by": dict(each.cores),
                "memory_bytes_per_worker": each.memory,
            }
            for each in found.stages
        ],
        "cores": found.cores,
        "memory_bytes_per_worker": found.memory,
        "models_judged_by_one_worker": found.judged,
        "limits": [each._asdict() for each in planned.limits],
        "measured": [{"value": c.value, "what": c.what, "where": c.where} for c in TABLE],
    }


def text(planned: Planned) -> str:
    """Return a plan as it is printed."""
    found, load = planned.estimate, planned.estimate.load
    lines = []
    for topic, own in found.streams.items():
        rate, many = _number(load.rates[topic]), counted(load.partitions[topic], "partition")
        lines.append(f"{topic}: {rate} events/s, {many}, {counted(len(own), 'model')}")
    lines.append(f"A model's events are in {'one partition' if load.keyed else 'all partitions'}.")
    lines += ["", f"{'topic':28}{'records/s':>12}{'MB/s':>10}{'kept for':>10}{'size kept':>12}"]
    for each in found.topics:
        kept = "compacted" if each.retention is None else format_duration(each.retention)
        lines.append(
            f"{each.topic:28}{_number(each.records):>12}{_number(each.bytes / 1e6):>10}{kept:>10}"
            f"{_size(each.kept):>12}"
        )
    lines += ["", f"{'stage':28}{'cores':>12}{'a worker':>12}   most of it"]
    for stage in found.stages:
        most = sorted(stage.cores.items(), key=lambda item: -item[1])
        parts = ", ".join(f"{name} {_number(cores)}" for name, cores in most if cores > 0)
        lines.append(
            f"{stage.stage:28}{_number(stage.total):>12}{_size(stage.memory):>12}   {parts}"
        )
    whole = f"{counted(load.workers, 'worker')} in all"
    lines.append(f"{whole:28}{_number(found.cores):>12}{_size(found.memory):>12}")
    lines.append("")
    lines += [f"warning  {each.subject}: {each.message}" for each in planned.limits]
    if not planned.limits:
        lines.append("Nothing of it is near a limit.")
    lines += ["", *_foot()]
    return "\n".join(lines)


def _foot() -> list[str]:
    """Return what the figures rest on."""
    where = list(dict.fromkeys(each.where for each in TABLE))
    lines = [
        "Sizes are before compression and of one replica; cores are CPU seconds a second, at a poll"
        f" every {POLL_S} s.",
        f"Worked out from what was measured on one core of a busy machine ({some(where, 9)}):",
    ]
    return [*lines, *(f"  {each.text}" for each in TABLE)]


def _number(value: float) -> str:
    """Return a number with three digits.

    >>> [_number(each) for each in (0, 0.01234, 12.34, 12345.6)]
    ['0', '0.0123', '12.3', '12,300']
    """
    return f"{float(f'{value:.3g}'):,.10g}" if value < 1e3 else f"{float(f'{value:.3g}'):,.0f}"


def _size(size: float) -> str:
    """Return bytes with a unit.

    >>> _size(1_234), _size(2.5e12)
    ('1.23 kB', '2.5 TB')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{_number(size / unit)} {name}"
    return f"{_number(size)} B"
