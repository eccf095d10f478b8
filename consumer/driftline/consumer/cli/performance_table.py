"""What a backtest measured of performance, as text: each metric beside what is normal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from driftline.consumer.judge.sentence import figure
from driftline.consumer.wire.records import DetectorValue, Verdict, Window
from driftline.detectors.outcomes import METRICS

_WIDTH = 28


def performance_table(verdicts: Iterable[Verdict], shown: Callable[[Window], str]) -> str:
    """Return a line for each metric, empty without any.

    Args:
        verdicts: of the newest window in which each metric was judged.
        shown: returns the text of a window.
    """
    rows = []
    for verdict in verdicts:
        name = verdict.subject.name
        found = verdict.detectors.get(name)
        if name in METRICS and found is not None and found.value is not None:
            window = shown(verdict.window)
            now = f"{_cell(found):<{_WIDTH}}  {_change(name, found):<8}{window}"
            normal = "-" if found.reference is None else figure(found.reference)
            rows.append((name, normal, now))
    if not rows:
        return ""
    head = ("metric", "normally", f"{'now (95 % interval)':<{_WIDTH}}  {'':<8}newest window judged")
    width = max(18, *(len(name) for name, _, _ in rows))
    return "\n".join(f"{name:<{width}}  {normal:>10}  {now}" for name, normal, now in (head, *rows))


def _cell(found: DetectorValue) -> str:
    low, high = found.interval or (None, None)
    interval = "" if low is None or high is None else f" ({figure(low)} to {figure(high)})"
    return f"{figure(found.value or 0.0)}{interval}"


def _change(name: str, found: DetectorValue) -> str:
    """Return `worse` or `better` where the whole interval is, empty where nothing is certain."""
    low, high = found.interval or (None, None)
    worse = METRICS[name].scale.worse
    if low is None or high is None or found.reference is None:
        return ""
    if not low > found.reference and not high < found.reference:
        return ""
    side = 1 if low > found.reference else -1
    if worse == 0:
        return "worse" if abs(found.value or 0.0) > abs(found.reference) else "better"
    return "worse" if side == worse else "better"
