"""The laws of weighted sums of squares, against Imhof's inversion and published values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from driftline.detectors.features.laws import SquaredLaw, critical
from driftline.detectors.grid import FloatArray

PLAIN = SquaredLaw(
    lambda k: ((2 * k + 1) * np.pi, (2 * k + 2) * np.pi),
    lambda t: t**2,
    lambda t: 2.0 / np.sqrt(t * np.abs(np.sin(t))),
    0.005,
)
"""The squared distance itself: z[k] = (pi k)**2, D(u) = sin(sqrt(u)) / sqrt(u)."""
PLAIN_ENDS = (np.pi * np.arange(1.0, 3_001.0)) ** 2


def imhof(x: float, z: FloatArray) -> float:
    """P(sum of squares / z > x), Imhof (Biometrika 48, 1961); what is cut off has its mean."""
    weights = 1.0 / z
    x -= 1.0 / (np.pi**2 * z.size)

    def part(u: float) -> float:
        angle = (np.arctan(weights * u).sum() - x * u) / 2.0
        return float(np.sin(angle) / (u * np.exp(np.log1p((weights * u) ** 2).sum() / 4.0)))

    return 0.5 + integrate.quad(part, 0.0, 4_000.0, limit=2_000)[0] / np.pi


@pytest.mark.parametrize("x", [0.03, 0.1, 0.3, 0.7, 1.5])
def test_tail_equals_imhof(x: float) -> None:
    assert PLAIN.tail(np.array([x]))[0] == pytest.approx(imhof(x, PLAIN_ENDS), abs=2e-7)


def test_tail_falls_from_one_to_none() -> None:
    x = np.array([-1.0, 0.0, *np.geomspace(0.001, 1_000.0, 500)])
    found = PLAIN.tail(x)
    assert found[0] == 1.0
    assert found[-1] == 0.0
    assert (np.diff(found) <= 1e-14).all()
    assert np.isnan(PLAIN.tail(np.array([np.nan]))[0])
    far = PLAIN.tail(np.array([20.0, 21.0]))  # as exp(-pi**2 x / 2) / sqrt(x)
    wanted = np.exp(-(np.pi**2) / 2.0) * np.sqrt(20.0 / 21.0)
    assert far[1] / far[0] == pytest.approx(wanted, rel=1e-3)


def test_critical_values_are_the_published_ones() -> None:
    """Anderson and Darling, Annals of Mathematical Statistics 23, 1952."""
    found = critical(PLAIN.tail, np.array([0.1, 0.05, 0.01, 0.001, np.nan]), 1_000.0)
    assert found[:4].round(5).tolist() == [0.34730, 0.46136, 0.74346, 1.16786]
    assert np.isnan(found[4])
