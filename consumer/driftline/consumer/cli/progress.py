"""How far a verb is, on stderr: a bar on a terminal, else now and then a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from driftline.consumer.cli.terminal import say

EVERY = 10.0
"""Seconds from one line to the next, where there is no terminal."""


class Lines:
    """Says how far a verb is, once in a while; nothing of one that is done before.

    Args:
        clock: returns seconds, of a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._last = clock()

    def restart(self) -> None:
        """Begin a verb: the next line comes no sooner than it should."""
        self._last = self.clock()

    def show(self, what: str, done: int, total: int | None) -> None:
        """Print a line if the last one is long enough ago.

        Args:
            what: what is counted, such as `events`.
            done: how many are done.
            total: how many there are; None if nobody knows.
        """
        now = self.clock()
        if now - self._last < EVERY:
            return
        self._last = now
        if total:
            say(f"progress  {what}: {done:,} of {total:,}, {min(done / total, 1.0):.0%}")
        else:
            say(f"progress  {what}: {done:,}" if done else f"progress  {what}")


LINES = Lines()
"""Those of this process."""


@contextmanager
def progress(
    what: str, total: int | None = None, lines: Lines = LINES
) -> Iterator[Callable[[int], None]]:
    """Show on stderr how far the block is.

    On a terminal it is a bar, from the beginning on, with the time that has passed; one without a
    total moves all the same. Elsewhere it is a line every ten seconds, of all blocks together.

    Args:
        what: what is counted, such as `events`, or what is done.
        total: how many there are; None if nobody knows.
        lines: prints them where there is no terminal.

    Yields:
        A function that takes how many are done.
    """
    if not sys.stderr.isatty():
        lines.show(what, 0, total)
        yield lambda done: lines.show(what, done, total)
        return
    from rich import console, progress  # for a terminal only: they take as long as the rest

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        *([] if total is None else [progress.MofNCompleteColumn()]),
        progress.TimeElapsedColumn(),
        *([] if total is None else [progress.TimeRemainingColumn()]),
    )
    screen = console.Console(stderr=True)
    with progress.Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
