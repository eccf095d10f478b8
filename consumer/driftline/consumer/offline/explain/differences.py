"""How columns and pairs differ, in words."""

from __future__ import annotations

import numpy as np

from driftline.consumer.judge.sentence import amount, percent
from driftline.consumer.offline.explain.columns import Column
from driftline.consumer.offline.explain.pairs import Pair
from driftline.consumer.offline.explain.ranks import Bools

_RATE = 0.05  # shares of missing values that differ by less are not named


def difference(column: Column, now: Bools) -> tuple[str, str]:
    """Return what a column has now and at quiet times: medians, or the category that moved most.

    Where values are missing more or less often than before, how often.

    >>> values = np.array([1.0, 2.0, 3.0, 9.0])
    >>> column = Column("km", False, values, np.zeros(4, np.int64), ("above",))
    >>> difference(column, np.array([False, False, False, True]))
    ('median 9', 'median 2')
    """
    absent = column.codes == column.missing
    rates = float(absent[now].mean()), float(absent[~now].mean())
    if abs(rates[0] - rates[1]) >= _RATE:
        return f"missing in {percent(rates[0])}", f"missing in {percent(rates[1])}"
    if column.numbers is not None:
        found = [column.numbers[side & ~absent] for side in (now, ~now)]
        first, second = (
            f"median {amount(float(np.median(values)), 4)}" if values.size else "-"
            for values in found
        )
        return first, second
    bins = len(column.names) + 1
    shares = [
        np.bincount(column.codes[side], minlength=bins)[:-1] / max(int(side.sum()), 1)
        for side in (now, ~now)
    ]
    most = int(np.abs(shares[0] - shares[1]).argmax())
    first, second = (f"{column.names[most]} in {percent(float(s[most]))}" for s in shares)
    return first, second


def pair_sentence(pair: Pair) -> str:
    """Return what is different of a pair, of the cell that differs most."""
    row, place = pair.cell
    first, second = pair.levels[0][row], pair.levels[1][place]
    both = f"{pair.names[0]} {first} and {pair.names[1]} {second}"
    return (
        f"{both}: in {percent(float(pair.now[row, place]))} of the rows, in"
        f" {percent(float(pair.quiet[row, place]))} of quiet ones;"
        f" {percent(float(pair.expected[row, place]))} had each only changed for itself"
    )
