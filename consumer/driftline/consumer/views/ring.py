"""The newest windows of a stream: a table of figures, a row a name, a column a window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.views.answers import Axis, Column
from driftline.consumer.views.spans import Span, span_of, texts
from driftline.consumer.wire.records import Number, Window, number

NONE, OK, WARNING, CRITICAL, INSUFFICIENT = range(5)
"""What a state is kept as; from `INSUFFICIENT` on it is that, for one of its window's reasons."""
CODES = {"ok": OK, "warning": WARNING, "critical": CRITICAL}
_LETTERS = bytes.maketrans(bytes(range(256)), b".owc" + b"i" * 252)
_MOST_REASONS = 250  # of one window; the others count as the last of them
_NOWHERE = np.iinfo(np.int32).min
_FIRST = 16  # columns at first
_ROWS = 8


class Place(NamedTuple):
    """Where a verdict stands in its topic."""

    partition: int
    offset: int


class Ring:
    """Figures of the newest windows, whichever order they come in.

    A cell is one name in one window. What was written later holds, where that is known by its
    offset; a window that is older than all of a full ring is left out. Figures have the 6 digits of
    records, which a float32 gives back exactly.

    Args:
        windows: that are kept at most.
        figures: names of the figures of a cell.
        counts: whether they are whole numbers, which keep all their digits.
        wide: whether they may be of any size; else none is above 1e38, or below 1e-37 and not 0.

    Example:
        >>> ring = Ring(2, ["effect"])
        >>> for day in (3, 1, 2):
        ...     window = Window(f"2026-01-0{day}T00:00:00Z", f"2026-01-0{day + 1}T00:00:00Z", 9)
        ...     cell = ring.cell("age", window, None)
        ...     if cell is not None:
        ...         ring.write(cell, "ok", None, effect=day / 10)
        >>> ring.axis().ends, ring.figures("effect", "age"), ring.states("age")
        (['2026-01-03T00:00:00Z', '2026-01-04T00:00:00Z'], [0.2, 0.3], 'oo')
    """

    def __init__(
        self, windows: int, figures: Sequence[str], *, counts: bool = False, wide: bool = False
    ) -> None:
        self._windows, self._counts = windows, counts
        self._row: dict[str, int] = {}
        self._column: dict[Span, int] = {}
        self._spans: list[Span] = []  # by column
        self._order: list[int] | None = []
        self._rows = False
        self._reasons: list[list[str] | None] = []  # by column
        self.versions: list[tuple[str, ...]] = []
        """Of each column, the names of the model versions."""
        self._events = np.zeros(0, np.int64)
        self._partition = np.zeros(0, np.int32)
        self._base = np.zeros(0, np.int64)  # offset of the first verdict seen of the window
        kind = np.float64 if counts or wide else np.float32
        self._figures = {name: np.zeros((0, 0), kind) for name in figures}
        self._state = np.zeros((0, 0), np.uint8)
        self._offset = np.zeros((0, 0), np.int32)  # from the window's base

    def cell(self, name: str, window: Window, place: Place | None) -> tuple[int, int] | None:
        """Return the cell of a verdict, made if need be; None where it is not to be written."""
        span = span_of(window)
        column = self._column.get(span)
        if column is None:
            column = self._new_column(span)
            if column is None:
                return None
            self._rows = window.rows is not None
            self._events[column] = 0
            self._partition[column], self._base[column] = place or (-1, 0)
        row = self._row.get(name)
        if row is None:
            row = self._new_row(name)
        # Of performance, estimates have all events of a window, and the others those with labels.
        self._events[column] = max(int(self._events[column]), window.events)
        if place is None:
            return row, column
        known, far = int(self._offset[row, column]), place.offset - int(self._base[column])
        if known != _NOWHERE and far <= known:
            return None
        if place.partition == self._partition[column] and abs(far) < -_NOWHERE:
            self._offset[row, column] = far
        return row, column

    def write(
        self,
        cell: tuple[int, int],
        state: str,
        reason: str | None,
        **figures: Number,
    ) -> None:
        """Write a cell."""
        _, column = cell
        self._state[cell] = CODES[state] if state in CODES else self._code(column, reason or "")
        for name, value in figures.items():
            self._figures[name][cell] = np.nan if value is None else value

    def names(self, windows: int = 0) -> list[str]:
        """Return the names that have a verdict in one of the newest windows; 0: of all."""
        columns = self.order[-windows:]
        judged = (self._state[: len(self._row), columns] > NONE).max(axis=1, initial=False)
        return [name for name, there in zip(self._row, judged.tolist(), strict=True) if there]

    @property
    def spans(self) -> list[Span]:
        """The windows, oldest first."""
        return [self._spans[column] for column in self.order]

    @property
    def newest(self) -> Span | None:
        """The newest window."""
        return self._spans[self.order[-1]] if self._spans else None

    @property
    def order(self) -> list[int]:
        """The columns, oldest window first."""
        if self._order is None:
            self._order = sorted(range(len(self._spans)), key=self._spans.__getitem__)
        return self._order

    @property
    def room(self) -> int:
        """How many cells it can hold, of the names that it has."""
        return len(self._row) * self._windows

    @property
    def nbytes(self) -> int:
        """Bytes of the cells."""
        figures = sum(values.nbytes for values in self._figures.values())
        return figures + self._state.nbytes + self._offset.nbytes

    def between(self, since: int | None, until: int | None) -> Ring:
        """Return the windows that end after `since` and begin before `until`, ms or rows."""
        columns = [
            column
            for column in self.order
            if (since is None or self._spans[column].end > since)
            and (until is None or self._spans[column].start < until)
        ]
        part = Ring(self._windows, list(self._figures), counts=self._counts)
        part._row, part._rows = dict(self._row), self._rows
        part._spans = [self._spans[column] for column in columns]
        part._column = {span: column for column, span in enumerate(part._spans)}
        part._order = list(range(len(columns)))
        part._reasons = [self._reasons[column] for column in columns]
        part.versions = [self.versions[column] for column in columns]
        part._events, part._base = self._events[columns], self._base[columns]
        part._partition = self._partition[columns]
        part._figures = {name: values[:, columns] for name, values in self._figures.items()}
        part._state, part._offset = self._state[:, columns], self._offset[:, columns]
        return part

    def axis(self) -> Axis:
        """Return the windows and their events."""
        ends = [texts(span, rows=self._rows) for span in self.spans]
        events = self._events[self.order].tolist()
        return Axis([start for start, _ in ends], [end for _, end in ends], events)

    def text(self, span: Span) -> tuple[str, str]:
        """Return start and end of a window as answers show them."""
        return texts(span, rows=self._rows)

    def events(self, span: Span) -> int:
        """Return the events of a window."""
        return int(self._events[self._column[span]])

    def figures(self, figure: str, name: str) -> Column:
        """Return a figure of a name in every window."""
        return self._column_of(self._figures[figure][self._row[name], self.order])

    def along(self, figure: str, name: str, spans: Sequence[Span]) -> Column:
        """Return a figure of a name in the windows of another ring."""
        row = self._row.get(name)
        if row is None:
            return [None] * len(spans)
        columns = [self._column.get(span) for span in spans]
        values, judged = self._figures[figure][row], self._state[row]
        return self._column_of(
            [np.nan if c is None or not judged[c] else values[c] for c in columns]
        )

    def events_along(self, spans: Sequence[Span]) -> Column:
        """Return the events of the windows of another ring; None where this one has none."""
        columns = [self._column.get(span) for span in spans]
        return [None if c is None else int(self._events[c]) for c in columns]

    def states(self, name: str) -> str:
        """Return the state of a name in every window, a letter each."""
        return self.letters(self._state[self._row[name], self.order])

    def codes(self, names: Sequence[str]) -> NDArray[np.uint8]:
        """Return the states of names as they are kept, in every window, shape (names, windows)."""
        return self._state[np.ix_(self._rows_of(names), self.order)]

    def recent(self, figure: str, names: Sequence[str], windows: int) -> NDArray[np.float64]:
        """Return a figure of names in the newest windows, shape (names, windows)."""
        cells = np.ix_(self._rows_of(names), self.order[-windows:])
        return six_digits(self._figures[figure][cells].astype(float))

    def picked(self, figure: str, names: Sequence[str], windows: Sequence[int]) -> Column:
        """Return a figure of each name in a window of its own, by its number from the oldest."""
        columns = [self.order[number_] for number_ in windows]
        return self._column_of(self._figures[figure][self._rows_of(names), columns])

    def worst(self, windows: int) -> str:
        """Return the worst state of any name in each of the newest windows, a letter each."""
        if not self._row:
            return ""
        states = self._state[: len(self._row), self.order[-windows:]]
        judged = np.where(states < INSUFFICIENT, states, NONE).max(axis=0)
        unjudged = np.where((states >= INSUFFICIENT).any(axis=0), INSUFFICIENT, NONE)
        return self.letters(np.where(judged > NONE, judged, unjudged))

    def last(self, name: str) -> Span | None:
        """Return the newest window in which a name has a verdict."""
        row = self._row.get(name)
        if row is None:
            return None
        states = self._state[row]
        return next((self._spans[c] for c in reversed(self.order) if states[c]), None)

    def state(self, name: str, span: Span) -> tuple[str, str | None]:
        """Return the state of a name in a window, in words, and why it was not judged."""
        column = self._column[span]
        return self.words(int(self._state[self._row[name], column]), span)

    def words(self, code: int, span: Span) -> tuple[str, str | None]:
        """Return a state of a window in words, and why it was not judged."""
        if code < INSUFFICIENT:
            return ("unknown", "ok", "warning", "critical")[code], None
        reasons = self._reasons[self._column[span]] or []
        return "insufficient", reasons[code - INSUFFICIENT]

    def reasons(self, span: Span) -> Iterator[tuple[str, int]]:
        """Yield why names were not judged in a window, and how many."""
        column = self._column[span]
        for number_, reason in enumerate(self._reasons[column] or []):
            yield reason, int((self._state[:, column] == INSUFFICIENT + number_).sum())

    def figure(self, figure: str, name: str, span: Span) -> Number:
        """Return a figure of a name in a window."""
        value = self._figures[figure][self._row[name], self._column[span]]
        return self._column_of([value])[0]

    def place(self, name: str, span: Span) -> Place | None:
        """Return where the verdict on a name in a window stands; None where that is not known."""
        row, column = self._row.get(name), self._column.get(span)
        if row is None or column is None or self._offset[row, column] == _NOWHERE:
            return None
        offset = int(self._base[column]) + int(self._offset[row, column])
        return Place(int(self._partition[column]), offset)

    def _rows_of(self, names: Sequence[str]) -> list[int]:
        return [self._row[name] for name in names]

    @staticmethod
    def letters(codes: NDArray[Any]) -> str:
        """Return states as they are kept, a letter each."""
        return codes.astype(np.uint8).tobytes().translate(_LETTERS).decode()

    def _column_of(self, values: Any) -> Column:
        return figures_of(np.asarray(values, float), counts=self._counts)

    def _code(self, column: int, reason: str) -> int:
        reasons = self._reasons[column]
        if reasons is None:
            reasons = self._reasons[column] = []
        if reason not in reasons and len(reasons) < _MOST_REASONS:
            reasons.append(reason)
        return INSUFFICIENT + (reasons.index(reason) if reason in reasons else _MOST_REASONS - 1)

    def _new_column(self, span: Span) -> int | None:
        if len(self._spans) < self._windows:
            column = len(self._spans)
            if column == self._events.size:
                self._grow(len(self._row), min(max(2 * column, _FIRST), self._windows))
            self._spans.append(span)
            self._reasons.append(None)
            self.versions.append(())
        else:
            column = self.order[0]
            if span < self._spans[column]:
                return None
            del self._column[self._spans[column]]
            self._spans[column], self._reasons[column] = span, None
            self.versions[column] = ()
            self._state[:, column], self._offset[:, column] = NONE, _NOWHERE
            for values in self._figures.values():
                values[:, column] = np.nan
        self._column[span] = column
        self._order = None
        return column

    def _new_row(self, name: str) -> int:
        if len(self._row) == len(self._state):
            gone = set(self._row) - set(self.names())
            if gone:
                self._keep([each for each in self._row if each not in gone])
            else:
                self._grow(max(2 * len(self._row), _ROWS), self._events.size)
        return self._row.setdefault(name, len(self._row))

    def _keep(self, names: list[str]) -> None:
        """Drop the rows of all other names."""
        rows, free = [self._row[name] for name in names], len(self._row) - len(names)
        self._row = {name: row for row, name in enumerate(names)}
        self._state = np.pad(self._state[rows], ((0, free), (0, 0)))
        self._offset = np.pad(self._offset[rows], ((0, free), (0, 0)), constant_values=_NOWHERE)
        for figure, values in self._figures.items():
            self._figures[figure] = np.pad(
                values[rows], ((0, free), (0, 0)), constant_values=np.nan
            )

    def _grow(self, rows: int, columns: int) -> None:
        more = (0, rows - len(self._state)), (0, columns - self._events.size)
        if more[0][1] < 0:  # rows that were made in advance
            used = slice(rows)
            self._state, self._offset = self._state[used], self._offset[used]
            self._figures = {name: values[used] for name, values in self._figures.items()}
            more = (0, 0), more[1]
        self._state = np.pad(self._state, more)
        self._offset = np.pad(self._offset, more, constant_values=_NOWHERE)
        for name, values in self._figures.items():
            self._figures[name] = np.pad(values, more, constant_values=np.nan)
        self._events = np.pad(self._events, more[1])
        self._partition = np.pad(self._partition, more[1])
        self._base = np.pad(self._base, more[1])


def figures_of(values: NDArray[np.float64], *, counts: bool = False) -> Column:
    """Return figures as records have them, or counts; None where there is none."""
    there = ~np.isnan(values)
    shown: list[Number] = [None] * values.size
    known = values[there]
    found: list[Any] = known.astype(np.int64).tolist() if counts else six_digits(known).tolist()
    for place, value in zip(np.flatnonzero(there).tolist(), found, strict=True):
        shown[place] = value
    return shown


def six_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers with the 6 digits that they have in records, as `wire.records.number`.

    >>> six_digits(np.array([0.4305514, 18323.649, -1e-7, 0.0])).tolist()
    [0.430551, 18323.6, -1e-07, 0.0]
    """
    sizes = np.abs(values)
    # Beyond 1e22 powers of ten are not exact.
    some = (sizes > 1e-16) & (sizes < 1e16)
    found, known = values.copy(), values[some]
    digits = 5.0 - np.floor(np.log10(sizes[some]))
    up, down = 10.0 ** np.maximum(digits, 0.0), 10.0 ** np.maximum(-digits, 0.0)
    found[some] = np.rint(known * up / down) / up * down
    rest = ~some & (sizes > 0) & np.isfinite(sizes)
    found[rest] = [number(value) for value in values[rest].tolist()]
    return found
