"""Predictions and labels on their way to each other: where they go, when, and what goes not."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.consumer.service.small import LABELS, MODEL, OTHER, SECOND, START, TOPIC

from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import DeadLetter

from .block_cases import (
    APART,
    GRACE,
    TARGETS,
    TOGETHER,
    Row,
    blocks,
    event,
    hashed,
    label,
    log,
    rows,
    sketch,
)


def test_predictions_and_labels_travel_with_what_is_counted_of_them() -> None:
    sent = sketch().feed(
        log(
            [
                event(1, "a", model_version=2, tags={"tier": "tin"}),
                event(2, 7, prediction={"label": "perhaps", "score": None}),
                event(3, "c", prediction="no", tags={"tier": "silver"}),
            ]
        ),
        0,
    )
    assert [row[:6] + row[6:] for row in rows(sent)] == [
        (0, hashed("a"), False, 1, "yes", 0.75, "2", "tin"),
        (1, hashed("7"), False, 2, None, pytest.approx(float("nan"), nan_ok=True), None, None),
        (2, hashed("c"), False, 3, "no", pytest.approx(float("nan"), nan_ok=True), None, None),
    ]
    sent = sketch(LABELS).feed(log([label(4, "a", "no"), label(5, 7)], LABELS), 0)
    assert rows(sent) == [
        (0, hashed("a"), True, 4, "no", None, None, "gold"),
        (1, hashed("7"), True, 5, "yes", None, None, "gold"),
    ]


def test_progress_goes_to_every_partition_of_the_join() -> None:
    sent = blocks(sketch().feed(log([event(9), event(3), event(20, "b")]), 0))
    assert [block.target for block in sent] == list(range(TARGETS))
    assert {block.horizon.progress for block in sent} == {START + 20 * SECOND}
    assert {block.horizon.horizon for block in sent} == {START + 20 * SECOND - GRACE}
    assert {block.horizon.until for block in sent} == {3}
    assert sum(block.rows is not None for block in sent) == len(
        {hashed("a") % TARGETS, hashed("b") % TARGETS}
    )


def test_what_is_late_has_its_effect_when_its_partition_has_left_it() -> None:
    sent = sketch().feed(log([event(10), event(2, "b"), event(6, "c"), event(12, "d")]), 0)
    assert [row[3] for row in rows(sent)] == [10, 5, 6, 12]


def test_every_model_has_its_own_blocks() -> None:
    values = [event(1), event(2, "b", model=OTHER), event(3, "c", model="stranger")]
    sent = sketch().feed(log(values), 0)
    assert [row[0] for row in rows(sent)] == [0]
    assert [row[0] for row in rows(sent, OTHER)] == [1]
    assert len(blocks(sent, MODEL)) == len(blocks(sent, OTHER)) == TARGETS


@pytest.mark.parametrize(
    ("value", "fate"),
    [
        (event(1, None), "counted without id"),
        (event(1, ""), "counted without id"),
        (event(1, prediction=None), "counted"),
        (event(1, prediction={"score": 0.5}), "counted"),
        (event(1, features=3), "schema"),
        (event(9_999), "too_far_ahead"),
        (label(1), "schema"),  # no labels are looked for here
    ],
    ids=str,
)
def test_events_that_send_no_prediction(value: Row, fate: str) -> None:
    one = sketch()
    sent = one.feed(log([value]), 0)
    assert rows(sent) == []
    assert bool(one.totals.counted[MODEL]) == fate.startswith("counted")
    assert one.totals.without[MODEL, "id"] == (fate == "counted without id")
    assert [o.reason for o in sent if isinstance(o, DeadLetter)] == (
        [] if fate.startswith("counted") else [fate]
    )


@pytest.mark.parametrize(
    ("value", "sent", "counts"),
    [
        (event(1, actual="no"), "pl", "counted labels"),
        (event(1, None, actual="no"), "pl", "counted labels"),
        (event(1, actual=None), "p", "counted"),
        (event(1, actual={"label": None}), "p", "counted"),
        (event(1, actual="perhaps"), "p", "counted unknown_class"),
        (event(1, actual=["no"]), "p", "counted schema"),
        (label(1), "l", "labels"),
        (label(1, None), "", "schema"),
        (label(1, actual=None), "", "schema"),
        (label(1, actual="perhaps"), "", "unknown_class"),
        (label(9_999), "", "too_far_ahead"),
        (label(1, model="stranger"), "", "unknown_model"),
        ({"event_id": "a"}, "", "schema"),
        (None, "", "tombstone"),
        (b"?", "", "malformed"),
    ],
    ids=str,
)
def test_labels_among_events(value: Row | bytes | None, sent: str, counts: str) -> None:
    one = sketch(plan=TOGETHER)
    found = rows(one.feed(log([value]), 0))
    assert "".join("l" if row[2] else "p" for row in found) == sent
    assert len({row[1] for row in found}) <= 1  # an event and its own label have one id
    totals = one.totals
    counted = Counter({"counted": totals.counted[MODEL], "labels": totals.labels[MODEL]})
    assert +(counted + totals.rejected + totals.skipped) == Counter(counts.split())


def test_events_without_id_have_one_by_their_offset_if_they_bring_their_label() -> None:
    values = [event(1, None, actual="no"), event(2, None, actual="yes")]
    found = rows(sketch(plan=TOGETHER).feed(log(values), 0))
    assert [row[1] for row in found] == [hashed(f"{TOPIC}/0/{offset}") for offset in (0, 0, 1, 1)]
    assert [row[4] for row in found] == ["yes", "no", "yes", "yes"]


def test_a_label_that_names_no_model_is_one_of_every_model() -> None:
    values = [label(1, "a", model=None), label(2, "b"), label(3, "c", model="stranger")]
    one = sketch(LABELS)
    sent = one.feed(log(values, LABELS), 0)
    assert [row[0] for row in rows(sent)] == [0, 1]
    assert [row[0] for row in rows(sent, OTHER)] == [0]
    assert one.totals.labels == {MODEL: 2, OTHER: 1}
    assert +one.totals.skipped == {"unknown_model": 1}


def test_many_versions_share_one_name() -> None:
    values = [event(1, i, model_version=f"v{i}") for i in range(300)]
    found = rows(sketch().feed(log(values), 0))
    assert len(found) == 300
    assert all(row[6] in (f"v{row[0]}", "__other__") for row in found)
    assert sum(row[6] != "__other__" for row in found) >= 200


def test_of_models_that_nobody_watches_nothing_is_recorded() -> None:
    known = SketchState(
        "id", 1, 0, 0, 0, {}, joins={name: JoinProgress(0) for name in (MODEL, OTHER, "gone")}
    )
    found = sketch(LABELS, state=known).state()
    assert found is not None
    assert found.joins.keys() == {MODEL, OTHER}
    unlabelled = sketch(plan=APART.unlabelled([OTHER]), state=known).state()
    assert unlabelled is not None
    assert unlabelled.joins.keys() == {MODEL, OTHER}  # its labels may be read again


def test_a_model_that_fails_keeps_its_progress_of_rows() -> None:
    known = SketchState("id", 1, 0, 0, 0, {}, joins={OTHER: JoinProgress(5, progress=7)})
    one = sketch(LABELS, state=known)
    one.fail(OTHER, ValueError())
    found = one.state()
    assert found is not None
    assert found.joins[OTHER] == known.joins[OTHER]
