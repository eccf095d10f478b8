"""Evidence against a slow transcription, laws that scipy has, and what changes do to it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln, logsumexp
from tests.detectors.sequential.simulated import reference

from driftline.detectors.dispersion import OTHER
from driftline.detectors.grid import FloatArray
from driftline.detectors.sequential.alternatives import CLASSES, LEARNERS, Tilts, class_gains
from driftline.detectors.sequential.evidence import Evidence
from driftline.detectors.sequential.pane_bins import PaneBins

REFERENCE = reference()
NUMBERS = PaneBins(REFERENCE.layout, REFERENCE.counts[0], np.array([0, 1]))
CLASSIFIED = PaneBins(REFERENCE.layout, REFERENCE.counts[0], np.array([2, 3]))
ONE = np.ones((5, 2))


def own(bins: PaneBins, f: int) -> slice:
    return slice(int(bins.first[f]), int(bins.first[f + 1]))


def pane(bins: PaneBins, rng: np.random.Generator, events: int = 60) -> FloatArray:
    """Events per bin that are distributed like the reference's."""
    parts = [rng.multinomial(events, bins.shares[own(bins, f)]) for f in range(bins.features)]
    return np.concatenate(parts).astype(np.float64)


def log_multinomial(x: FloatArray, p: FloatArray) -> float:
    """Log-likelihood of shares without the coefficient."""
    return float((x * np.log(p)).sum())


def log_dirichlet_multinomial(x: FloatArray, alpha: FloatArray) -> float:
    """The same of a Dirichlet-multinomial, by scipy."""
    n = np.array([int(x.sum())])
    coefficient = gammaln(x.sum() + 1) - gammaln(x + 1).sum()
    law = stats.dirichlet_multinomial(alpha, n)
    return float(np.ravel(law.logpmf(x.astype(np.int64)[None]))[0] - coefficient)


@dataclass
class Slow:
    """One feature, by the formulas one by one."""

    bins: PaneBins
    tilts: Tilts | None
    f: int
    added: FloatArray = field(init=False)
    learnt: list[FloatArray] = field(init=False)
    waiting: FloatArray = field(init=False)
    evidence: FloatArray | None = None

    def __post_init__(self) -> None:
        size = self.bins.normal[own(self.bins, self.f)].size
        self.added, self.waiting = np.zeros(size), np.zeros(size)
        self.learnt = [np.zeros(size) for _ in LEARNERS]

    def gains(self, x: FloatArray, phi: FloatArray) -> FloatArray:
        known = self.bins.normal[own(self.bins, self.f)] + self.added
        p = known / known.sum()
        normal = log_dirichlet_multinomial(x, known)
        found = []
        if self.tilts is None:
            for step in CLASSES:
                for b in range(p.size):
                    tilted = p * np.exp(step * (np.arange(p.size) == b))
                    gain = log_multinomial(x, tilted / tilted.sum()) - normal
                    found.append(gain / phi[OTHER])
        else:
            scores = self.tilts.scores[:, own(self.bins, self.f)]
            for which, step, direction in zip(
                self.tilts.which, self.tilts.step, self.tilts.direction, strict=True
            ):
                tilted = p * np.exp(step * scores[which])
                gain = log_multinomial(x, tilted / tilted.sum()) - normal
                found.append(gain / phi[direction])
        learned = [
            log_dirichlet_multinomial(x, kappa * p + learnt) - normal
            for (kappa, _), learnt in zip(LEARNERS, self.learnt, strict=True)
        ]
        if phi[OTHER] > 1.5 and max(learned) > 0:
            wide = [
                log_dirichlet_multinomial(x, (kappa + learnt.sum()) * p) - normal
                for (kappa, _), learnt in zip(LEARNERS, self.learnt, strict=True)
            ]
            learned = [min(gain, gain - more) for gain, more in zip(learned, wide, strict=True)]
        found += [gain / phi[OTHER] for gain in learned]
        return np.array(found)

    def add(self, x: FloatArray, phi: FloatArray) -> float:
        gained = self.gains(x, phi)
        before = np.full(gained.size, -np.inf) if self.evidence is None else self.evidence
        self.evidence = gained + np.log1p(np.exp(before))
        for i, (_, keep) in enumerate(LEARNERS):
            self.learnt[i] = keep * self.learnt[i] + self.waiting
        self.waiting = x
        self.added = self.added + x
        return float(logsumexp(self.evidence) - np.log(self.evidence.size))


@pytest.mark.parametrize("bins", [NUMBERS, CLASSIFIED], ids=["numbers", "classes"])
def test_evidence_is_what_its_formulas_say(bins: PaneBins) -> None:
    rng = np.random.default_rng(4)
    tilts = Tilts.of(bins) if bins is NUMBERS else None
    phi = rng.uniform(1.0, 3.0, (5, 2))
    phi[OTHER] = 1.4, 2.6
    evidence, slow = Evidence(bins, tilts), [Slow(bins, tilts, f) for f in range(2)]
    for number in range(12):
        x = pane(bins, rng, 60 + number)
        if number > 6:
            x[own(bins, 0)] = np.roll(x[own(bins, 0)], 1)
        found = evidence.add(x, phi, number)
        expected = [each.add(x[own(bins, f)], phi[:, f]) for f, each in enumerate(slow)]
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)  # kept in 32 bits


@given(st.lists(st.integers(0, 30), min_size=3, max_size=3))
def test_gains_of_categories_are_ratios_of_likelihoods(events: list[int]) -> None:
    bins = PaneBins(REFERENCE.layout, REFERENCE.counts[0], np.array([2]))
    x, p = np.array(events, np.float64), bins.shares
    found = class_gains(bins, x, p)
    for row, step in enumerate(CLASSES):
        for b in range(3):
            tilted = p * np.exp(step * (np.arange(3) == b))
            ratio = log_multinomial(x, tilted / tilted.sum()) - log_multinomial(x, p)
            assert found[row, b] == pytest.approx(ratio, abs=1e-9)


def test_scores_are_standardised_and_tails_are_where_few_events_are() -> None:
    tilts = Tilts.of(NUMBERS)
    p = NUMBERS.shares
    for score in tilts.scores[:3]:
        assert NUMBERS.total(score * p) == pytest.approx([0.0, 0.0])
        assert NUMBERS.total(score * score * p) == pytest.approx([1.0, 1.0])
    shares = NUMBERS.total(tilts.scores[3:] * p)[:, 0]
    assert ((shares > 0.001) & (shares < 0.025)).all()
    upwards = Tilts.of(NUMBERS, upwards=True)
    assert (upwards.step > 0).all()
    assert np.exp(upwards.step.max()) == pytest.approx(100.0)


def test_evidence_of_quiet_panes_is_at_most_their_number_on_average() -> None:
    """E[R] is the number of panes where events are independent: R less that is a martingale."""
    rng, reached = np.random.default_rng(9), []
    for _ in range(150):
        shares = rng.dirichlet(NUMBERS.normal[own(NUMBERS, 0)])
        few = rng.dirichlet(NUMBERS.normal[own(NUMBERS, 1)])
        evidence = Evidence(NUMBERS, Tilts.of(NUMBERS))
        for number in range(10):
            x = np.concatenate([rng.multinomial(50, shares), rng.multinomial(50, few)])
            found = evidence.add(x.astype(np.float64), ONE, number)
        reached.append(np.exp(found))
    mean = np.array(reached).mean(axis=0)
    assert (mean < 14.0).all()  # 10, and three standard errors
    assert (mean > 5.0).all()


@pytest.mark.parametrize("bins", [NUMBERS, CLASSIFIED], ids=["numbers", "classes"])
def test_events_that_come_in_clusters_are_no_evidence(bins: PaneBins) -> None:
    """Each event is sent up to six times: panes vary more in all bins, which is no change."""
    rng, evidence = np.random.default_rng(3), Evidence(bins, None)
    phi = np.full((5, 2), 4.33)  # E[k^2] / E[k]
    for number in range(300):
        x = sum(k * pane(bins, rng, 6) for k in range(1, 7))
        found = evidence.add(np.asarray(x), phi, number)
    assert (found < np.log(300 / 0.01)).all()


def changed(bins: PaneBins, begins: int, panes: int) -> tuple[Evidence, list[FloatArray]]:
    rng = np.random.default_rng(2)
    evidence = Evidence(bins, Tilts.of(bins) if bins is NUMBERS else None)
    found = []
    for number in range(panes):
        x = pane(bins, rng, 200)
        if number >= begins:
            first = own(bins, 0)
            x[first] = np.roll(x[first], 1)
        found.append(evidence.add(x, ONE, number))
    return evidence, found


@pytest.mark.parametrize("bins", [NUMBERS, CLASSIFIED], ids=["numbers", "classes"])
def test_a_change_is_found_dated_and_begun_anew(bins: PaneBins) -> None:
    evidence, found = changed(bins, 12, 20)
    assert found[11].max() < 8.0 < 30.0 < found[-1][0]
    assert found[-1][1] < 8.0
    assert evidence.onset()[0] in (11, 12, 13)
    other = evidence.evidence()[1]
    kept, _ = changed(bins, 12, 12)
    first = own(bins, 0)
    evidence.forget(0, evidence.state.added[first] - kept.state.added[first])
    evidence.reset(0)
    assert evidence.evidence().tolist() == [-np.inf, other]
    again = evidence.add(pane(bins, np.random.default_rng(1), 200), ONE, 20)
    assert again[0] < 8.0


def test_what_is_forgotten_is_not_normal_any_more() -> None:
    evidence, _ = changed(NUMBERS, 12, 20)
    kept, _ = changed(NUMBERS, 12, 12)
    first = own(NUMBERS, 0)
    since = evidence.state.added[first] - kept.state.added[first]
    before = evidence.known.copy()
    evidence.forget(0, since)
    assert evidence.known[first].tolist() == kept.known[first].tolist()
    assert evidence.known[first.stop :].tolist() == before[first.stop :].tolist()


def test_normal_shares_of_some_features_can_be_held() -> None:
    evidence = Evidence(NUMBERS, Tilts.of(NUMBERS))
    x = pane(NUMBERS, np.random.default_rng(1))
    evidence.add(x, ONE, 0, np.array([0.0, 1.0]))
    assert NUMBERS.total(evidence.state.added).tolist() == [0.0, 60.0]


@pytest.mark.parametrize("bins", [NUMBERS, CLASSIFIED], ids=["numbers", "classes"])
def test_a_pane_without_events_says_nothing(bins: PaneBins) -> None:
    evidence, found = changed(bins, 5, 8)
    empty = evidence.add(np.zeros(bins.owner.size), ONE, 8)
    assert empty.tolist() == found[-1].tolist()
    assert evidence.state.panes.tolist() == [8, 8]
    none = Evidence(bins, None if bins is CLASSIFIED else Tilts.of(bins))
    assert none.add(np.zeros(bins.owner.size), ONE, 0).tolist() == [-np.inf, -np.inf]


def test_evidence_is_divided_by_phi() -> None:
    rng = np.random.default_rng(6)
    x = np.roll(pane(NUMBERS, rng, 300), 1)
    one, two = (Evidence(NUMBERS, Tilts.of(NUMBERS)) for _ in range(2))
    one.add(x, ONE, 0)
    two.add(x, 1.25 * ONE, 0)
    assert two.state.alternatives.evidence == pytest.approx(
        one.state.alternatives.evidence / 1.25, rel=1e-6
    )
    assert two.state.learners.evidence == pytest.approx(
        one.state.learners.evidence / 1.25, rel=1e-6
    )


def test_a_class_that_nearly_vanishes_is_dated_to_the_pane() -> None:
    # A tenth of the events becomes 1 of 150: a slight fall would already be seen in quiet panes
    # that happened to hold a few less, and so begin too early.
    plan = PaneBins(REFERENCE.layout, REFERENCE.counts[0], np.array([3]))
    after = np.array([0.65, 0.343, 0.007, 0.0])
    errors = []
    for seed in range(40):
        rng = np.random.default_rng([19, seed])
        evidence = Evidence(plan, None)
        for number in range(60):
            shares = plan.shares if number < 40 else after
            events = rng.multinomial(100, shares).astype(np.float64)
            if evidence.add(events, np.ones((5, 1)), number)[0] > 8.0 and number >= 40:
                break
        errors.append(int(evidence.onset()[0]) - 40)
    assert min(errors) >= -2
    assert errors.count(0) >= 36
