"""The parameters of derivations, from values of the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from driftline.detectors.derivations import TextDerivation, VectorDerivation
from driftline.detectors.derivations.text import word_hashes
from driftline.detectors.derivations.vector import MOST_DIMENSIONS, Steps, exponent_for, steps_of
from driftline.detectors.grid import FloatArray
from driftline.producer.errors import InputError

_SEED = 15
_STARTS = 4


def fit_vector(name: str, vectors: Sequence[FloatArray], centroids: int) -> VectorDerivation:
    """Find centroids by K-means; vectors of another length than most are left out.

    Args:
        name: of the field.
        vectors: at least one, each of shape (d,).
        centroids: how many; fewer where fewer vectors differ.

    Raises:
        InputError: they are too long, or none is finite.

    Example:
        >>> near = [np.array([0.0, 1.0])] * 2 + [np.array([5.0, 1.0])]
        >>> vector = fit_vector("v", near, 16)
        >>> (vector.centroids * 2.0**-vector.exponent).tolist()
        [[0.0, 1.0], [5.0, 1.0]]
    """
    lengths = Counter(map(len, vectors))
    length = min(lengths, key=lambda each: (-lengths[each], each))
    if length > MOST_DIMENSIONS:
        raise InputError(f"{name}: {length:,} numbers, at most {MOST_DIMENSIONS:,}")
    matrix = np.stack([vector for vector in vectors if len(vector) == length])
    matrix = matrix[np.isfinite(matrix).all(axis=1)]
    if not len(matrix):
        raise InputError(f"{name}: no array of numbers is finite")
    exponent = exponent_for(matrix)
    steps = steps_of(matrix, exponent)
    return VectorDerivation.of(name, exponent, _centroids(steps, centroids))


def fit_text(name: str, texts: Sequence[str], words: int) -> TextDerivation:
    """Find the most frequent words; of equally frequent ones those of smallest hash."""
    hashes, counts = np.unique(word_hashes(texts).hashes, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:words]
    return TextDerivation.of(name, np.sort(hashes[frequent]))


def _centroids(steps: FloatArray, most: int) -> Steps:
    """Return `most` centroids or fewer, that of most vectors first."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    distinct = len(np.unique(steps, axis=0))
    means = KMeans(min(most, distinct), n_init=_STARTS, random_state=_SEED)
    # More threads add up the same numbers in another order each time.
    with threadpool_limits(1):
        found = means.fit(steps)
    rounded = np.rint(found.cluster_centers_).astype(np.int16)
    events = np.bincount(found.labels_, minlength=len(rounded))
    order = np.lexsort((*rounded.T[::-1], -events))
    centroids: Steps = rounded[order]
    _, first = np.unique(centroids, axis=0, return_index=True)
    return centroids[np.sort(first)]
