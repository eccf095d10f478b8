"""A vector as two values: which of K centroids is nearest, and how far it is.

The vector is put on a grid of whole steps of 16 bits first; the step is a power of two. From there
on all arithmetic is of whole numbers: the products of two vectors are added up in doubles, whose
partial sums are whole numbers below 2^53, so nothing is rounded whatever the order, the batch or
the machine. (A product of floats is not so: the same vectors gave other last digits in nine of ten
results when the batch was cut elsewhere.)
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray
from driftline.detectors.registry import FeatureType

Steps = NDArray[np.int16]

MOST_DIMENSIONS = 1 << 16
MOST_CENTROIDS = 200
_LARGEST = 32_767  # steps: what is further from 0 counts as that far
_CLUSTER, _DISTANCE = 0, 1


@dataclass(frozen=True, eq=False)
class VectorDerivation:
    """The features of a vector.

    Attributes:
        source: the field of the events that holds the vector.
        features: names of the nearest centroid's number and of the distance to it.
        exponent: there are 2^exponent steps to 1.
        centroids: int16, shape (K, d), in steps; the first is that of most vectors.

    Example:
        >>> vector = VectorDerivation.of("embedding", 2, np.array([[0, 0], [40, 40]], np.int16))
        >>> vector.derive(np.array([[1.0, 0.0], [10.0, 9.0], [np.nan, 0.0]])).tolist()
        [[0.0, 1.0, -inf], [1.0, 1.0, -inf]]
    """

    source: str
    features: tuple[str, ...]
    exponent: int
    centroids: Steps

    kind: ClassVar[Literal["vector"]] = "vector"
    PARTS: ClassVar[tuple[str, ...]] = ("cluster", "distance")

    @classmethod
    def of(cls, source: str, exponent: int, centroids: Steps) -> Self:
        """Return the derivation of a field, with the names that its features usually have."""
        return cls(source, tuple(f"{source}.{part}" for part in cls.PARTS), exponent, centroids)

    @property
    def types(self) -> tuple[FeatureType, ...]:
        """The type of each feature."""
        return ("categorical", "numeric")

    def categories(self, part: int) -> tuple[str, ...]:
        """Return the categories of a feature, by the number that `derive` gives; else none."""
        return tuple(map(str, range(len(self.centroids)))) if part == _CLUSTER else ()

    @property
    def holds(self) -> str:
        """What the field holds, in words."""
        return f"an array of {self.dimensions} numbers"

    @property
    def dimensions(self) -> int:
        """Numbers of a vector, d."""
        return int(self.centroids.shape[1])

    @cached_property
    def _doubled(self) -> FloatArray:
        return np.ascontiguousarray(-2.0 * self.centroids.astype(np.float64).T)

    @cached_property
    def _squares(self) -> FloatArray:
        exact = self.centroids.astype(np.int64)
        squares: FloatArray = (exact * exact).sum(axis=1).astype(np.float64)
        return squares

    def derive(self, vectors: FloatArray) -> FloatArray:
        """Return the features of vectors.

        Args:
            vectors: shape (n, d).

        Returns:
            Shape (2, n): the number of the nearest centroid, of equally near ones the lowest, and
            the Euclidean distance to it, in the vectors' own unit; -inf (invalid) of a vector with
            a number that is not finite.
        """
        steps = steps_of(vectors, self.exponent)
        nearer = steps @ self._doubled
        nearer += self._squares
        cluster = nearer.argmin(axis=1)
        squared = np.einsum("ij,ij->i", steps, steps) + nearer[np.arange(len(steps)), cluster]
        found = np.stack([cluster.astype(np.float64), np.sqrt(squared) * 2.0**-self.exponent])
        found[:, ~np.isfinite(vectors).all(axis=1)] = -np.inf
        return found

    def to_json(self) -> dict[str, Any]:
        """Return it as a part of the reference file."""
        packed = base64.b64encode(self.centroids.astype("<i2").tobytes()).decode()
        return {
            "kind": self.kind,
            "source": self.source,
            "features": list(self.features),
            "exponent": self.exponent,
            "dimensions": self.dimensions,
            "centroids": packed,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is of another form.
        """
        flat = np.frombuffer(base64.b64decode(document["centroids"], validate=True), "<i2")
        centroids = flat.reshape(-1, int(document["dimensions"])).astype(np.int16)
        features = tuple(document["features"])
        if len(features) != len(cls.PARTS) or not len(centroids):
            raise ValueError("no features of a vector")
        return cls(document["source"], features, int(document["exponent"]), centroids)


def steps_of(vectors: FloatArray, exponent: int) -> FloatArray:
    """Return vectors in whole steps, of which there are 2^exponent to 1: at most 32,767 from 0.

    A number halfway between two steps counts as the even one; one that is not finite as some step.

    >>> steps_of(np.array([[0.5, -1e300]]), 3).tolist()
    [[4.0, -32767.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps: FloatArray = vectors * 2.0**exponent
    np.rint(steps, out=steps)
    np.clip(steps, -_LARGEST, _LARGEST, out=steps)
    return np.nan_to_num(steps, copy=False, nan=0.0)


def exponent_for(vectors: FloatArray) -> int:
    """Return how fine steps are: all but a thousandth of the numbers stay within 4,096.

    So there is room for numbers eight times as large.

    >>> exponent_for(np.array([[0.3, -0.9], [0.1, 0.2]])), exponent_for(np.zeros((1, 2)))
    (13, 0)
    """
    sizes = np.sort(np.abs(vectors[np.isfinite(vectors)]), axis=None)
    if not sizes.size or sizes[-1] == 0:
        return 0
    large = float(sizes[int(0.999 * (sizes.size - 1))]) or float(sizes[-1])
    return int(np.clip(12 - np.frexp(large)[1], -1_000, 1_000))
