"""The log of states: the newest record of every stage, by key."""

from __future__ import annotations

from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.comparison import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.codec import RecordError, decode, encode
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.messages import partition_of
from driftline.consumer.log.protocol import Log, Message, TopicPartition
from driftline.consumer.sketch.state import SketchState

State = SketchState | JoinState | JudgeState | ComparisonState


def sketch_key(source: TopicPartition) -> str:
    """Return the key of the state record of an input partition."""
    return f"sketch/{source.topic}/{source.partition}"


def join_key(partition: int, model: str) -> str:
    """Return the key of the state record of a model in one partition of the log of joins."""
    return f"join/{partition}/{model}"


def judge_key(model: str) -> str:
    """Return the key of the state record of a model's judge, or a comparison's."""
    return f"judge/{model}"


class States:
    """Reads and writes the log of states.

    Of several records under one key the one with the highest position holds: a frozen worker may
    wake up and write an older one, which then costs nothing but the look at it.
    """

    def __init__(self, log: Log, topic: str, partitions: int) -> None:
        self._log = log
        self._topic = topic
        self._partitions = partitions
        self._next = dict.fromkeys(
            (TopicPartition(topic, number) for number in range(partitions)), 0
        )
        self._newest: dict[str, State] = {}

    def refresh(self) -> None:
        """Read what has been written since the last call.

        Raises:
            LogError: a record is damaged or from a newer version.
        """
        ends = self._log.end_offsets(frozenset(self._next))
        for record in self._log.read(self._next):
            if record.key is None or record.value is None:
                continue
            key = record.key.decode(errors="replace")
            try:
                state: State = decode(record.value, State)  # type: ignore[arg-type]  # a union is a type to msgspec
            except RecordError as error:
                raise LogError(
                    f"the state {key} in {self._topic} cannot be read: {error}"
                ) from error
            known = self._newest.get(key)
            if known is None or state.position >= known.position:
                self._newest[key] = state
        self._next.update(ends)

    def sketch(self, source: TopicPartition) -> SketchState | None:
        """Return the newest state of an input partition."""
        state = self._newest.get(sketch_key(source))
        return state if isinstance(state, SketchState) else None

    def join(self, partition: int, model: str) -> JoinState | None:
        """Return the newest state of a model in one partition of the log of joins."""
        state = self._newest.get(join_key(partition, model))
        return state if isinstance(state, JoinState) else None

    def judge(self, model: str) -> JudgeState | None:
        """Return the newest state of a model's judge."""
        state = self._newest.get(judge_key(model))
        return state if isinstance(state, JudgeState) else None

    def comparison(self, name: str) -> ComparisonState | None:
        """Return the newest state of a comparison's judge; `name`: as in the logs."""
        state = self._newest.get(judge_key(name))
        return state if isinstance(state, ComparisonState) else None

    def first_partitions(self, topic: str) -> int | None:
        """Return how many partitions `topic` had at the very first start, None before it."""
        prefix = f"sketch/{topic}/"
        counts = [
            state.partitions
            for key, state in self._newest.items()
            if isinstance(state, SketchState) and key.startswith(prefix)
        ]
        return min(counts, default=None)

    def message(self, key: str, state: State) -> Message:
        """Return the record that stores `state`."""
        return Message(
            self._topic, partition_of(key, self._partitions), key.encode(), encode(state)
        )
