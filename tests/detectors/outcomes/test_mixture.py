"""Outcomes of a mixture: as if pairs of the parts had been counted together."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import METRICS, OutcomeLayout, count_outcomes, measure
from driftline.detectors.outcomes.mixture import labelled_events, mixed_outcomes

from .windows import binary, likely, scored, values

Parts = tuple[OutcomeLayout, IntArray, IntArray]


def classes(rng: np.random.Generator) -> Parts:
    score, other = rng.beta(2, 2, 4_000), rng.beta(1, 4, 1_500)
    layout = binary(score)
    first = count_outcomes(layout, scored(score, likely(rng, score)))
    return layout, first, count_outcomes(layout, scored(other, likely(rng, other**2)))


def sizes(rng: np.random.Generator) -> Parts:
    actual, other = rng.normal(1e4, 5, 4_000), rng.normal(9_990, 8, 1_500)
    first, second = actual + rng.normal(0, 1, 4_000), other - 3 + rng.normal(0, 2, 1_500)
    layout = OutcomeLayout.regression(first, actual)
    return (
        layout,
        count_outcomes(layout, values(first, actual)),
        count_outcomes(layout, values(second, other)),
    )


KINDS = [classes, sizes]


@pytest.mark.parametrize("kind", KINDS)
def test_in_their_own_shares_they_are_their_sum(kind: object) -> None:
    layout, first, second = kind(np.random.default_rng(1))  # type: ignore[operator]  # of KINDS
    events = [labelled_events(layout, each) for each in (first, second)]
    assert events == [4_000, 1_500]
    found = mixed_outcomes(layout, [first, second], [8 * n for n in events])
    assert found is not None
    assert measure(layout, found, METRICS) == measure(layout, first + second, METRICS)
    limbs = {"moments", "log_loss", "log_loss_squared", "brier", "brier_squared"}
    for section in layout.sections.keys() - limbs:  # whose sums have many forms
        assert (layout.view(found, section) == layout.view(first + second, section)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_those_of_pairs_drawn_in_the_windows_shares(kind: object) -> None:
    """Pooled: of scores and of R2 the mixture's is no mean of the parts'."""
    layout, first, second = kind(np.random.default_rng(2))  # type: ignore[operator]  # of KINDS
    found = mixed_outcomes(layout, [first, second], [300, 900])
    assert found is not None
    # 1 / (1/16 / 4,000 + 9/16 / 1,500) events
    assert labelled_events(layout, found) == pytest.approx(2_560, abs=3)
    wanted = measure(layout, first * 1_500 + second * 3 * 4_000)
    for name, figure in measure(layout, found).items():
        assert figure.value == pytest.approx(wanted[name].value, rel=5e-3), name


def test_what_a_window_has_none_of_or_nobody_knows_counts_for_nothing() -> None:
    layout, first, second = classes(np.random.default_rng(3))
    assert mixed_outcomes(layout, [first, second], [0, 0]) is None
    assert mixed_outcomes(layout, [first, second], [7, 0]) is first
    assert mixed_outcomes(layout, [first, np.zeros_like(second)], [7, 9]) is first
