"""What `driftline alerts tail`, `exec` and `webhook` share: whom they listen to, how they end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftline.consumer.alerts import AlertSubscriber, Choice, Counts, FilePosition
from driftline.consumer.cli import output_log
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.producer.durations import parse_duration


@contextmanager
def listening(
    config: Path | None, bootstrap_servers: str | None, choice: Choice, position: Path | None
) -> Iterator[AlertSubscriber]:
    """Subscribe to the alerts of a deployment.

    Args:
        config: the configuration; None for driftline.yaml of this folder, if there is one.
        bootstrap_servers: brokers of the command line.
        choice: which alerts are asked for.
        position: a file that keeps where it stopped; None: begin with what fires now.

    Raises:
        DriftlineError: the configuration has errors, or the topic cannot be read.
    """
    output = output_log.open_output(config, bootstrap_servers)
    try:
        yield output.alerts(choice, FilePosition(position) if position is not None else None)
    finally:
        output.close()


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


def seconds(text: str, option: str) -> float:
    """Read a duration such as `10m`.

    Raises:
        CommandError: it is none.
    """
    try:
        return parse_duration(text) / 1_000
    except ValueError:
        raise CommandError(f"{option} {text}: write a duration such as 90s or 10m") from None
