"""How a backtest ends: whether its silence means that there is no drift, and what failed."""

from __future__ import annotations

import traceback

from driftline.consumer.cli.backtest_compare import Compared
from driftline.consumer.cli.backtest_setup import Setup
from driftline.consumer.cli.terminal import say


def too_little_judged(setup: Setup) -> str:
    """Return why a backtest without alerts does not say that there is no drift, empty if it does.

    It says so where a window was judged, and at least half of the events were in one. Events that
    were late or rejected count as events.
    """
    found, totals = setup.found, setup.backtest.totals
    rejected = totals.rejected.total() - found.refused
    events = totals.counted[found.model] + totals.late[found.model] + rejected
    tested = found.events_tested()
    if 2 * tested >= events > 0 and tested:
        return ""
    what = f"only {tested:,} of {events:,} events were" if tested else "no window was"
    reasons = [f"{windows:,} windows: {why}" for why, windows in found.insufficient.most_common(1)]
    if late := totals.late[found.model]:
        reasons.append(f"{late:,} events were late")
    if rejected:
        reasons.append(f"{rejected:,} rejected")
    because = f" ({'; '.join(reasons)})" if reasons else ""
    return (
        f"{what} judged{because}, which says nothing of drift: give more events, or a window that"
        " fits them"
    )


def too_little_compared(found: Compared) -> str:
    """Return why a comparison without a loser does not say that there is none, empty if it does."""
    if found.decision is None:
        return f"nothing was compared: {found.reason}"
    predictions = [side.predictions for side in found.sides]
    events = max(predictions) if found.paired else sum(predictions)
    if 2 * found.events >= events:
        return ""
    return (
        f"only {found.events:,} of {events:,} predictions were compared, which says little of the"
        " rest: give more labels"
    )


def say_failure(name: str, error: Exception) -> None:
    """Say on stderr that a model or comparison failed by a defect of Driftline's own."""
    say("".join(traceback.format_exception(error)).rstrip())
    say(
        f"{name} failed by an error of Driftline's own, at the traceback above: report it; what it"
        " found until then, and all of the others, stands"
    )
