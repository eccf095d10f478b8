"""An explanation in sentences, for a terminal and for a page."""

from __future__ import annotations

from driftline.consumer.judge.sentence import percent
from driftline.consumer.offline.explain.records import Area, Explanation, SegmentShare, Side
from driftline.consumer.wire.text import counted, some

_SPANS, _NAMES = 2, 20


def verdict(found: Explanation) -> str:
    """Return whether the rows tell the two apart."""
    if not found.apart:
        return f"The rows do not tell the two apart: AUC {area(found.area)}, and 0.5 is chance."
    return f"The rows tell the two apart: AUC {area(found.area)}; 0.5 is chance, 1 never wrong."


def sides(found: Explanation) -> str:
    """Return which rows were compared."""
    return f"Now: {_side(found.now)}. Quiet: {_side(found.quiet)}."


def segment(found: Explanation) -> str:
    """Return which segment holds most of the change, or that none does."""
    held = found.found_segment
    if held is None:
        return "No segment holds most of the change: it is in rows of every kind."
    return (
        f"{' and '.join(held.conditions)} holds {_most(held)} of the change:"
        f" {percent(held.now or 0.0)} of the rows, {percent(held.quiet or 0.0)} of quiet ones."
        f" The other rows alone: AUC {area(held.outside)}."
    )


def other_features(found: Explanation) -> list[str]:
    """Return which columns tell only together with others, and which tell nothing."""
    if not found.apart:
        return []
    together = [each.name for each in found.features if each.tells and not each.by_itself]
    nothing = [each.name for each in found.features if not each.tells]
    named = (("Only together with others", together), ("No more than chance", nothing))
    return [f"{what}: {some(names, _NAMES)}." for what, names in named if names]


def left_out(found: Explanation) -> list[str]:
    """Return which columns were not compared, and why."""
    return [f"not compared: {each.name} ({each.why})" for each in found.left_out]


def area(found: Area) -> str:
    """Return an area and its interval.

    >>> area(Area(0.913249, 0.909772, 0.916605)), area(Area(None, None, None))
    ('0.913 (0.910 to 0.917)', '-')
    """
    if found.value is None:
        return "-"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def needed(value: float | None) -> str:
    """Return by how much the area falls without a column."""
    return "-" if value is None else f"{max(value, 0.0):.3f}"


def _most(held: SegmentShare) -> str:
    return percent(held.held or 0.0)


def _side(side: Side) -> str:
    spans = " and ".join(side.spans[:_SPANS])
    if len(side.spans) > _SPANS:
        spans += f" and {counted(len(side.spans) - _SPANS, 'more span')}"
    return f"{counted(side.rows, 'row')}, {spans}"
