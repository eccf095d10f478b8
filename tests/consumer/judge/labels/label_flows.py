"""Flows of labels, hour by hour, and the windows in which `LabelFlow` looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    REFERENCE,
    START,
    labelled_reference,
    plan,
)

from driftline.consumer.config import ModelConfig
from driftline.consumer.join.cells import DELAYS, EXPIRED, EXTRA_CELLS
from driftline.consumer.judge.labels.cohorts import Counted
from driftline.consumer.judge.labels.flow import LabelFlow
from driftline.consumer.judge.lives.life import Lives, WindowTimes
from driftline.consumer.judge.records import RecordWriter
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.wire.records import Alert
from driftline.detectors.grid import IntArray

# Of predictions made in an hour: the shares that get their label so many hours later.
Labels = list[tuple[int, float]]


@dataclass(frozen=True)
class Flow:
    """How many predictions are made in each hour since the start, and when their labels come.

    `expected`: the hours at whose end the alert fires and is resolved, in turn.
    """

    days: int
    labels: Callable[[int], Labels]
    expected: tuple[int, ...] = ()
    predictions: Callable[[int], int] = lambda hour: 1_000
    horizon: int = 7 * 24
    by: str = "arrival"
    maturity: int | None = None
    length: int = 1
    every: int = 1

    @cache  # noqa: B019 (a flow lives as long as the module)
    def config(self) -> ModelConfig:
        """The configuration of the model."""
        labels: dict[str, Any] = {"topic": "truth", "horizon": f"{self.horizon}h", "by": self.by}
        if self.maturity is not None:
            labels["maturity"] = f"{self.maturity}h"
        window = {"length": f"{self.length}h", "every": f"{self.every}h", "min_events": 500}
        settings = plan({MODEL: labelled_reference()}, labels=labels, window=window)
        return settings.config.models[MODEL]

    def judge(self, history: LabelHistory, lives: Lives) -> LabelFlow:
        """The judge of the flow."""
        return LabelFlow(
            RecordWriter.of(MODEL, None, self.config(), REFERENCE), self.config(), lives, history
        )

    @cache  # noqa: B019 (a flow lives as long as the module)
    def hours(self) -> tuple[list[int], IntArray]:
        """The predictions made in each hour, and the cells behind the outcomes."""
        hours = self.days * 24
        cells = np.zeros((hours + self.horizon, EXTRA_CELLS), np.int64)
        made = [self.predictions(hour) for hour in range(hours)]
        latest = self.horizon if self.maturity is None else self.maturity
        for hour, left in enumerate(made):
            for delay, share in self.labels(hour):
                many = round(made[hour] * share)
                if delay <= latest:
                    at = hour + delay if self.by == "arrival" else hour
                    cells[at, np.searchsorted(DELAYS, max(delay * HOUR, 1))] += many
                    left -= many
            if latest == self.horizon:
                cells[hour + (self.horizon if self.by == "arrival" else 0), EXPIRED] += left
        return made, cells

    def windows(self) -> Iterator[tuple[int, tuple[WindowTimes, Counted, Counted]]]:
        """Yield the end of each window in hours, and what is known of it."""
        made, cells = self.hours()
        for newest in range(0, len(made) - self.every + 1, self.every):
            start, end = max(newest + self.every - self.length, 0), newest + self.every
            window, pane = (
                Counted(sum(made[first:end]), cells[first:end].sum(axis=0))
                for first in (start, newest)
            )
            if window.predictions or window.extra.any():  # others are not looked at
                times = WindowTimes(*(START + hour * HOUR for hour in (start, end, newest)))
                yield end, (times, window, pane)

    def run(self, flow: LabelFlow | None = None) -> list[tuple[int, Alert]]:
        """The alerts, each with the end of its window in hours."""
        flow = flow or self.judge(LabelHistory(), {})
        return [(hour, alert) for hour, seen in self.windows() for alert in flow.look(*seen)]


def turns(alerts: Iterable[tuple[int, Alert]]) -> tuple[int, ...]:
    """The hours at which an alert began to fire or was resolved; they must take turns."""
    kept = [(hour, a) for hour, a in alerts if a.revision == 1 or a.status == "resolved"]
    assert [a.status for _, a in kept] == [("firing", "resolved")[i % 2] for i in range(len(kept))]
    return tuple(hour for hour, _ in kept)


def after(*hours: int) -> Callable[[int], Labels]:
    """Labels that all come, in equal shares so many hours later."""
    return lambda hour: [(delay, 1 / len(hours)) for delay in hours]


def until(
    day: float, labels: Callable[[int], Labels], share: float = 0.0
) -> Callable[[int], Labels]:
    """Labels of which, from a day on, only a share comes."""

    def changed(hour: int) -> Labels:
        return [(d, s if hour + d < day * 24 else s * share) for d, s in labels(hour)]

    return changed


def pause(first: float, last: float, labels: Callable[[int], Labels]) -> Callable[[int], Labels]:
    """Labels of which those of the predictions between two days are lost."""
    return lambda hour: [] if first * 24 <= hour < last * 24 else labels(hour)


def nightly(hour: int) -> Labels:
    """All labels of a day come at two in the night that follows."""
    return [((hour // 24 + 1) * 24 + 2 - hour, 1.0)]


def office(hour: int) -> Labels:
    """Labels come three hours later; those of a weekend on Monday at nine."""
    comes = hour + 3
    if comes // 24 % 7 >= 5:
        comes = (comes // 168 + 1) * 168 + 9
    return [(comes - hour, 1.0)]


def scattered(hour: int) -> Labels:
    """Half of the labels come within 17 hours, a tenth later than two days."""
    left = np.exp(-np.arange(168) / 24)
    return [(delay + 1, float(share)) for delay, share in enumerate(-np.diff(left))]


def sampled(labels: Callable[[int], Labels], share: float) -> Callable[[int], Labels]:
    """A share of the predictions is chosen to be labelled."""
    return lambda hour: [(delay, s * share) for delay, s in labels(hour)]


def chosen(hour: int) -> Labels:
    """Each of 250 predictions is chosen by chance, one in a hundred."""
    return [(2, np.random.default_rng(hour).binomial(250, 0.01) / 250)]


def diurnal(hour: int) -> int:
    """From 100 predictions in an hour of the night to 1,100 in one of the day."""
    return int(600 + 500 * np.sin(hour / 24 * 2 * np.pi))


def down(first: float, last: float, predictions: int = 1_000) -> Callable[[int], int]:
    """No predictions between two days."""
    return lambda hour: 0 if first * 24 <= hour < last * 24 else predictions


def working_hours(hour: int) -> int:
    """Predictions by day, and on working days only."""
    return 2_000 if 8 <= hour % 24 < 18 and hour // 24 % 7 < 5 else 0


STEADY = after(2)
