"""What should become of predictions and labels, row by row in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

EVERY = 10_000
GOLD = 0  # place of the only listed value of the tag; 1: any other

PaneCounts = Counter[tuple[object, ...]]


@dataclass(frozen=True)
class Rules:
    """How labels are joined; durations in ms."""

    by: Literal["arrival", "prediction"]
    horizon: int
    maturity: int


@dataclass(frozen=True, order=True)
class Row:
    """A prediction or a label, ordered as rows take effect.

    `value` is the predicted or the actual class, `tier` the place of a prediction's tag value.
    """

    time: int
    topic: str
    partition: int
    offset: int
    label: bool
    id: int
    value: int
    tier: int


@dataclass
class Waiting:
    """What is known of one id."""

    state: Literal["waiting", "matched", "early"]
    time: int
    until: int
    predicted: int = 0
    tier: int = 0
    actual: int = 0
    delay: int = 0


def expected(rows: Iterable[Row], rules: Rules, clock: int) -> dict[int, PaneCounts]:
    """Return what is counted in each pane, by its start, once the clock is at `clock`."""
    return _Matcher(rules).run(sorted(row for row in rows if row.time < clock), clock)


class _Matcher:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.panes: dict[int, PaneCounts] = defaultdict(Counter)
        self.known: dict[int, Waiting] = {}

    def run(self, rows: list[Row], clock: int) -> dict[int, PaneCounts]:
        for row in rows:
            one = self.known.get(row.id)
            if one is not None and one.until <= row.time:
                self.end(row.id)
            if row.label:
                self.label(row)
            else:
                self.predict(row)
        for number in list(self.known):
            one = self.known[number]
            if one.until <= clock or one.state == "matched":
                self.end(number)
        return self.panes

    def predict(self, row: Row) -> None:
        one = self.known.get(row.id)
        if one is not None and one.state != "early":
            return  # the first prediction of an id holds
        until = row.time + self.rules.horizon
        self.known[row.id] = Waiting("waiting", row.time, until, row.value, row.tier)
        self.panes[start(row.time)]["predicted", row.tier] += 1
        if one is not None:
            self.meet(row.id, one.actual, one.time)

    def label(self, row: Row) -> None:
        one = self.known.get(row.id)
        if one is None or one.state == "early":
            until = row.time + self.rules.horizon
            self.known[row.id] = Waiting("early", row.time, until, actual=row.value)
        elif one.state == "matched":
            one.actual = row.value
        else:
            self.meet(row.id, row.value, row.time)

    def meet(self, number: int, actual: int, time: int) -> None:
        one = self.known[number]
        when = max(one.time, time)
        if self.rules.by == "arrival":
            until = start(when) + EVERY
        else:
            until = start(one.time) + EVERY + self.rules.maturity
            if when >= until:
                del self.known[number]  # its window was judged before
                return
        one.state, one.until, one.actual = "matched", until, actual
        one.delay = max(time - one.time, 0)

    def end(self, number: int) -> None:
        one = self.known.pop(number)
        if one.state == "matched":
            by_arrival = self.rules.by == "arrival"
            pane = self.panes[one.until - EVERY - (0 if by_arrival else self.rules.maturity)]
            pane["matched", one.predicted, one.actual, one.tier] += 1
            pane["delay", delay_cell(one.delay)] += 1
        elif one.state == "waiting":
            if self.rules.by == "arrival":
                self.panes[start(one.until)]["expired", one.tier] += 1
            elif one.until <= start(one.time) + EVERY + self.rules.maturity:
                self.panes[start(one.time)]["expired", one.tier] += 1


def start(time: int) -> int:
    """Return the start of the pane that holds `time`."""
    return time // EVERY * EVERY


def delay_cell(delay: int) -> int:
    """Return the first cell whose bound, of 1 s times the square root of 2 each, holds `delay`."""
    return next(cell for cell in range(60) if int(1_000 * 2 ** (cell / 2)) >= delay)
