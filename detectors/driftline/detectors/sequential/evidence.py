"""Evidence that a stream changed, added up pane by pane, for all features of one kind at once.

Each pane's log-likelihood under every alternative, less that under the normal law, is what the pane
says for it. The normal law is Dirichlet-multinomial: what the reference and the panes since know of
the shares. Alternatives are tilts of the present shares (`alternatives`) and laws that learn from
the pane before the last and those before it, so that the resemblance of neighbouring panes is not
taken for a change. What is said is divided by phi (`variation`).

    R_k <- (1 + R_k) exp(L_k),  evidence = log of the mean of R_k over the alternatives k

(Shiryaev-Roberts; the mean over alternatives, and so over features, is an e-detector: Shin, Ramdas
and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", 2023,
arXiv 2203.03532). For independent events the expected number of times that a feature reaches log c
in T panes is at most T / c, whatever else happens in the other features. With a phi that was
estimated this is measured, not proved.

A change begins (`onset`) with the pane in which the leading alternative last began to gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.detectors import special
from driftline.detectors.dispersion import OTHER
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.alternatives import (
    CLASSES,
    LEARNERS,
    OF_CLASSES,
    Tilts,
    class_gains,
)
from driftline.detectors.sequential.pane_bins import PaneBins

_BEGUN = 0.5  # what an alternative must have gained for its beginning to be kept


@dataclass(eq=False)
class EvidenceState:
    """What is known after some panes; all arrays but `panes` are rounded to 32 bits.

    K: what each feature is tested for. Of numbers K rows of F; of categories one row for each step
    of `CLASSES`, over all bins. The laws that learn are apart.

    Attributes:
        added: events since the reference in each bin, shape (M,).
        learnt: what the laws that learn know, shape (4, M).
        waiting: the last pane, which they do not know yet, shape (M,).
        evidence: log R of the alternatives, shape (K, F) or (5, M).
        learners: log R of the laws that learn, shape (4, F).
        gained: what each alternative gained since it began, like `evidence`.
        began: number of the pane with which it began, like `evidence`.
        learners_gained, learners_began: the same of the laws that learn.
        panes: how many each feature saw, shape (F,).
    """

    added: FloatArray
    learnt: FloatArray
    waiting: FloatArray
    evidence: FloatArray
    learners: FloatArray
    gained: FloatArray
    began: IntArray
    learners_gained: FloatArray
    learners_began: IntArray
    panes: IntArray

    @classmethod
    def start(cls, bins: PaneBins, alternatives: tuple[int, ...]) -> EvidenceState:
        """Return the state before the first pane; `alternatives`: the shape of `evidence`."""
        learners = (len(LEARNERS), bins.features)
        return cls(
            added=np.zeros(bins.owner.size),
            learnt=np.zeros((len(LEARNERS), bins.owner.size)),
            waiting=np.zeros(bins.owner.size),
            evidence=np.full(alternatives, -np.inf),
            learners=np.full(learners, -np.inf),
            gained=np.zeros(alternatives),
            began=np.zeros(alternatives, np.int64),
            learners_gained=np.zeros(learners),
            learners_began=np.zeros(learners, np.int64),
            panes=np.zeros(bins.features, np.int64),
        )


class Evidence:
    """The evidence of features of one kind: all numbers, or all classes.

    Args:
        bins: of the features.
        tilts: of numbers; None for categories and booleans.
        state: as read; None before the first pane.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> bins = PaneBins(layout, np.array([6000, 4000, 0, 0, 0, 0]))
        >>> evidence = Evidence(bins, None)
        >>> for pane in range(20):
        ...     logs = evidence.add(np.array([40.0, 60.0, 0.0]), np.ones((5, 1)), pane)
        >>> logs[0] > 100, evidence.onset()
        (np.True_, array([0]))
    """

    def __init__(
        self, bins: PaneBins, tilts: Tilts | None, state: EvidenceState | None = None
    ) -> None:
        self._bins, self._tilts = bins, tilts
        shape = (
            (len(CLASSES), bins.owner.size) if tilts is None else (tilts.which.size, bins.features)
        )
        self.state = EvidenceState.start(bins, shape) if state is None else state

    @property
    def shares(self) -> FloatArray:
        """The shares that are normal by now, shape (M,)."""
        known = self._bins.normal + self.state.added
        shares: FloatArray = known / self._bins.total(known)[self._bins.owner]
        return shares

    def add(
        self, x: FloatArray, phi: FloatArray, pane: int, grows: FloatArray | None = None
    ) -> FloatArray:
        """Take in a pane.

        Args:
            x: its events per bin, shape (M,).
            phi: of each direction and feature, shape (5, F).
            pane: its number; numbers grow.
            grows: 1 for features whose normal shares learn from the pane, else 0, shape (F,);
                None: all.

        Returns:
            The evidence of each feature, shape (F,): natural logarithms.
        """
        bins, state = self._bins, self.state
        known = bins.normal + state.added
        total = bins.total(known)
        p = known / total[bins.owner]
        n = bins.total(x)
        normal = _dirichlet_multinomial(bins, x, known, n, total)
        by_share = bins.total(x * np.log(p)) - normal
        if self._tilts is None:
            gains = class_gains(bins, x, p) + by_share[bins.owner]
            gains /= phi[OF_CLASSES][bins.owner]
        else:
            gains = (self._tilts.gains(bins, x, p) + by_share) / phi[self._tilts.direction]
        weights = np.array([kappa for kappa, _ in LEARNERS])[:, None]
        prior = weights * p + state.learnt
        learned = _dirichlet_multinomial(bins, x, prior, n, bins.total(prior)) - normal
        learned /= phi[OTHER]
        seen = n > 0
        wide = seen if self._tilts is not None else seen[bins.owner]
        state.evidence = _single(
            np.where(wide, gains + np.logaddexp(0.0, state.evidence), state.evidence)
        )
        state.learners = _single(
            np.where(seen, learned + np.logaddexp(0.0, state.learners), state.learners)
        )
        state.gained, state.began = _gain(state.gained, state.began, gains, wide, pane)
        state.learners_gained, state.learners_began = _gain(
            state.learners_gained, state.learners_began, learned, seen, pane
        )
        keep = np.array([decay for _, decay in LEARNERS])[:, None]
        state.learnt = _single(keep * state.learnt + state.waiting)
        state.waiting = x.astype(np.float64)
        state.added = state.added + (x if grows is None else x * grows[bins.owner])
        state.panes = state.panes + seen
        return self.evidence()

    def evidence(self) -> FloatArray:
        """Return the evidence of each feature as of the last pane, shape (F,); -inf before it."""
        bins, state = self._bins, self.state
        if self._tilts is None:
            own = np.logaddexp.reduceat(state.evidence, bins.first[:-1], axis=1)
            count = state.evidence.shape[0] * np.diff(bins.first)
            own = np.logaddexp.reduce(own, axis=0)
        else:
            own = np.logaddexp.reduce(state.evidence, axis=0)
            count = np.full(bins.features, state.evidence.shape[0])
        both = np.logaddexp(own, np.logaddexp.reduce(state.learners, axis=0))
        mean: FloatArray = both - np.log(count + len(LEARNERS))
        return mean

    def onset(self) -> IntArray:
        """Return the number of the pane with which each feature's change began, shape (F,)."""
        bins, state = self._bins, self.state
        best, since = state.learners_gained, state.learners_began
        if self._tilts is not None:
            best = np.concatenate([state.gained, best])
            since = np.concatenate([state.began, since])
            return np.asarray(np.take_along_axis(since, best.argmax(axis=0)[None], 0)[0])
        onset = np.empty(bins.features, np.int64)
        for f in range(bins.features):
            own = slice(int(bins.first[f]), int(bins.first[f + 1]))
            gained = np.concatenate([state.gained[:, own].ravel(), best[:, f]])
            begun = np.concatenate([state.began[:, own].ravel(), since[:, f]])
            onset[f] = begun[gained.argmax()]
        return onset

    def forget(self, f: int, events: FloatArray) -> None:
        """Take events of the f-th feature's bins out of what is normal."""
        own = slice(int(self._bins.first[f]), int(self._bins.first[f + 1]))
        added = self.state.added.copy()
        added[own] -= events
        self.state.added = added

    def reset(self, f: int) -> None:
        """Begin the f-th feature anew: no evidence."""
        own = slice(int(self._bins.first[f]), int(self._bins.first[f + 1]))
        state = self.state
        columns = own if self._tilts is None else slice(f, f + 1)
        state.evidence[:, columns] = -np.inf
        state.gained[:, columns] = 0.0
        state.learners[:, f] = -np.inf
        state.learners_gained[:, f] = 0.0
        state.learnt[:, own] = 0.0


def _dirichlet_multinomial(
    bins: PaneBins, x: FloatArray, known: FloatArray, n: FloatArray, total: FloatArray
) -> FloatArray:
    """Log-probability of a pane, without the multinomial coefficient, shape (..., F)."""
    terms = bins.total(special.gammaln(known + x) - special.gammaln(known))
    found: FloatArray = terms + special.gammaln(total) - special.gammaln(total + n)
    return found


def _gain(
    gained: FloatArray, began: IntArray, gains: FloatArray, seen: NDArray[np.bool_], pane: int
) -> tuple[FloatArray, IntArray]:
    """Add to what alternatives gained since they began; those that lost it all begin anew."""
    anew = (gained < _BEGUN) & seen
    since = np.where(anew, pane, began)
    added = np.where(seen, np.where(anew, 0.0, gained) + gains, gained)
    return _single(added), since


def _single(values: FloatArray) -> FloatArray:
    """Round to 32 bits, so that what is kept is what is worked with."""
    return values.astype(np.float32).astype(np.float64)
