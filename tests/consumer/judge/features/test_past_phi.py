"""Tests of the phi that windows are tempered by: it is that of before the window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.consumer.judge.features.past_phi import PastPhi
from driftline.detectors.dispersion import LOCATION, NONE, OTHER

FIRST = np.full((5, 2), 1.5)


def phi_of(pane: int) -> np.ndarray:
    """phi after the panes before this one: told apart by its number."""
    return np.full((5, 2), 10.0 + pane)


@example(panes=6, gaps=[4, 4, 4, 4], cut=0)
@given(
    panes=st.integers(1, 7),
    gaps=st.lists(st.integers(1, 20), min_size=1, max_size=60),
    cut=st.integers(0, 60),
)
def test_no_pane_of_a_window_has_a_say(panes: int, gaps: list[int], cut: int) -> None:
    past = PastPhi(FIRST, panes, b"")
    seen: list[int] = []
    for i, pane in enumerate(np.cumsum(gaps).tolist()):
        if i == cut:  # a restart
            past = PastPhi(FIRST, panes, past.state())
        if past.is_due(pane):
            past.keep(pane, phi_of(pane))
        seen.append(pane)
        begin = pane - panes + 1
        found = past.before(begin)[OTHER]
        assert found[0] == found[1]
        if found[0] == 1.5:
            # The first window, or one that begins before the panes.
            assert begin <= seen[0] + panes
        else:
            assert found[0] - 10.0 <= begin
            # It is at most two lengths of a window older than the window.
            older = [p for p in seen if p <= begin - 2 * panes]
            assert not older or found[0] - 10.0 > older[-1] - panes


def test_windows_side_by_side_know_all_panes_before_them() -> None:
    past = PastPhi(FIRST, 4, b"")
    for pane in range(8, 24):
        if past.is_due(pane):
            past.keep(pane, phi_of(pane))
        if pane % 4 == 3:
            assert past.before(pane - 3)[NONE].tolist() == [pane - 3 + 10.0] * 2


def test_other_directions_are_not_kept() -> None:
    assert PastPhi(FIRST, 4, b"").before(3)[[LOCATION, NONE, OTHER], 0].tolist() == [1.0, 1.5, 1.5]


@pytest.mark.parametrize("kept", [b"", b"short"])
def test_what_is_of_other_features_is_not_used(kept: bytes) -> None:
    assert PastPhi(FIRST, 4, kept).state() == PastPhi(FIRST, 4, b"").state()
