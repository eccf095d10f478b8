"""Champion and challenger on files: their metrics side by side, and which one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np

from driftline.consumer.cli.backtest_compare_sides import (
    Answered,
    Given,
    named_sides,
    read_labels,
    read_sides,
    with_truth,
)
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_config import choose_model, read_config
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import (
    Figure,
    IndependentTest,
    OutcomeLayout,
    OutcomeRows,
    PairedTest,
    count_outcomes,
    measure,
)
from driftline.detectors.outcomes.comparison import Decision, Evidence
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference.answers import Answers
from driftline.producer.reference.outcome import measure_outcome

ALPHA = 0.05
# Of split traffic the test looks after each block of this number of labelled events.
_LOOK = 1_000


@dataclass(frozen=True)
class SideMetrics:
    """How one side did: predictions, those with their label, and metrics on these."""

    name: str
    predictions: int
    labelled: int
    metrics: dict[str, Figure]


@dataclass(frozen=True)
class Compared:
    """What came out.

    Attributes:
        sides: champion and challenger.
        paired: both predicted the same events, so each event was compared by itself.
        events: labelled events that were compared.
        decision: on the challenger; None without ground truth.
        p_value: of the stronger claim.
        reason: why there is no decision; empty where there is one.
    """

    sides: tuple[SideMetrics, SideMetrics]
    paired: bool
    events: int
    decision: Decision | None
    p_value: float | None
    reason: str = ""


def compare(given: Given) -> Compared:
    """Compare two sides by their events' ground truth.

    Events are paired by their id where more than half of either side's have one that the other has
    too; a second prediction of an id is left out. Otherwise each side is judged by its own.

    Raises:
        DriftlineError: a file, the configuration or the command line cannot be used.
    """
    config = None if given.config is None else read_config(given.config, offline=True).config
    names = named_sides(given, config)
    model = None
    if config is not None:
        model = choose_model(config, given.model or (names[0].model if names else None))
    topic = None if config is None or model is None else config.models[model].predictions[0]
    sides = read_sides(given, config, topic, names)
    sides = with_truth(given, sides, read_labels(given, config, model))
    positive = None if config is None or model is None else config.models[model].positive_label
    return _compare(given.pair, sides, positive)


def _compare(names: tuple[str, str], sides: list[list[Answered]], positive: str | None) -> Compared:
    known = [{one.id for one in rows if one.id is not None} for rows in sides]
    common = known[0] & known[1]
    paired = 2 * len(common) > max(len(rows) for rows in sides)
    if paired:
        sides = [_once(rows) for rows in sides]
    events = [{"prediction": o.prediction, "actual": o.actual} for rows in sides for o in rows]
    found = measure_outcome(Answers.of_events(events), positive)
    if found.layout is None or found.rows is None:
        raise CommandError(
            f"no performance measured: {found.unmeasured}"
            if found.unmeasured is not None
            else "no prediction has its ground truth: map actual, or give --actual COLUMN or"
            " --labels"
        )
    cut, layout = len(sides[0]), found.layout
    parts = [_part(found.rows, slice(None, cut)), _part(found.rows, slice(cut, None))]
    _check_classes(names, layout, parts)
    measured = [
        SideMetrics(
            name,
            len(rows),
            int((~np.isnan(part.actual)).sum()),
            measure(layout, count_outcomes(layout, part)),
        )
        for name, rows, part in zip(names, sides, parts, strict=True)
    ]
    both = measured[0], measured[1]
    if not (layout.labelled or layout.grid is not None):
        reason = "there is no prediction.label, so nobody knows which predictions are right"
        return Compared(both, paired, 0, None, None, reason)
    if paired:
        return _paired(both, sides, layout, parts)
    if layout.grid is not None:
        reason = "regressions are compared event by event, and these are not of the same events"
        return Compared(both, paired, 0, None, None, reason)
    return _independent(both, sides, parts)


def _check_classes(
    names: tuple[str, str], layout: OutcomeLayout, parts: Sequence[OutcomeRows]
) -> None:
    """Refuse sides that name their classes in different ways.

    Raises:
        CommandError: a side's classes are none of the other's, or none of the ground truth's.
    """
    if layout.grid is not None:
        return
    truths = [_classes(layout, part.actual) for part in parts]
    if all(truths) and not truths[0] & truths[1]:
        shown = " against ".join(", ".join(sorted(each)) for each in truths)
        raise CommandError(
            f"{names[0]} and {names[1]} have no class of ground truth in common: {shown}; write"
            " classes the same in both"
        )
    for name, part in zip(names, parts, strict=True):
        said, truth = _classes(layout, part.predicted), truths[0] | truths[1]
        if layout.labelled and said and truth and not said & truth:
            raise CommandError(
                f"{name}: its predictions ({', '.join(sorted(said))}) and the ground truth"
                f" ({', '.join(sorted(truth))}) have no class in common; write classes the same"
            )


def _classes(layout: OutcomeLayout, codes: Any) -> set[str]:
    """Return the classes that occur."""
    known = np.unique(codes[~np.isnan(codes)]).astype(np.int64).tolist()
    return {layout.classes[code] for code in known if code < len(layout.classes)}


def _once(rows: Sequence[Answered]) -> list[Answered]:
    """Return the first prediction of every id."""
    return list({one.id: one for one in reversed(rows) if one.id is not None}.values())[::-1]


def _part(rows: OutcomeRows, chosen: Any) -> OutcomeRows:
    return OutcomeRows(rows.predicted[chosen], rows.score[chosen], rows.actual[chosen])


def _paired(
    both: tuple[SideMetrics, SideMetrics],
    sides: Sequence[Sequence[Answered]],
    layout: OutcomeLayout,
    parts: Sequence[OutcomeRows],
) -> Compared:
    """Compare events that both sides predicted."""
    places = {one.id: place for place, one in enumerate(sides[1])}
    pairs = [(n, places[one.id]) for n, one in enumerate(sides[0]) if one.id in places]
    a, b = np.array(pairs, np.int64).T
    champion, challenger = _part(parts[0], a), _part(parts[1], b)
    known = ~np.isnan(champion.actual) & ~np.isnan(challenger.actual)
    if layout.grid is None:
        right = [each.predicted == each.actual for each in (champion, challenger)]
    else:
        known &= np.isfinite(champion.score) & np.isfinite(challenger.score)
        far = [np.abs(each.score - each.actual) for each in (champion, challenger)]
        right = [far[0] < far[1], far[1] < far[0]]
    test = PairedTest(
        int((known & right[0] & ~right[1]).sum()), int((known & right[1] & ~right[0]).sum())
    )
    return _decided(both, test.evidence, int(known.sum()), paired=True)


def _independent(
    both: tuple[SideMetrics, SideMetrics],
    sides: Sequence[Sequence[Answered]],
    parts: Sequence[OutcomeRows],
) -> Compared:
    """Compare sides that predicted different events, in the order of their times."""
    side = np.repeat([0, 1], [len(rows) for rows in sides])
    times = np.array([one.time for rows in sides for one in rows], np.int64)
    actual = np.concatenate([part.actual for part in parts])
    right = np.concatenate([part.predicted for part in parts]) == actual
    order = _mixed(side, times)
    order = order[~np.isnan(actual[order])]
    test = IndependentTest()
    for start in range(0, len(order), _LOOK):
        some = order[start : start + _LOOK]
        counts = [
            (int(right[some][side[some] == n].sum()), int((side[some] == n).sum())) for n in (0, 1)
        ]
        test = test.add(*counts)
    return _decided(both, test.evidence, len(order), paired=False)


def _mixed(side: IntArray, times: IntArray) -> IntArray:
    """Return the order of the times; without these, that of each side's own progress."""
    if (times != UNREADABLE).all() and _overlap(side, times):
        return np.lexsort((side, times))
    progress = [np.linspace(0.0, 1.0, int((side == n).sum()), endpoint=False) for n in (0, 1)]
    return np.lexsort((side, np.concatenate(progress)))


def _overlap(side: IntArray, times: IntArray) -> bool:
    """Return whether both sides were at work at the same time."""
    first, second = times[side == 0], times[side == 1]
    return bool(first.min() <= second.max() and second.min() <= first.max())


def _decided(
    both: tuple[SideMetrics, SideMetrics], evidence: Evidence, events: int, *, paired: bool
) -> Compared:
    if not (events and both[0].labelled and both[1].labelled):
        return Compared(both, paired, events, None, None, "no labelled events of both sides")
    # Half of alpha for each of the two claims.
    p_value = float(min(1.0, 2.0 * exp(-max(evidence))))
    return Compared(both, paired, events, evidence.decide(ALPHA), p_value)
