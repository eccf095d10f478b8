"""The windows of a file without a configuration: how long, and how many events they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from driftline.consumer.config import WindowConfig
from driftline.consumer.offline.extent import DAY, Extent, Pace
from driftline.consumer.offline.window_options import GUESSED, WindowOptions
from driftline.detectors.pane_lengths import LEAST_PANES, MOST_PANES, part_of_rows
from driftline.producer.errors import InputError
from driftline.producer.records.durations import UNITS

EVENTS_A_WINDOW = 1_000
MIN_EVENTS = 500
_SMALLEST = 100  # events a window, of a small file
_ROUND = {
    "s": (1, 5, 10, 15, 30), "m": (1, 5, 10, 15, 30), "h": (1, 2, 3, 6, 12), "d": (1, 2, 3, 6),
    "w": (1, 2, 4, 13, 26, 52, 104, 260, 520, 1_040),
}  # fmt: skip
LENGTHS = [count * UNITS[unit] for unit, counts in _ROUND.items() for count in counts]
"""Window lengths that a person would choose, ms."""


@dataclass(frozen=True)
class Size:
    """How many events a window should have, and has at least where it is judged."""

    events: int
    least: int


def size_for(judged: int) -> Size:
    """Return the size of windows that fits a number of events to judge.

    >>> size_for(4_000), size_for(1_200)
    (Size(events=1000, least=500), Size(events=600, least=300))
    >>> size_for(300), size_for(100)
    (Size(events=150, least=75), Size(events=100, least=50))
    """
    events = min(max(judged // 2, _SMALLEST), EVENTS_A_WINDOW)
    return Size(events, events // 2)


def round_length(pace: Pace, size: Size, longest: int = LENGTHS[-1]) -> int:
    """Return the round window length (ms) that holds closest to the wanted number of events.

    It is no shorter than the steps between times, holds enough events to be judged, and is a whole
    number of days where the hours of a day differ.

    >>> round_length(Pace(50_000 / (303 * DAY), 1_000, False), Size(1_000, 500)) == 6 * DAY
    True
    >>> round_length(Pace(24 / DAY, DAY, True), Size(1_000, 500)) // DAY
    28
    """
    least = size.least + 3 * math.sqrt(size.least)
    fit = [
        length
        for length in LENGTHS
        if pace.step <= length <= longest
        and pace.rate * length >= least
        and not (pace.daily and length % DAY)
    ]
    if not fit:
        return longest
    return min(fit, key=lambda length: abs(math.log(pace.rate * length / size.events)))


def windows_for(
    extent: Extent,
    normal: int | None,
    wanted: WindowOptions = GUESSED,
    longest: int = LENGTHS[-1],
    *,
    daily: Callable[[], bool],
) -> WindowConfig:
    """Return the windows for a file: what is wanted, and else what fits its events.

    Args:
        extent: when its events are; there are two times at least.
        normal: time (ms) before which they are the reference's; None where none is.
        wanted: by the user.
        longest: of all windows, ms.
        daily: tells whether values follow the hour of the day; asked where a window would be
            shorter than one.

    Raises:
        InputError: the length is no whole number of steps.
    """
    size = _wanted_size(extent.events - extent.before(normal), wanted)
    length = wanted.length
    if length is None:
        pace = extent.pace(normal)
        length = round_length(pace, size, longest)
        if length % DAY and daily():
            length = round_length(replace(pace, daily=True), size, longest)
    return _config({"length": length, "every": wanted.every or length, "min_events": size.least})


def rows_for(rows: int, wanted: WindowOptions, *, whole: bool) -> WindowConfig:
    """Return windows of rows for a file without times; the reference has 30 panes at least.

    Args:
        rows: of the file.
        wanted: by the user.
        whole: whether all of them are judged; else half.

    Raises:
        InputError: the rows of a window are no whole number of steps.

    >>> windows = rows_for(9_000, GUESSED, whole=False)
    >>> windows.rows, windows.every, windows.pane, windows.min_events
    (1000, 1000, 100, 500)
    """
    size = _wanted_size(rows if whole else rows // 2, wanted)
    many = wanted.rows or size.events
    values = {"rows": many, "every": wanted.every or many}
    if not whole:
        least, most = many / MOST_PANES, rows // 2 / LEAST_PANES
        values["pane"] = part_of_rows(values["every"], least, most)
    return _config(values if wanted.min_events is None else values | {"min_events": size.least})


def _wanted_size(judged: int, wanted: WindowOptions) -> Size:
    size = size_for(judged)
    if wanted.min_events is None:
        return size
    # Of a file so small that it would be less than a window, one window.
    return Size(max(min(size.events, judged), 2 * wanted.min_events), wanted.min_events)


def _config(values: dict[str, int]) -> WindowConfig:
    try:
        return WindowConfig(**values)
    except ValueError:
        raise InputError("--every: the length of a window must be a whole number of it") from None
