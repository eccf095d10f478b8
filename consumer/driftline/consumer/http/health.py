"""Whether the worker lives, and whether it is ready: what /livez and /readyz answer.

Neither asks the broker: an outage of the broker must not make a supervisor restart every worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from driftline.consumer.http.reading import read_steadily
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.status import Status

# The longest silence of a worker that works: a poll returns within a second, opening partitions
# after a change of ownership may take several.
_LONGEST_SILENCE_MS = 60_000
_SENTENCES_SHOWN = 5
# Producers commit within seconds; what is open for longer is reported.
_LONG_OPEN_MS = 10_000


class Check(msgspec.Struct, frozen=True):
    """One thing looked at, and a sentence about it."""

    name: str
    ok: bool
    says: str


@dataclass(frozen=True)
class Report:
    """The checks of one page."""

    checks: Sequence[Check]

    @property
    def ok(self) -> bool:
        """Whether every check is."""
        return all(check.ok for check in self.checks)

    def to_json(self) -> bytes:
        """Return the page.

        Example:
            >>> Report([Check("polling", True, "polled 0 s ago")]).to_json()
            b'{"ok":true,"checks":[{"name":"polling","ok":true,"says":"polled 0 s ago"}]}'
        """
        return msgspec.json.encode({"ok": self.ok, "checks": self.checks})


class Health:
    """Judges the health of a worker by its status.

    Args:
        status: what the worker knows of itself.
        clock: the wall clock, ms; the one the worker reads.
    """

    def __init__(self, status: Status, clock: Callable[[], int]) -> None:
        self._status = status
        self._clock = clock
        self._started = clock()

    def live(self) -> Report:
        """Return whether the worker has polled within the last 60 s, or waits for the broker."""
        return Report([self._polling()])

    def ready(self) -> Report:
        """Return whether the worker lives, is in the group and has caught up with its past.

        A model that failed is named, and makes no worker unready: the others' go on.
        """
        return read_steadily(
            lambda: Report(
                [
                    self._polling(),
                    self._partitions(),
                    self._caught_up(),
                    self._transactions(),
                    *self._failed(),
                ]
            )
        )

    def _polling(self) -> Check:
        polled = self._status.polled
        if self._status.away is not None:
            return Check("polling", True, "waiting for the broker")
        silence = self._clock() - (self._started if polled is None else polled)
        if silence <= _LONGEST_SILENCE_MS:
            says = "starting" if polled is None else f"polled {max(silence, 0) // 1000} s ago"
            return Check("polling", True, says)
        return Check("polling", False, f"no poll for {silence // 1000} s: restart this worker")

    def _partitions(self) -> Check:
        status = self._status
        inputs, panes = len(status.of(InputPartition)), len(status.of(PanesPartition))
        if status.away is not None:
            return Check("partitions", False, f"the broker cannot be reached: {status.away}")
        if status.unopened:
            return Check("partitions", False, f"{status.unopened} are still to be opened")
        if status.generation < 0:
            return Check("partitions", False, "no partitions yet: waiting for the group")
        if not status.stages:
            says = "a spare: there are more workers than partitions"
            return Check("partitions", True, says)
        if not inputs and not panes:
            joins = f"{len(status.stages)} of {status.plan.output('joins')}"
            return Check("partitions", True, f"owns {joins}")
        name = status.plan.output("panes")
        return Check("partitions", True, f"owns {inputs} input partitions, {panes} of {name}")

    def _caught_up(self) -> Check:
        behind = self._status.catching_up()
        shown = _some(behind)
        return Check("caught_up", not behind, shown or "what was open has been read again")

    def _transactions(self) -> Check:
        """Name the partitions that an open transaction holds: its producer is to blame, not we."""
        now = self._clock()
        held = [
            f"{at.topic}[{at.partition}] waits at offset {each.held[0]} for an open "
            f"transaction, for {(now - each.held[1]) // 1000} s"
            for at, each in sorted(self._status.of(InputPartition).items())
            if each.held is not None and now - each.held[1] >= _LONG_OPEN_MS
        ]
        return Check("transactions", True, _some(held) or "no partition waits for one")

    def _failed(self) -> Iterator[Check]:
        failed = sorted({failure.model for failure in self._status.failures()})
        if failed:
            says = f"failed, and not watched here until a restart: {_some(failed)}; see the log"
            yield Check("models", True, says)


def _some(sentences: Sequence[str]) -> str:
    shown = "; ".join(sentences[:_SENTENCES_SHOWN])
    if len(sentences) > _SENTENCES_SHOWN:
        shown += f"; and {len(sentences) - _SENTENCES_SHOWN} more"
    return shown
