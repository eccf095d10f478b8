"""What differs between two references, against what is known of the data they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from driftline.detectors import FeatureColumn, Reference, build_reference, compare
from driftline.detectors.baseline import Baseline
from driftline.detectors.columns import encode
from driftline.detectors.counts import count_columns
from driftline.detectors.grid import IntArray
from driftline.detectors.reference_diff import diff_references


def counts_of(reference: Reference, features: dict[str, FeatureColumn]) -> IntArray:
    return count_columns(reference.layout, encode(reference.layout, features))


def test_what_each_alone_has() -> None:
    numbers = np.arange(400.0) % 50
    tags = {"channel": ["web", "app"] * 200}
    a = build_reference(
        "m",
        {
            "age": FeatureColumn("numeric", numbers),
            "plan": FeatureColumn("categorical", ["free", "paid"] * 200),
            "old": FeatureColumn("numeric", numbers),
            "zip": FeatureColumn("numeric", numbers),
        },
        segments=tags,
    )
    b = build_reference(
        "m",
        {
            "age": FeatureColumn("numeric", numbers),
            "plan": FeatureColumn("categorical", ["free", "trial"] * 200),
            "new": FeatureColumn("numeric", numbers),
            "zip": FeatureColumn("categorical", ["1", "2"] * 200),
        },
    )
    found = diff_references(a, b)
    assert not found.same_layout
    assert found.only == (("old",), ("new",))
    assert found.segments == (("channel=__other__", "channel=app", "channel=web"), ())
    by_name = {each.name: each for each in found.features}
    assert (by_name["plan"].new, by_name["plan"].gone) == (("trial",), ("paid",))
    assert by_name["plan"].psi is not None
    assert by_name["plan"].psi > 1
    assert by_name["zip"].types == ("numeric", "categorical")
    assert by_name["zip"].psi is None
    assert by_name["age"].same_grid
    assert by_name["age"].psi == pytest.approx(-9 * (1 / 400 + 1 / 400))


def test_over_one_grid_it_is_the_effect_of_a_window() -> None:
    rng = np.random.default_rng(4)
    a = build_reference("m", {"x": FeatureColumn("numeric", rng.normal(size=4_000))})
    values = {"x": FeatureColumn("numeric", rng.normal(0.3, 1, 3_000))}
    flat = counts_of(a, values)
    b = Reference(a.model, a.layout, type(a.counted)((None,), flat[None], np.array([3_000])), {})
    found = diff_references(a, b).features[0]
    effect = compare(Baseline(a.layout, a.counts[0]), flat, 0.01).effect[0]
    assert found.psi == pytest.approx(effect, abs=1e-9)


def test_over_other_grids_it_is_nearly_that() -> None:
    """Each has the quantiles of its own values."""
    rng = np.random.default_rng(5)
    one, two = rng.normal(size=9_000), rng.normal(0.4, 1.3, size=9_000)
    a = build_reference("m", {"x": FeatureColumn("numeric", one)})
    b = build_reference("m", {"x": FeatureColumn("numeric", two)})
    found = diff_references(a, b).features[0]
    exact = compare(
        Baseline(a.layout, a.counts[0]), counts_of(a, {"x": FeatureColumn("numeric", two)}), 0.01
    ).effect[0]
    assert not found.same_grid
    assert found.psi == pytest.approx(exact, rel=0.02)


def test_a_feature_without_values_has_no_effect() -> None:
    a = build_reference("m", {"x": FeatureColumn("numeric", np.arange(100.0))})
    b = build_reference("m", {"x": FeatureColumn("numeric", np.full(100, np.nan))})
    found = diff_references(a, b).features[0]
    assert found.psi is None
    assert found.missing == (0.0, 1.0)
    assert diff_references(b, a).features[0].psi is None
