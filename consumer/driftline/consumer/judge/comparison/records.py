"""Writes the verdicts and alerts of comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from msgspec.structs import replace

from driftline.consumer.config import ComparisonConfig, format_number
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.comparison.variation import SidesVariation, shares
from driftline.consumer.judge.dispersed import counted
from driftline.consumer.judge.lives.life import Life, WindowTimes
from driftline.consumer.judge.records import (
    Cause,
    JudgedWindow,
    Judgement,
    RecordWriter,
    too_few,
)
from driftline.consumer.judge.sentence import Wording, amount
from driftline.consumer.wire.records import Alert, DetectorValue, Sides, Verdict
from driftline.consumer.wire.subject import COMPARISON
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import Figure
from driftline.detectors.outcomes.comparison import LEAST_PANES, Decision, Evidence
from driftline.detectors.outcomes.figure import share_figure

NOTED = 2.0
"""phi from which on a verdict says that events count less."""


@dataclass(frozen=True)
class Standing:
    """What is known of a comparison, from its first pane on.

    Attributes:
        since, until: of the panes, ms since 1970; `since` is None before the first.
        cells: see `COMPARISON_CELLS`; one more: predictions that expired without label.
        versions: predictions by side.
        evidence: for and against the challenger, tempered by how much the two vary.
        decision: the last that was reached.
        variation: how much the sides vary from pane to pane.
        paired: each event is compared by itself: those that both got right, or wrong, tell nothing.
    """

    since: int | None
    until: int
    cells: IntArray
    versions: dict[str, int]
    evidence: Evidence
    decision: Decision
    variation: SidesVariation
    paired: bool

    @property
    def unknown(self) -> str:
        """Why nothing can be decided yet; empty where it can."""
        panes = self.variation.between.panes
        if panes >= LEAST_PANES:
            return ""
        which = "that one of both predicted better" if self.paired else "of both"
        what = f"pane{'' if panes == 1 else 's'} with labelled events {which}"
        return f"{too_few(panes, LEAST_PANES, what)} to know how much they vary by themselves"

    @property
    def note(self) -> str | None:
        """What the variation of the sides means for the decision; None: nothing."""
        phi = self.variation.between.phi()
        if phi < NOTED:
            return None
        return f"how the two compare differs from pane to pane by more than chance: {counted(phi)}"

    def reached(self, alpha: float) -> Decision:
        """Return what the evidence says by itself."""
        return "undecided" if self.unknown else self.evidence.decide(alpha)

    @property
    def window(self) -> JudgedWindow:
        """All of its time, as one window."""
        since = self.since or 0
        times = WindowTimes(since, self.until, since)
        return JudgedWindow(times, sum(self.versions.values()), self.versions)

    @property
    def p_value(self) -> float:
        """Of the stronger claim; at most alpha where it is decided by alpha."""
        if self.unknown:
            return 1.0
        # Half of alpha for each claim; evidence against both may be of any size.
        return 2.0 * exp(-max(*self.evidence, log(2.0)))

    def figures(self, traffic: str) -> tuple[Figure, Figure]:
        """Return how often champion and challenger were right, with 95 % intervals."""
        champion, challenger = shares(self.cells, split=traffic == "split")
        return (
            _share(*champion, self.variation.champion.phi()),
            _share(*challenger, self.variation.challenger.phi()),
        )


class ComparisonWriter:
    """Writes the records of one comparison.

    Args:
        records: of the comparison, which is the model of its records too.
        config: its configuration.
        kind: what is predicted: classification or regression.
    """

    def __init__(self, records: RecordWriter, config: ComparisonConfig, kind: str) -> None:
        self._records, self._config = records, config
        self._regression = kind == "regression"

    def verdict(self, standing: Standing) -> Verdict:
        """Return the verdict after a pane: on all that was compared up to its end."""
        champion, challenger = standing.figures(self._config.traffic)
        reason = None
        if not (champion.n and challenger.n):
            side = self._config.challenger if champion.n else self._config.champion
            reason = (
                "no labelled events that both predicted"
                if self._config.traffic == "same"
                else f"no labelled events of {side} alone"
            )
        reason = reason or standing.unknown or None
        found = Judgement(
            subject=COMPARISON,
            type="performance",
            reason=reason,
            counts=self._counts(standing),
            figures={
                "champion": DetectorValue.of(
                    champion.value, interval=(champion.low, champion.high)
                ),
                "challenger": DetectorValue.of(
                    challenger.value, interval=(challenger.low, challenger.high)
                ),
                COMPARISON.name: self._difference(standing),
            },
        )
        verdict = self._records.verdict(standing.window, found, note=standing.note)
        return replace(verdict, sides=self._sides(standing))

    def alert(self, standing: Standing, revision: int) -> Alert:
        """Return the record of what was decided."""
        alpha = format_number(self._config.alpha)
        life = Life(
            self._records.stream, COMPARISON.field, "performance", standing.since or 0,
            firing=True, severity=1, revision=revision,
            rule=f"comparison: {self._config.traffic} traffic, alpha {alpha}",
        )  # fmt: skip
        cause = Cause(
            wording=self._wording(standing),
            type="performance",
            detector=(COMPARISON.name, self._difference(standing)),
            counts=self._counts(standing),
        )
        return self._records.alert(life, standing.window, cause)

    def _sides(self, standing: Standing) -> Sides:
        sides = self._config.sides
        models = tuple(dict.fromkeys(side.model for side in sides))
        return Sides(models, str(sides[0]), str(sides[1]), standing.decision)

    def _difference(self, standing: Standing) -> DetectorValue:
        champion, challenger = standing.figures(self._config.traffic)
        return DetectorValue.of(
            challenger.value - champion.value,
            standing.p_value,
            self._config.alpha,
            "ok" if standing.decision == "undecided" else "warning",
        )

    def _counts(self, standing: Standing) -> dict[str, int]:
        """Return the counts as they stand in records; `unused`: labelled, but not comparable."""
        cells = standing.cells.tolist()
        alone, both = sum(cells[:4]), sum(cells[4:COMPARISON_CELLS])
        split = self._config.traffic == "split"
        used, unused = (alone, both) if split else (both, alone)
        return {"labelled": used, "unused": unused, "expired": cells[COMPARISON_CELLS]}

    def _wording(self, standing: Standing) -> Wording:
        champion, challenger = standing.figures(self._config.traffic)
        labelled = self._counts(standing)["labelled"]
        unit = "nearer to the truth in a share of" if self._regression else "accuracy"
        row = f"{self._config.challenger} is {standing.decision} than {self._config.champion}"
        text = (
            f"{row}: {unit} {_with_interval(challenger)} against "
            f"{_with_interval(champion, short=True)}, on {labelled:,} labelled events, "
            f"since {self._records.axis.moment(standing.since or 0)}."
        )
        return Wording(text, row)


def _share(right: int, n: int, phi: float) -> Figure:
    """Return a share with its interval, which rests on a phi-th of the events."""
    if not n:
        return Figure.none()
    share = right / n
    return share_figure(share, phi * share * (1.0 - share) / n, n, n / phi)


def _with_interval(figure: Figure, *, short: bool = False) -> str:
    said = "" if short else "95 % interval "
    return f"{amount(figure.value)} ({said}{amount(figure.low)} to {amount(figure.high)})"
