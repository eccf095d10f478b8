"""When what evidence showed is over: not because a window is too small to show it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.detectors import FeatureColumn, Reference, build_reference, count_columns
from driftline.detectors.columns import encode
from driftline.detectors.dispersion import JOINS, Dispersion
from driftline.detectors.grid import IntArray

MINUTE, END, EVENTS = 60_000, 60_000_000, 100
LONG_AGO = 0


def watch(phi: float) -> tuple[ChangeWatch, Reference]:
    """Ten minutes are a window; a minute has 100 events, of which so many tell as much as one."""
    normal = np.random.default_rng(1).standard_normal(20_000)
    reference = build_reference("m", {"x": FeatureColumn("numeric", normal)})
    found = np.full((len(JOINS), 5, 1), phi)
    reference = replace(reference, dispersion=Dispersion(MINUTE, 200, np.full(1, 100.0), found))
    window = WindowConfig.model_validate({"length": "10m", "every": "10m", "pane": "1m"})
    limits = np.full(1, 10.0)
    return ChangeWatch(reference, None, limits, MINUTE, window, 0.02, None), reference


@pytest.mark.parametrize(
    ("phi", "shift", "quiet", "minutes"),
    [
        (1.0, 0.0, True, [10, 50]),
        (1.0, 0.3, False, [10]),
        (3.0, 0.0, True, [10, 20, 50]),
        (20.0, 0.0, True, [10, 20, 40, 80, 160, 250]),
        # The window alone would show nothing: chance alone does as much with such a phi.
        (20.0, 0.3, False, [10, 20, 40, 80, 160]),
    ],
)
def test_a_window_that_shows_nothing_ends_nothing(
    phi: float, shift: float, quiet: bool, minutes: list[int]
) -> None:
    changes, reference = watch(phi)
    rng, asked = np.random.default_rng(2), []

    def counts(start: int, end: int, part: str | None = None) -> IntArray:
        asked.append((end - start) // MINUTE)
        values = rng.standard_normal(asked[-1] * EVENTS) + shift
        columns = encode(reference.layout, {"x": FeatureColumn("numeric", values)})
        return count_columns(reference.layout, columns)

    assert changes.is_quiet(0, LONG_AGO, END, counts) is quiet
    assert asked == minutes
    assert changes.reach() >= minutes[-1] * MINUTE


@pytest.mark.parametrize(
    ("phi", "since", "quiet", "minutes"),
    [
        (1.0, 5, True, [10, 50]),
        # Panes from before the change looked as they should then, too.
        (3.0, 5, False, [10]),
        (3.0, 15, False, [10, 15]),
        (3.0, 30, True, [10, 20, 50]),
        (20.0, 100, False, [10, 20, 40, 80, 100]),
        (20.0, 150, True, [10, 20, 40, 80, 150, 250]),
        (20.0, 250, True, [10, 20, 40, 80, 160, 250]),
    ],
)
def test_what_was_normal_before_a_change_does_not_end_it(
    phi: float, since: int, quiet: bool, minutes: list[int]
) -> None:
    changes, reference = watch(phi)
    rng, asked = np.random.default_rng(2), []

    def counts(start: int, end: int, part: str | None = None) -> IntArray:
        asked.append((end - start) // MINUTE)
        columns = {"x": FeatureColumn("numeric", rng.standard_normal(asked[-1] * EVENTS))}
        return count_columns(reference.layout, encode(reference.layout, columns))

    assert changes.is_quiet(0, END - since * MINUTE, END, counts) is quiet
    assert asked == minutes


def test_no_events_end_nothing() -> None:
    changes, reference = watch(1.0)
    nothing = np.zeros(reference.layout.size, np.int64)
    assert not changes.is_quiet(0, LONG_AGO, END, lambda *_: nothing)
