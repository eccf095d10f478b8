"""Vectors that benchmarks of embeddings draw, and how they change: numpy and scikit-learn alone.

So that `alibi_peers` draws the same in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Generator = np.random.Generator
Floats = NDArray[np.float64]
Draw = Callable[[Generator, int], Any]

AFTER = 20_000
WINDOW, PERMUTATIONS = 500, 200


@lru_cache(maxsize=1)
def topics() -> Floats:
    found: Floats = np.random.default_rng(7).normal(size=(13, 256))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def digits(rng: Generator, n: int) -> Floats:
    images: Floats = load_digits().data
    return images[rng.integers(0, len(images), n)]


def unit(rng: Generator, n: int, new: float = 0.0) -> Floats:
    """Unit vectors about twelve topics; a share of them about another one."""
    topic = rng.choice(12, n, p=np.arange(12, 0, -1) / 78)
    topic[rng.random(n) < new] = 12
    found: Floats = topics()[topic] + rng.normal(0, 0.06, (n, 256))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def turned(values: Floats, degrees: float) -> Floats:
    """Turn vectors by an angle in each of d / 2 planes, chosen at random."""
    order = np.random.default_rng(3).permutation(values.shape[1])
    a, b = values[:, order[::2]], values[:, order[1::2]]
    angle = np.deg2rad(degrees)
    found = np.empty_like(values)
    found[:, order[::2]] = np.cos(angle) * a - np.sin(angle) * b
    found[:, order[1::2]] = np.sin(angle) * a + np.cos(angle) * b
    return found


def twos_of(rng: Generator, n: int) -> Floats:
    """Digits of which a tenth more are twos."""
    data = load_digits()
    found = digits(rng, n)
    more = rng.random(n) < 0.1
    twos: Floats = data.data[data.target == 2]
    found[more] = twos[rng.integers(0, len(twos), int(more.sum()))]
    return found


VECTORS: dict[str, Draw] = {"digits, 64 numbers": digits, "topics, 256 numbers": unit}
CHANGES: dict[str, tuple[str, Draw]] = {
    "digits: 10 % more twos": ("digits, 64 numbers", twos_of),
    "digits: 5 % brighter": ("digits, 64 numbers", lambda rng, n: 1.05 * digits(rng, n)),
    "digits: turned by 5 degrees": ("digits, 64 numbers", lambda rng, n: turned(digits(rng, n), 5)),
    "topics: 2 % of a new one": ("topics, 256 numbers", lambda rng, n: unit(rng, n, 0.02)),
    "topics: 5 % longer": ("topics, 256 numbers", lambda rng, n: 1.05 * unit(rng, n)),
    "topics: turned by 10 degrees": (
        "topics, 256 numbers",
        lambda rng, n: turned(unit(rng, n), 10),
    ),
}
