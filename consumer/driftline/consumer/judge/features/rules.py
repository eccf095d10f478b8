"""What a window's figures must reach for an alert: the user's thresholds, and the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import (
    DetectorName,
    Limit,
    ModelConfig,
    describe_budget,
    describe_limit,
    describe_rate_budget,
)
from driftline.consumer.judge.budget_rules import FEW_VALUES, RATE_RULES, VALUES
from driftline.consumer.judge.lives.life import Reading
from driftline.detectors import (
    DETECTORS,
    RATES,
    Comparison,
    Layout,
    rate_effect,
    significant,
)
from driftline.detectors.budget import CHANGE, PERFORMANCE, WINDOW, evidence_limit, level

OK, WARNING, CRITICAL = 0, 1, 2
_BUDGET = tuple(detector for detector in DETECTORS.values() if detector.budget)
# Of values, and of rates, which share one test's level.
_TESTS = tuple(detector for detector in _BUDGET if detector.name not in RATES)
_RATES = tuple(detector for detector in _BUDGET if detector.name in RATES)
UNSEEN = RATE_RULES["unseen"]
"""Key of the budget's rule on values that the reference does not list."""

_NO_VALUES = "no value in this window"
_NO_REFERENCE = "the reference has no value of it"


@dataclass(frozen=True)
class Rule:
    """One rule over some features.

    Attributes:
        key: identifies the rule in a model's state.
        detectors: per feature (layout order) the detector it looks at, None where not.
        quality: whether it is about data quality (a rate), not drift.
        k, n: an alert fires when k of the last n windows are in breach.
        limit: the user's limit; None for the budget.
    """

    key: str
    detectors: tuple[DetectorName | None, ...]
    quality: bool
    k: int = 1
    n: int = 1
    limit: Limit | None = None


@dataclass(frozen=True)
class Ruling:
    """One rule in one window: per feature a level (0, 1, 2) and whether it is quiet."""

    rule: Rule
    levels: NDArray[np.int8]
    quiet: NDArray[np.bool_]

    def reading(self, f: int) -> Reading:
        """Return the result for one feature."""
        rule = self.rule
        return Reading(rule.key, rule.k, rule.n, int(self.levels[f]), bool(self.quiet[f]))


class RuleBook:
    """All rules of a stream, and the level that the budget leaves to one test.

    Args:
        config: the model's configuration.
        layout: the reference's features.
        share: of the model's budget that is the stream's, see `stream_share`.
        more_tests: of performance, in the stream; they share the budget.
        few: numeric features that have few values in some stream, shape (F,); None: none. There
            `chi_square` shares the level with `ks`.
        pane: length of the panes that evidence is added up by, ms; None: a step of the windows.

    Attributes:
        pane: as above.
        min_effect: the least effect that the budget alarms on.
        level: of one test of a window; NaN without a budget.
        performance_level: of one test of a metric in a window; `performance_limit`: evidence at
            which a metric alarms, a natural logarithm. Each half of their part of the budget.
        limits: evidence at which each feature alarms, natural logarithms, shape (F,); NaN where
            none is added up.
        named: the detectors that rules look at.
    """

    def __init__(
        self,
        config: ModelConfig,
        layout: Layout,
        share: float = 1.0,
        more_tests: int = 0,
        few: NDArray[np.bool_] | None = None,
        pane: int | None = None,
    ) -> None:
        self._config = config
        self.pane = pane or config.window.every
        self.min_effect = config.min_effect
        self.watched = np.array([not config.is_ignored(f.name) for f in layout.features], bool)
        self.watched_names = tuple(
            f.name for f, on in zip(layout.features, self.watched, strict=True) if on
        )
        weights = np.array([config.weight_for(f.name) for f in layout.features], float)
        weights[~self.watched] = 0.0
        self.alpha = np.full(len(weights), np.nan)
        self.level = self.performance_level = self.performance_limit = float("nan")
        self.limits = np.full(len(weights), np.nan)
        # Two of each feature; one is of the number of events, which the whole model alone uses.
        tests = (2 * int(self.watched.sum()) + 1) / share
        budget, every = config.budget, config.window.every
        if budget is not None:
            period = budget.length(every)
            self.level = level(budget.alarms * WINDOW, period, tests, every)
            for f in np.flatnonzero(weights).tolist():
                own = share * CHANGE * weights[f] / weights.sum()
                self.limits[f] = evidence_limit(budget.alarms, period, own, self.pane)
        if budget is not None and more_tests:
            period, half, tests = budget.length(every), PERFORMANCE / 2.0, more_tests / share
            self.performance_level = level(budget.alarms * half, period, tests, every)
            self.performance_limit = evidence_limit(budget.alarms, period, half / tests, every)
        if weights.sum() > 0:
            parts = weights * self.watched.sum() / weights.sum()
            self.alpha = np.minimum(self.level * parts, 1.0)
            self.alpha[weights == 0] = np.nan
        self.rate_alpha = self.alpha / len(_RATES)
        self.rules = tuple(
            rule
            for rule in (*self._budget_rules(layout, few), *self._threshold_rules(layout))
            if any(rule.detectors)
        )
        self.named = {name for rule in self.rules for name in rule.detectors if name is not None}

    def judge(
        self, comparison: Comparison, normal: Mapping[str, NDArray[np.float64]]
    ) -> list[Ruling]:
        """Return the result of each rule in the window; `normal` are the reference's rates."""
        rulings = []
        for rule in self.rules:
            if rule.limit is not None:
                levels, quiet = _against_limit(rule, rule.limit, comparison)
            elif rule.quality:
                levels, quiet = self._rate_budget(rule, comparison, normal)
            else:
                levels, quiet = self._drift_budget(rule, comparison)
            watched = self.watched & np.array([d is not None for d in rule.detectors], bool)
            rulings.append(Ruling(rule, np.where(watched, levels, OK).astype(np.int8), quiet))
        return rulings

    def untested(self, comparison: Comparison) -> list[str | None]:
        """Return per feature why its values could not be tested in a window; None: they were.

        That its rates were is not enough where a rule looks at the values' distribution.
        """
        looked, tested = np.zeros((2, len(self.watched)), bool)
        for rule in self.rules:
            for name in {name for name in rule.detectors if name is not None} - set(RATES):
                looks = np.array([detector == name for detector in rule.detectors], bool)
                if rule.limit is None:
                    looks &= np.isfinite(self.alpha)
                looked |= looks
                tested |= looks & np.isfinite(comparison.detectors[name].value)
        return [
            None if not missing else _NO_REFERENCE if valid else _NO_VALUES
            for missing, valid in zip(
                (looked & ~tested).tolist(), (comparison.valid > 0).tolist(), strict=True
            )
        ]

    def _drift_budget(
        self, rule: Rule, comparison: Comparison
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        config, effect = self._config, comparison.effect
        p_value = np.full(effect.shape, np.nan)
        for test in _TESTS:
            looks = np.array([detector == test.name for detector in rule.detectors], bool)
            p_value[looks] = comparison.detectors[test.name].p_value[looks]
        with np.errstate(invalid="ignore"):
            breach = (p_value <= self.alpha / comparison.tests) & (effect >= config.min_effect)
            levels = np.where(breach, np.where(effect >= config.critical_effect, 2, 1), 0)
            return levels.astype(np.int8), effect < config.min_effect / 2

    def _rate_budget(
        self, rule: Rule, comparison: Comparison, normal: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        config = self._config
        name = next(d for d in rule.detectors if d is not None)
        rate = comparison.detectors[name]
        rise = significant(rate.value - normal[name])
        effect = rate_effect(rate.value, normal[name], comparison.events)
        with np.errstate(invalid="ignore"):
            breach = (rate.p_value <= self.rate_alpha) & (rise >= config.min_rise)
            levels = np.where(breach, np.where(effect >= config.critical_effect, 2, 1), 0)
            return levels.astype(np.int8), rise < config.min_rise / 2

    def _budget_rules(self, layout: Layout, few: NDArray[np.bool_] | None) -> list[Rule]:
        if self._config.budget is None:
            return []
        drift = tuple(
            next(test.name for test in _TESTS if f.type in test.types) for f in layout.features
        )
        beside: list[DetectorName | None] = [None] * len(layout.features)
        for f in () if few is None else np.flatnonzero(few):
            beside[f] = next(test.name for test in _TESTS if test.few_values)
        rates = [
            Rule(
                RATE_RULES[rate.name],
                tuple(rate.name if f.type in rate.types else None for f in layout.features),
                quality=True,
            )
            for rate in _RATES
        ]
        few_values = Rule(FEW_VALUES, tuple(beside), quality=False)
        return [Rule(VALUES, drift, quality=False), few_values, *rates]

    def _threshold_rules(self, layout: Layout) -> list[Rule]:
        thresholds: Sequence[Mapping[DetectorName, Limit]] = [
            {
                name: limit
                for name, limit in self._config.thresholds_for(feature.name).items()
                if feature.type in DETECTORS[name].types
            }
            for feature in layout.features
        ]
        distinct = {
            (f"{name}: {limit.warning}, {limit.critical}, {limit.for_}, {limit.on}", name, limit)
            for limits in thresholds
            for name, limit in limits.items()
        }
        return [
            Rule(
                key,
                tuple(name if limits.get(name) == limit else None for limits in thresholds),
                name in RATES,
                limit.for_.k,
                limit.for_.n,
                limit,
            )
            for key, name, limit in sorted(distinct, key=lambda entry: entry[0])
        ]

    def describe_changes(self) -> str:
        """Return the rule on evidence, in the words of the configuration."""
        return f"{describe_budget(self._config)} (change alarm)"

    def describe(self, rule: Rule, detector: DetectorName, severity: int) -> str:
        """Return the rule that fired, in the words of the configuration."""
        if rule.limit is None:
            config = self._config
            told = describe_rate_budget(config) if rule.quality else describe_budget(config)
            return f"{told} (window alarm)"
        critical = severity == CRITICAL and rule.limit.critical is not None
        return describe_limit(
            detector,
            rule.limit,
            "critical" if critical or rule.limit.warning is None else "warning",
        )


def _against_limit(
    rule: Rule, limit: Limit, comparison: Comparison
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return level and quiet per feature for a plain threshold."""
    name = next(d for d in rule.detectors if d is not None)
    result = comparison.detectors[name]
    levels = np.zeros(len(result.value), np.int8)
    lowest = limit.warning if limit.warning is not None else limit.critical
    with np.errstate(invalid="ignore"):
        for reached, bound in ((WARNING, limit.warning), (CRITICAL, limit.critical)):
            if bound is None:
                continue
            breach = result.p_value <= bound if limit.on == "p_value" else result.value >= bound
            levels[breach] = reached
        if lowest is None:
            return levels, np.ones(len(levels), bool)
        if limit.on == "p_value":
            return levels, result.p_value > min(2 * lowest, 1.0) * (1 - 1e-12)
        return levels, result.value < lowest / 2
