"""How often the plain thresholds of a model would fire on quiet data.

Without a change the statistics follow known laws (see `driftline.detectors`), so the share of quiet
windows that reach a limit is known beforehand. The window is assumed to hold `min_events`: fewer
are not judged, more make every statistic smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftline.consumer.cli.check_findings import DAY, Finding
from driftline.consumer.config import DetectorName, Limit, ModelConfig, format_share
from driftline.consumer.config import format_number as plain
from driftline.consumer.judge.sentence import percent
from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Feature,
    QuietWindow,
    normal_rates,
    quiet_share,
)
from driftline.detectors.dispersion import DIRECTIONS, NONE, OTHER
from driftline.detectors.reference import Reference

PERIOD = 30 * DAY
_ENOUGH = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True)
class Quiet:
    """What is needed to tell how one feature behaves while nothing changes.

    Attributes:
        name: the feature.
        bins: its bins or categories that hold an event.
        events: events of the reference.
        rates: rate to its normal share.
        phi: how many times as much as independent events they vary; `rates_phi`: rate to its own.
    """

    name: str
    bins: int
    events: int
    rates: dict[str, float]
    phi: float
    rates_phi: dict[str, float]

    def share(self, detector: DetectorName, limit: Limit, events: int) -> float | None:
        """Return the share of quiet windows of a number of events that reach the lowest level.

        None where no law is known.
        """
        levels = [level for level in (limit.warning, limit.critical) if level is not None]
        if limit.on == "p_value":
            return max(levels)
        rate = self.rates.get(detector, 0.0)
        phi = self.rates_phi.get(detector, self.phi)
        window = QuietWindow(events, self.events, self.bins, rate, phi)
        return quiet_share(detector, min(levels), window)


def threshold_findings(name: str, model: ModelConfig, reference: Reference) -> Iterator[Finding]:
    """Yield a warning for each threshold that quiet data reaches at least once in 30 d.

    Where a threshold holds for many features, one row stands for all that reach it.
    """
    looks = PERIOD // model.window.every
    least = model.window.min_events
    loud: dict[tuple[DetectorName, str], list[tuple[Quiet, Limit, float]]] = {}
    for feature, detector, limit in _thresholds(model, reference):
        share = feature.share(detector, limit, least)
        if share is not None and share * looks >= 0.5:
            key = (detector, repr(limit))
            loud.setdefault(key, []).append((feature, limit, share))
    for (detector, _), reached in loud.items():
        worst, limit, share = max(reached, key=lambda entry: entry[2])
        who = worst.name if len(reached) == 1 else f"{len(reached)} features, {worst.name} most"
        yield Finding(
            "warning",
            name,
            f"{who}: with min_events {least:,}, {percent(share)} of quiet windows reach"
            f" {_limit(detector, limit)} ({round(share * looks):,} of the {looks:,} in 30 d);\n"
            + _advice(worst, detector, limit, looks),
        )


def _thresholds(
    model: ModelConfig, reference: Reference
) -> Iterator[tuple[Quiet, DetectorName, Limit]]:
    limited = {
        f: limits
        for f, feature in enumerate(reference.layout.features)
        if (limits := _limits(model, feature))
    }
    if not limited:  # as where the budget alone alarms, of very many models
        return
    baseline = Baseline(reference.layout, reference.counts[0])
    normal = normal_rates(baseline)
    phi = np.ones((len(DIRECTIONS), len(reference.layout.features)))
    if reference.dispersion is not None:
        phi = np.nan_to_num(reference.dispersion.phi[0], nan=1.0)
    for f, limits in limited.items():
        quiet = Quiet(
            reference.layout.features[f].name,
            int(np.count_nonzero(baseline.bins(f).reference)),
            reference.events,
            {rate: float(np.nan_to_num(shares[f])) for rate, shares in normal.items()},
            float(phi[OTHER, f]),
            {name: float(phi[NONE, f]) for name, rate in RATES.items() if not rate.of_values},
        )
        for detector, limit in limits.items():
            yield quiet, detector, limit


def _limits(model: ModelConfig, feature: Feature) -> dict[DetectorName, Limit]:
    """Return the limits that a feature can reach."""
    if model.is_ignored(feature.name):
        return {}
    return {
        detector: limit
        for detector, limit in model.thresholds_for(feature.name).items()
        if feature.type in DETECTORS[detector].types
    }


def _limit(detector: DetectorName, limit: Limit) -> str:
    levels = [level for level in (limit.warning, limit.critical) if level is not None]
    if limit.on == "p_value":
        return f"{detector} p_value {plain(max(levels))}"
    level = min(levels)
    return f"{detector} {format_share(level) if detector in RATES else plain(level)}"


def _advice(feature: Quiet, detector: DetectorName, limit: Limit, looks: int) -> str:
    for events in _ENOUGH:
        share = feature.share(detector, limit, events)
        if share is not None and share * looks < 0.5:
            return f"with {events:,} none does. Raise min_events, or leave it to the budget"
    return "more events do not help. Raise the limit, or leave it to the budget"
