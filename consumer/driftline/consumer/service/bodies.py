"""Which body reads an input topic: it is on record, and another one is refused.

Two that read one topic would count its events twice: each sends parts of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Message, TopicInfo, TopicPartition
from driftline.consumer.log.ranges import partitions_of
from driftline.consumer.service.stage import decoded
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.pane_counts import MERGED
from driftline.consumer.sketch.state import BODIES, SPARK, WORKER, SketchState
from driftline.consumer.wire.codec import is_record
from driftline.consumer.wire.messages import Pane, decode_panes

# The clocks of the hosts of workers and drivers may be so far apart.
_CLOCKS_APART_MS = 10 * 60_000

_ADVICE = {
    WORKER: "stop its query, then run  driftline run --take-over {topic}, or leave the topic to it"
    " with  driftline run --stages join,judge",
    SPARK: "stop its workers, then start the query with take_over=True and, beside it,"
    "  driftline run --stages join,judge",
}


def body_problem(states: States, topic: TopicInfo, body: str) -> str | None:
    """Return why a body may not read a topic, in one sentence; None where it may.

    Args:
        states: the log of states, refreshed by the caller.
        topic: the input topic.
        body: of `BODIES`: who wants to read it.
    """
    for place in sorted(partitions_of(topic)):
        known = states.body(place)
        if known not in (None, body):
            who = BODIES.get(str(known), known)
            return f"{topic.name} is read by {who}: {_ADVICE[body].format(topic=topic.name)}"
    return None


def made_again(states: States, topic: TopicInfo) -> bool:
    """Return whether a topic is another one than that of its name that was read before.

    Args:
        states: the log of states, refreshed by the caller.
        topic: the input topic.
    """
    return any(
        states.topic_id(place) not in (None, topic.topic_id) for place in partitions_of(topic)
    )


def require_body(states: States, topic: TopicInfo, body: str) -> None:
    """Refuse to read a topic that another body reads.

    Raises:
        LogError: another one is on record; the sentence says what to do.
    """
    problem = body_problem(states, topic, body)
    if problem is not None:
        raise LogError(problem)


def require_still(
    states: States, read: Iterable[TopicPartition], topics: Mapping[str, TopicInfo]
) -> None:
    """Refuse to go on with partitions of which another body has taken one over since they are read.

    Args:
        states: the log of states, in which is looked what has been written.
        read: the partitions that workers read here.
        topics: theirs.

    Raises:
        LogError: one has; the sentence says what to do.
    """
    places = frozenset(read)
    states.look({sketch_key(place) for place in places})
    for topic in sorted({place.topic for place in places}):
        require_body(states, topics[topic], WORKER)


def take_over(states: States, topic: TopicInfo, body: str) -> list[Message]:
    """Return the records after which a body reads a topic, from where another one has come.

    None where nobody else does. That one must have been stopped; it is refused from then on.

    Args:
        states: the log of states, refreshed by the caller.
        topic: the input topic.
        body: of `BODIES`: who takes it over.
    """
    messages = []
    for place in sorted(partitions_of(topic)):
        if states.body(place) in (None, body):
            continue
        state = states.find(key := sketch_key(place), SketchState)
        if state is not None:
            generation = states.own(key, 0)
            taken = msgspec.structs.replace(state, body=body, generation=generation)
            messages += states.messages(key, taken)
    return messages


def require_finished(
    log: Log, states: States, state: TopicInfo, panes: TopicInfo, topic: TopicInfo
) -> None:
    """Refuse to take a topic over from a query of Spark that was killed amid a batch.

    Raises:
        LogError: it was; the sentence says what to do.
    """
    known = {}
    for place in partitions_of(topic):
        if states.body(place) == SPARK and (found := states.find(sketch_key(place), SketchState)):
            known[place] = found
    if known and sent_beyond(log, state, panes, known):
        raise LogError(
            f"the query that read {topic.name} was killed after it had sent counts that are not on "
            "record: start it with .trigger(availableNow=True), let it end, then take over"
        )


def sent_beyond(
    log: Log, state: TopicInfo, panes: TopicInfo, states: Mapping[TopicPartition, SketchState]
) -> bool:
    """Return whether counts were sent that states know nothing of: who sent them was killed.

    It would send the same again, under the same names, which count once. Another body counts the
    records again under other names, so it has to be finished first.

    Args:
        log: the log outside the group.
        state: the topic of states.
        panes: the topic of panes.
        states: of the partitions of one topic.

    Raises:
        LogError: a record of panes is damaged, or of a newer version.
    """
    stages = {sketch_key(place) for place in states}
    times = [
        record.timestamp
        for record in log.read(log.begin_offsets(partitions_of(state)))
        if (record.key or b"").decode(errors="replace").partition("/")[2] in stages
    ]
    since = max(times, default=0) - _CLOCKS_APART_MS
    merged = MERGED + sum(each.position for each in states.values())
    for record in log.read(log.offsets_at(partitions_of(panes), max(since, 0))):
        if record.key is None or not is_record(record.value or b""):
            continue  # horizons of many models, or what others have written
        pane = decoded(record, decode_panes)
        if not isinstance(pane, Pane):
            continue
        if pane.first >= MERGED:
            if pane.first >= merged and any(pane.source == place.topic for place in states):
                return True
            continue
        for part in pane.whole:
            known = states.get(TopicPartition(pane.source, part.partition))
            if known is not None and part.until > known.position and not pane.outcomes:
                return True
    return False
