"""What a comparison on files found, as text and as a JSON document."""

from __future__ import annotations

from typing import Any

from driftline.consumer.config import format_number
from driftline.consumer.judge.sentence import amount, figure
from driftline.consumer.offline.compare import Compared, SideMetrics
from driftline.consumer.wire.records import number
from driftline.detectors.outcomes import Figure

_WIDTH = 27
_OF_BOTH = "labelled events that both predicted"


def render(found: Compared) -> str:
    """Return the sides, their metrics side by side, and the decision."""
    champion, challenger = found.sides
    widest = max(len(each.name) for each in found.sides)
    head = [
        f"{role:<10}  {side.name:<{widest}}  {side.predictions:,} predictions,"
        f" {side.labelled:,} labelled"
        for role, side in (("champion", champion), ("challenger", challenger))
    ]
    # Without classes no event is right or wrong, so none is counted.
    counted = found.events or not (champion.labelled and challenger.labelled)
    head.append(
        f"paired by event id{f': {found.events:,} {_OF_BOTH}' if counted else ''}"
        if found.paired
        else f"independent: {found.events:,} labelled events, each predicted by one side"
    )
    table = [f"{'metric':<17}  {'champion':<{_WIDTH}}  {'challenger':<{_WIDTH}}  difference"]
    for name, own in champion.metrics.items():
        other = challenger.metrics[name]
        difference = number(other.value - own.value)
        shown = "" if difference is None else figure(difference)
        table.append(
            f"{name:<17}  {_cell(own):<{_WIDTH}}  {_cell(other):<{_WIDTH}}  {shown}".rstrip()
        )
    return "\n".join([*head, "", *table, "", _decision(found)])


def document(found: Compared) -> dict[str, Any]:
    """Return the same as one JSON document."""
    champion, challenger = found.sides
    return {
        "schema": "driftline.comparison.v1",
        "champion": _side(champion),
        "challenger": _side(challenger),
        "traffic": "same" if found.paired else "split",
        "events": found.events,
        "decision": found.decision,
        "reason": found.reason or None,
        "p_value": None if found.decided is None else number(found.decided.p_value),
        "alpha": found.alpha,
        "decided_after": None if found.decided is None else found.decided.after,
    }


def _decision(found: Compared) -> str:
    champion, challenger = (side.name for side in found.sides)
    decided = found.decided
    if decided is None:
        return f"not decided: {found.reason}"
    basis = f"p-value {amount(decided.p_value)}, alpha {format_number(found.alpha)}"
    if decided.decision == "undecided":
        return f"undecided: {challenger} may be better or worse than {champion} ({basis})"
    if decided.p_value > found.alpha:
        basis = f"decided after {decided.after:,} labelled events; of all {basis}"
    return f"{challenger} is {decided.decision} than {champion} ({basis})"


def _side(side: SideMetrics) -> dict[str, Any]:
    return {
        "name": side.name,
        "predictions": side.predictions,
        "labelled": side.labelled,
        "metrics": {
            name: {
                "value": number(each.value),
                "interval": [number(each.low), number(each.high)],
                "n": each.n,
            }
            for name, each in side.metrics.items()
        },
    }


def _cell(one: Figure) -> str:
    """Return a value with its 95 % interval, as far as there are any."""
    value, low, high = (number(x) for x in (one.value, one.low, one.high))
    if value is None:
        return "none"
    return figure(value) + (
        "" if low is None or high is None else f" ({figure(low)} to {figure(high)})"
    )
