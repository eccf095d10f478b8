"""Known drift laid over a stream: what is changed, where, and the truth to check a monitor by.

| kind | what happens from `start` to `end` |
|---|---|
| `sudden` | numbers move by `size` at once |
| `gradual` | more and more events, all after `over`, move by `size` |
| `incremental` | every number moves a little further, by `size` after `over` |
| `recurring` | as sudden, in the first half of every `period` |
| `seasonal` | numbers swing by up to `size`, once a `period`, as a sine from 0 |
| `missing_values` | a `share` of the values becomes null |
| `new_category` | a `share` of the values becomes a category that was never seen |
| `broken_unit` | numbers are multiplied: metres become feet |
| `swapped_columns` | two features hold each other's values |

The first four are the forms of Gama et al., "A survey on concept drift adaptation", ACM Computing
Surveys 46(4), 2014, figure 2. Times are ms since 1970, `end` exclusive; sizes are in the feature's
own unit. Whole numbers stay whole, null stays null, and a record without the feature, or without a
readable time, stays as it is. What is drawn at random depends on the seed and the records' order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
import numpy as np
from numpy.random import Generator

from driftline.producer.errors import InputError
from driftline.producer.records.fields import Record, RecordFields, replaced
from driftline.producer.records.timestamp import format_time

Kind = Literal[
    "sudden", "gradual", "incremental", "recurring", "seasonal", "missing_values", "new_category",
    "broken_unit", "swapped_columns",
]  # fmt: skip

Change = Callable[[Sequence[Any], int, Generator], Sequence[Any]]
"""The features' values, the event time and randomness, to their new values."""

FEET = 3.280839895
"""Feet in a metre."""


@dataclass(frozen=True)
class Truth:
    """One feature that drifts: from `start` to before `end`, ms."""

    feature: str
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class Scenario:
    """One drift.

    Attributes:
        truth: where it is; more than once for a recurring one, for two features if swapped.
        change: what happens to the values.
    """

    truth: tuple[Truth, ...]
    change: Change

    @property
    def features(self) -> tuple[str, ...]:
        """The features that change together."""
        return tuple(dict.fromkeys(truth.feature for truth in self.truth))


def sudden(feature: str, start: int, end: int, size: float) -> Scenario:
    """Move the numbers by `size`.

    >>> drift = sudden("km", 1553644800000, 1553731200000, size=5.0)
    >>> events = [{"timestamp": 1553644800000 + day * 86400000, "features": {"km": 1.5}}
    ...           for day in (-1, 0, 1)]
    >>> [event["features"]["km"] for event in lay_over(events, [drift])]
    [1.5, 6.5, 1.5]
    """
    return _one(feature, "sudden", start, end, lambda value, time, rng: _moved(value, size))


def gradual(feature: str, start: int, end: int, size: float, over: int) -> Scenario:
    """Move the numbers of more and more events by `size`; of all of them after `over` ms."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return _moved(value, size) if rng.random() * over < time - start else value

    return _one(feature, "gradual", start, end, change)


def incremental(feature: str, start: int, end: int, size: float, over: int) -> Scenario:
    """Move the numbers further and further; by `size` after `over` ms."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return _moved(value, size * min(1.0, (time - start) / over))

    return _one(feature, "incremental", start, end, change)


def recurring(feature: str, start: int, end: int, size: float, period: int) -> Scenario:
    """Move the numbers by `size` in the first half of every `period` (ms)."""
    half = period // 2

    def change(values: Sequence[Any], time: int, rng: Generator) -> Sequence[Any]:
        return [_moved(values[0], size)] if (time - start) % period < half else values

    episodes = (
        Truth(feature, "recurring", begin, min(begin + half, end))
        for begin in range(start, end, period)
    )
    return Scenario(tuple(episodes), change)


def seasonal(feature: str, start: int, end: int, size: float, period: int) -> Scenario:
    """Let the numbers swing by up to `size` in both directions, once a `period` (ms)."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return _moved(value, size * math.sin(math.tau * (time - start) / period))

    return _one(feature, "seasonal", start, end, change)


def missing_values(feature: str, start: int, end: int, share: float) -> Scenario:
    """Make a `share` (0 to 1) of the values null."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return None if rng.random() < share else value

    return _one(feature, "missing_values", start, end, change)


def new_category(
    feature: str, start: int, end: int, share: float, category: str = "new"
) -> Scenario:
    """Replace a `share` (0 to 1) of the values by `category`."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return category if rng.random() < share and value is not None else value

    return _one(feature, "new_category", start, end, change)


def broken_unit(feature: str, start: int, end: int, factor: float = FEET) -> Scenario:
    """Multiply the numbers by `factor`; unless given, metres become feet."""

    def change(value: Any, time: int, rng: Generator) -> Any:
        return _as_before(value, value * factor) if _is_number(value) else value

    return _one(feature, "broken_unit", start, end, change)


def swapped_columns(feature: str, other: str, start: int, end: int) -> Scenario:
    """Let two features hold each other's values."""
    truth = tuple(Truth(name, "swapped_columns", start, end) for name in (feature, other))
    return Scenario(truth, lambda values, time, rng: (values[1], values[0]))


def lay_over(
    records: Iterable[Record],
    scenarios: Sequence[Scenario],
    fields: RecordFields | None = None,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """Yield the records with the drift in them; those given are left as they are.

    Args:
        records: events or rows, in any order.
        scenarios: applied one after the other.
        fields: where time and features are found; None: native events.
        seed: of all that is drawn at random.
    """
    fields = fields or RecordFields()
    parts = [
        (
            min(truth.start for truth in scenario.truth),
            max(truth.end for truth in scenario.truth),
            [fields.path(feature) for feature in scenario.features],
            scenario.change,
            np.random.default_rng((seed, number)),
        )
        for number, scenario in enumerate(scenarios)
    ]
    for record in records:
        time = fields.time(record)
        changed = cast("dict[str, Any]", record)
        for start, end, paths, change, rng in parts:
            if time is None or not start <= time < end:
                continue
            values = [fields.find(changed, path) for path in paths]
            if any(value is fields.ABSENT for value in values):
                continue
            for path, value in zip(paths, change(values, time, rng), strict=True):
                changed = replaced(changed, path, value)
        yield changed


def truth_lines(scenarios: Iterable[Scenario]) -> list[str]:
    """Return the truth as JSON lines, in the order of time.

    >>> truth_lines([sudden("km", 1553644800000, 1553731200000, size=5.0)])
    ['{"feature":"km","kind":"sudden","start":"2019-03-27T00:00:00Z","end":"2019-03-28T00:00:00Z"}']
    """
    truths = [truth for scenario in scenarios for truth in scenario.truth]
    truths.sort(key=lambda truth: (truth.start, truth.feature, truth.kind))
    return [
        msgspec.json.encode(
            {
                "feature": truth.feature,
                "kind": truth.kind,
                "start": format_time(truth.start),
                "end": format_time(truth.end),
            }
        ).decode()
        for truth in truths
    ]


def write_truth(path: Path, scenarios: Iterable[Scenario]) -> None:
    """Write the truth beside the stream.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.write_text("".join(f"{line}\n" for line in truth_lines(scenarios)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _one(
    feature: str, kind: Kind, start: int, end: int, change: Callable[[Any, int, Generator], Any]
) -> Scenario:
    return Scenario(
        (Truth(feature, kind, start, end),),
        lambda values, time, rng: (change(values[0], time, rng),),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _moved(value: Any, size: float) -> Any:
    return _as_before(value, value + size) if _is_number(value) else value


def _as_before(value: float, changed: float) -> float:
    """Keep whole numbers whole: a fraction where none ever was would be a drift of its own."""
    return round(changed) if isinstance(value, int) else changed
