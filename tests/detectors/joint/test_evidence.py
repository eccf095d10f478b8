"""Evidence on pairs and extremes: found soon, and no alarm on what one feature does by itself."""

from __future__ import annotations

import numpy as np
import pytest
from tests.detectors.joint.correlated import NAMES, PANE, counted, drawn, normal

from driftline.detectors.budget import JOINT, evidence_limit
from driftline.detectors.grid import FloatArray
from driftline.detectors.sequential.group import Comparing
from driftline.detectors.sequential.stream import StreamEvidence

FEATURES = 1 + len(NAMES) * (len(NAMES) - 1) // 2
LIMIT = evidence_limit(1.0, 2_000, JOINT / FEATURES, 1)
NOBODY = np.zeros(FEATURES, bool)


def alarmed(panes: list[FloatArray]) -> dict[int, int]:
    """Return which of extremes (0) and pairs reach the limit of one in 2,000 panes, and when."""
    known = normal()[1]
    evidence = StreamEvidence(
        known.layout.table,
        known.counts,
        ~NOBODY,
        known.dispersion,
        how=Comparing(fit=known.margins),
    )
    found: dict[int, int] = {}
    for number, pane in enumerate(panes):
        evidence.add(counted(pane), number, NOBODY)
        for f in np.flatnonzero(evidence.evidence >= LIMIT).tolist():
            found.setdefault(f, number)
    return found


def test_a_pair_that_no_longer_goes_together_is_found_soon() -> None:
    rng = np.random.default_rng(4)
    quiet = [drawn(rng, PANE) for _ in range(20)]
    found = alarmed([*quiet, *(drawn(rng, PANE, 0) for _ in range(10))])
    # All pairs of the first feature, and no others.
    assert found.keys() == {1, 2, 3}
    assert min(found.values()) < 25  # after 500 events at most


def test_extremes_that_come_together_are_found() -> None:
    rng = np.random.default_rng(4)

    def heavy() -> FloatArray:
        """The same margins, and extremes of all features at once: now and then all is wider."""
        values = drawn(rng, PANE, together=0.4)
        wide = rng.random(PANE) < 0.15
        values[wide] = np.sign(values[wide]) * np.abs(rng.normal(2.4, 0.2, (wide.sum(), 1)))
        return values * np.where(wide, 1.0, 0.8)[:, None]

    assert 0 in alarmed([heavy() for _ in range(12)])


@pytest.mark.parametrize("moved", ["location", "scale", "missing"])
def test_what_one_feature_does_by_itself_alarms_nothing(moved: str) -> None:
    rng = np.random.default_rng(5)
    panes = [drawn(rng, PANE) for _ in range(120)]
    for pane in panes[20:]:
        if moved == "location":
            pane[:, 0] += 0.4
        elif moved == "scale":
            pane[:, 0] *= 0.7
        else:
            pane[rng.random(PANE) < 0.3, 0] = np.nan
    assert alarmed(panes) == {}


def test_panes_that_vary_by_themselves_alarm_nothing() -> None:
    rng = np.random.default_rng(6)
    effects = [drawn(rng, PANE) + 0.2 * rng.standard_normal(len(NAMES)) for _ in range(150)]
    assert alarmed(effects) == {}
