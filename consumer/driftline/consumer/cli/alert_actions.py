"""What `driftline alerts tail`, `exec` and `notify` share: how they subscribe and end.

Nothing here needs numpy: that no broker is there is known before it is loaded.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import typer

from driftline.consumer.cli import output_log
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_config import Deployment
from driftline.consumer.cli.terminal import say
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.dispatcher import Counts
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.position import FilePosition, PositionStore
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.log.broker import connect, wait_for_broker
from driftline.consumer.log.errors import Unreachable


@contextmanager
def listening(
    deployment: Deployment,
    choice: Choice,
    position: PositionStore | None = None,
    wait: float | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[tuple[AlertSubscriber, MarkReader]]:
    """Subscribe to the alerts of a deployment; yield the subscriber, and the marks of alerts.

    Args:
        deployment: where its topics are.
        choice: which alerts are asked for.
        position: keeps where it stopped; None: begin with what fires now.
        wait: seconds to wait for a broker that cannot be reached; None: for ever.
        pause: waits for a number of seconds between two attempts to reach it.

    Raises:
        DriftlineError: the topic cannot be read.
    """
    broker = wait_for_broker(lambda: connect(deployment.kafka), wait, _say_away, pause)
    with closing(output_log.OutputLog.of(broker, deployment.config)) as output:
        yield output.alerts(choice, position), output.marks()


@contextmanager
def handing_on(
    deployment: Deployment,
    choice: Choice,
    position: Path | None,
    wait: float | None,
    keep: bool = True,
) -> Iterator[tuple[AlertSubscriber, MarkReader, threading.Event]]:
    """Subscribe as `listening`; yield that, and an event that SIGTERM and Ctrl-C set.

    Args:
        deployment: where its topics are.
        choice: which alerts are asked for.
        position: a file that keeps where it stopped.
        wait: seconds to wait for a broker that cannot be reached; None: for ever.
        keep: whether the file is written.
    """
    store = None if position is None else FilePosition(position, keep=keep)
    with (
        until_stopped() as stop,
        listening(deployment, choice, store, wait, pausing(stop)) as (subscriber, marks),
    ):
        yield subscriber, marks, stop


def pausing(stop: threading.Event) -> Callable[[float], object]:
    """Return a pause between two attempts that ends the verb when it is to stop."""

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise typer.Exit

    return pause


def _say_away(error: Unreachable, waited: float) -> None:
    say(f"waiting for the broker, {waited:.0f} s so far: {error}")


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set."""
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def report(counts: Counts, what: str, *, follow: bool) -> None:
    """Say what was done, on stderr.

    Raises:
        CommandError: something could not be handed on, and nothing more is tried.
    """
    said = f"{what} {counts.delivered:,}, retried {counts.retried:,}, given up {counts.failed:,}"
    undone = counts.failed or (counts.retried and not counts.delivered)
    if undone and not follow:
        raise CommandError(said)
    say(said)
