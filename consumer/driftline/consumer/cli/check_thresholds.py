"""How often the plain thresholds of a model would fire on quiet data.

Without a change the statistics follow known laws (see `driftline.detectors`), so the share of quiet
windows that reach a limit can be told beforehand. The window is taken to hold `min_events`: fewer
are not judged, more make every statistic smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, chdtrc, kolmogorov

from driftline.consumer.cli.check_findings import DAY, Finding
from driftline.consumer.config import RATES, Detector, Limit, ModelConfig, format_share
from driftline.consumer.config import format_number as plain
from driftline.consumer.judge.sentence import percent
from driftline.detectors import Baseline, normal_rates, quiet_share
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
    """

    name: str
    bins: int
    events: int
    rates: dict[str, float]

    def share(self, detector: Detector, limit: Limit, events: int) -> float | None:
        """Return the share of quiet windows of so many events that reach the lowest level.

        None where no law is known.
        """
        levels = [level for level in (limit.warning, limit.critical) if level is not None]
        if limit.on == "p_value":
            return max(levels)
        level = min(levels)
        v = 1.0 / events + 1.0 / self.events
        if detector == "ks":
            return float(kolmogorov(level / math.sqrt(v)))
        if detector == "psi":
            return quiet_share(level, events, self.events, self.bins)
        if detector == "chi_square":
            return float(chdtrc(self.bins - 1, max(level, 0.0))) if self.bins > 1 else 0.0
        if detector == "jensen_shannon":
            return float(chdtrc(self.bins - 1, max(8 * level / v, 0.0))) if self.bins > 1 else 0.0
        if detector in RATES:
            needed = math.ceil(level * events - 1e-9)
            normal = self.rates.get(detector, 0.0)
            return float(bdtrc(needed - 1, events, normal)) if needed > 0 else 1.0
        return None


def threshold_findings(name: str, model: ModelConfig, reference: Reference) -> Iterator[Finding]:
    """Yield a warning for each threshold that quiet data reaches at least once in 30 d.

    Where a threshold holds for many features, one row speaks of all that reach it.
    """
    looks = PERIOD // model.window.every
    least = model.window.min_events
    loud: dict[tuple[Detector, str], list[tuple[Quiet, Limit, float]]] = {}
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
) -> Iterator[tuple[Quiet, Detector, Limit]]:
    baseline = Baseline(reference.layout, reference.counts[0])
    normal = normal_rates(baseline)
    for f, feature in enumerate(reference.layout.features):
        if model.is_ignored(feature.name):
            continue
        quiet = Quiet(
            feature.name,
            int(np.count_nonzero(baseline.bins(f).reference)),
            reference.events,
            {rate: float(np.nan_to_num(shares[f])) for rate, shares in normal.items()},
        )
        for detector, limit in model.thresholds_for(feature.name).items():
            numeric = feature.type == "numeric"
            applies = {"ks": numeric, "out_of_range": numeric, "chi_square": not numeric}
            if applies.get(detector, True):
                yield quiet, detector, limit


def _limit(detector: Detector, limit: Limit) -> str:
    levels = [level for level in (limit.warning, limit.critical) if level is not None]
    if limit.on == "p_value":
        return f"{detector} p_value {plain(max(levels))}"
    level = min(levels)
    return f"{detector} {format_share(level) if detector in RATES else plain(level)}"


def _advice(feature: Quiet, detector: Detector, limit: Limit, looks: int) -> str:
    for events in _ENOUGH:
        share = feature.share(detector, limit, events)
        if share is not None and share * looks < 0.5:
            return f"with {events:,} none does. Raise min_events, or leave it to the budget"
    return "more events do not help. Raise the limit, or leave it to the budget"
