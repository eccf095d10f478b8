from __future__ import annotations

import json
from dataclasses import asdict
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.detectors.outcomes.comparison import Decision, Evidence, IndependentTest, PairedTest

RUNS = 400


def paired_run(
    rng: np.random.Generator, share: float, panes: int, most: int = 60, until: str = ""
) -> list[Decision]:
    """What is said after every pane; `share` of the discordant pairs are the challenger's.

    `until`: what ends the run.
    """
    decisions = []
    test = PairedTest()
    for events in rng.integers(0, most, panes).tolist():
        challenger = int(rng.binomial(events, share))
        test = test.add(champion=events - challenger, challenger=challenger)
        decisions.append(test.evidence.decide(0.05))
        if decisions[-1] == until:
            break
    return decisions


def independent_run(
    rng: np.random.Generator,
    champion: float,
    challenger: float,
    panes: int,
    most: int = 300,
    until: str = "",
) -> list[Decision]:
    """What is said after every pane; both get better and worse together from pane to pane."""
    decisions = []
    test = IndependentTest()
    for n_a, n_b in rng.integers(0, most, (panes, 2)).tolist():
        common = float(rng.uniform(-0.03, 0.03))
        test = test.add(
            (int(rng.binomial(n_a, champion + common)), n_a),
            (int(rng.binomial(n_b, challenger + common)), n_b),
        )
        decisions.append(test.evidence.decide(0.05))
        if decisions[-1] == until:
            break
    return decisions


def said(decision: Decision, runs: list[list[Decision]]) -> float:
    """Share of runs in which it was ever said."""
    return sum(decision in run for run in runs) / len(runs)


def test_paired_equal_models_are_hardly_ever_told_apart_however_often_one_looks() -> None:
    rng = np.random.default_rng(1)
    runs = [paired_run(rng, 0.5, 200) for _ in range(RUNS)]
    assert said("better", runs) + said("worse", runs) <= 0.05


def test_independent_equal_models_are_hardly_ever_told_apart_however_often_one_looks() -> None:
    rng = np.random.default_rng(2)
    runs = [independent_run(rng, 0.9, 0.9, 200) for _ in range(RUNS)]
    assert said("better", runs) + said("worse", runs) <= 0.05


def test_a_worse_challenger_is_never_called_better() -> None:
    rng = np.random.default_rng(3)
    paired = [paired_run(rng, 0.45, 100) for _ in range(200)]
    independent = [independent_run(rng, 0.9, 0.88, 100) for _ in range(200)]
    assert said("better", paired) <= 0.01
    assert said("better", independent) <= 0.01
    assert said("worse", paired) > 0.7
    assert said("worse", independent) > 0.7


@pytest.mark.parametrize(("share", "median"), [(0.6, 15), (0.7, 5)])
def test_paired_power(share: float, median: float) -> None:
    """In panes of 30 discordant pairs: .6 needs about 400 of them, .7 about 100."""
    rng = np.random.default_rng(4)
    runs = [paired_run(rng, share, 100, until="better") for _ in range(200)]
    assert said("better", runs) == 1.0
    assert np.median([run.index("better") + 1 for run in runs]) <= median


@pytest.mark.parametrize(("challenger", "median"), [(0.92, 36), (0.95, 7)])
def test_independent_power(challenger: float, median: float) -> None:
    """In panes of 150 events a model: .90 against .92 needs about 5,000 each, .95 about 900."""
    rng = np.random.default_rng(5)
    runs = [independent_run(rng, 0.9, challenger, 200, until="better") for _ in range(200)]
    assert said("better", runs) > 0.99
    assert np.median([run.index("better") + 1 for run in runs if "better" in run]) <= median


COUNTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12)


@given(COUNTS)
def test_paired_evidence_is_a_function_of_the_counts(panes: list[tuple[int, int]]) -> None:
    test = PairedTest()
    for champion, challenger in panes:
        test = test.add(champion, challenger)
    assert test == PairedTest(sum(a for a, _ in panes), sum(b for _, b in panes))
    mirrored = PairedTest(test.challenger, test.champion).evidence
    assert mirrored == Evidence(test.evidence.worse, test.evidence.better)


@settings(max_examples=50)
@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_paired_evidence_equals_the_integral(champion: int, challenger: int) -> None:
    """The likelihood ratio averaged over shares uniform on 1/2 to 1, by the midpoint rule."""
    share = 0.5 + (np.arange(100_000) + 0.5) / 200_000
    log_ratio = challenger * np.log(2.0 * share) + champion * np.log(2.0 * (1.0 - share))
    top = log_ratio.max()
    wanted = top + np.log(np.mean(np.exp(log_ratio - top)))
    found = PairedTest(champion, challenger).evidence.better
    assert found == pytest.approx(wanted, abs=1e-4)


@given(st.integers(0, 12), st.integers(0, 12))
def test_paired_evidence_is_expected_to_stay(champion: int, challenger: int) -> None:
    """With equal models, one pair more leaves the evidence as it is on average."""
    now = PairedTest(champion, challenger)
    for claim in ("better", "worse"):
        after = [np.exp(getattr(now.add(*more).evidence, claim)) / 2.0 for more in ((1, 0), (0, 1))]
        assert sum(after) == pytest.approx(np.exp(getattr(now.evidence, claim)), rel=1e-7)


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.integers(0, 4),
    st.integers(0, 4),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_independent_evidence_is_not_expected_to_grow(
    right: tuple[int, int], n_a: int, n_b: int, low: float, high: float
) -> None:
    """Over all outcomes of a pane, each weighted with its probability, while the claim is wrong."""
    low, high = sorted((low, high))
    before = IndependentTest((right[0], 9), (right[1], 9))
    claims = {"better": (high, low), "worse": (low, high)}  # shares at which the claim is wrong
    for claim, (a, b) in claims.items():
        expected = 0.0
        for x in range(n_a + 1):
            for y in range(n_b + 1):
                chance = binomial(x, n_a, a) * binomial(y, n_b, b)
                after = before.add((x, n_a), (y, n_b)).evidence
                expected += chance * float(np.exp(getattr(after, claim)))
        assert expected <= 1.0 + 1e-8


def binomial(k: int, n: int, p: float) -> float:
    ways = float(np.prod([(n - i) / (i + 1) for i in range(k)]))
    return ways * p**k * (1.0 - p) ** (n - k)


def test_restored_from_json_it_continues_as_before() -> None:
    rng = np.random.default_rng(6)
    panes = [
        ((int(rng.binomial(n, 0.9)), n), (int(rng.binomial(m, 0.97)), m))
        for n, m in rng.integers(0, 200, (40, 2)).tolist()
    ]
    states = list(accumulate(panes, lambda test, pane: test.add(*pane), initial=IndependentTest()))
    for (state, later), pane in zip(pairwise(states), panes, strict=True):
        document = json.loads(json.dumps(asdict(state), allow_nan=False))
        restored = IndependentTest(
            champion=tuple(document["champion"]),
            challenger=tuple(document["challenger"]),
            evidence=Evidence(*document["evidence"]),
        )
        assert restored.add(*pane) == later
    assert states[-1].evidence.decide(0.05) == "better"


def test_a_small_first_pane_does_not_spoil_what_comes() -> None:
    rng = np.random.default_rng(7)
    runs = []
    for _ in range(100):
        test = IndependentTest().add(
            (int(rng.binomial(10, 0.9)), 10), (int(rng.binomial(10, 0.92)), 10)
        )
        decisions = []
        for _ in range(20):
            test = test.add(
                (int(rng.binomial(2_500, 0.9)), 2_500), (int(rng.binomial(2_500, 0.92)), 2_500)
            )
            decisions.append(test.evidence.decide(0.05))
        runs.append(decisions)
    assert said("better", runs) == 1.0


def test_far_apart_and_empty_counts_have_finite_evidence() -> None:
    assert PairedTest().evidence == Evidence(0.0, 0.0)
    far = PairedTest(champion=60_000, challenger=40_000).evidence
    assert far.worse > 1_000.0
    assert far.better == pytest.approx(-np.log(20_000), abs=0.01)
    one_sided = IndependentTest().add((50, 50), (0, 0)).add((0, 0), (50, 50))
    assert one_sided.evidence == Evidence(0.0, 0.0)
    never = IndependentTest((100, 100), (0, 100)).add((0, 500), (500, 500)).evidence
    assert np.isfinite(never).all()
