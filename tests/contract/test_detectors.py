"""One suite that every windowed detector inherits: each must pass all of it.

A new detector joins by its name in DETECTORS or RATES and an oracle in `ORACLES`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Columns,
    Feature,
    FeatureColumn,
    Layout,
    Reference,
    build_reference,
    compare,
    count_columns,
    encode,
    significant,
)
from driftline.detectors.features.distance import distances
from driftline.detectors.grid import FloatArray, IntArray

ALL = (*DETECTORS, *RATES)
NAMES = ("a", "b", "c", "d", "e")
DATA = ("continuous", "integer", "tied", "mixed")


def draw(kind: str, n: int, shift: float, rng: np.random.Generator) -> FloatArray:
    """Values of one of the kinds of data that break careless order statistics."""
    normal = rng.normal(shift, 1.0, n)
    if kind == "continuous":
        return normal
    if kind == "integer":
        return np.floor(4.0 * normal)
    if kind == "tied":
        return np.where(rng.random(n) < 0.6, 0.0, np.round(np.abs(normal), 1))
    return np.where(rng.random(n) < 0.5, np.round(normal, 1), normal)


def columns_of(seed: int, n: int, shift: float, classes: FloatArray) -> dict[str, FeatureColumn]:
    """One column of each kind, and one each of categories and booleans, with bad values."""
    rng = np.random.default_rng(seed)
    found = {}
    for kind in DATA:
        values = draw(kind, n, shift, rng)
        for bad, share in ((np.nan, 0.02), (np.inf, 0.01), (-np.inf, 0.01)):
            values[rng.random(n) < share] = bad
        found[kind] = FeatureColumn("numeric", values)
    texts = [NAMES[i] for i in rng.choice(len(NAMES), n, p=classes)]
    absent, invalid = rng.random(n) < 0.02, rng.random(n) < 0.01
    found["category"] = FeatureColumn("categorical", texts, absent, invalid)
    truths = [("true" if x < 0.4 + 0.1 * shift else "false") for x in rng.random(n)]
    found["flag"] = FeatureColumn("boolean", truths, absent=rng.random(n) < 0.03)
    return found


NORMAL = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
CHANGED = np.array([0.3, 0.3, 0.2, 0.15, 0.05])  # "e" is unseen


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference("contract", columns_of(1, 4_000, 0.0, NORMAL), grid=None)


@pytest.fixture(scope="module")
def baseline(reference: Reference) -> Baseline:
    return Baseline(reference.layout, reference.counts[0])


def window_of(reference: Reference, seed: int, n: int = 800, shift: float = 0.3) -> IntArray:
    columns = columns_of(seed, n, shift, CHANGED if shift else NORMAL)
    return count_columns(reference.layout, encode(reference.layout, columns))


def shares(baseline: Baseline, window: IntArray, f: int) -> tuple[IntArray, IntArray]:
    bins = baseline.bins(f, window)
    return bins.reference, bins.window


# --- oracles -------------------------------------------------------------------------------------


def finite(reference: Reference, name: str, seed: int, n: int, shift: float) -> FloatArray:
    column = columns_of(seed, n, shift, CHANGED if shift else NORMAL)[name]
    values: FloatArray = np.asarray(column.values, np.float64)
    return values[np.isfinite(values)]


def oracle_ks(old: FloatArray, new: FloatArray) -> float:
    return float(stats.ks_2samp(old, new, method="asymp").statistic)


def oracle_psi(r: IntArray, w: IntArray) -> float:
    p, q = (r + 0.5) / (r.sum() + 0.5 * r.size), (w + 0.5) / (w.sum() + 0.5 * w.size)
    plain = stats.entropy(p, q) + stats.entropy(q, p)
    return float(plain - (r.size - 1) * (1 / r.sum() + 1 / w.sum()))


def oracle_jensen_shannon(r: IntArray, w: IntArray) -> float:
    return float(jensenshannon(r, w) ** 2)


def oracle_chi_square(r: IntArray, w: IntArray) -> float:
    merged = [[r[:-2].tolist(), [r[-2:].sum()]], [w[:-2].tolist(), [w[-2:].sum()]]]
    table = np.array([[*a, *b] for a, b in merged]) if r.size == 5 else np.array([r, w])
    return float(stats.chi2_contingency(table, correction=False).statistic)


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("seed", range(20))
def test_ks_equals_scipy_for_every_window(
    reference: Reference, baseline: Baseline, kind: str, seed: int
) -> None:
    f, n, shift = reference.layout.position[kind], 100 + 60 * seed, 0.05 * (seed % 5)
    window = window_of(reference, seed, n, shift)
    found = compare(baseline, window, 0.01).detectors["ks"]
    old, new = finite(reference, kind, 1, 4_000, 0.0), finite(reference, kind, seed, n, shift)
    valid = np.array([reference.layout.slots(window, i).sum() for i in range(len(DATA))], float)
    exact, _ = distances(reference.layout, baseline.cdf, window, valid)
    assert exact[f] == pytest.approx(oracle_ks(old, new), rel=0, abs=1e-12)
    assert found.value[f] == significant(oracle_ks(old, new))
    effective = np.sqrt(old.size * new.size / (old.size + new.size))
    p_value = stats.kstwobign.sf(oracle_ks(old, new) * effective)
    assert found.p_value[f] == pytest.approx(p_value, rel=1e-7)
    assert found.threshold[f] == pytest.approx(stats.kstwobign.isf(0.01) / effective, rel=1e-9)


@pytest.mark.parametrize("kind", DATA)
def test_wasserstein_equals_scipy_where_values_lie_on_the_grid(
    reference: Reference, baseline: Baseline, kind: str
) -> None:
    layout, window = reference.layout, window_of(reference, 5)
    f = layout.position[kind]
    grid, slots = layout.features[f].grid, layout.slots(window, f)
    middles = np.concatenate([grid[:1], (grid[1:] + grid[:-1]) / 2, grid[-1:]])
    at_slot = np.empty(slots.size)
    at_slot[::2], at_slot[1::2] = middles, grid
    wanted = stats.wasserstein_distance(
        finite(reference, kind, 1, 4_000, 0.0), np.repeat(at_slot, slots)
    )
    found = compare(baseline, window, 0.01).detectors["wasserstein"].value[f]
    assert found == pytest.approx(wanted, rel=1e-8)


BINNED: dict[str, Callable[[IntArray, IntArray], float]] = {
    "psi": oracle_psi,
    "jensen_shannon": oracle_jensen_shannon,
    "chi_square": oracle_chi_square,
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", BINNED)
def test_binned_detectors_equal_scipy(
    reference: Reference, baseline: Baseline, name: str, seed: int
) -> None:
    window = window_of(reference, seed)
    found = compare(baseline, window, 0.01).detectors[name]
    judged = np.flatnonzero(~np.isnan(found.value))
    assert judged.size == (2 if name == "chi_square" else len(DATA) + 2)
    for f in judged:
        wanted = BINNED[name](*shares(baseline, window, int(f)))
        assert found.value[f] == pytest.approx(wanted, rel=1e-8)
        if name != "chi_square":
            r, w = shares(baseline, window, int(f))
            v, df = 1 / r.sum() + 1 / w.sum(), r.size - 1
            statistic = wanted / v + df if name == "psi" else 8 * wanted / v
            assert found.p_value[f] == pytest.approx(stats.chi2.sf(statistic, df), rel=1e-6)


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
        table = np.array([[4_000 * x.value[f], 4_000 * (1 - x.value[f])] for x in (old, found)])
        wanted = stats.chi2_contingency(table, correction=False).pvalue
        assert found.p_value[f] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", RATES)
def test_a_rate_that_fell_is_not_significant(
    reference: Reference, few_and_many: tuple[IntArray, IntArray], name: str
) -> None:
    few, many = few_and_many
    normal = Baseline(reference.layout, many)
    found, old = (compare(normal, window, 0.01).detectors[name] for window in (few, many))
    fell = found.value < old.value
    assert fell.any()
    assert (found.p_value[fell] > 0.3).all()


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
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


@pytest.mark.parametrize("name", ALL)
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


@pytest.mark.parametrize("name", ALL)
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


@pytest.mark.parametrize("name", ALL)
def test_empty_window_has_no_value(baseline: Baseline, name: str) -> None:
    found = compare(baseline, np.zeros(baseline.layout.size, np.int64), 0.01).detectors[name]
    assert np.isnan(found.value).all()
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.threshold).all()


@pytest.mark.parametrize("name", ALL)
def test_unusable_values_count_only_as_such(
    reference: Reference, baseline: Baseline, name: str
) -> None:
    window = np.zeros(reference.layout.size, np.int64)
    for start in reference.layout.starts[1:]:
        window[start - 3 : start] = 100, 50, 10  # missing, absent, invalid
    found = compare(baseline, window, 0.01)
    value = found.detectors[name].value
    if name in DETECTORS:
        assert np.isnan(value).all()
    else:
        wanted = {"missing": 150 / 160, "invalid": 10 / 160}.get(name, 0.0)
        assert np.allclose(value[~np.isnan(value)], wanted)
    assert (found.valid == 0).all()
    assert (found.events == 160).all()


@pytest.mark.parametrize("name", ALL)
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
    found: dict[str, list[FloatArray]] = {name: [] for name in ALL}
    for _ in range(50):
        reference = build_reference("quiet", quiet_columns(10_000, rng), grid=None)
        baseline = Baseline(reference.layout, reference.counts[0])
        stream = encode(reference.layout, quiet_columns(20 * 500, rng))
        for rows in np.split(np.arange(10_000), 20):
            part = Columns(stream.numeric[rows], stream.codes[rows])
            compared = compare(baseline, count_columns(reference.layout, part), 0.01)
            for name, result in compared.detectors.items():
                found[name].append(result.p_value)
    return {name: np.concatenate(p_values) for name, p_values in found.items()}


@pytest.mark.parametrize("name", ALL)
def test_quiet_windows_keep_the_level(quiet_p_values: dict[str, FloatArray], name: str) -> None:
    """At most 1.6 times alpha 0.01 of at least 5,000 tests, which is 4 standard deviations off."""
    p_value = quiet_p_values[name][~np.isnan(quiet_p_values[name])]
    if name == "wasserstein":
        assert p_value.size == 0  # it claims no level
        return
    assert p_value.size >= 5_000
    assert (p_value <= 0.01).mean() <= 1.6 * 0.01
