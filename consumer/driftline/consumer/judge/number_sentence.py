"""What happened to a number, in words: from the figures that are sure."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.consumer.judge.sentence import NORMALLY, Wording, amount, amounts, percents
from driftline.detectors.direction import Ways
from driftline.detectors.sequential.gate import Outer

_ONE_WAY = 0.9


@dataclass(frozen=True)
class Spread:
    """Median and distance between the quartiles of a numeric feature, in its own unit.

    `beyond`: "above" or "below" where all that is known of the median is that it is so.
    """

    median: float
    quartiles: float
    beyond: str = ""


@dataclass(frozen=True)
class Moved:
    """The value or bin of a numeric feature that changed most.

    Attributes:
        what: the value, or the bin's ends.
        now, normal: its share of the events, 0 to 1.
        lean: which way the events went, from -1 (all of them down) to 1 (up).
    """

    what: str
    now: float
    normal: float
    lean: float


@dataclass(frozen=True)
class Ends:
    """Where an outer part of a number's values begins, in its own unit; None: it has no such end.

    `outer`: how its share changed; `effect`: PSI of all bins, the outer ones among them.
    """

    low: float | None
    high: float | None
    outer: Outer
    effect: float | None = None


def verb(now: Spread, normal: Spread, moved: Moved | None = None, ways: Ways | None = None) -> str:
    """Return what happened to a numeric feature: rose, fell, spread, narrowed, changed shape.

    Compared in units of the normal distance between the quartiles: a median that moved by more
    than a quarter of it rose or fell, and one that moved by more than a twentieth too, unless the
    spread changed by more than twice that. Where it moved less, and nearly all events that changed
    went one way, it rose or fell, too. Nothing is told that the events do not surely show.

    Args:
        now: of the window.
        normal: of the reference.
        moved: what changed most.
        ways: what is sure; None: all that the figures show.

    Example:
        >>> normal = Spread(20.0, 10.0)
        >>> verb(Spread(28.0, 10.0), normal), verb(Spread(20.0, 30.0), normal)
        ('rose', 'spread')
        >>> verb(Spread(23.0, 10.0), normal, ways=Ways(0, -1))
        'changed shape'
    """
    shift, widening = _moves(now, normal)
    if _tells(now, normal, ways):
        return "rose" if shift > 0 else "fell"
    if moved is not None and abs(moved.lean) >= _ONE_WAY and _is_sure(moved.lean, ways, 0):
        return "rose" if moved.lean > 0 else "fell"
    if abs(widening) >= 0.1 and _is_sure(widening, ways, 1):
        return "spread" if widening > 0 else "narrowed"
    if shift and _is_sure(shift, ways, 0):
        return "rose" if shift > 0 else "fell"
    return "changed shape"


def numeric_change(
    now: Spread,
    normal: Spread,
    moved: Moved | None = None,
    normally: str = NORMALLY,
    ways: Ways | None = None,
) -> Wording:
    """Return the change of a numeric feature: of its median where that shows it, else of a share.

    Args:
        now: of the window.
        normal: of the reference.
        moved: what changed most.
        normally: word for the reference: at this hour, with a season.
        ways: what is sure, see `verb`.

    Example:
        >>> numeric_change(Spread(3, 1), Spread(2, 1), normally="normally at this hour").row
        'median 3, normally at this hour 2'
        >>> numeric_change(Spread(43485.0, 1.0), Spread(21902.0, 1.0)).text
        'rose: median 43,485, normally 21,902'
        >>> numeric_change(Spread(57.2, 1.0, "above"), Spread(37.0, 1.0)).row
        'median above 57.2, normally 37'
        >>> numeric_change(Spread(1.0, 0.0), Spread(1.0, 0.0), Moved("0", 0.12, 0.35, 1.0)).text
        'rose: 0 in 12.0 % of events, normally 35.0 %'
    """
    happened = verb(now, normal, moved, ways)
    if moved is not None and not _tells(now, normal, ways):
        present, before = percents(moved.now, moved.normal)
        share = f"{moved.what} in {present}"
        return Wording(
            f"{happened}: {share} of events, {normally} {before}", f"{share}, {normally} {before}"
        )
    if now.median == normal.median and not now.beyond:
        row = f"median {amount(now.median)}, as {normally}"
    else:
        present, before = amounts(now.median, normal.median)
        row = f"median {f'{now.beyond} {present}'.lstrip()}, {normally} {before}"
    return Wording(f"{happened}: {row}", row)


def stays(now: Spread, normal: Spread) -> bool:
    """Return whether median and spread are about as they were, whatever the outer values do."""
    return all(abs(each) < 0.25 for each in _moves(now, normal))


def outer_change(ends: Ends, normally: str = NORMALLY) -> Wording:
    """Return that values beyond what is normal became more.

    Example:
        >>> ends = Ends(None, 4512.0, Outer(None, 4, 0.01, 0.032, 0.9))
        >>> outer_change(ends).text.split(" rose ")
        ['has more extreme values: those above the normal 99 % point (4,512)', \
'from 1.0 % to 3.2 % of events']
        >>> outer_change(Ends(1.5, 9.0, Outer(1, 4, 0.02, 0.05, 0.9))).row
        'below 1.5 or above 9 in 5.0 %, normally 2.0 %'
    """
    outer = ends.outer
    sides = [("below", ends.low), ("above", ends.high)]
    there = [(side, amount(end, 6)) for side, end in sides if end is not None]
    part = float(f"{100 * outer.normal / len(there):.2g}")
    points = {"below": part, "above": 100.0 - part}
    now, before = percents(outer.now, outer.normal)
    where = " or ".join(
        f"{side} the normal {points[side]:.3g} % point ({end})" for side, end in there
    )
    row = " or ".join(f"{side} {end}" for side, end in there)
    return Wording(
        f"has more extreme values: those {where} rose from {before} to {now} of events",
        f"{row} in {now}, {normally} {before}",
        effect=ends.effect,
    )


def _moves(now: Spread, normal: Spread) -> tuple[float, float]:
    """Return how far the median moved and the quartiles parted, in units of their distance."""
    unit = normal.quartiles or abs(normal.median) or 1.0
    return (now.median - normal.median) / unit, (now.quartiles - normal.quartiles) / unit


def _tells(now: Spread, normal: Spread, ways: Ways | None) -> bool:
    """Return whether the median shows the change: it moved, and the spread not much more."""
    move, widening = _moves(now, normal)
    shift = abs(move)
    shows = shift >= 0.25 or (shift >= 0.05 and shift * 2 >= abs(widening))
    return shows and _is_sure(move, ways, 0)


def _is_sure(move: float, ways: Ways | None, which: int) -> bool:
    """Return whether the events show a move in the direction that the figures say."""
    return ways is None or move * ways[which] > 0
