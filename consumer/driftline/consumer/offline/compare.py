"""Champion and challenger on files: how each did, and which one is better.

The predictions of both become the events of one topic, each side a model. The join and the judge
of comparisons, which the service runs, do the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from driftline.consumer.join.cells import EXTRA_CELLS
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.comparison.records import Standing
from driftline.consumer.offline.comparison import NAME, SIDES, TOPIC, Comparison, set_up
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.sides import Wanted, read_sides
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.comparing import comparison_key
from driftline.consumer.wire.codec import unpack_integers
from driftline.consumer.wire.messages import Pane
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import Figure, OutcomeLayout, measure
from driftline.detectors.outcomes.comparison import Decision
from driftline.producer.errors import InputError


@dataclass(frozen=True)
class SideMetrics:
    """How one side did: predictions, those with their label, and metrics on these."""

    name: str
    predictions: int
    labelled: int
    metrics: dict[str, Figure]


@dataclass(frozen=True)
class Decided:
    """What was decided of the challenger.

    Attributes:
        decision: the last that was reached.
        p_value: of the stronger claim, on all events.
        after: labelled events after which a decision was reached first; None without one.
    """

    decision: Decision
    p_value: float
    after: int | None


@dataclass(frozen=True)
class Compared:
    """What came out.

    Attributes:
        sides: champion and challenger.
        paired: both predicted the same events, so each event was compared by itself.
        events: labelled events that were compared.
        alpha: chance of ever saying better or worse wrongly.
        decided: None where nothing was compared.
        reason: why there is no decision; empty where there is one.
        verdicts: of the judge, after each pane.
    """

    sides: tuple[SideMetrics, SideMetrics]
    paired: bool
    events: int
    alpha: float
    decided: Decided | None = None
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def decision(self) -> Decision | None:
        """The last that was reached; None where nothing was compared."""
        return None if self.decided is None else self.decided.decision


def compare(wanted: Wanted, feedback: Feedback) -> Compared:
    """Compare two sides by their events' ground truth.

    Raises:
        DriftlineError: a file or the configuration cannot be used, or the sides cannot be compared.
    """
    sides = read_sides(wanted, feedback)
    with feedback.progress("predictions put in order", None):
        comparison = set_up(wanted, sides)
    return run(comparison, wanted.names, feedback)


def run(comparison: Comparison, names: tuple[str, str], feedback: Feedback) -> Compared:
    """Run a comparison to its end; `names`: of champion and challenger.

    Raises:
        InputError: the sides name their classes in different ways.
    """
    stages = _Stages(comparison)
    outputs: list[Verdict | Alert] = []
    with feedback.progress("predictions compared", comparison.events.rows) as show:
        done = 0
        for table, later in comparison.chunks():
            outputs += stages.feed_table(table)
            outputs += stages.close(later)
            done += table.rows
            show(done)
        outputs += stages.end(comparison.maturity)
    for failure in stages.failures.values():
        raise failure
    _check_classes(names, comparison.layout, stages.counts)
    champion, challenger = (
        _metrics(comparison, stages.counts, number, name) for number, name in enumerate(names)
    )
    found = Compared(
        sides=(champion, challenger),
        paired=comparison.paired,
        events=0,
        alpha=comparison.alpha,
        reason=comparison.reason,
        verdicts=tuple(output for output in outputs if isinstance(output, Verdict)),
    )
    standing = stages.standing
    if standing is None:
        return found
    cells = standing.cells.tolist()
    events = sum(cells[4:COMPARISON_CELLS] if comparison.paired else cells[:4])
    found = replace(found, events=events)
    if not (events and champion.labelled and challenger.labelled):
        return replace(found, reason="no labelled events of both sides")
    if standing.unknown and standing.decision == "undecided":
        return replace(found, reason=standing.unknown)
    counts = (output.counts for output in outputs if isinstance(output, Alert))
    first = next((each["labelled"] for each in counts if each is not None), None)
    return replace(found, decided=Decided(standing.decision, standing.p_value, first))


class _Stages(Backtest):
    """The stages of a comparison, with the sum of what the join counts of each side.

    Attributes:
        counts: of all panes, by side; see `OutcomeLayout`.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison.plan, SIDES[0], TOPIC, sides=SIDES)
        size = comparison.layout.size
        self.counts = {side: np.zeros(size + EXTRA_CELLS, np.int64) for side in SIDES}

    @property
    def standing(self) -> Standing | None:
        """What is known of the comparison; None where there is none, or it failed."""
        judge = self._judging.parts.get(comparison_key(NAME))
        return judge.standing if isinstance(judge, ComparisonJudge) else None

    def _keep(self, topic: str, offset: int, message: Any) -> None:
        if isinstance(message, Pane) and message.outcomes and message.model in self.counts:
            for stream in message.streams:
                indexes = np.cumsum(unpack_integers(stream.indexes))
                self.counts[message.model][indexes] += unpack_integers(stream.counts)


def _metrics(
    comparison: Comparison, counts: dict[str, IntArray], number: int, name: str
) -> SideMetrics:
    side, layout = SIDES[number], comparison.layout
    totals = comparison.plan.join_tallies[side]
    return SideMetrics(
        name,
        comparison.rows[number] - totals.duplicates,
        totals.joined,
        measure(layout, counts[side][: layout.size]),
    )


def _check_classes(
    names: tuple[str, str], layout: OutcomeLayout, counts: dict[str, IntArray]
) -> None:
    """Refuse sides that name their classes in different ways.

    Raises:
        InputError: a side's classes are none of the other's, or none of the ground truth's.
    """
    if not layout.labelled:
        return
    tables = [layout.view(counts[side][: layout.size], "confusion") for side in SIDES]
    truths = [_occurring(layout, table.sum(axis=1)) for table in tables]
    if all(truths) and not truths[0] & truths[1]:
        shown = " against ".join(", ".join(sorted(each)) for each in truths)
        raise InputError(
            f"{names[0]} and {names[1]} have no class of ground truth in common: {shown}; write"
            " classes the same in both"
        )
    truth = truths[0] | truths[1]
    for name, table in zip(names, tables, strict=True):
        predicted = _occurring(layout, table.sum(axis=0))
        if predicted and truth and not predicted & truth:
            raise InputError(
                f"{name}: its predictions ({', '.join(sorted(predicted))}) and the ground truth"
                f" ({', '.join(sorted(truth))}) have no class in common; write classes the same"
            )


def _occurring(layout: OutcomeLayout, events: IntArray) -> set[str]:
    """Return the classes that events have."""
    return {name for name, many in zip(layout.classes, events.tolist(), strict=False) if many}
