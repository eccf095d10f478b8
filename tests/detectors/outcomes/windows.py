"""Windows of predictions with ground truth, drawn for the tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows

Draw = Callable[[np.random.Generator, int], FloatArray]

SCORES: dict[str, Draw] = {
    "uniform": lambda rng, n: rng.random(n),
    "skewed": lambda rng, n: rng.beta(1, 5, n),
    "bimodal": lambda rng, n: np.where(rng.random(n) < 0.5, rng.beta(8, 2, n), rng.beta(2, 8, n)),
    "margin": lambda rng, n: rng.normal(0.0, 2.0, n),
}


def scored(score: FloatArray, positive: np.typing.ArrayLike, limit: float = 0.5) -> OutcomeRows:
    """Rows of a binary classifier that says yes above `limit`."""
    return OutcomeRows(
        (score > limit).astype(np.int32), score, np.asarray(positive).astype(np.float64)
    )


def binary(scores: FloatArray, labelled: bool = True) -> OutcomeLayout:
    return OutcomeLayout.classification(["0", "1"], "1", labelled, scores)


def values(predicted: FloatArray, actual: FloatArray) -> OutcomeRows:
    """Rows of a regression."""
    return OutcomeRows(np.zeros(actual.size, np.int32), predicted, actual)


def classes(predicted: np.typing.ArrayLike, actual: np.typing.ArrayLike) -> OutcomeRows:
    """Rows of a classifier without scores, by class codes."""
    codes = np.asarray(predicted, np.int32)
    return OutcomeRows(codes, np.full(codes.size, np.nan), np.asarray(actual, np.float64))


def likely(rng: np.random.Generator, score: FloatArray) -> np.typing.NDArray[np.bool_]:
    """Draw labels with the probability that the score (a margin: its logistic) says."""
    margin = bool(score.size) and (score.min() < 0.0 or score.max() > 1.0)
    p = 1.0 / (1.0 + np.exp(-score)) if margin else score
    return np.asarray(rng.random(score.size) < p)
