"""The suite that detectors and metrics inherit finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from driftline.detectors import DETECTORS, Result, comparison
from driftline.detectors.features import hellinger
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import METRICS, Figure, OutcomeLayout, confusion, performance
from driftline.detectors.samples import Samples
from driftline.detectors.testing import Case, DetectorContract, Figures, MetricContract, Pairs
from driftline.detectors.testing import detectors as suite
from driftline.detectors.testing import metrics as metric_suite
from driftline.detectors.testing.data import quiet_flags

NAME = "hellinger"


class One(DetectorContract):
    names = (NAME,)

    def oracle(self, name: str, case: Case) -> Figures:
        p, q = case.r / case.r.sum(), case.w / case.w.sum()
        return float(np.sqrt(1.0 - np.sqrt(p * q).sum())), None


Change = Callable[[Samples, Result], Result]
_SEEN: list[int] = []


def traced(samples: Samples, found: Result) -> Result:
    _SEEN.append(1)
    return replace(found, value=found.value + 1e-6 * len(_SEEN))


def of_all(samples: Samples, found: Result) -> Result:
    return replace(found, value=found.value - 1e-3 * np.nanmean(found.value))


def of_missing(samples: Samples, found: Result) -> Result:
    return replace(found, value=np.where(np.isnan(found.value), 0.0, found.value))


def infinite(samples: Samples, found: Result) -> Result:
    return replace(found, value=np.where(found.value == 0.0, np.inf, found.value))


def half(samples: Samples, found: Result) -> Result:
    return replace(found, p_value=found.p_value / 2, threshold=0.9 * found.threshold)


BROKEN: dict[str, tuple[Change, set[str]]] = {
    "whole": (lambda samples, found: found, set()),
    "a trace": (traced, {"leaves_no_trace", "restored", "merged", "one_by_one", "oracle"}),
    "of all features": (
        of_all,
        {"one_by_one", "oracle", "empty_window", "is_no_value", "constant"},
    ),
    "a value of nothing": (of_missing, {"empty_window", "is_no_value"}),
    "infinite": (infinite, {"constant"}),
    "another law": (half, {"threshold"}),
}


def failing(contract: DetectorContract) -> set[str]:
    reference, baseline = suite._reference(), suite._baseline()
    tests: dict[str, Callable[[], None]] = {
        "oracle": lambda: contract.test_it_equals_its_oracle(reference, baseline, NAME, 2),
        "threshold": lambda: contract.test_its_threshold_is_what_quiet_windows_reach_at_the_level(
            reference, baseline, NAME
        ),
        "one_by_one": lambda: contract.test_a_batch_equals_one_by_one(reference, baseline, NAME),
        "merged": lambda: contract.test_merged_counts_give_the_same(reference, baseline, NAME),
        "leaves_no_trace": lambda: contract.test_a_window_leaves_no_trace_in_the_next(
            reference, NAME
        ),
        "restored": lambda: contract.test_a_restored_reference_gives_the_same(reference, NAME),
        "empty_window": lambda: contract.test_an_empty_window_has_no_value(baseline, NAME),
        "is_no_value": lambda: contract.test_what_is_no_value_does_not_count(baseline, NAME),
        "constant": lambda: contract.test_constant_and_empty_references_do_not_crash(NAME),
    }
    found = set()
    for name, test in tests.items():
        try:
            test()
        except (AssertionError, RuntimeWarning):
            found.add(name)
    return found


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_with_a_detector_fails(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, wanted = BROKEN[what]
    monkeypatch.setitem(
        comparison._FIGURES, NAME, lambda samples: change(samples, hellinger.figures(samples))
    )
    assert failing(One()) == wanted


@pytest.mark.parametrize(("divided", "kept"), [(1.0, True), (2.0, False)])
def test_a_law_that_is_wrong_fails(
    divided: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    uniform = np.random.default_rng(1).random(8_000)
    monkeypatch.setattr(suite, "_quiet_p_values", lambda names: {NAME: uniform / divided})
    try:
        One().test_quiet_windows_keep_the_level(NAME)
        passed = True
    except AssertionError:
        passed = False
    assert passed == kept


def test_booleans_are_tried_by_booleans(monkeypatch: pytest.MonkeyPatch) -> None:
    only = {**DETECTORS, NAME: replace(DETECTORS[NAME], types=("boolean",))}
    monkeypatch.setattr(suite, "DETECTORS", only)
    drawn: list[int] = []

    def flags(n: int, rng: np.random.Generator) -> None:
        drawn.append(n)
        raise LookupError

    monkeypatch.setattr(suite, "quiet_flags", flags)
    suite._quiet_p_values.cache_clear()
    with pytest.raises(LookupError):
        suite._quiet_p_values((NAME,))
    assert drawn == [4_000]
    assert {each.type for each in quiet_flags(10, np.random.default_rng(0)).values()} == {"boolean"}


class Accuracy(MetricContract):
    names = ("accuracy",)

    def oracle(self, name: str, pairs: Pairs) -> float:
        return float((pairs.predicted == pairs.actual).mean())


Wrong = Callable[[Figure, int], Figure]
FIGURES: dict[str, tuple[Wrong, set[str]]] = {
    "whole": (lambda figure, n: figure, set()),
    "zero for none": (lambda figure, n: figure if n else Figure.of(0.0, 0.0, 1.0, 0), {"no_pairs"}),
    "off": (lambda figure, n: replace(figure, value=figure.value + 0.01), {"oracle", "one_sort"}),
    "no interval": (
        lambda figure, n: replace(figure, low=np.nan), {"interval"}
    ),
    "narrow": (
        lambda figure, n: replace(
            figure, low=figure.value - 1e-3, high=figure.value + 1e-3
        ), {"interval"},
    ),
    "too few pairs": (lambda figure, n: replace(figure, n=n // 2), {"oracle"}),
}  # fmt: skip


@pytest.mark.parametrize("what", FIGURES)
def test_what_is_wrong_with_a_metric_fails(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, wanted = FIGURES[what]

    def measured(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
        found = confusion.class_metrics(layout, counts)
        n = int(layout.view(counts, "confusion").sum())
        return found | {"accuracy": change(found["accuracy"], n)}

    monkeypatch.setitem(performance.MEASURES, "classes", measured)
    metric_suite._held.cache_clear()
    contract, found = Accuracy(), set()
    tests: dict[str, Callable[[], None]] = {
        "oracle": lambda: contract.test_it_equals_its_oracle("accuracy", 0),
        "merged": lambda: contract.test_merged_counts_give_the_same("accuracy"),
        "no_pairs": lambda: contract.test_no_pairs_have_no_value("accuracy"),
        "one_sort": lambda: contract.test_windows_of_one_sort_do_not_crash("accuracy", 1),
        "interval": lambda: contract.test_its_interval_holds_the_value("accuracy"),
    }
    for name, test in tests.items():
        try:
            test()
        except AssertionError:
            found.add(name)
    metric_suite._held.cache_clear()
    assert found == wanted
    assert METRICS["accuracy"].interval is not None
