"""One suite that every windowed detector inherits: each must pass all of it.

A new detector joins by its line in the table and an oracle in `oracles.py`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Columns,
    Feature,
    FeatureColumn,
    Layout,
    QuietWindow,
    Reference,
    build_reference,
    count_columns,
    encode,
    quiet_share,
    significant,
)
from driftline.detectors import compare as compare_some
from driftline.detectors.features.distance import distances
from driftline.detectors.grid import FloatArray, IntArray

from .oracles import CHANGED, DATA, NAMES, NORMAL, ORACLES, Case, columns_of

compare = partial(compare_some, also=DETECTORS)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference("contract", columns_of(1, 4_000, 0.0, NORMAL), grid=None)


@pytest.fixture(scope="module")
def baseline(reference: Reference) -> Baseline:
    return Baseline(reference.layout, reference.counts[0])


def window_of(reference: Reference, seed: int, n: int = 800, shift: float = 0.3) -> IntArray:
    columns = columns_of(seed, n, shift, CHANGED if shift else NORMAL)
    return count_columns(reference.layout, encode(reference.layout, columns))


def cases(
    reference: Reference, baseline: Baseline, seed: int, n: int = 800, shift: float = 0.3
) -> dict[int, Case]:
    """What an oracle needs of every feature of `window_of` with the same arguments."""
    window = window_of(reference, seed, n, shift)
    old = columns_of(1, 4_000, 0.0, NORMAL)
    new = columns_of(seed, n, shift, CHANGED if shift else NORMAL)
    found = {}
    for f, feature in enumerate(reference.layout.features):
        bins = baseline.bins(f, window)
        sides = [old[feature.name], new[feature.name]]
        values = [
            np.asarray(side.values, float) if side.type == "numeric" else np.empty(0)
            for side in sides
        ]
        before, after = (x[np.isfinite(x)] for x in values)
        found[f] = Case(before, after, bins.reference, bins.window, feature.grid, sides[1])
    return found


# --- oracles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2, 7))
@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_equals_its_oracle(
    reference: Reference, baseline: Baseline, name: str, seed: int
) -> None:
    detector, layout = DETECTORS[name], reference.layout
    found = compare(baseline, window_of(reference, seed), 0.01).detectors[name]
    for f, case in cases(reference, baseline, seed).items():
        applies = layout.features[f].type in detector.types
        assert np.isnan(found.value[f]) != applies
        assert np.isnan(found.p_value[f]) != (applies and detector.law is not None)
        if applies:
            value, p_value = ORACLES[name](case)
            assert found.value[f] == pytest.approx(value, rel=1e-8)
            assert detector.scale.least <= found.value[f] <= detector.scale.most
            assert p_value is None or found.p_value[f] == pytest.approx(p_value, rel=1e-6)


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("seed", range(20))
def test_ks_equals_scipy_for_every_window(
    reference: Reference, baseline: Baseline, kind: str, seed: int
) -> None:
    f, n, shift = reference.layout.position[kind], 100 + 60 * seed, 0.05 * (seed % 5)
    window = window_of(reference, seed, n, shift)
    found = compare(baseline, window, 0.01).detectors["ks"]
    case = cases(reference, baseline, seed, n, shift)[f]
    value, p_value = ORACLES["ks"](case)
    valid = np.array([reference.layout.slots(window, i).sum() for i in range(len(DATA))], float)
    exact, _ = distances(reference.layout, baseline.cdf, window, valid)
    assert exact[f] == pytest.approx(value, rel=0, abs=1e-12)
    assert found.value[f] == significant(value)
    assert found.p_value[f] == pytest.approx(p_value, rel=1e-7)
    effective = np.sqrt(case.old.size * case.new.size / (case.old.size + case.new.size))
    assert found.threshold[f] == pytest.approx(stats.kstwobign.isf(0.01) / effective, rel=1e-9)


@pytest.fixture(scope="module")
def few_and_many(reference: Reference) -> tuple[IntArray, IntArray]:
    """4,000 events with every kind of bad value, far ones and unseen categories, twice: in the
    second of some features there are more."""
    return window_of(reference, 2, 4_000, 1.6), window_of(reference, 3, 4_000, 1.7)


@pytest.mark.parametrize("name", RATES)
def test_large_rates_equal_scipy_chi_square(
    reference: Reference, few_and_many: tuple[IntArray, IntArray], name: str
) -> None:
    normal = Baseline(reference.layout, few_and_many[0])
    old, found = (compare(normal, window, 0.01).detectors[name] for window in few_and_many)
    rose = np.flatnonzero((4_000 * old.value > 30) & (found.value > old.value))
    assert rose.size
    for f in rose:
        bad = np.array([4_000 * old.value[f] + RATES[name].added, 4_000 * found.value[f]])
        table = np.stack([bad, 4_000 - bad], axis=1)
        wanted = stats.chi2_contingency(table, correction=False).pvalue
        assert found.p_value[f] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", [n for n, each in DETECTORS.items() if each.direction == "rise"])
def test_a_rate_that_fell_is_not_significant(
    reference: Reference, few_and_many: tuple[IntArray, IntArray], name: str
) -> None:
    few, many = few_and_many
    normal = Baseline(reference.layout, many)
    found, old = (compare(normal, window, 0.01).detectors[name] for window in (few, many))
    fell = found.value < old.value
    assert fell.any()
    assert (found.p_value[fell] > 0.3).all()


@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in RATES])
def test_a_threshold_is_what_quiet_windows_reach_at_the_level(
    reference: Reference, baseline: Baseline, name: str
) -> None:
    """`check` says of a threshold what the detector says of its own."""
    window = window_of(reference, 4)
    found = compare(baseline, window, 0.01)
    for f in np.flatnonzero(~np.isnan(found.detectors[name].value)).tolist():
        bins = baseline.bins(f, window)
        # What chi_square merges: the rarest category, and the one that is unseen.
        count = bins.window.size - (name == "chi_square" and bins.window.size == 5)
        quiet = QuietWindow(int(bins.window.sum()), int(bins.reference.sum()), count)
        share = quiet_share(name, found.detectors[name].threshold[f], quiet)
        if DETECTORS[name].law is None:
            assert share is None
        else:
            assert share == pytest.approx(0.01, rel=1e-6)


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DETECTORS)
def test_batch_equals_one_by_one(reference: Reference, baseline: Baseline, name: str) -> None:
    layout, window = reference.layout, window_of(reference, 7)
    alpha = np.linspace(1e-6, 1e-2, len(layout.features))
    together = compare(baseline, window, alpha).detectors[name]
    for f, feature in enumerate(layout.features):
        own = slice(layout.starts[f], layout.starts[f + 1])
        alone = Baseline(Layout((feature,)), reference.counts[0][own])
        found = compare(alone, window[own], alpha[f]).detectors[name]
        for part in ("value", "p_value", "threshold"):
            one, many = getattr(found, part)[:1], getattr(together, part)[f : f + 1]
            assert one.tobytes() == many.tobytes() or (np.isnan(one) & np.isnan(many)).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_merging_is_associative_and_free_of_order(
    reference: Reference, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, 300))
    whole = encode(reference.layout, columns_of(n, n, 0.3, CHANGED))
    order = np.array(data.draw(st.permutations(range(n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    parts = [
        count_columns(reference.layout, Columns(whole.numeric[rows], whole.codes[rows]))
        for rows in np.split(order, cuts)
    ]
    at_once = count_columns(reference.layout, whole)
    assert np.array_equal(sum(parts[1:], parts[0]), at_once)
    assert np.array_equal(parts[0] + sum(reversed(parts[1:])), at_once)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_window_leaves_no_trace_in_the_next(reference: Reference, name: str) -> None:
    """One baseline judges all windows of its stream: a new one must find the same in each."""
    windows = [window_of(reference, seed, n) for seed, n in ((7, 300), (8, 3_000), (7, 300))]
    used = Baseline(reference.layout, reference.counts[0])
    copies = [window.copy() for window in windows]
    for window in windows:
        found = compare(used, window, 0.01).detectors[name]
        fresh = Baseline(reference.layout, reference.counts[0])
        alone = compare(fresh, window, 0.01).detectors[name]
        for part in ("value", "p_value", "threshold"):
            assert getattr(found, part).tobytes() == getattr(alone, part).tobytes()
    assert all(map(np.array_equal, windows, copies))


@pytest.mark.parametrize("name", DETECTORS)
def test_restored_reference_gives_the_same(reference: Reference, name: str) -> None:
    restored = Reference.from_json(reference.to_json())
    assert restored.id == reference.id
    window = window_of(reference, 9)
    before, after = (
        compare(Baseline(r.layout, r.counts[0]), window, 0.01).detectors[name]
        for r in (reference, restored)
    )
    for part in ("value", "p_value", "threshold"):
        assert getattr(before, part).tobytes() == getattr(after, part).tobytes()


# --- bad input -----------------------------------------------------------------------------------


def empty_layout() -> Layout:
    return Layout.of(
        [
            Feature("nothing", "numeric", np.empty(0)),
            Feature("constant", "numeric", np.array([5.0])),
            Feature("no class", "categorical", np.empty(0)),
            Feature("one class", "categorical", np.empty(0), ("x",)),
        ]
    )


@pytest.mark.parametrize("name", DETECTORS)
def test_empty_window_has_no_value(baseline: Baseline, name: str) -> None:
    found = compare(baseline, np.zeros(baseline.layout.size, np.int64), 0.01).detectors[name]
    assert np.isnan(found.value).all()
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.threshold).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_unusable_values_count_only_as_such(
    reference: Reference, baseline: Baseline, name: str
) -> None:
    window = np.zeros(reference.layout.size, np.int64)
    for start in reference.layout.starts[1:]:
        window[start - 3 : start] = 100, 50, 10  # missing, absent, invalid
    found = compare(baseline, window, 0.01)
    value = found.detectors[name].value
    if name not in RATES:
        assert np.isnan(value).all()
    else:
        wanted = {"missing": 150 / 160, "invalid": 10 / 160}.get(name, 0.0)
        assert np.allclose(value[~np.isnan(value)], wanted)
    assert (found.valid == 0).all()
    assert (found.events == 160).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_constant_and_empty_references_do_not_crash(name: str) -> None:
    layout = empty_layout()
    size = layout.size
    some = count_columns(layout, Columns(np.full((9, 2), 5.0), np.zeros((9, 2), np.int32)))
    for reference_counts in (np.zeros(size, np.int64), some):
        base = Baseline(layout, reference_counts)
        for window in (np.zeros(size, np.int64), some, 1000 * some):
            found = compare(base, window, 0.01).detectors[name]
            assert found.value.shape == (4,)
            assert not np.isinf(found.value).any()
    quiet = compare(Baseline(layout, some), 1000 * some, 0.01).detectors[name]
    assert not (quiet.p_value < 0.5).any()
    assert name == "unseen" or (quiet.value[~np.isnan(quiet.value)] == 0.0).all()


# --- false alarms --------------------------------------------------------------------------------


def with_bad(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    values[rng.random(values.size) < 0.02] = np.nan
    values[rng.random(values.size) < 0.002] = -np.inf
    return values


RARE = np.array([0.95, 0.03, 0.02])


def quiet_columns(n: int, rng: np.random.Generator) -> dict[str, FeatureColumn]:
    numeric = {
        f"n{i}": FeatureColumn("numeric", with_bad(rng.normal(size=n), rng)) for i in range(5)
    }
    numeric["few"] = FeatureColumn("numeric", rng.choice(3, n, p=RARE).astype(np.float64))
    drawn = {f"c{i}": rng.choice(4, n, p=NORMAL[:4]) for i in range(5)}
    drawn["rare"] = rng.choice(3, n, p=RARE)
    texts = {
        name: FeatureColumn("categorical", [NAMES[k] for k in codes])
        for name, codes in drawn.items()
    }
    return {**numeric, **texts}


@pytest.fixture(scope="module")
def quiet_p_values() -> dict[str, FloatArray]:
    """p-values of 1,000 quiet windows of 500 events; every 20 share a reference of their own."""
    rng = np.random.default_rng(11)
    found: dict[str, list[FloatArray]] = {name: [] for name in DETECTORS}
    for _ in range(50):
        reference = build_reference("quiet", quiet_columns(4_000, rng), grid=None)
        baseline = Baseline(reference.layout, reference.counts[0])
        stream = encode(reference.layout, quiet_columns(20 * 500, rng))
        for rows in np.split(np.arange(10_000), 20):
            part = Columns(stream.numeric[rows], stream.codes[rows])
            compared = compare(baseline, count_columns(reference.layout, part), 0.01)
            for name, result in compared.detectors.items():
                found[name].append(result.p_value)
    return {name: np.concatenate(p_values) for name, p_values in found.items()}


@pytest.mark.parametrize("name", DETECTORS)
def test_quiet_windows_keep_the_level(quiet_p_values: dict[str, FloatArray], name: str) -> None:
    """At most 1.6 times alpha 0.01 of at least 5,000 tests, which is 4 standard deviations off."""
    p_value = quiet_p_values[name][~np.isnan(quiet_p_values[name])]
    if DETECTORS[name].law is None:
        assert p_value.size == 0  # it claims no level
        return
    assert p_value.size >= 5_000
    assert (p_value <= 0.01).mean() <= 1.6 * 0.01
