"""What the demo has seen so far, feature by feature. Records in, text out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from driftline.consumer.cli.alert_text import minute
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import Baseline, Reference, normal_rates, rate_effect

WINDOWS = 32
"""Windows that a sparkline shows."""
_FULL = 0.25  # the effect of a full block: from here on an alert is critical
_BLOCKS, _ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.:-=+*#"


@dataclass
class Board:
    """The newest verdicts and alerts of one model.

    Attributes:
        reference: the model's.
        length: of a window, as it is written.
        events: how many have been written.
        windows: how many have been judged.
        now: end of the newest one, as in the records; empty before the first.
        newest: by feature, its newest verdict.
        effects: by feature, the effects in the newest windows.
        alerts: the newest record of each alert, in the order of their firing.
    """

    reference: Reference
    length: str
    events: int = field(init=False, default=0)
    windows: int = field(init=False, default=0)
    now: str = field(init=False, default="")
    newest: dict[str, Verdict] = field(init=False, default_factory=dict)
    effects: dict[str, deque[float]] = field(init=False, default_factory=dict)
    alerts: dict[str, Alert] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Look up what is normal, and begin with a row for every feature."""
        layout = self.reference.layout
        missing = normal_rates(Baseline(layout, self.reference.counts[0]))["missing"]
        names = [feature.name for feature in layout.features]
        self._missing = dict(zip(names, missing.tolist(), strict=True))
        self.effects = {name: deque(maxlen=WINDOWS) for name in sorted(names)}

    def judged(self, verdict: Verdict) -> None:
        """Take in a verdict, in order of time."""
        _, end = verdict.window.times
        if end != self.now:
            self.now = end
            self.windows += 1
        if verdict.feature is not None:
            self.newest[verdict.feature] = verdict
            self.effects[verdict.feature].append(self._effect(verdict, verdict.feature))

    def alerted(self, alert: Alert) -> None:
        """Take in an alert record, in order of time."""
        self.alerts[alert.alert_id] = alert

    def _effect(self, verdict: Verdict, name: str) -> float:
        """Return the effect: of the values, or of those that are missing if that is larger.

        Chance alone may be expected to bring more than what was seen: that is no effect.
        """
        effect, missing = max(verdict.effect or 0.0, 0.0), verdict.detectors.get("missing")
        if missing is None or missing.value is None:
            return effect
        normal = self._missing[name]
        lost = rate_effect(
            np.array([missing.value]), np.array([normal]), np.array([verdict.window.events])
        )
        return max(effect, float(lost[0]))


def render(board: Board, *, ascii_only: bool = False) -> str:
    """Return a line on the stream, and the features with the largest effect first."""
    reference = board.reference
    now = f"{minute(board.now)} UTC" if board.now else "no window judged yet"
    head = (
        f"{reference.model}   {now}   {board.events:,} events, {board.windows:,} windows of"
        f" {board.length}; normal are {reference.events:,} events before"
    )
    firing = {alert.feature: alert for alert in board.alerts.values() if alert.status == "firing"}
    ranked = sorted(board.effects, key=lambda name: -(_last(board.effects[name])))
    width = max(18, *map(len, ranked))
    rows = [f"{'feature':<{width}}{'effect':>8}  {f'last {WINDOWS} windows':<{WINDOWS}}  state"]
    for name in ranked:
        effects, verdict, alert = board.effects[name], board.newest.get(name), firing.get(name)
        state = str(verdict.state) if verdict is not None else ""
        if alert is not None:
            state = f"{state:<9} alert since {minute(alert.since)[11:]}"
        line = sparkline(list(effects), ascii_only=ascii_only)
        effect = f"{_last(effects):.2f}" if effects else ""
        rows.append(f"{name:<{width}}{effect:>8}  {line:<{WINDOWS}}  {state}".rstrip())
    return "\n".join([head, "", *rows])


def sparkline(effects: list[float], *, ascii_only: bool = False) -> str:
    """Return effects as blocks of growing height; a full one is 0.25 (critical) or more.

    >>> sparkline([0.0, 0.1, 0.2, 1.5]), sparkline([0.0, 0.1, 0.2, 1.5], ascii_only=True)
    ('▁▄▇█', '_-*#')
    """
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    top = len(blocks) - 1
    return "".join(blocks[round(top * min(max(effect, 0.0) / _FULL, 1.0))] for effect in effects)


def _last(effects: deque[float]) -> float:
    """Return the newest effect as it is shown; what rounds to 0 has no sign."""
    return round(effects[-1], 2) + 0.0 if effects else 0.0
