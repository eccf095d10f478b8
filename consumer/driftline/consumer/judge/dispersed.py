"""What dispersion means, in words for readers who know no statistics."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from driftline.consumer.judge.sentence import named
from driftline.detectors.dispersion import NONE, OTHER, UNKNOWN
from driftline.detectors.reference import Reference

FLAGGED = 5.0
"""phi above which people are told: fewer than one event of five counts."""

ASSUMED = 2.0
"""phi of windows while it is not known."""

NOT_KNOWN = (
    "how much its values vary along time is not known yet: until 30 panes of the stream are there,"
    " windows alone alarm, and half of their events count"
)
_METRIC_NOT_KNOWN = (
    "how much it varies along time is not known before 30 panes with labels: its interval takes"
    " events as independent"
)
_HALF = ", and its test counts half of them"
WINDOWS_ALONE = "no times: windows alone alarm until 30 panes are there"
NO_TIMES = f"{WINDOWS_ALONE}, and how many events are normal is learnt in a week"
MEASURED = (
    "for these features the budget is measured on simulated streams, and proved only where events"
    " are independent: docs/statistics.md"
)
_NAMED = 3


def counted(phi: float) -> str:
    """Return a number of events, and how many independent ones tell as much.

    >>> counted(8.3), counted(130.0), counted(80.0)
    ('100 events tell as much as 12 independent ones', \
'1,000 events tell as much as 8 independent ones', '100 events tell as much as 1 independent one')
    """
    events = 100
    while phi > events:
        events *= 10
    told = round(events / phi)
    ones = "one" if told == 1 else "ones"
    return f"{events:,} events tell as much as {told} independent {ones}"


def note_of(phi: Sequence[float]) -> str | None:
    """Return what the phi of a feature, in each direction, means for its windows; None: nothing.

    >>> note_of([1, 1, 1, 1, 8.3])
    'values near in time resemble each other: 100 events tell as much as 12 independent ones'
    >>> note_of([1, 1, 1, 20, 1.2])
    'missing values come together: of them 100 events tell as much as 5 independent ones'
    >>> note_of([1, 1, 1, 1, 4.9]) is None
    True
    """
    values, none = phi[OTHER], phi[NONE]
    if values >= UNKNOWN:
        return NOT_KNOWN
    parts = []
    if values > FLAGGED:
        parts.append(f"values near in time resemble each other: {counted(values)}")
    if FLAGGED < none < UNKNOWN:
        parts.append(f"missing values come together: of them {counted(none)}")
    return "; ".join(parts) or None


def metric_note(phi: float | None, *, tested: bool) -> str | None:
    """Return what the phi of a metric, None while it is not known, means; None: nothing.

    `tested`: whether the budget tests it.

    >>> metric_note(8.3, tested=False)
    'it varies along time by more than chance: 100 events tell as much as 12 independent ones'
    >>> metric_note(None, tested=False)
    'how much it varies along time is not known before 30 panes with labels: its interval takes \
events as independent'
    """
    if phi is None:
        return f"{_METRIC_NOT_KNOWN}{_HALF if tested else ''}"
    if phi > FLAGGED:
        return f"it varies along time by more than chance: {counted(phi)}"
    return None


def notes_of(reference: Reference, ignored: Container[str] = ()) -> Iterator[str]:
    """Yield what the dispersion of a reference means for the features that are not `ignored`."""
    if reference.dispersion is None:
        return
    names = [feature.name for feature in reference.layout.features]
    for direction, what in (
        (OTHER, "values near in time resemble each other"),
        (NONE, "missing values come together"),
    ):
        phi = reference.dispersion.phi[0, direction]
        worst = np.argsort(-phi, kind="stable").tolist()
        found = [f for f in worst if phi[f] > FLAGGED and names[f] not in ignored]
        if not found:
            continue
        shown = ", ".join(named(names[f]) for f in found[:_NAMED])
        rest = len(found) - _NAMED
        of = f" of {named(names[found[0]])}" if len(found) > 1 else ""
        yield (
            f"{shown}{f' and {rest} more' if rest > 0 else ''}: {what},"
            f" so few of them count:{of} {counted(float(phi[found[0]]))}"
        )
