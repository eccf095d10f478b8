"""References of several versions: one of all of them, and the mixtures of their baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors import Baseline, FeatureColumn, Reference, build_reference
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.features.distance import cumulate
from driftline.detectors.mixed_baseline import mixed_baseline
from driftline.detectors.seasons import FeatureSeason, Seasons
from driftline.detectors.sequential.cell_shares import Mix, Since
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.part_shares import PartShares
from driftline.detectors.versions import dispersion_of, version_streams, with_versions

RNG = np.random.default_rng(3)
SEGMENTS = {
    "channel": ["app", "web"] * 500,
    "model_version": ["1", "2"] * 500,
}
BASE = build_reference(
    "m",
    {
        "x": FeatureColumn("numeric", RNG.normal(size=1_000).round(2)),
        "c": FeatureColumn("categorical", RNG.choice(["p", "q"], 1_000).tolist()),
    },
    segments=SEGMENTS,
)


def of_layout(seed: int, events: int) -> Reference:
    """A reference over the same layout, with other counts in every stream."""
    rng, layout = np.random.default_rng(seed), BASE.layout
    rows = []
    for _ in BASE.streams:
        flat = np.zeros(layout.size, np.int64)
        for f, feature in enumerate(layout.features):
            shares = rng.dirichlet(np.ones(feature.slots))
            flat[layout.starts[f] : layout.starts[f] + feature.slots] = rng.multinomial(
                events, shares
            )
        rows.append(flat)
    sizes = np.full(len(rows), events, np.int64)
    return replace(BASE, counted=replace(BASE.counted, counts=np.array(rows), events=sizes))


def varied(reference: Reference, phi: float) -> Reference:
    size = len(reference.layout.features)
    one = Dispersion.independent(size)
    return replace(reference, dispersion=replace(one, phi=np.full_like(one.phi, phi)))


def test_the_streams_of_versions() -> None:
    new = of_layout(1, 400)
    both = with_versions(BASE, {"3": new, "2": BASE})
    assert both.streams == (
        None, "channel=app", "channel=web", "channel=__other__",
        "model_version=3", "model_version=2", "model_version=__other__",
    )  # fmt: skip
    assert version_streams(both) == both.streams[4:]
    assert (both.counts[4] == new.counts[0]).all()
    assert (both.counts[5] == BASE.counts[0]).all()  # not as the model's own stream was
    assert (both.counts[6] == BASE.counts[0]).all()
    assert both.stream_events.tolist()[4:] == [400, 1_000, 1_000]
    assert (both.layout_id == BASE.layout_id, version_streams(BASE)) == (False, ())


def test_it_is_a_reference_like_others() -> None:
    both = with_versions(varied(BASE, 2.0), {"3": varied(of_layout(1, 400), 3.0)})
    again = Reference.from_json(both.to_json())
    assert (again.id, again.streams) == (both.id, both.streams)
    assert again.versions["3"].id == both.versions["3"].id
    assert dispersion_of(again, "model_version=3")[0] is not None
    assert with_versions(BASE, {"3": of_layout(2, 400)}).id != both.id


def test_another_layout_or_zone_is_refused() -> None:
    columns = {"x": FeatureColumn("numeric", RNG.normal(size=50))}
    with pytest.raises(ValueError, match="the reference of 3 has another layout"):
        with_versions(BASE, {"3": build_reference("m", columns)})
    first, second = (in_zone(zone) for zone in ("UTC", "Europe/Berlin"))
    with pytest.raises(ValueError, match="time zones"):
        with_versions(first, {"3": second})


def in_zone(zone: str) -> Reference:
    bins = PaneBins(BASE.layout, BASE.counts[0])
    season = FeatureSeason("day_of_week", 9.0, np.ones((7, int(np.diff(bins.first)[0]) + 1), int))
    streams: tuple[Mapping[int, FeatureSeason], ...] = tuple({0: season} for _ in BASE.streams)
    return replace(BASE, counted=replace(BASE.counted, seasons=Seasons(zone, streams)))


def test_the_seasons_of_a_version_are_its_own() -> None:
    both = with_versions(BASE, {"3": in_zone("UTC")})
    assert both.seasons is not None
    assert [len(each) for each in both.seasons.streams] == [0, 0, 0, 0, 1, 0]


def test_how_much_panes_vary() -> None:
    both = with_versions(varied(BASE, 2.0), {"3": varied(of_layout(1, 400), 3.0), "4": BASE})
    phi = {
        stream: None if (found := dispersion_of(both, stream)[0]) is None else found.phi.max()
        for stream in (None, "channel=app", *version_streams(both))
    }
    assert phi == {
        None: 3.0, "channel=app": 2.0, "model_version=3": 3.0,
        "model_version=4": None, "model_version=__other__": 2.0,
    }  # fmt: skip
    assert dispersion_of(both, "channel=app")[1] == 0.5
    assert dispersion_of(both, "model_version=3")[1] == 1.0
    assert dispersion_of(with_versions(BASE, {"3": varied(BASE, 3.0)}), None)[0] is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3_000)), min_size=1, max_size=4))
def test_a_mixture_has_the_shares_of_its_parts(parts: list[tuple[int, int]]) -> None:
    baselines = [Baseline(BASE.layout, of_layout(seed, 500 + seed).counts[0]) for seed, _ in parts]
    events = [many for _, many in parts]
    mixed = mixed_baseline(Baseline(BASE.layout, BASE.counts[0]), baselines, events)
    weights = np.array(events) / sum(events)
    sizes = np.array([each.events for each in baselines])
    whole = 1 / (weights**2 / sizes).sum()
    assert mixed.events == round(whole)
    assert whole <= sizes.sum() + 1e-6
    wanted = sum(w * each.counts / n for w, each, n in zip(weights, baselines, sizes, strict=True))
    assert np.abs(mixed.counts - whole * wanted).max() <= 1.0
    assert mixed.bin_counts(mixed.counts).tolist() == mixed.binned.tolist()


@given(st.integers(0, 9), st.integers(1, 9_999))
def test_a_mixture_of_one_part_is_that_part(seed: int, many: int) -> None:
    part = Baseline(BASE.layout, of_layout(seed, 700).counts[0])
    mixed = mixed_baseline(Baseline(BASE.layout, BASE.counts[0]), [part], [many])
    assert (mixed.counts == part.counts).all()
    np.testing.assert_array_equal(mixed.cdf, cumulate(BASE.layout, part.counts))


def test_of_no_events_nothing_is_mixed() -> None:
    base = Baseline(BASE.layout, BASE.counts[0])
    assert mixed_baseline(base, [base], [0]) is base


def test_a_part_learns_from_its_own_events() -> None:
    bins = PaneBins(BASE.layout, BASE.counts[0])
    counts = np.stack([BASE.counts[0], of_layout(1, 400).counts[0]])
    parts = PartShares.of(bins, counts[0], counts)
    assert parts.cells == 2
    np.testing.assert_array_equal(parts.of_cell(0).values, bins.normal)
    more = np.zeros((2, bins.owner.size), np.int64)
    more[1, 0] = 50
    since = Since(more, more.sum(axis=0).astype(float))
    before, after = (parts.of_cell(1, each).values for each in (None, since))
    assert (after - before).tolist()[:2] == [50.0, 0.0]
    np.testing.assert_array_equal(parts.of_cell(0, since).values, bins.normal)
    one = parts.only(1).mixed(Mix.of([0, 1], [30, 10]), None)
    every = parts.mixed(Mix.of([0, 1], [30, 10]), None)
    np.testing.assert_allclose(one.values, every.values[bins.first[1] : bins.first[2]])
