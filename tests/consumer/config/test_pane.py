"""How long a pane is, by the configuration and the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.config import WindowConfig
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.pane_lengths import LENGTHS, part_of_rows
from driftline.producer.reference.pane_plan import pane_length

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def dispersion(hourly: float, span: float) -> Dispersion | None:
    """Of a reference with so many events an hour for `span` ms."""
    pane = pane_length(int(hourly * span / HOUR), span)
    if pane is None:
        return None
    phi = np.ones((len(JOINS), len(DIRECTIONS), 2))
    return Dispersion(pane, int(span // pane), np.array([0.0, hourly * pane / HOUR]), phi)


@pytest.mark.parametrize(
    ("window", "hourly", "span", "expected"),
    [
        ({}, 1_500, 30 * DAY, 5 * MINUTE),
        ({}, 6_000, 30 * DAY, MINUTE),
        ({}, 1e6, 30 * DAY, MINUTE),
        ({}, 10, 30 * DAY, HOUR),
        ({}, 1_190, 30 * DAY, 5 * MINUTE),  # 99; of 3 minutes 60
        ({}, 1_600, 30 * DAY, 3 * MINUTE),  # 80; of 5 minutes 133
        ({"length": "6d"}, 6.9, 300 * DAY, DAY / 2),  # 83; of a day 166
        ({"every": "5m"}, 1_500, 30 * DAY, 5 * MINUTE),
        ({"every": "4m"}, 1_500, 30 * DAY, 4 * MINUTE),
        ({"every": "90s", "length": "3m"}, 1e6, 30 * DAY, 90_000),
        ({"length": "7d"}, 10, 300 * DAY, DAY / 2),
        ({"length": "7d"}, 1, 60 * DAY, DAY),  # 30 panes of 2 days are the longest
        ({"length": "7d"}, 1e6, 30 * DAY, 15 * MINUTE),  # 1,000 panes of a window at most
        ({"length": "7d", "every": "1m"}, 1e6, 30 * DAY, MINUTE),
        ({"pane": "20m"}, 1e6, 30 * DAY, 20 * MINUTE),
        ({"pane": "20m"}, 1, DAY / 24, 20 * MINUTE),
        ({}, 1_500, 10 * MINUTE, HOUR),  # no rate
    ],
)
def test_length(window: dict[str, Any], hourly: float, span: float, expected: int) -> None:
    assert WindowConfig.model_validate(window).pane_for(dispersion(hourly, span)) == expected


def test_a_reference_without_features_has_no_rate() -> None:
    nothing = Dispersion(HOUR, 100, np.zeros(0), np.ones((len(JOINS), len(DIRECTIONS), 0)))
    assert WindowConfig().pane_for(nothing) == HOUR


@given(
    st.sampled_from([MINUTE, 7 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 1_000]),
    st.floats(0.1, 1e6),
    st.floats(HOUR, 400 * DAY),
)
def test_a_pane_is_a_whole_part_and_gives_the_reference_30_panes(
    every: int, hourly: float, span: float
) -> None:
    known = dispersion(hourly, span)
    pane = WindowConfig(length=every).pane_for(known)
    assert every % pane == 0
    assert pane >= min(MINUTE, every)
    if known is not None and any(every % each == 0 for each in LENGTHS if each <= known.pane):
        longer = min(each for each in (*LENGTHS, every) if each >= every / 1_000)
        assert span / pane >= 30 - 1e-9 or pane == longer
    assert every / pane <= 1_000


@given(st.integers(1, 3_000), st.floats(1, 3_000))
def test_rows_of_a_pane_are_a_whole_part(rows: int, most: float) -> None:
    part = part_of_rows(rows, 1, most)
    assert rows % part == 0
    assert part <= most
    others = [other for other in range(1, min(rows, int(most)) + 1) if rows % other == 0]
    assert max(part / 100, 100 / part) <= min(max(each / 100, 100 / each) for each in others)


def test_rows() -> None:
    assert WindowConfig(rows=1_000).pane_for(None) == 100
    assert WindowConfig(rows=1_000, every=500, pane=50).pane_for(None) == 50
    assert WindowConfig(rows=997).pane_for(None) == 997
    assert WindowConfig(rows=1_000_000).pane_for(None) == 1_000


@pytest.mark.parametrize("window", [{"pane": "7m"}, {"every": "30m", "pane": "1h"}])
def test_a_step_is_a_whole_number_of_panes(window: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="every must be a whole number of pane"):
        WindowConfig.model_validate(window)
