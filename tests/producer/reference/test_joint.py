"""What a reference holds of features together."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.detectors.joint.correlated import NAMES, columns, drawn

from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference.build import (
    ReferenceSettings,
    Together,
    reference_from_rows,
    reference_from_tables,
)

MINUTE = 60_000
EVENTS = 4_000
VALUES = drawn(np.random.default_rng(1), EVENTS).round(3)


def rows(values: Any = VALUES, step: int = MINUTE // 50) -> list[dict[str, Any]]:
    """Events of four numbers and a category, 50 a minute; one in 100 lacks a value."""
    return [
        {
            "timestamp": 1_600_000_000_000 + i * step,
            "features": {
                **{name: None if i % 100 == f else v for f, (name, v) in enumerate(pairs)},
                "plan": "free",
            },
        }
        for i, event in enumerate(values.tolist())
        for pairs in [list(zip(NAMES, event, strict=True))]
    ]


def built(joint: int = 4, weights: dict[str, float] | None = None) -> Reference:
    wanted = Together(joint, weights or {}) if joint else None
    return reference_from_rows([rows()], Mapping(), ReferenceSettings("m"), wanted).reference


def test_all_events_are_counted_whatever_the_order_and_the_parts() -> None:
    whole = built()
    assert whole.joint is not None
    counted = whole.joint.layout.count(whole.layout, columns(with_gaps()))
    assert whole.joint.counts.tolist() == counted.tolist()
    made = rows()
    shuffled = [made[i] for i in np.random.default_rng(2).permutation(EVENTS).tolist()]
    parts = [Table.of_rows(shuffled[i : i + 700]) for i in range(0, EVENTS, 700)]
    again = reference_from_tables(lambda: parts, Mapping(), ReferenceSettings("m"), Together(4))
    assert again.reference.to_json() == whole.to_json()


def with_gaps() -> Any:
    values = VALUES.copy()
    for f in range(len(NAMES)):
        values[f::100, f] = np.nan
    return values


def test_panes_tell_how_much_they_vary_beside_their_margins() -> None:
    joint = built().joint
    assert joint is not None
    dispersion = joint.dispersion
    assert dispersion is not None
    assert (dispersion.pane, dispersion.panes) == (2 * MINUTE, 41)
    assert dispersion.events[1:] == pytest.approx(np.full(6, 98.0 * 40 / 41), abs=0.1)
    assert dispersion.phi[0].max() < 2.0
    effects = np.repeat(np.random.default_rng(3).normal(0, 0.3, (40, 4)), 100, axis=0)
    varied = reference_from_rows(
        [rows((VALUES + effects).round(3))], Mapping(), ReferenceSettings("m"), Together(4)
    ).reference
    assert varied.dispersion is not None
    assert varied.dispersion.phi[0, 0, :4].min() > 3.0  # each feature's location from pane to pane
    assert varied.joint is not None
    assert varied.joint.dispersion is not None
    assert varied.joint.dispersion.phi[0].max() < 2.0


def test_without_times_nothing_is_known_of_panes() -> None:
    timeless = [{"features": row["features"]} for row in rows()[:300]]
    found = reference_from_rows(
        [timeless], Mapping(), ReferenceSettings("m"), Together(4)
    ).reference
    assert found.joint is not None
    assert found.joint.dispersion is None
    assert found.joint.counts[found.joint.layout.table.starts[1] :].sum() == 6 * 300


def test_few_panes_tell_nothing() -> None:
    hour = 60 * MINUTE
    far = [*rows()[:100], *({**row, "timestamp": row["timestamp"] + hour} for row in rows()[:100])]
    found = reference_from_rows([far], Mapping(), ReferenceSettings("m"), Together(4)).reference
    assert found.joint is not None
    assert found.joint.dispersion is None


def test_the_features_of_the_largest_weight_are_counted() -> None:
    chosen = built(2, weights={"km": 3.0, "income": 2.0}).joint
    assert chosen is not None
    assert chosen.layout.names == ("income", "km")
    by_name = built(2).joint
    assert by_name is not None
    assert by_name.layout.names == ("age", "debt")
    assert built(0).joint is None


def test_it_takes_two_numbers() -> None:
    one = [{"features": {"age": float(i % 7), "plan": "free"}} for i in range(50)]
    with pytest.raises(InputError, match="fewer than two numbers"):
        reference_from_rows([one], Mapping(), ReferenceSettings("m"), Together(5))


def test_over_the_layout_of_another_the_same_is_counted() -> None:
    base = built(3)
    assert base.joint is not None
    settings = ReferenceSettings("m", layout_of=base)
    later = reference_from_rows([rows()[:1_000]], Mapping(), settings, Together(2)).reference
    assert later.layout_id == base.layout_id
    assert later.joint is not None
    assert later.joint.layout.names == base.joint.layout.names
    plain = reference_from_rows([rows()], Mapping(), ReferenceSettings("m")).reference
    without = ReferenceSettings("m", layout_of=plain)
    assert reference_from_rows([rows()], Mapping(), without, Together(3)).reference.joint is None
    assert msgspec.json.decode(plain.to_json())["layout"].get("joint") is None
