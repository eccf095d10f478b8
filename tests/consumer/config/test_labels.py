"""`models.<name>.labels`: how long a prediction waits, and when a window is judged."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftline.consumer.config import LabelsConfig

DAY = 86_400_000


def test_a_window_by_prediction_is_judged_when_no_prediction_waits_any_more() -> None:
    assert LabelsConfig(topic="labels", horizon=3 * DAY).maturity == 3 * DAY


def test_a_window_cannot_wait_longer_than_its_predictions() -> None:
    with pytest.raises(ValidationError, match="behind the horizon"):
        LabelsConfig(topic="labels", horizon=DAY, maturity=2 * DAY)
