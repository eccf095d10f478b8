"""Is the challenger better than the champion? An answer that may be asked for at any time.

Both tests are e-processes: while a claim is wrong, its evidence is a number that is expected to
stay at 1 or below, so the chance that it ever reaches 1 / alpha is at most alpha (Ville 1939;
Ramdas, Gruenwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference",
Statistical Science 38, 2023). So one may look after every pane, for ever, and stop when it suits.

What is compared is the share of right predictions, or of any other yes or no: for a regression
"nearer to the truth than the other model", say.

That holds where each event is a draw of its own. Where the difference of the two varies phi times
as much from pane to pane (`share_variation.py`), a phi-th of the events is counted: then the chance
is measured, and no longer proved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, log1p
from typing import Literal, NamedTuple, Self

from driftline.detectors import special
from driftline.detectors.outcomes.share_variation import ShareVariation, chance_variance
from driftline.detectors.rounding import significant

LEAST_PANES = 20
"""Panes with events of both, before which nobody knows how much their difference varies."""

Decision = Literal["better", "worse", "undecided"]

_LN2 = log(2.0)
_SMALLEST = 1e-290  # nearer to 0 doubles lose digits


class Evidence(NamedTuple):
    """Natural logarithms of the evidence for each claim about the challenger."""

    better: float
    worse: float

    def decide(self, alpha: float) -> Decision:
        """Say how the challenger compares with the champion.

        Args:
            alpha: chance of ever saying `better` of a challenger that is not better, or `worse` of
                one that is not worse: both together, however often one looks.

        Example:
            >>> Evidence(3.0, -2.0).decide(0.05), Evidence(4.0, -2.0).decide(0.05)
            ('undecided', 'better')

            Of split traffic both claims may have been made in their time: the stronger one counts.

            >>> Evidence(4.0, 9.0).decide(0.05)
            'worse'
        """
        needed = float(significant(log(2.0 / alpha)))  # half of alpha for each claim
        if max(self) < needed:
            return "undecided"
        return "better" if self.better >= self.worse else "worse"


_NONE = Evidence(0.0, 0.0)


@dataclass(frozen=True)
class PairedTest:
    """Both models predict the same events: only pairs in which one alone is right tell.

    If neither is better, the challenger is the right one in half of them. The evidence is the
    likelihood ratio against one half, averaged over all larger (smaller) shares alike, so it is a
    function of the two counts alone.

    Attributes:
        champion: events that only the champion got right.
        challenger: events that only the challenger got right.

    Example:
        >>> test = PairedTest().add(champion=20, challenger=30).add(champion=18, challenger=44)
        >>> test.evidence
        Evidence(better=4.38823026, worse=-3.657439292)
        >>> test.evidence.decide(0.05)
        'better'
    """

    champion: int = 0
    challenger: int = 0

    def add(self, champion: int, challenger: int) -> Self:
        """Return the test with more events counted."""
        return replace(
            self, champion=self.champion + champion, challenger=self.challenger + challenger
        )

    @property
    def evidence(self) -> Evidence:
        """For and against the challenger."""
        return self.tempered(1.0)

    def tempered(self, phi: float) -> Evidence:
        """Return the evidence of a phi-th of the events."""
        champion, challenger = self.champion / phi, self.challenger / phi
        return Evidence(
            _more_than_half(challenger, champion), _more_than_half(champion, challenger)
        )

    def vary(self, variation: ShareVariation, champion: int, challenger: int) -> ShareVariation:
        """Add one more pane to how much the challenger's share of these events varies."""
        before = self.challenger, self.champion + self.challenger
        return variation.add_share(before, (challenger, champion + challenger))


@dataclass(frozen=True)
class IndependentTest:
    """Each model predicts its own share of the traffic.

    Before a pane is counted, the panes before it say what shares of right predictions to expect of
    the two models (`a`, `b`). The pane's evidence is its likelihood under these, over that under
    their average `(n_a a + n_b b) / (n_a + n_b)` for both models; the panes' evidence multiplies.
    A pane counts towards the claim that the panes before it favour. The shares may change from
    pane to pane; only their order matters.

    Source: Turner, Ly and Gruenwald, "Generic E-variables for exact sequential k-sample tests that
    allow for optional stopping", J. Stat. Planning and Inference 230, 2024, theorem 1. Neither
    claim is helped by a pane's size, so sizes may vary, but not with the outcomes in the pane.

    Attributes:
        champion: right predictions of the champion, and all that it was judged by.
        challenger: the same of the challenger.
        evidence: for and against the challenger.

    Example:
        >>> test = IndependentTest()
        >>> for _ in range(8):
        ...     test = test.add(champion=(270, 300), challenger=(288, 300))
        >>> test.evidence
        Evidence(better=27.40214003, worse=0.0)
        >>> test.evidence.decide(0.05)
        'better'
    """

    champion: tuple[int, int] = (0, 0)
    challenger: tuple[int, int] = (0, 0)
    evidence: Evidence = _NONE

    def add(self, champion: tuple[int, int], challenger: tuple[int, int]) -> Self:
        """Return the test with one more pane.

        Args:
            champion: right predictions of the pane, and all of them.
            challenger: the same.
        """
        better, worse = self.evidence
        a, b = self._expected(champion[1] + challenger[1])
        gained = _likelihood_ratio(champion, challenger, a, b)
        if b > a:
            better = float(significant(better + gained))
        else:
            worse = float(significant(worse + gained))
        return replace(
            self,
            champion=_add(self.champion, champion),
            challenger=_add(self.challenger, challenger),
            evidence=Evidence(better, worse),
        )

    def tempered(self, phi: float) -> Evidence:
        """Return the evidence of a phi-th of the events."""
        better, worse = significant([each / phi for each in self.evidence]).tolist()
        return Evidence(better, worse)

    def vary(
        self, variation: ShareVariation, champion: tuple[int, int], challenger: tuple[int, int]
    ) -> ShareVariation:
        """Add one more pane to how much the difference of the two shares varies."""
        (right_a, n_a), (right_b, n_b) = champion, challenger
        if not (n_a and n_b):
            return variation
        events = n_a * n_b / (n_a + n_b)
        chance = chance_variance(self.champion) / n_a + chance_variance(self.challenger) / n_b
        return variation.add(right_b / n_b - right_a / n_a, events, events * chance)

    def _expected(self, events: int) -> tuple[float, float]:
        """Expect of each model what it did so far, drawn together for a pane of many events.

        A guess from few events, held against many, would cost more than a true difference brings.
        """
        (right_a, n_a), (right_b, n_b) = self.champion, self.challenger
        if not (n_a and n_b and events):
            return 0.5, 0.5
        together = (right_a + right_b + 0.5) / (n_a + n_b + 1)
        trust = (n_a + n_b) / (n_a + n_b + events)
        return (
            together + trust * ((right_a + 0.5) / (n_a + 1) - together),
            together + trust * ((right_b + 0.5) / (n_b + 1) - together),
        )


def _add(counts: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return counts[0] + more[0], counts[1] + more[1]


def _more_than_half(successes: float, failures: float) -> float:
    """Log of the likelihood ratio against 1/2, averaged over shares uniform on 1/2 to 1."""
    n = successes + failures
    upper = float(special.betainc(failures + 1, successes + 1, 0.5))  # of the Beta law, above 1/2
    if upper > _SMALLEST:
        ratio = (n + 1) * _LN2 + float(special.betaln(successes + 1, failures + 1)) + log(upper)
    else:  # the ratio falls off from 1/2 like an exponential (Laplace's method)
        excess = failures - successes
        ratio = log1p(-n / excess**2) - log(excess)
    return float(significant(ratio))


def _likelihood_ratio(
    champion: tuple[int, int], challenger: tuple[int, int], a: float, b: float
) -> float:
    (right_a, n_a), (right_b, n_b) = champion, challenger
    if a == b or not (n_a and n_b):
        return 0.0
    both = (n_a * a + n_b * b) / (n_a + n_b)
    return (
        right_a * log(a / both)
        + (n_a - right_a) * (log1p(-a) - log1p(-both))
        + right_b * log(b / both)
        + (n_b - right_b) * (log1p(-b) - log1p(-both))
    )
