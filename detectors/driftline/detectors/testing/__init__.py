"""What every detector and every metric must keep, as tests to inherit. Needs pytest.

Of a detector or metric of your own, in a file that pytest collects:

    from driftline.detectors.testing import DetectorContract

    class TestEnergy(DetectorContract):
        names = ("energy",)

Driftline's own inherit the same.
"""

from typing import TYPE_CHECKING

import pytest

from driftline.detectors.lazy import later

if TYPE_CHECKING:
    from driftline.detectors.testing.data import Case, Figures
    from driftline.detectors.testing.detectors import DetectorContract
    from driftline.detectors.testing.metrics import MetricContract, Pairs
else:
    _LATER = {
        "data": ("Case", "Figures"),
        "detectors": ("DetectorContract",),
        "metrics": ("MetricContract", "Pairs"),
    }
    # So that a test that fails shows what was compared.
    pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _LATER))
    __getattr__ = later(__name__, _LATER)

__all__ = ["Case", "DetectorContract", "Figures", "MetricContract", "Pairs"]
