"""Where a load would break, or cost more than it has to, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from driftline.consumer.capacity.estimate import Estimate, counting
from driftline.consumer.capacity.load import Stream
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import Config
from driftline.consumer.config.client_options import poll_interval
from driftline.consumer.wire.messages import LARGEST_MESSAGE
from driftline.consumer.wire.text import counted, plural
from driftline.producer.records.durations import format_duration

BUSY = 0.8
"""Of a core: what is busier than this falls behind when more comes than usual."""
MUCH_WRITTEN = 10e6
"""Bytes a second of counts, beside which other ways are cheaper."""
MUCH_MEMORY = 4e9
"""Bytes of a worker."""
NAMED = 3
"""Models that are named one by one."""

_MERGE = "let a body on Spark count, which adds up a model's partitions before it sends them"


class Limit(NamedTuple):
    """What would break: a topic, a stage or models, and a sentence that says what to do."""

    subject: str
    message: str


def limits(found: Estimate, shapes: Mapping[str, ModelShape], config: Config) -> list[Limit]:
    """Return where the load would break; nothing where it would not."""
    return [
        *_workers(found, config),
        *_opening(found, config),
        *_counting(found),
        *_judging(found, shapes, config),
        *_written(found, config),
        *_models(found, shapes, config),
    ]


def _workers(found: Estimate, config: Config) -> Iterator[Limit]:
    """Yield what too few partitions, or too few workers, mean."""
    load, workers = found.load, found.load.workers
    for topic in found.streams:
        idle = workers - load.partitions[topic]
        if idle > 0:
            many = counted(load.partitions[topic], "partition")
            text = f"it has {many}, so {idle} of {workers} workers count nothing of it"
            yield Limit(topic, f"{text}: give it more partitions, or start fewer workers")
    if workers > load.outputs:
        topic, idle = config.output.topic("panes"), workers - load.outputs
        text = f"it has {counted(load.outputs, 'partition')}, so {idle} of {workers} workers"
        text += f" judge nothing: set output.partitions to {workers} before the first start"
        yield Limit(topic, f"{text} (their number never changes afterwards)")
    needed = found.cores / BUSY
    if needed > workers:
        least = int(needed) + 1
        have = "1 worker has one" if workers == 1 else f"{workers} workers have one each"
        text = f"{found.cores:,.1f} cores are needed, and {have}"
        yield Limit("workers", f"{text}: start {least:,} or more")
    if found.memory > MUCH_MEMORY:
        text = f"a worker needs {found.memory / 1e9:,.1f} GB: start more workers with more"
        text += " output.partitions, or build references with --grid 128"
        yield Limit("memory", text)


def _opening(found: Estimate, config: Config) -> Iterator[Limit]:
    """Yield that a worker is taken for dead before it has opened what it owns."""
    name, longest = poll_interval(config.kafka.options)
    if found.opening > BUSY * longest / 1_000:
        text = f"a worker opens {found.judged:,} models that it judges in about"
        text += f" {found.opening:,.0f} s, and the group takes one for dead that does not poll for"
        text += f" {format_duration(longest)}: start more workers with more output.partitions, or"
        text += f" set {name} higher in kafka.options"
        yield Limit("workers", text)


def _counting(found: Estimate) -> Iterator[Limit]:
    """Yield topics of which one partition is too much for a core."""
    for topic, own in found.streams.items():
        partitions = found.load.partitions[topic]
        each = counting({topic: own}, found.load, found.marks).total / partitions
        if each > BUSY:
            text = f"a partition needs {each:.1f} cores, and one worker reads it on one"
            least = int(each * partitions / BUSY) + 1
            yield Limit(topic, f"{text}: give it {least:,} partitions")


def _judging(found: Estimate, shapes: Mapping[str, ModelShape], config: Config) -> Iterator[Limit]:
    """Yield what is too much for those who judge."""
    judge = next(each for each in found.stages if each.stage == "judge")
    topic = config.output.topic("panes")
    each, one = judge.total / found.load.outputs, judge.total / max(len(shapes), 1)
    if one > BUSY:
        text = f"a model needs {one:.1f} cores, and one worker judges it on one"
        yield Limit("judge", f"{text}: {_fewer_messages(found, config)}")
    elif each > BUSY:
        least = int(judge.total / BUSY) + 1
        text = f"judging a partition needs {each:.1f} cores, and one worker does it on one"
        yield Limit(topic, f"{text}: set output.partitions to {least} before the first start")
    messages = judge.cores["reading"] + judge.cores["horizons"] + judge.cores["silence"]
    if messages > max(0.2, judge.total / 2):
        panes = sum(each.panes for each in _all(found))
        horizons = sum(each.closed for each in _all(found))
        horizons += sum(each.models for each in found.marks.values())
        sources = max((each.partitions + each.silent for each in _all(found)), default=0)
        text = f"{panes:,.0f} messages of panes and {horizons:,.0f} horizons a second, from"
        text += f" {sources:,} partitions, are most of judging ({messages:,.1f} cores)"
        yield Limit("judge", f"{text}: {_fewer_messages(found, config)}")


def _fewer_messages(found: Estimate, config: Config) -> str:
    """Return how fewer messages of panes come about."""
    first = "put models into topics of their own" if found.load.keyed else "key events by model"
    return f"{first}, {_merged(found, config)}use longer panes (window.pane), or {_MERGE}"


def _merged(found: Estimate, config: Config) -> str:
    """Return that workers can add panes up, where they have several partitions and do not yet."""
    several = not found.load.keyed and any(
        count > found.load.workers for count in found.load.partitions.values()
    )
    pays = several and not config.output.merge_panes
    return "set output.merge_panes, " if pays else ""


def _written(found: Estimate, config: Config) -> Iterator[Limit]:
    """Yield topics into which more is written than has to be."""
    key = "" if found.load.keyed else "key events by model, or "
    merging = _merged(found, config)
    advice = {
        "panes": "build references with --grid 128, "
        + (f"{merging}{key}{_MERGE}" if key else f"or {_MERGE}"),
        "state": f"{key}put models into topics of their own",
        "joins": f"{key}use fewer output.partitions",
        "verdicts": "use a longer window.every, or ignore features",
    }
    for each in found.topics:
        name = each.topic.rpartition(".")[2]
        if each.bytes > MUCH_WRITTEN:
            text = f"{each.bytes / 1e6:,.0f} MB a second are written to it: {advice[name]}"
            yield Limit(each.topic, text)


def _models(found: Estimate, shapes: Mapping[str, ModelShape], config: Config) -> Iterator[Limit]:
    """Yield what holds of single models: split panes, silent partitions, too few events."""
    idle = format_duration(config.limits.idle_after)
    split, silent, few = dict[str, str](), dict[str, str](), dict[str, str]()
    for each in _all(found):
        name, size = each.shape.name, each.shape.pane_size(each.events)
        if size.messages > 1:
            split[name] = (
                f"a pane is {size.bytes / 1e6:,.1f} MB and is sent in {size.messages} messages of"
                f" up to {LARGEST_MESSAGE // 1000} kB, which a broker takes unless it was set to"
                " less (message.max.bytes): --grid 128 makes them smaller"
            )
        if each.partitions > 1 and 0 < each.each * each.idle < 3:
            text = (
                f"an event comes every {1 / each.each:,.0f} s to each of"
                f" {each.partitions:,} partitions, which are idle after {idle}: they hold the"
                " windows for so long, each while anything in it is unread"
            )
            silent[name] = f"{text}; key events by model, or use fewer partitions"
    rates = dict.fromkeys(shapes, 0.0)
    for each in _all(found):
        rates[each.shape.name] += each.rate
    for name, shape in shapes.items():
        window, least = (
            rates[name] * shape.spans.length / 1_000,
            config.models[name].window.min_events,
        )
        if 0 < window < least:
            text = (
                f"about {window:,.0f} events in a window of {format_duration(shape.spans.length)},"
            )
            few[name] = f"{text} which never has min_events {least}: use a longer window"
    for texts in (split, silent, few):
        yield from _by_model(texts)


def _by_model(texts: Mapping[str, str]) -> Iterator[Limit]:
    """Yield a row a model, or one for all where they are many."""
    if len(texts) <= NAMED:
        yield from (Limit(name, text) for name, text in texts.items())
    elif texts:
        name, text = next(iter(texts.items()))
        yield Limit(f"{len(texts):,} {plural(len(texts), 'model')}", f"as {name}: {text}")


def _all(found: Estimate) -> Iterator[Stream]:
    for own in found.streams.values():
        yield from own
