"""What work on a file says besides its result: what it assumes, warns of, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from driftline.producer.files.given import Input
from driftline.producer.files.rows import count_rows

if TYPE_CHECKING:
    from driftline.producer.records.table import Table

NoteKind = Literal["assumed", "warning", "note"]


@dataclass(frozen=True)
class Note:
    """A sentence about how an input was read.

    Attributes:
        kind: `assumed`: nobody said so; `warning`: the result may not be what was meant; `note`:
            good to know.
        sentence: without values that a terminal would take for commands; printing escapes them.
    """

    kind: NoteKind
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}  {self.sentence}"


class Feedback:
    """Keeps the notes, and shows no progress; a program with a screen overrides both.

    Attributes:
        notes: all of them, in their order.

    >>> feedback = Feedback()
    >>> feedback.note("assumed", "timestamp is ts")
    >>> str(feedback.notes[0])
    'assumed  timestamp is ts'
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def note(self, kind: NoteKind, sentence: str) -> None:
        """Keep a note."""
        self.notes.append(Note(kind, sentence))

    def progress(
        self, what: str, total: int | None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Return a context whose value is a function that takes how many are done.

        Args:
            what: what is counted, such as `rows`.
            total: how many there are; None if nobody knows.
        """
        return nullcontext(lambda done: None)

    def count_rows(self, file: Input) -> int | None:
        """Return the number of rows of a file, None if it cannot be read."""
        with self.progress("counting rows", None):
            return count_rows(file)

    def watched(self, what: str, tables: Iterable[Table], total: int | None) -> Iterator[Table]:
        """Yield tables, and show how many of their rows are read."""
        done = 0
        with self.progress(what, total) as show:
            for table in tables:
                yield table
                done += table.rows
                show(done)
