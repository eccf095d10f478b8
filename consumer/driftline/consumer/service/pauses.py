"""Which input partitions wait for others that are behind in event time."""

from __future__ import annotations

from collections.abc import Mapping

from driftline.consumer.log.protocol import Consumer, TopicPartition
from driftline.consumer.service.counting import InputPartition


class Pauses:
    """Pauses partitions that are more than one longest window ahead in event time.

    Args:
        consumer: reads them.
        longest_window: of any model, ms.
    """

    def __init__(self, consumer: Consumer, longest_window: int) -> None:
        self._consumer = consumer
        self._longest_window = longest_window
        self._paused: frozenset[TopicPartition] = frozenset()

    def forget(self) -> None:
        """Begin anew: all partitions have been resumed."""
        self._paused = frozenset()

    def let_the_furthest_behind_catch_up(
        self, inputs: Mapping[TopicPartition, InputPartition]
    ) -> None:
        """Pause those that are ahead of it, and resume the others.

        A partition that keeps up is not behind, however old its event times: nothing is gained by
        waiting for it. It does if less is left than was read since the last look, or if all that
        is left waits for an open transaction.
        """
        found = {at: each.sketch.event_time() for at, each in inputs.items()}
        times = {at: time for at, time in found.items() if time is not None}
        behind = [
            time
            for at, time in times.items()
            if inputs[at].held is None
            and ((lag := inputs[at].lag) is None or lag > inputs[at].read)
        ]
        for each in inputs.values():
            each.read = 0
        limit = min(behind, default=None)
        latest = None if limit is None else limit + self._longest_window
        ahead = frozenset(at for at, time in times.items() if latest is not None and time > latest)
        self._consumer.pause(ahead - self._paused)
        self._consumer.resume(self._paused - ahead)
        self._paused = ahead
