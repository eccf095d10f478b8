"""What a window's figures must reach: the user's thresholds, and the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import DAY, REFERENCE

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.features.rules import RuleBook, Ruling
from driftline.detectors import DETECTORS, RATES, Comparison, Result
from driftline.detectors.budget import CHANGE, PERFORMANCE, WINDOW, stream_share

LAYOUT = REFERENCE.layout
NAMES = [feature.name for feature in LAYOUT.features]  # x, then b and c
EVENTS = 1_000
SIX_DAYS = {"window": {"length": "6d"}}
NAN = float("nan")


def rulebook(share: float = 1.0, more_tests: int = 0, **settings: Any) -> RuleBook:
    config = {"predictions": "in", "reference": "r.json", **SIX_DAYS, **settings}
    return RuleBook(ModelConfig.model_validate(config), LAYOUT, share, more_tests)


def figures(
    feature: str, effect: float = 0.0, **detectors: float | tuple[float, float]
) -> Comparison:
    """A window in which all is quiet, but for the figures given: value, or (value, p-value).

    A detector that does not apply to a feature has no figures there, as in `compare`.
    """
    at = NAMES.index(feature)
    results = {}
    for name, detector in DETECTORS.items():
        value, p_value = np.zeros(len(NAMES)), np.ones(len(NAMES))
        for f, other in enumerate(LAYOUT.features):
            if other.type not in detector.types:
                value[f] = p_value[f] = NAN
        if name == "psi":
            value[at] = effect
        given = detectors.get(name)
        if given is not None:
            value[at], p_value[at] = given if isinstance(given, tuple) else (given, NAN)
        results[name] = Result(value, p_value, np.full(len(NAMES), NAN))
    many = np.full(len(NAMES), EVENTS)
    none = np.zeros(len(NAMES), np.int64)
    return Comparison(many, many, none, none, none, none, none, results)


def normal(**rates: float) -> dict[str, Any]:
    return {name: np.full(len(NAMES), rates.get(name, 0.0)) for name in RATES}


def ruled(book: RuleBook, found: Comparison, feature: str, **rates: float) -> dict[str, Any]:
    """(level, quiet) of `feature` per rule that speaks of it."""
    f = NAMES.index(feature)
    return {
        ruling.rule.key: (int(ruling.levels[f]), bool(ruling.quiet[f]))
        for ruling in book.judge(found, normal(**rates))
        if ruling.rule.detectors[f] is not None
    }


def levels(rulings: list[Ruling]) -> list[list[int]]:
    return [ruling.levels.tolist() for ruling in rulings]


def test_level_of_one_test() -> None:
    # 3 features x 2 tests and that of the number of events, 5 looks in 30 days.
    assert rulebook().alpha == pytest.approx([WINDOW / (7 * 5)] * 3, rel=1e-12)
    assert rulebook(share=0.25).alpha == pytest.approx([WINDOW / (4 * 7 * 5)] * 3, rel=1e-12)
    assert rulebook(budget="3 per 90d").alpha == pytest.approx(
        [3 * WINDOW / (7 * 15)] * 3, rel=1e-12
    )
    hourly = rulebook(window={"length": "6h", "every": "1h"})
    assert hourly.alpha == pytest.approx([WINDOW / (7 * 720)] * 3, rel=1e-12)
    assert rulebook(ignore=["b"]).alpha[[0, 2]] == pytest.approx([WINDOW / (5 * 5)] * 2, rel=1e-12)
    # The four rates share one test.
    assert rulebook().rate_alpha * 4 == pytest.approx(rulebook().alpha, rel=1e-12)


def test_all_tests_together_spend_the_budget() -> None:
    for settings in (
        {},
        {"features": {"x": {"weight": 5}}},
        {"ignore": ["c"], "budget": "2 per 7d"},
    ):
        for segments in (0, 6):
            shares = [stream_share(segments, whole=True)]
            shares += [stream_share(segments, whole=False) for _ in range(segments)]
            allowed, looks = (2.0, 7) if "budget" in settings else (1.0, 30)
            spent = of_metrics = 0.0
            for share in shares:
                book = rulebook(share, more_tests=2, window={"length": "1d"}, **settings)
                # One test is that of the number of events, which segments leave unused.
                spent += (np.nansum(book.alpha + 4 * book.rate_alpha) + book.level) * looks
                # Evidence reaches log c in T panes at most T / c times.
                spent += np.nansum(np.exp(-book.limits)) * looks
                of_metrics += 2 * book.performance_level * looks
                of_metrics += 2 * np.exp(-book.performance_limit) * looks
            assert spent == pytest.approx(allowed * (WINDOW + CHANGE), rel=1e-12)
            assert of_metrics == pytest.approx(allowed * PERFORMANCE, rel=1e-12)


def test_weights_share_the_budget_and_leave_its_sum() -> None:
    weighted = rulebook(features={"x": {"weight": 4}, "b": {"weight": 0.5}}).alpha
    assert weighted / weighted[2] == pytest.approx([4, 0.5, 1], rel=1e-12)
    assert weighted.sum() == pytest.approx(rulebook().alpha.sum(), rel=1e-12)


def test_a_level_is_a_probability() -> None:
    assert rulebook(budget="1000 per 1d").alpha.tolist() == [1.0] * 3


@pytest.mark.parametrize(("feature", "detector"), [("x", "ks"), ("b", "chi_square"), ("c", "chi_square")])  # fmt: skip  # noqa: E501
def test_budget(feature: str, detector: str) -> None:
    book = rulebook()
    at = float(book.alpha[0])

    def level(p_value: float, effect: float) -> int:
        figure: Any = {detector: (1.0, p_value)}
        found = figures(feature, effect, **figure)
        found_level, _ = ruled(book, found, feature)["budget"]
        assert isinstance(found_level, int)
        return found_level

    assert level(at, 0.02) == 1
    assert level(at * 1.001, 0.02) == 0
    assert level(at, 0.0199) == 0
    assert level(0.0, 0.2499) == 1
    assert level(0.0, 0.25) == 2
    assert level(0.0, -0.01) == 0
    assert level(NAN, 0.5) == 0
    assert level(0.0, NAN) == 0


def test_critical_effect_and_min_effect_are_settings() -> None:
    book = rulebook(critical_effect=0.5, min_effect=0.1)
    for effect, level in ((0.09, 0), (0.1, 1), (0.49, 1), (0.5, 2)):
        found = figures("x", effect, ks=(1.0, 0.0))
        assert ruled(book, found, "x")["budget"][0] == level


def test_the_budget_is_quiet_below_half_of_min_effect() -> None:
    for effect, quiet in ((0.00999, True), (0.01, False), (-0.3, True), (NAN, False)):
        assert ruled(rulebook(), figures("x", effect, ks=(0.0, 1.0)), "x")["budget"][1] is quiet


@pytest.mark.parametrize("name", ["missing", "invalid", "unseen"])
def test_rates_of_the_budget(name: str) -> None:
    book = rulebook(min_rise=0.05)
    at = float(book.rate_alpha[2])
    key = f"budget: {name}"

    def rule(rate: float, p_value: float, usual: float = 0.0) -> tuple[int, bool]:
        figure: Any = {name: (rate, p_value)}
        found = figures("c", **figure)
        level, quiet = ruled(book, found, "c", **{name: usual})[key]
        return level, quiet

    assert rule(0.05, at)[0] == 1
    assert rule(0.05, at * 1.001)[0] == 0
    assert rule(0.0499, 0.0)[0] == 0
    assert rule(0.10, 0.0, usual=0.06)[0] == 0  # only a rise counts, in points
    assert rule(0.11, 0.0, usual=0.06)[0] == 1
    assert rule(0.02, 0.0, usual=0.20)[0] == 0
    assert rule(0.60, 0.0)[0] == 2
    assert rule(0.0249, 1.0)[1]
    assert not rule(0.025, 1.0)[1]
    assert rule(0.08, 1.0, usual=0.06)[1]


def test_every_rate_is_the_budgets() -> None:
    keys = {rule.key for rule in rulebook().rules}
    assert keys == {"budget", *(f"budget: {name}" for name in RATES)}


def test_budget_off() -> None:
    book = rulebook(budget="off", thresholds={"ks": {"warning": 0.3}})
    assert np.isnan(book.alpha).all()
    assert len(book.rules) == 1
    assert levels(book.judge(figures("x", 9.0, ks=(0.2, 0.0)), normal())) == [[0, 0, 0]]
    assert rulebook(budget="off").rules == ()


@pytest.mark.parametrize(
    ("limit", "figure", "expected"),
    [
        ({"warning": 0.1, "critical": 0.25}, (0.0999, 1), (0, False)),
        ({"warning": 0.1, "critical": 0.25}, (0.1, 1), (1, False)),
        ({"warning": 0.1, "critical": 0.25}, (0.25, 1), (2, False)),
        ({"warning": 0.1, "critical": 0.25}, (0.0499, 1), (0, True)),
        ({"warning": 0.1, "critical": 0.25}, (0.05, 1), (0, False)),
        ({"critical": 0.25}, (0.2499, 1), (0, False)),
        ({"critical": 0.25}, (0.25, 1), (2, False)),
        ({"critical": 0.25}, (0.12, 1), (0, True)),
        ({"warning": 0.1}, (9.0, 1), (1, False)),
        ({"warning": 0.1}, (NAN, NAN), (0, False)),
        ({"warning": 1e-3, "on": "p_value"}, (0.9, 1.1e-3), (0, False)),
        ({"warning": 1e-3, "on": "p_value"}, (0.9, 1e-3), (1, False)),
        ({"warning": 1e-3, "critical": 1e-6, "on": "p_value"}, (0.9, 1e-6), (2, False)),
        ({"warning": 1e-3, "critical": 1e-6, "on": "p_value"}, (0.9, 2.1e-3), (0, True)),
        ({"critical": 1e-6, "on": "p_value"}, (0.9, 0.0), (2, False)),
        ({"critical": 0.8, "on": "p_value"}, (0.9, 1.0), (0, True)),
        ({"warning": 1e-3, "on": "p_value"}, (0.9, NAN), (0, False)),
    ],
)
def test_threshold(
    limit: dict[str, Any], figure: tuple[float, float], expected: tuple[int, bool]
) -> None:
    book = rulebook(budget="off", thresholds={"ks": limit})
    (found,) = ruled(book, figures("x", ks=figure), "x").values()
    assert found == expected


def test_a_features_own_threshold_wins() -> None:
    book = rulebook(
        budget="off",
        thresholds={"psi": {"warning": 0.1}, "missing": {"critical": "5%"}},
        features={"x": {"thresholds": {"psi": {"critical": 0.3, "for": "2 of 3"}}}},
    )
    for effect, expected in ((0.2, [0, 1]), (0.3, [2, 1])):
        own = [
            max(level for level, _ in ruled(book, figures(f, effect), f).values())
            for f in ("x", "c")
        ]
        assert own == expected
    by_key = {(rule.k, rule.n): rule for rule in book.rules if "psi" in rule.detectors}
    assert by_key[2, 3].detectors == ("psi", None, None)
    assert by_key[1, 1].detectors == (None, "psi", "psi")
    (missing,) = (rule for rule in book.rules if "missing" in rule.detectors)
    assert missing.quality
    assert not by_key[1, 1].quality


def test_ignored_features_are_not_watched() -> None:
    book = rulebook(ignore=["x", "b*"], thresholds={"psi": {"warning": 0.1}})
    assert book.watched.tolist() == [False, False, True]
    found = figures("x", 9.0, ks=(1.0, 0.0), missing=(0.9, 0.0))
    assert not any(any(level) for level in levels(book.judge(found, normal())))
    assert rulebook(ignore=["*"]).watched.sum() == 0


def test_rules_in_the_words_of_the_configuration() -> None:
    book = rulebook(
        budget="2 per 7d",
        min_effect=0.05,
        thresholds={
            "psi": {"warning": 0.1, "critical": 0.25, "for": "2 of 3"},
            "missing": {"critical": "5%"},
        },
    )
    by_key = {rule.key: rule for rule in book.rules}
    drift = book.describe(by_key["budget"], "ks", 1)
    assert drift == "budget: 2 per 7d, min_effect: 0.05 (window alarm)"
    rates = book.describe(by_key["budget: missing"], "missing", 2)
    assert rates == "budget: 2 per 7d, min_rise: 2% (window alarm)"
    (psi,) = (rule for rule in book.rules if rule.limit and "psi" in rule.detectors)
    assert book.describe(psi, "psi", 1) == "psi: warning 0.1, for 2 of 3"
    assert book.describe(psi, "psi", 2) == "psi: critical 0.25, for 2 of 3"
    (missing,) = (rule for rule in book.rules if rule.limit and "missing" in rule.detectors)
    assert book.describe(missing, "missing", 2) == "missing: critical 5%"


def test_a_rule_stands_only_where_its_detector_applies() -> None:
    """Else the alerts of the other features, for which it has no figure, would never be quiet."""
    book = rulebook(thresholds={name: {"warning": 0.5} for name in DETECTORS})
    quiet = figures("x")
    for feature in NAMES:
        assert all(calm for _, calm in ruled(book, quiet, feature).values()), feature


def test_thirty_days_is_the_default_period() -> None:
    config = ModelConfig.model_validate({"predictions": "in", "reference": "r.json"})
    assert config.budget is not None
    assert (config.budget.alarms, config.budget.period) == (1, 30 * DAY)
