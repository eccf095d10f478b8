"""Running the demo: write a little of the stream, let the service work, show, wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from driftline.consumer.cli import demo_stream as stream
from driftline.consumer.cli.alert_text import alert_line
from driftline.consumer.cli.demo_board import Board, render
from driftline.consumer.cli.demo_screen import Screen
from driftline.consumer.cli.demo_service import DemoService
from driftline.consumer.cli.demo_text import NEXT, compared, in_full
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.records.durations import format_duration

STEP = 5 * 60_000
"""Event time between two looks, ms."""
SPEED = 2 * 3_600_000
"""Event time that passes in a second on a terminal, ms."""
PAGE_SPEED = 30 * 60_000
"""Event time that passes in a second beside a page, ms: a window."""
HEAD_START = 5 * 3_600_000
"""Event time that is there when a page is opened, ms; the first trouble comes an hour later."""


@dataclass
class Demo:
    """A run of the demo.

    Args:
        screen: where it is shown.
        clock: seconds, of a clock that only goes forward.
        sleep: waits for a number of seconds.
        speed: event time that passes in a second, ms; None: as fast as it goes.
        page: where a page shows it; None: nowhere.
        head_start: event time that passes at once, ms.

    Attributes:
        service: the monitor, with its log.
        board: what has been seen.
        now: how far the stream has come, ms.
        first: the first alert at its worst, and the verdict of its window, where that is one.
        alerted: the clock when the first alert was shown; None without one.
    """

    screen: Screen
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    speed: int | None = SPEED
    page: str | None = None
    head_start: int = 0
    service: DemoService = field(init=False)
    board: Board = field(init=False)
    now: int = field(init=False, default=stream.BEGIN)
    first: tuple[Alert, Verdict | None] | None = field(init=False, default=None)
    alerted: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Make the reference of the quiet day."""
        plan = stream.plan(self.page)
        length = plan.config.models[stream.MODEL].window.length
        self.service = DemoService(plan, self.now)
        self.board = Board(plan.references[stream.MODEL], format_duration(length))

    def run(self, hours: int | None) -> None:
        """Show the first hours of the stream; None: go on until Ctrl-C.

        Raises:
            KeyboardInterrupt: the user has seen enough.
        """
        service = self.service
        self.screen.show(self.board, None if hours is None else 0.0)
        begun = self.clock()
        for number, events in zip(count(1), steps(hours), strict=False):
            service.write(stream.TOPIC, events)
            self.board.events += len(events)
            self.now = stream.BEGIN + number * STEP
            self._take(*service.run(self.now))
            self.screen.show(self.board, _share(number, hours))
            if self.alerted is None and self.first is not None:
                self.alerted = self.clock()
            if self.speed is not None:
                due = begun + (number * STEP - self.head_start) / self.speed
                self.sleep(max(0.0, due - self.clock()))
        service.close()

    def _take(self, verdicts: list[Verdict], alerts: list[Alert]) -> None:
        for verdict in verdicts:
            self.board.judged(verdict)
        for alert in alerts:
            self.board.alerted(alert)
            self.screen.line(alert_line(alert))
            if self.first is None or (
                alert.alert_id == self.first[0].alert_id and alert.status == "firing"
            ):
                # A change is told of the panes since it began, which are no window.
                of_it = (
                    verdict
                    for verdict in verdicts
                    if (verdict.feature, verdict.window) == (alert.feature, alert.window)
                )
                self.first = (alert, next(of_it, None))


def report(shown: Demo, *, ascii_only: bool = False) -> str:
    """Return what has been seen, and what to do next."""
    parts = [render(shown.board, ascii_only=ascii_only)]
    if shown.first is not None:
        alerts = shown.board.alerts
        parts += [
            in_full(*shown.first),
            compared(stream.troubles_until(shown.now), alerts, shown.now),
        ]
    return "\n\n".join([*parts, NEXT])


def steps(hours: int | None) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of each step of the first hours, or without end."""
    batch: list[dict[str, Any]] = []
    end = stream.BEGIN + STEP
    for event in stream.events() if hours is None else stream.first_hours(hours):
        while event["timestamp"] >= end:
            yield batch
            batch, end = [], end + STEP
        batch.append(event)
    yield batch


def _share(number: int, hours: int | None) -> float | None:
    return None if hours is None else number * STEP / (hours * 3_600_000)
