"""The suite that every detector inherits: each must pass all of it."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from driftline.detectors.baseline import Baseline, Bins
from driftline.detectors.build import build_reference
from driftline.detectors.columns import encode
from driftline.detectors.comparison import compare
from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.features.cells import Result
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.quiet import QuietWindow, quiet_share
from driftline.detectors.reference import Reference
from driftline.detectors.registry import DETECTORS, RATES
from driftline.detectors.testing.data import (
    NORMAL,
    REFERENCE_ROWS,
    Case,
    Figures,
    cases,
    columns_of,
    quiet_columns,
    quiet_flags,
    window_columns,
    window_of,
)

PARTS = ("value", "p_value", "threshold")
LEVEL = 0.01


class DetectorContract:
    """Inherit it, and name the detectors: each is a line of the table, so it is installed.

    Attributes:
        names: of the detectors.
    """

    names: ClassVar[Collection[str]]

    def oracle(self, name: str, case: Case) -> Figures | None:
        """Return value and p-value by another way; to be written for each detector.

        Args:
            name: of the detector.
            case: one feature of a reference and a window.

        Returns:
            Value, and p-value or None where the other way has none. None: there is no other way.
        """
        return None

    def cells(self, name: str, bins: Bins) -> int:
        """Return how many bins or categories the law of a detector is of."""
        return bins.window.size

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test for each detector."""
        if "name" in metafunc.fixturenames:
            metafunc.parametrize("name", list(self.names))

    @pytest.fixture
    def reference(self) -> Reference:
        """A reference of columns of each kind."""
        return _reference()

    @pytest.fixture
    def baseline(self) -> Baseline:
        """What its windows are compared with."""
        return _baseline()

    # --- figures -----------------------------------------------------------------------------

    @pytest.mark.parametrize("seed", range(2, 7))
    def test_it_equals_its_oracle(
        self, reference: Reference, baseline: Baseline, name: str, seed: int
    ) -> None:
        """It has a figure for the features of its types, within its bounds, the oracle's."""
        detector, layout = DETECTORS[name], reference.layout
        found = figures(baseline, window_of(reference, seed), name)
        for f, case in cases(reference, baseline, seed).items():
            applies = layout.features[f].type in detector.types
            assert np.isnan(found.value[f]) != applies
            assert np.isnan(found.p_value[f]) != (applies and detector.law is not None)
            if not applies:
                continue
            assert detector.scale.least <= found.value[f] <= detector.scale.most
            if (known := self.oracle(name, case)) is not None:
                value, p_value = known
                assert found.value[f] == pytest.approx(value, rel=1e-8)
                assert p_value is None or found.p_value[f] == pytest.approx(p_value, rel=1e-6)

    def test_its_threshold_is_what_quiet_windows_reach_at_the_level(
        self, reference: Reference, baseline: Baseline, name: str
    ) -> None:
        """What `check` says of a threshold is what the detector says of its own."""
        if name in RATES:
            return  # theirs is the smallest share of whole events
        window = window_of(reference, 4)
        found = figures(baseline, window, name)
        for f in np.flatnonzero(~np.isnan(found.value)).tolist():
            bins = baseline.bins(f, window)
            events, normally = int(bins.window.sum()), int(bins.reference.sum())
            quiet = QuietWindow(events, normally, self.cells(name, bins))
            share = quiet_share(name, found.threshold[f], quiet)
            if DETECTORS[name].law is None:
                assert share is None
            else:
                assert share == pytest.approx(LEVEL, rel=1e-6)

    # --- laws --------------------------------------------------------------------------------

    def test_a_batch_equals_one_by_one(
        self, reference: Reference, baseline: Baseline, name: str
    ) -> None:
        """Bit for bit, whichever features are compared together, each at a level of its own."""
        layout, window = reference.layout, window_of(reference, 7)
        level = np.linspace(1e-6, 1e-2, len(layout.features))
        together = figures(baseline, window, name, level)
        for f, feature in enumerate(layout.features):
            own = slice(layout.starts[f], layout.starts[f + 1])
            alone = Baseline(Layout((feature,)), reference.counts[0][own])
            found = figures(alone, window[own], name, level[f])
            for part in PARTS:
                one, many = getattr(found, part)[:1], getattr(together, part)[f : f + 1]
                assert one.tobytes() == many.tobytes() or (np.isnan(one) & np.isnan(many)).all()

    def test_merged_counts_give_the_same(
        self, reference: Reference, baseline: Baseline, name: str
    ) -> None:
        """Panes add up to their window in any order."""
        rows = encode(reference.layout, window_columns(7, 800, 0.3))
        order = np.random.default_rng(3).permutation(800)
        panes = [
            count_columns(reference.layout, Columns(rows.numeric[part], rows.codes[part]))
            for part in np.split(order, [0, 1, 300, 650])
        ]
        whole = figures(baseline, window_of(reference, 7), name)
        assert same(figures(baseline, sum(panes[1:], panes[0]), name), whole)
        assert same(figures(baseline, sum(panes[-2::-1], panes[-1]), name), whole)

    def test_a_window_leaves_no_trace_in_the_next(self, reference: Reference, name: str) -> None:
        """One baseline judges all windows of its stream: a new one finds the same in each."""
        windows = [window_of(reference, seed, n) for seed, n in ((7, 300), (8, 3_000), (7, 300))]
        used = Baseline(reference.layout, reference.counts[0])
        copies = [window.copy() for window in windows]
        for window in windows:
            fresh = Baseline(reference.layout, reference.counts[0])
            assert same(figures(used, window, name), figures(fresh, window, name))
        assert all(map(np.array_equal, windows, copies))

    def test_a_restored_reference_gives_the_same(self, reference: Reference, name: str) -> None:
        """As after a restart, which reads the reference's file again."""
        restored = Reference.from_json(reference.to_json())
        assert restored.id == reference.id
        window = window_of(reference, 9)
        before, after = (
            figures(Baseline(r.layout, r.counts[0]), window, name) for r in (reference, restored)
        )
        assert same(before, after)

    # --- bad input ---------------------------------------------------------------------------

    def test_an_empty_window_has_no_value(self, baseline: Baseline, name: str) -> None:
        """Figures of no events are NaN."""
        found = figures(baseline, np.zeros(baseline.layout.size, np.int64), name)
        assert all(np.isnan(getattr(found, part)).all() for part in PARTS)

    def test_what_is_no_value_does_not_count(self, baseline: Baseline, name: str) -> None:
        """Of missing, absent and invalid values the rates speak, and no other detector."""
        window = np.zeros(baseline.layout.size, np.int64)
        for start in baseline.layout.starts[1:]:
            window[start - 3 : start] = 100, 50, 10  # missing, absent, invalid
        value = figures(baseline, window, name).value
        assert name in RATES or np.isnan(value).all()

    def test_constant_and_empty_references_do_not_crash(self, name: str) -> None:
        """Nor do windows as large as they get; what never changed is no change."""
        layout = _empty_layout()
        some = count_columns(layout, Columns(np.full((9, 2), 5.0), np.zeros((9, 2), np.int32)))
        for counts in (np.zeros(layout.size, np.int64), some):
            for window in (np.zeros(layout.size, np.int64), some, 1000 * some):
                found = figures(Baseline(layout, counts), window, name)
                assert found.value.shape == (4,)
                assert not np.isinf(found.value).any()
        quiet = figures(Baseline(layout, some), 1000 * some, name)
        assert not (quiet.p_value < 0.5).any()

    # --- false alarms ------------------------------------------------------------------------

    def test_quiet_windows_keep_the_level(self, name: str) -> None:
        """At most 1.6 times 0.01 of at least 5,000 tests: that is 4 standard deviations off."""
        p_value = _quiet_p_values(tuple(self.names))[name]
        p_value = p_value[~np.isnan(p_value)]
        if DETECTORS[name].law is None:
            assert p_value.size == 0  # it claims no level
            return
        assert p_value.size >= 5_000
        assert (p_value <= LEVEL).mean() <= 1.6 * LEVEL


def figures(
    baseline: Baseline, window: IntArray, name: str, level: FloatArray | float = LEVEL
) -> Result:
    """Return what one detector finds in a window."""
    return compare(baseline, window, level, also=(name,)).detectors[name]


def same(one: Result, other: Result) -> bool:
    """Tell whether two results are the same, bit for bit."""
    return all(getattr(one, part).tobytes() == getattr(other, part).tobytes() for part in PARTS)


@cache
def _reference() -> Reference:
    return build_reference("contract", columns_of(1, REFERENCE_ROWS, 0.0, NORMAL), grid=None)


@cache
def _baseline() -> Baseline:
    return Baseline(_reference().layout, _reference().counts[0])


@cache
def _quiet_p_values(names: tuple[str, ...]) -> dict[str, FloatArray]:
    """p-values of 1,000 quiet windows of 500 events; every 20 share a reference of their own."""
    rng = np.random.default_rng(11)
    found: dict[str, list[FloatArray]] = {name: [] for name in names}
    of_flags = all(DETECTORS[name].types == ("boolean",) for name in names)
    drawn = quiet_flags if of_flags else quiet_columns
    for _ in range(50):
        reference = build_reference("quiet", drawn(4_000, rng), grid=None)
        baseline = Baseline(reference.layout, reference.counts[0])
        stream = encode(reference.layout, drawn(20 * 500, rng))
        for rows in np.split(np.arange(10_000), 20):
            part = Columns(stream.numeric[rows], stream.codes[rows])
            window = count_columns(reference.layout, part)
            compared = compare(baseline, window, LEVEL, also=names)
            for name, p_values in found.items():
                p_values.append(compared.detectors[name].p_value)
    return {name: np.concatenate(p_values) for name, p_values in found.items()}


def _empty_layout() -> Layout:
    return Layout.of(
        [
            Feature("nothing", "numeric", np.empty(0)),
            Feature("constant", "numeric", np.array([5.0])),
            Feature("no class", "categorical", np.empty(0)),
            Feature("one class", "categorical", np.empty(0), ("x",)),
        ]
    )
