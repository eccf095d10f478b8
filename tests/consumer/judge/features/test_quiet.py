"""When what evidence showed is over: not because a window is too small to show it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.features.changes import ChangeWatch, Counts
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


def changing(reference: Reference, shifts: dict[int, float], asked: list[int]) -> Counts:
    """Return counts of values that are moved: up to so many minutes before the end, by so much.

    `asked` takes in for how many minutes counts were asked for.
    """
    rng = np.random.default_rng(2)
    minutes, moved = np.array(sorted(shifts)), np.array([shifts[key] for key in sorted(shifts)])

    def counts(start: int, end: int, part: str | None = None) -> IntArray:
        asked.append((end - start) // MINUTE)
        ago = (END - np.arange(start, end, MINUTE)) // MINUTE
        values = rng.standard_normal((ago.size, EVENTS))
        values += moved[np.searchsorted(minutes, ago)][:, None]
        columns = encode(reference.layout, {"x": FeatureColumn("numeric", values.ravel())})
        return count_columns(reference.layout, columns)

    return counts


@pytest.mark.parametrize(
    ("phi", "shifts", "quiet", "minutes"),
    [
        # A window, what came since the change, and all, for outer values.
        (1.0, {10: 0.0, 999: 1.0}, True, [10, 40, 50]),
        (1.0, {999: 0.3}, False, [10]),
        (3.0, {20: 0.0, 999: 1.0}, True, [10, 20, 30, 50]),
        (20.0, {160: 0.0, 999: 1.0}, True, [10, 20, 40, 80, 160, 90, 250]),
        # The window alone would show nothing: chance alone does as much with such a phi.
        (20.0, {999: 0.3}, False, [10, 20, 40, 80, 160]),
    ],
)
def test_a_window_that_shows_nothing_ends_nothing(
    phi: float, shifts: dict[int, float], quiet: bool, minutes: list[int]
) -> None:
    changes, reference = watch(phi)
    asked: list[int] = []
    counts = changing(reference, shifts, asked)
    assert changes.is_quiet(0, LONG_AGO, END, counts) is quiet
    assert asked == minutes
    assert changes.reach() >= minutes[-1] * MINUTE


@pytest.mark.parametrize(
    ("shifts", "quiet"),
    [
        # Of a large change the first window that is as normal is the end.
        ({10: 0.0, 999: 1.0}, True),
        # Of one that is just large enough, a window that looks normal may be chance.
        ({10: 0.05, 999: 0.13}, False),
        ({40: 0.0, 999: 0.13}, True),
        # Where all that can be looked at is normal, it is over.
        ({999: 0.0}, True),
    ],
)
def test_an_end_is_as_sure_as_the_alarm(shifts: dict[int, float], quiet: bool) -> None:
    changes, reference = watch(1.8)
    assert changes.is_quiet(0, LONG_AGO, END, changing(reference, shifts, [])) is quiet


@pytest.mark.parametrize(
    ("phi", "since", "quiet", "minutes"),
    [
        # Panes from before the change looked as they should then, too.
        (1.0, 5, True, [10, 50]),
        (3.0, 5, False, [10]),
        (3.0, 15, False, [10, 15]),
        (20.0, 100, False, [10, 20, 40, 80, 100]),
        (20.0, 150, True, [10, 20, 40, 80, 150, 250]),
    ],
)
def test_what_was_normal_before_a_change_does_not_end_it(
    phi: float, since: int, quiet: bool, minutes: list[int]
) -> None:
    changes, reference = watch(phi)
    asked: list[int] = []
    counts = changing(reference, {999: 0.0}, asked)
    assert changes.is_quiet(0, END - since * MINUTE, END, counts) is quiet
    assert asked == minutes


def test_no_events_end_nothing() -> None:
    changes, reference = watch(1.0)
    nothing = np.zeros(reference.layout.size, np.int64)
    assert not changes.is_quiet(0, LONG_AGO, END, lambda *_: nothing)
