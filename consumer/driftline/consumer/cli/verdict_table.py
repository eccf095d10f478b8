"""The verdicts of a backtest as a table: by time, stream and feature. Records in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor, inf, log10

from driftline.consumer.cli.alert_text import minute
from driftline.consumer.cli.backtest_text import effect_text, shown_name
from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.sentence import figure
from driftline.consumer.wire.records import EVENTS, JOINT, DetectorValue, Number, Verdict
from driftline.consumer.wire.text import counted
from driftline.detectors.outcomes import METRICS

_NARROWEST = 24
_STATES = ("ok", "warning", "critical", "insufficient")
_KINDS = ("features", "prediction", "performance", EVENTS, JOINT)
_Row = tuple[int, str, str, str, str, str, str, str]
"""Start, stream, feature, state, subject, effect, figures: sorted by the first three."""


class VerdictTable:
    """Verdicts, to be printed when all are known.

    Args:
        model: whose they are.
        config: its configuration, which has the limits.
    """

    def __init__(self, model: str, config: ModelConfig) -> None:
        self._model, self._config = model, config
        self._rows: list[_Row] = []
        self._along = "window (UTC)"
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, verdict: Verdict) -> None:
        """Take in a verdict, in any order."""
        self._counts[_kind(verdict), verdict.state] += 1
        effect, text = "", verdict.reason
        if text is None:
            effect, text = effect_text(verdict.effect), ", ".join(self._figures(verdict))
        name = shown_name(verdict, self._model)
        window = verdict.window
        if window.rows is None:
            start = minute(window.start)
        else:
            self._along, start = "rows", "{:,} to {:,}".format(*window.rows)
        self._rows.append(
            (
                window.span[0],
                start,
                verdict.stream,
                verdict.feature or "",
                verdict.state,
                name,
                effect,
                text,
            )
        )

    def text(self) -> str:
        """Return the table, and how many verdicts of which kind are in which state."""
        width = max([_NARROWEST, *(len(row[5]) for row in self._rows)])
        head = f"{self._along:<18}{'state':<14}{'feature':<{width}}  effect  detectors"
        lines = [
            f"{start:<16}  {state:<12}  {name:<{width}}  {effect:>6}  {text}".rstrip()
            for _, start, _, _, state, name, effect, text in sorted(self._rows)
        ]
        return "\n".join([head, *lines, "", self._summary()])

    def _summary(self) -> str:
        kinds = []
        for kind in _KINDS:
            states = [
                f"{self._counts[kind, state]:,} {state}"
                for state in _STATES
                if self._counts[kind, state]
            ]
            if states:
                kinds.append(f"{kind} {', '.join(states)}")
        many = counted(len(self._rows), "verdict")
        return f"{many}: {'; '.join(kinds)}" if kinds else "no verdicts"

    def _figures(self, verdict: Verdict) -> list[str]:
        if verdict.type == "performance":
            return [self._metric(name, each) for name, each in verdict.detectors.items()]
        found = []
        for name, each in verdict.detectors.items():
            if each.state is not None:
                value, limit = aligned([each.value, each.threshold])
                beside = f"limit {limit}" if each.threshold is not None else (
                    f"p-value {figure(each.p_value)}"
                )  # fmt: skip
                found.append(f"{name} {value} ({beside})")
        return found

    def _metric(self, name: str, found: DetectorValue) -> str:
        """Return a metric with its interval, and its limits if it has some."""
        limits = self._limits(name, found) or [found.threshold]
        limits = [] if limits == [None] else limits
        value, *rest = aligned([found.value, *(found.interval or ()), *limits])
        parts = [f"{name} {value}"]
        if found.interval is not None:
            parts.append(f"interval {rest[0]} to {rest[1]}")
        if len(limits) == 1:
            parts.append(f"limit {rest[-1]}")
        elif limits:
            parts.append(f"limits {rest[-2]} and {rest[-1]}")
        return ", ".join(parts)

    def _limits(self, name: str, found: DetectorValue) -> list[Number]:
        """Return lower and upper limit of a metric that has both, else nothing."""
        limit = self._config.performance.get(name)
        if limit is None or found.threshold is None:
            return []
        low = -inf if limit.min is None else limit.min
        high = inf if limit.max is None else limit.max
        drops = [drop for drop in (limit.max_drop, limit.critical_drop) if drop is not None]
        if drops and found.reference is not None:
            worse = METRICS[name].scale.worse
            low = max(low, found.reference - min(drops)) if worse <= 0 else low
            high = min(high, found.reference + min(drops)) if worse >= 0 else high
        return [low, high] if -inf < low and high < inf else []


def aligned(values: Sequence[Number]) -> list[str]:
    """Return figures with the same number of decimals.

    >>> aligned([0.915237, 0.9, 0.93364]), aligned([0.0027, 0.05]), aligned([0.002, 10.96, None])
    (['0.915', '0.900', '0.934'], ['0.0027', '0.0500'], ['0.0', '11.0', 'none'])
    """
    texts = [figure(value) for value in values]
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    if largest >= 1:
        decimals = max(0, 2 - floor(log10(largest)))
    elif any("e" in text for text in texts if text != "none"):
        return texts
    else:
        decimals = max(len(text.partition(".")[2]) for text in texts)
    return [
        text if value is None else f"{value:,.{decimals}f}"
        for text, value in zip(texts, values, strict=True)
    ]


def _kind(verdict: Verdict) -> str:
    subject = verdict.subject
    if subject.is_performance:
        return "performance"
    if subject.sort == "model":
        return verdict.type
    return "prediction" if subject.sort == "prediction" else "features"
