"""Evidence that a stream changed, added up pane by pane, for all features of one kind at once.

Each pane's log-likelihood under every alternative, less that under the normal law, is what the pane
says for it. The normal law is Dirichlet-multinomial: what the reference and the panes since know of
the shares. Alternatives are tilts of the present shares (`alternatives`) and laws that learn from
the pane before the last and those before it, so that the resemblance of neighbouring panes is not
taken for a change. The gain is divided by phi (`variation`).

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

_VARIED = 1.5  # phi from which on panes vary more than their size explains
_BEGUN = 0.5  # what an alternative must have gained for its beginning to be kept


@dataclass(eq=False)
class Gains:
    """What alternatives gained, each in an array of one shape; rounded to 32 bits.

    Attributes:
        evidence: log R.
        gained: what each gained since it began.
        began: number of the pane with which it began.
    """

    evidence: FloatArray
    gained: FloatArray
    began: IntArray

    @classmethod
    def none(cls, *shape: int) -> Gains:
        """Return that nothing was gained yet."""
        return cls(np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape, np.int64))

    def add(self, gains: FloatArray, seen: NDArray[np.bool_], pane: int) -> None:
        """Add what the alternatives gain with a pane; those that lost it all begin anew.

        Args:
            gains: of each alternative.
            seen: whether the pane has events of its feature, of each of the last axis.
            pane: its number.
        """
        added = gains + np.logaddexp(0.0, self.evidence)
        self.evidence = _single(np.where(seen, added, self.evidence))
        anew = (self.gained < _BEGUN) & seen
        self.began = np.where(anew, pane, self.began)
        since = np.where(anew, 0.0, self.gained) + gains
        self.gained = _single(np.where(seen, since, self.gained))

    def carry(self, other: Gains, mine: IntArray, theirs: IntArray) -> None:
        """Go on, in some of the last axis, with what was gained elsewhere."""
        self.evidence[:, mine] = other.evidence[:, theirs]
        self.gained[:, mine] = other.gained[:, theirs]
        self.began[:, mine] = other.began[:, theirs]

    def forget(self, columns: slice) -> None:
        """Let some of the last axis have gained nothing."""
        self.evidence[:, columns] = -np.inf
        self.gained[:, columns] = 0.0


@dataclass(eq=False)
class EvidenceState:
    """What is known after some panes; what is no whole number is rounded to 32 bits.

    Attributes:
        added: events since the reference in each bin, shape (M,).
        learnt: what the laws that learn know, shape (4, M).
        waiting: the last pane, which they do not know yet, shape (M,).
        alternatives: of numbers K rows of F; of categories a row for each step of `CLASSES`, over
            all bins.
        learners: the laws that learn, shape (4, F).
        panes: how many each feature saw, shape (F,).
    """

    added: FloatArray
    learnt: FloatArray
    waiting: FloatArray
    alternatives: Gains
    learners: Gains
    panes: IntArray

    @classmethod
    def start(cls, bins: PaneBins, alternatives: tuple[int, int]) -> EvidenceState:
        """Return the state before the first pane; `alternatives`: their shape."""
        size = bins.owner.size
        return cls(
            added=np.zeros(size),
            learnt=np.zeros((len(LEARNERS), size)),
            waiting=np.zeros(size),
            alternatives=Gains.none(*alternatives),
            learners=Gains.none(len(LEARNERS), bins.features),
            panes=np.zeros(bins.features, np.int64),
        )

    def carry(
        self,
        other: EvidenceState,
        features: tuple[IntArray, IntArray],
        bins: tuple[IntArray, IntArray],
    ) -> None:
        """Go on with what another state knows of some features.

        Args:
            other: of features of the same kind.
            features: their places here and there.
            bins: the numbers of their bins here and there.
        """
        (mine, theirs), (own, there) = features, bins
        self.added[own], self.waiting[own] = other.added[there], other.waiting[there]
        self.learnt[:, own] = other.learnt[:, there]
        by_bin = self.alternatives.evidence.shape[-1] == self.added.size
        self.alternatives.carry(other.alternatives, *(bins if by_bin else features))
        self.learners.carry(other.learners, *features)
        self.panes[mine] = other.panes[theirs]


class Evidence:
    """The evidence of features of one kind: all numbers, or all classes.

    Args:
        bins: of the features.
        tilts: of numbers; None for categories and booleans.
        state: as read; None before the first pane.
        fitted: whether the normal shares of each pane are fitted to it: then what is normal learns
            by how many times more came than that.

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
        self,
        bins: PaneBins,
        tilts: Tilts | None,
        state: EvidenceState | None = None,
        *,
        fitted: bool = False,
    ) -> None:
        self._bins, self._tilts, self._fitted = bins, tilts, fitted
        shape = (
            (len(CLASSES), bins.owner.size) if tilts is None else (tilts.which.size, bins.features)
        )
        self.state = EvidenceState.start(bins, shape) if state is None else state

    @property
    def known(self) -> FloatArray:
        """What is known by now of the shares that are normal, as if events, shape (M,)."""
        return self._bins.normal + self.state.added

    def add(
        self,
        x: FloatArray,
        phi: FloatArray,
        pane: int,
        grows: FloatArray | None = None,
        known: FloatArray | None = None,
    ) -> FloatArray:
        """Take in a pane.

        Args:
            x: its events per bin, shape (M,).
            phi: of each direction and feature, shape (5, F).
            pane: its number; numbers grow.
            grows: 1 for features whose normal shares learn from the pane, else 0, shape (F,);
                None: all.
            known: of the normal shares of this pane, as if events, shape (M,), where the features
                follow a cycle. Laws then learn by how many times more came than was normal, not
                what is normal at the hours before.

        Returns:
            The evidence of each feature, shape (F,): natural logarithms.
        """
        bins, state = self._bins, self.state
        normally = self.known if known is None else known
        total = bins.total(normally)
        p = normally / total[bins.owner]
        times = None
        if known is not None:
            times = p / (self.known / bins.total(self.known)[bins.owner])
        n = bins.total(x)
        normal = _dirichlet_multinomial(bins, x, normally, n, total)
        by_share = bins.total(x * np.log(p)) - normal
        if self._tilts is None:
            gains = class_gains(bins, x, p) + by_share[bins.owner]
            gains /= phi[OF_CLASSES][bins.owner]
        else:
            gains = (self._tilts.gains(bins, x, p) + by_share) / phi[self._tilts.direction]
        learnt = state.learnt if times is None else state.learnt * times
        learned = self._learned(x, p, n, normal, phi[OTHER], learnt) / phi[OTHER]
        seen = n > 0
        wide = seen if self._tilts is not None else seen[bins.owner]
        state.alternatives.add(gains, wide, pane)
        state.learners.add(learned, seen, pane)
        keep = np.array([decay for _, decay in LEARNERS])[:, None]
        state.learnt = _single(keep * state.learnt + state.waiting)
        state.waiting = x.astype(np.float64) if times is None else _single(x / times)
        more = x / times if times is not None and self._fitted else x
        state.added = state.added + (more if grows is None else more * grows[bins.owner])
        state.panes = state.panes + seen
        return self.evidence()

    def _learned(
        self,
        x: FloatArray,
        p: FloatArray,
        n: FloatArray,
        normal: FloatArray,
        phi: FloatArray,
        learnt: FloatArray,
    ) -> FloatArray:
        """Return what the laws that learn gain with a pane, shape (4, F).

        They know less than the normal law, so they expect panes to vary more. Where panes do, as
        those of events that come in clusters, that alone would be a gain in every pane. So what
        is a gain is one over the normal shares known no better, if that is less.
        """
        bins = self._bins
        weights = np.array([kappa for kappa, _ in LEARNERS])[:, None]
        prior = weights * p + learnt
        total = bins.total(prior)
        found = _dirichlet_multinomial(bins, x, prior, n, total)
        gained: FloatArray = found - normal
        varied = (phi > _VARIED) & (gained.max(axis=0) > 0.0)
        if varied.any():
            some = varied[bins.owner]
            own, known, first = x[some], (total[:, bins.owner] * p)[:, some], bins.first[:-1]
            first = np.searchsorted(np.flatnonzero(some), first[varied])
            terms = special.gammaln(known + own) - special.gammaln(known)
            wide = np.add.reduceat(terms, first, axis=1)
            wide += (special.gammaln(total) - special.gammaln(total + n))[:, varied]
            gained[:, varied] = np.minimum(gained[:, varied], found[:, varied] - wide)
        return gained

    def evidence(self) -> FloatArray:
        """Return the evidence of each feature as of the last pane, shape (F,); -inf before it."""
        bins, found = self._bins, self.state.alternatives.evidence
        if self._tilts is None:
            own = np.logaddexp.reduceat(found, bins.first[:-1], axis=1)
            count = found.shape[0] * np.diff(bins.first)
            own = np.logaddexp.reduce(own, axis=0)
        else:
            own = np.logaddexp.reduce(found, axis=0)
            count = np.full(bins.features, found.shape[0])
        both = np.logaddexp(own, np.logaddexp.reduce(self.state.learners.evidence, axis=0))
        mean: FloatArray = both - np.log(count + len(LEARNERS))
        return mean

    def onset(self) -> IntArray:
        """Return the number of the pane with which each feature's change began, shape (F,)."""
        bins, own, learners = self._bins, self.state.alternatives, self.state.learners
        if self._tilts is not None:
            best = np.concatenate([own.gained, learners.gained])
            since = np.concatenate([own.began, learners.began])
            return np.asarray(np.take_along_axis(since, best.argmax(axis=0)[None], 0)[0])
        steps, size = own.gained.shape
        most = np.maximum.reduceat(own.gained.max(axis=0), bins.first[:-1])
        places = np.arange(steps * size).reshape(steps, size)
        leading = np.where(own.gained == most[bins.owner], places, steps * size).min(axis=0)
        first = np.minimum.reduceat(leading, bins.first[:-1])
        learner = learners.gained.argmax(axis=0)[None]
        learnt, since = (
            np.take_along_axis(each, learner, 0)[0] for each in (learners.gained, learners.began)
        )
        return np.where(most >= learnt, own.began.ravel()[first], since)

    def forget(self, f: int, events: FloatArray) -> None:
        """Take events of the f-th feature's bins out of what is normal, as far as they are in."""
        own = slice(int(self._bins.first[f]), int(self._bins.first[f + 1]))
        added = self.state.added.copy()
        added[own] = np.maximum(added[own] - events, 0.0)
        self.state.added = added

    def reset(self, f: int) -> None:
        """Begin the f-th feature anew: no evidence."""
        own, one = slice(int(self._bins.first[f]), int(self._bins.first[f + 1])), slice(f, f + 1)
        self.state.alternatives.forget(own if self._tilts is None else one)
        self.state.learners.forget(one)
        self.state.learnt[:, own] = 0.0


def _dirichlet_multinomial(
    bins: PaneBins, x: FloatArray, known: FloatArray, n: FloatArray, total: FloatArray
) -> FloatArray:
    """Log-probability of a pane, without the multinomial coefficient, shape (..., F)."""
    terms = bins.total(special.gammaln(known + x) - special.gammaln(known))
    found: FloatArray = terms + special.gammaln(total) - special.gammaln(total + n)
    return found


def _single(values: FloatArray) -> FloatArray:
    """Round to 32 bits, so that what is kept is what is worked with."""
    return values.astype(np.float32).astype(np.float64)
