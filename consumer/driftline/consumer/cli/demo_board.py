"""What the demo has seen so far, feature by feature, as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from driftline.consumer.cli.alert_text import minute
from driftline.consumer.views.fold import Views
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import Baseline, Reference, normal_rates, rate_effect

WINDOWS = 32
"""Windows that a sparkline shows."""
_ALERTS = 1_000  # that are compared with what was done, at most
_FULL = 0.25  # the effect of a full block: from here on an alert is critical
_BLOCKS, _ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.:-=+*#"


class BoardRow(NamedTuple):
    """One feature: its effects in the newest windows, its state, and since when it alarms."""

    name: str
    effects: list[float]
    state: str
    alert_since: str | None


@dataclass
class Board:
    """What is known of one model.

    Attributes:
        reference: the model's.
        length: of a window, as it is written.
        events: how many have been written.
        windows: how many have been judged.
        views: of its verdicts and alerts.
    """

    reference: Reference
    length: str
    events: int = field(init=False, default=0)
    windows: int = field(init=False, default=0)
    views: Views = field(init=False)

    def __post_init__(self) -> None:
        """Look up what is normal, and begin without a verdict."""
        layout = self.reference.layout
        missing = normal_rates(Baseline(layout, self.reference.counts[0]))["missing"]
        self._names = sorted(feature.name for feature in layout.features)
        names = [feature.name for feature in layout.features]
        self._missing = dict(zip(names, missing.tolist(), strict=True))
        self.views = Views(windows=WINDOWS)

    @property
    def now(self) -> str:
        """End of the newest window, as in the records; empty before the first."""
        return self.views.home().through or ""

    @property
    def alerts(self) -> list[Alert]:
        """The newest record of each alert, in the order of their firing."""
        rows = self.views.alerts(limit=_ALERTS).alerts[::-1]
        found = (self.views.alert(row.alert_id) for row in rows)
        return [each.record for each in found if each is not None]

    def judged(self, verdict: Verdict) -> None:
        """Take in a verdict, in order of time."""
        before = self.now
        self.views.judged(verdict)
        self.windows += self.now != before

    def alerted(self, alert: Alert) -> None:
        """Take in the record of an alert."""
        self.views.alerted(alert)

    def rows(self) -> list[BoardRow]:
        """Return the features, the largest effect first."""
        model = self.views.model(self.reference.model)
        states = {} if model is None else {row.feature: row.state for row in model.features}
        firing = {} if model is None else {row.feature: row.since for row in model.model.open}
        found = [
            BoardRow(name, self._effects(name), states.get(name, ""), firing.get(name))
            for name in self._names
        ]
        return sorted(found, key=lambda row: -_last(row.effects))

    def _effects(self, name: str) -> list[float]:
        """Return the effects: of the values, or of those that are missing where that is larger.

        Chance alone may be expected to bring more than what was seen: that is no effect.
        """
        view = self.views.feature(self.reference.model, name)
        if view is None:
            return []
        effects = np.array([max(effect or 0.0, 0.0) for effect in view.effect])
        missing = np.array([missing or 0.0 for missing in view.missing])
        normal = np.full(missing.size, self._missing[name])
        lost = rate_effect(missing, normal, np.array(view.axis.events))
        found: list[float] = np.maximum(effects, lost).tolist()
        return found


def render(board: Board, *, ascii_only: bool = False) -> str:
    """Return a line on the stream, and the features with the largest effect first."""
    reference = board.reference
    now = f"{minute(board.now)} UTC" if board.now else "no window judged yet"
    head = (
        f"{reference.model}   {now}   {board.events:,} events, {board.windows:,} windows of"
        f" {board.length}; normal are {reference.events:,} events before"
    )
    rows = board.rows()
    width = max(18, *(len(row.name) for row in rows))
    lines = [f"{'feature':<{width}}{'effect':>8}  {f'last {WINDOWS} windows':<{WINDOWS}}  state"]
    for row in rows:
        state = row.state
        if row.alert_since is not None:
            state = f"{state:<9} alert since {minute(row.alert_since)[11:]}"
        line = sparkline(row.effects, ascii_only=ascii_only)
        effect = f"{_last(row.effects):.2f}" if row.effects else ""
        lines.append(f"{row.name:<{width}}{effect:>8}  {line:<{WINDOWS}}  {state}".rstrip())
    return "\n".join([head, "", *lines])


def sparkline(effects: list[float], *, ascii_only: bool = False) -> str:
    """Return effects as blocks of growing height; a full one is 0.25 (critical) or more.

    >>> sparkline([0.0, 0.1, 0.2, 1.5]), sparkline([0.0, 0.1, 0.2, 1.5], ascii_only=True)
    ('▁▄▇█', '_-*#')
    """
    blocks = _ASCII_BLOCKS if ascii_only else _BLOCKS
    top = len(blocks) - 1
    return "".join(blocks[round(top * min(max(effect, 0.0) / _FULL, 1.0))] for effect in effects)


def _last(effects: list[float]) -> float:
    """Return the newest effect as it is shown; what rounds to 0 has no sign."""
    return round(effects[-1], 2) + 0.0 if effects else 0.0
