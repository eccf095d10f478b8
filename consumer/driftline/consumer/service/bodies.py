"""Which body reads an input topic: it is on record, and another one is refused.

Two that read one topic would count its events twice: each sends parts of its own.
"""

from __future__ import annotations

import msgspec

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Message, TopicInfo
from driftline.consumer.log.ranges import partitions_of
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.state import BODIES, SPARK, WORKER, SketchState

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


def require_body(states: States, topic: TopicInfo, body: str) -> None:
    """Refuse to read a topic that another body reads.

    Raises:
        LogError: another one is on record; the sentence says what to do.
    """
    problem = body_problem(states, topic, body)
    if problem is not None:
        raise LogError(problem)


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
