"""Writes the verdicts and alerts of comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, nan

from driftline.consumer.config import ComparisonConfig, ModelConfig, format_number
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.sentence import amount, fit, moment, opening
from driftline.consumer.wire.ids import identity
from driftline.consumer.wire.records import (
    Alert,
    DetectorValue,
    ReferenceName,
    Verdict,
    Window,
    most_frequent,
    number,
)
from driftline.consumer.wire.subject import COMPARISON
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import Figure
from driftline.detectors.outcomes.comparison import Decision, Evidence
from driftline.detectors.outcomes.figure import share_figure
from driftline.producer.records.timestamp import format_time


@dataclass(frozen=True)
class Standing:
    """What is known of a comparison, from its first pane on.

    Attributes:
        since, until: of the panes, ms since 1970; `since` is None before the first.
        cells: see `COMPARISON_CELLS`; one more: predictions that expired without label.
        versions: predictions by side.
        evidence: for and against the challenger.
        decision: the last that was reached.
    """

    since: int | None
    until: int
    cells: IntArray
    versions: dict[str, int]
    evidence: Evidence
    decision: Decision

    @property
    def p_value(self) -> float:
        """Of the stronger claim; at most alpha where it is decided by alpha."""
        # Half of alpha for each claim; evidence against both may be of any size.
        return 2.0 * exp(-max(*self.evidence, log(2.0)))

    def figures(self, traffic: str) -> tuple[Figure, Figure]:
        """Return how often champion and challenger were right, with 95 % intervals."""
        cells = self.cells.tolist()
        if traffic == "split":
            return _share(cells[0], cells[0] + cells[1]), _share(cells[2], cells[2] + cells[3])
        both = sum(cells[4:COMPARISON_CELLS])
        return _share(cells[4] + cells[5], both), _share(cells[4] + cells[6], both)


class ComparisonWriter:
    """Writes the records of one comparison.

    Args:
        name: of the comparison; of the stream and model of its records too.
        config: its configuration.
        champion: the champion's model, whose owner and runbook alerts have.
        reference: the champion's.
        kind: what is predicted: classification or regression.
    """

    def __init__(
        self,
        name: str,
        config: ComparisonConfig,
        champion: ModelConfig,
        reference: ReferenceName,
        kind: str,
    ) -> None:
        self._name, self._config, self._champion = name, config, champion
        self._reference = reference
        self._regression = kind == "regression"

    def verdict(self, standing: Standing) -> Verdict:
        """Return the verdict after a pane: on all that was compared up to its end."""
        window, counts = self._window(standing), self._counts(standing)
        champion, challenger = standing.figures(self._config.traffic)
        reason = None
        if not (champion.n and challenger.n):
            side = self._config.challenger if champion.n else self._config.champion
            reason = (
                "no labelled events that both predicted"
                if self._config.traffic == "same"
                else f"no labelled events of {side} alone"
            )
        decided = standing.decision != "undecided"
        return Verdict(
            schema="driftline.verdict.v1",
            verdict_id=identity(
                self._name, COMPARISON.field, window.start, window.end, self._reference.id
            ),
            stream=self._name,
            model=self._name,
            segment=None,
            feature=COMPARISON.field,
            type="performance",
            state="insufficient" if reason is not None else "warning" if decided else "ok",
            reason=reason,
            window=window,
            reference=self._reference,
            versions=most_frequent(standing.versions),
            counts=counts,
            effect=None,
            detectors={} if reason is not None else {
                "champion": _detector(champion),
                "challenger": _detector(challenger),
                "comparison": DetectorValue(
                    value=number(challenger.value - champion.value),
                    p_value=number(standing.p_value),
                    threshold=number(self._config.alpha),
                    state="warning" if decided else "ok",
                ),
            },
            bins=None,
        )  # fmt: skip

    def alert(self, standing: Standing, revision: int) -> Alert:
        """Return the record of what was decided."""
        window, since = self._window(standing), format_time(standing.since or 0)
        champion, challenger = standing.figures(self._config.traffic)
        return Alert(
            schema="driftline.alert.v1",
            alert_id=identity(self._name, COMPARISON.field, "performance", since),
            revision=revision,
            status="firing",
            severity="warning",
            kind="performance",
            summary=self._summary(standing, champion, challenger),
            stream=self._name,
            model=self._name,
            segment=None,
            feature=COMPARISON.field,
            type="performance",
            since=since,
            until=None,
            rule=f"comparison: {self._config.traffic} traffic, alpha "
            f"{format_number(self._config.alpha)}",
            detector="comparison",
            value=number(challenger.value - champion.value),
            p_value=number(standing.p_value),
            threshold=number(self._config.alpha),
            effect=None,
            breaches=None,
            window=window,
            reference=self._reference,
            versions=most_frequent(standing.versions),
            counts=self._counts(standing),
            top=[],
            incident_id=identity(self._name, since),
            also_firing=[],
            owner=self._champion.owner,
            runbook=self._champion.runbook,
        )

    def active(self, standing: Standing) -> list[tuple[str, str, str, int]]:
        """Return (stream, feature, kind, severity) of the alert that fires now, if one does."""
        if standing.decision == "undecided":
            return []
        return [(self._name, COMPARISON.field, "performance", 1)]

    def _window(self, standing: Standing) -> Window:
        start, end = format_time(standing.since or 0), format_time(standing.until)
        return Window(start, end, sum(standing.versions.values()))

    def _counts(self, standing: Standing) -> dict[str, int]:
        """Return the counts as they stand in records; `unused`: labelled, but not comparable."""
        cells = standing.cells.tolist()
        alone, both = sum(cells[:4]), sum(cells[4:COMPARISON_CELLS])
        split = self._config.traffic == "split"
        used, unused = (alone, both) if split else (both, alone)
        return {"labelled": used, "unused": unused, "expired": cells[COMPARISON_CELLS]}

    def _summary(self, standing: Standing, champion: Figure, challenger: Figure) -> str:
        labelled = self._counts(standing)["labelled"]
        unit = "nearer to the truth in a share of" if self._regression else "accuracy"
        return fit(
            f"{opening(self._name)}{self._config.challenger} is {standing.decision} than "
            f"{self._config.champion}: {unit} {_with_interval(challenger)} against "
            f"{_with_interval(champion, short=True)}, on {labelled:,} labelled events, "
            f"since {moment(standing.since or 0)}."
        )


def _share(right: int, n: int) -> Figure:
    if not n:
        return Figure.none()
    share = right / n
    return share_figure(share, share * (1.0 - share) / n, n, n)


def _detector(figure: Figure) -> DetectorValue:
    return DetectorValue(
        value=number(figure.value),
        p_value=number(nan),
        threshold=number(nan),
        state=None,
        interval=(number(figure.low), number(figure.high)),
    )


def _with_interval(figure: Figure, *, short: bool = False) -> str:
    said = "" if short else "95 % interval "
    return f"{amount(figure.value)} ({said}{amount(figure.low)} to {amount(figure.high)})"
