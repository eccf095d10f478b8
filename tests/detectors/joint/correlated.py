"""Events of features that go together, drawn: each pair of normal numbers has a correlation."""

from __future__ import annotations

from functools import cache

import numpy as np

from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal

NAMES = ("age", "debt", "income", "km")
PANE = 100


def drawn(rng: np.random.Generator, n: int, *alone: int, together: float = 0.5) -> FloatArray:
    """Return n events; the features at the places `alone` go together with none."""
    matrix = np.full((len(NAMES), len(NAMES)), together)
    for f in alone:
        matrix[f], matrix[:, f] = 0.0, 0.0
    np.fill_diagonal(matrix, 1.0)
    values: FloatArray = rng.standard_normal((n, len(NAMES))) @ np.linalg.cholesky(matrix).T
    return values


def columns(values: FloatArray) -> Columns:
    """Return events as they are counted."""
    return Columns(values, np.empty((len(values), 0), np.int32))


@cache
def normal() -> tuple[Layout, JointNormal]:
    """A reference of 10,000 events whose panes vary as independent events do."""
    values = drawn(np.random.default_rng(1), 10_000)
    grids = np.sort(values, axis=0)[::20]
    layout = Layout.of(Feature(name, "numeric", grids[:, f]) for f, name in enumerate(NAMES))
    joint = JointLayout.of(layout, count_columns(layout, columns(values)), NAMES)
    size = len(joint.table.features)
    phi = np.ones((len(JOINS), len(DIRECTIONS), size))
    known = Dispersion(60_000, 100, np.full(size, float(PANE)), phi)
    return layout, JointNormal(joint, joint.count(layout, columns(values)), known)


def counted(values: FloatArray) -> IntArray:
    """Return events counted together, over the layout of `normal`."""
    layout, known = normal()
    return known.layout.count(layout, columns(values))
