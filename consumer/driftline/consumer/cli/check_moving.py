"""References that move: what is kept of the stream, how much that is, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.config import Config, ModelConfig
from driftline.consumer.judge.moving import Stretches
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.consumer.service.states import States, judge_key
from driftline.consumer.wire.axis import moment
from driftline.consumer.wire.text import counted
from driftline.detectors.reference import Reference
from driftline.producer.records.durations import format_duration


def moving_finding(name: str, model: ModelConfig, reference: Reference) -> Finding:
    """Return what is normal of a model whose reference moves."""
    stretches, rolling = Stretches(model), model.reference.rolling
    if rolling is None:
        many = model.reference.previous or 0
        text = "the window before each is normal" if many == 1 else f"{many} windows before each"
        text += "" if many == 1 else " are normal"
    else:
        text = (
            f"the last {format_duration(stretches.whole)} of the stream are normal, kept in"
            f" {counted(stretches.many, 'part')} of {format_duration(stretches.length)}"
        )
    text += f"; before the stream is known for so long, reference {reference.id} is"
    seasons = () if reference.seasons is None else reference.seasons.streams
    still = len({f for own in seasons for f in own})
    if still:
        text += (
            f";\nit stays normal for {counted(still, 'feature')} that"
            f" {'follows' if still == 1 else 'follow'} the hour or the day"
        )
    return Finding("ok", name, text)


def kept_past(config: Config, log: Log, topics: Mapping[str, TopicInfo]) -> Iterator[Finding]:
    """Yield how much of the stream of each such model is in the log of states, and since when."""
    names = [name for name, model in config.models.items() if model.reference.moves]
    topic = config.output.topic("state")
    if not names or topic not in topics:
        return
    states = States(log, topic, topics[topic].partitions, config.kafka.group)
    states.refresh()
    for name in names:
        state = states.find(judge_key(name), JudgeState)
        if state is None or isinstance(state.moving, msgspec.UnsetType):
            yield Finding("ok", name, "nothing of the stream is kept yet")
            continue
        chunks = [] if isinstance(state.chunks, msgspec.UnsetType) else state.chunks
        size = sum(len(msgspec.msgpack.encode(chunk)) for chunk in chunks)
        begun = min((chunk.number for chunk in chunks), default=0)
        since = max(begun * Stretches(config.models[name]).length, state.moving.first)
        text = f"of the stream {size / 1e6:,.1f} MB are kept in {topic}, since {moment(since)}"
        if state.moving.open:
            many = counted(len(state.moving.open), "feature")
            text += f"; what comes of {many} with an open alert is held apart"
        yield Finding("ok", name, text)
