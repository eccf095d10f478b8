"""What work on files says, on the terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from driftline.consumer.cli.progress import progress
from driftline.consumer.cli.terminal import say
from driftline.consumer.offline.feedback import Feedback, NoteKind


class Screen(Feedback):
    """Prints each note on stderr at once, and shows progress there."""

    def note(self, kind: NoteKind, sentence: str) -> None:
        """Keep a note, and print it."""
        super().note(kind, sentence)
        say(str(self.notes[-1]))

    def progress(
        self, what: str, total: int | None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show how far it is; see `cli.progress`."""
        return progress(what, total)
