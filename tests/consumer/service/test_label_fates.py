"""What becomes of single labels, good and bad: every one is joined, counted or a dead letter."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    HORIZON,
    HOUR,
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    TOPIC,
    labelled_plan,
    labelled_reference,
    plan,
)

from driftline.detectors import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Row = dict[str, Any]


def prediction(event_id: str, label: str = "yes", score: float = 0.9) -> Row:
    """An event at the start."""
    return {
        "event_id": event_id,
        "timestamp": START,
        "features": {"x": 0.0, "c": "p"},
        "prediction": {"label": label, "score": score},
    }


# The labels of one event, each at so many seconds after it; and what becomes of them.
FATES = {
    "on time": ([(4, "yes")], {"joined": 1}),
    "early": ([(-30, "yes")], {"joined": 1}),
    "early, and corrected": ([(-30, "yes"), (-20, "no")], {"joined": 1, "corrected": 1}),
    "at the end of the horizon": ([(HORIZON - 1, "yes")], {"joined": 1}),
    "after the horizon": ([(HORIZON, "yes")], {"expired": 1, "unmatched": 1}),
    "too early": ([(-HORIZON, "yes")], {"expired": 1, "unmatched": 1}),
    "never": ([], {"expired": 1}),
    "twice": ([(4, "yes"), (5, "yes")], {"joined": 1, "repeated": 1}),
    "corrected": ([(4, "yes"), (5, "no")], {"joined": 1, "corrected": 1}),
    "corrected too late": ([(4, "yes"), (50, "no")], {"joined": 1, "unmatched": 1}),
}


@pytest.mark.parametrize("fate", FATES)
def test_what_becomes_of_labels(fate: str) -> None:
    labels, expected = FATES[fate]
    rig = Rig(labelled_plan("arrival"))
    time = START + HOUR
    rig.write([{**prediction("a"), "timestamp": time}])
    end = {"event_id": "?", "timestamp": time + HOUR, "actual": "no"}
    rows = [{"event_id": "a", "timestamp": time + s * SECOND, "actual": a} for s, a in labels]
    rig.write([*rows, end], topic=LABELS)
    rig.start()
    rig.settle()
    totals = msgspec.structs.asdict(rig.plan.join_tallies[MODEL])
    assert {k: n for k, n in totals.items() if n} == {"predictions": 1, **expected}


def test_the_first_of_two_predictions_with_one_id_holds() -> None:
    rig = Rig(labelled_plan("arrival"))
    rig.write([prediction("a"), prediction("a", label="no", score=0.1)])
    rig.write([{"event_id": "a", "timestamp": START, "actual": "yes"}], topic=LABELS)
    rig.write([{"event_id": "?", "timestamp": START + HOUR, "actual": "yes"}], topic=LABELS)
    rig.start()
    rig.settle()
    totals = rig.plan.join_tallies[MODEL]
    assert (totals.predictions, totals.duplicates, totals.joined) == (1, 1, 1)


def test_an_event_of_no_use_is_a_dead_letter_though_its_label_is_of_use() -> None:
    watched = {"labels": {"topic": TOPIC, "horizon": "60s"}, "segments": ["tier"]}
    rig = Rig(plan({MODEL: labelled_reference(MODEL)}, **watched))
    rig.write([{**prediction("a"), "features": [1, 2], "actual": "yes"}])
    rig.write([{**prediction("b"), "actual": "yes"}, {"event_id": "c", "actual": "yes"}])
    worker = rig.start()
    rig.settle()
    (letter,) = rig.records("dead-letter")
    assert dict(letter.headers)["driftline.error.offset"] == b"0"
    totals = worker.status.totals[TOPIC]
    assert (totals.rejected["schema"], totals.labels[MODEL], totals.counted[MODEL]) == (1, 3, 1)


def test_a_label_that_one_of_two_models_cannot_use_is_counted() -> None:
    watched = {"labels": {"topic": LABELS, "horizon": "60s"}}
    both = {MODEL: labelled_reference(MODEL), OTHER: coloured_reference()}
    rig = Rig(plan(both, models={OTHER: watched}, **watched))
    rig.write([{"event_id": "a", "actual": value} for value in ("yes", "red")], topic=LABELS)
    rig.write([{"event_id": "a", "actual": "mauve"}], topic=LABELS)
    worker = rig.start()
    rig.settle()
    totals = worker.status.totals[LABELS]
    assert (totals.labels[MODEL], totals.refused[MODEL]) == (1, 2)
    assert (totals.labels[OTHER], totals.refused[OTHER]) == (1, 2)
    assert +totals.rejected == {"unknown_class": 1}


def coloured_reference() -> Reference:
    events = [
        {"features": {"x": i / 90}, "prediction": {"label": colour}, "actual": colour}
        for i, colour in enumerate(["red", "blue", "green"] * 30)
    ]
    return reference_from_rows([events], Mapping(), ReferenceSettings(OTHER)).reference


def test_a_prediction_without_answer_is_not_waited_for_and_counted() -> None:
    rig = Rig(labelled_plan("arrival"))
    rig.write([prediction("a"), {**prediction("b"), "prediction": {"score": 0.5}}])
    worker = rig.start()
    rig.settle()
    totals = worker.status.totals[TOPIC]
    assert (totals.counted[MODEL], totals.without[MODEL, "answer"]) == (2, 1)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ({"event_id": "a", "actual": "perhaps"}, "unknown_class"),
        ({"event_id": "a", "actual": ["yes"]}, "schema"),
        ({"event_id": "a", "actual": None}, "schema"),
        ({"event_id": "a"}, "schema"),
        ({"actual": "yes"}, "schema"),
        ({"event_id": "a", "actual": "yes", "timestamp": START + 9_999 * HOUR}, "too_far_ahead"),
        ({"event_id": "a", "actual": "yes", "timestamp": "soon"}, "timestamp"),
        (b"yes", "malformed"),
    ],
)
def test_labels_of_no_use_are_dead_letters(label: Row | bytes, reason: str) -> None:
    rig = Rig(labelled_plan("arrival"))
    rig.write([prediction("a")])
    rig.write([label], topic=LABELS)
    worker = rig.start()
    rig.settle()
    (letter,) = rig.records("dead-letter")
    headers = dict(letter.headers)
    assert headers["driftline.error.topic"] == LABELS.encode()
    assert headers["driftline.error.reason"] == reason.encode()
    assert +worker.status.totals[LABELS].rejected == {reason: 1}
    assert rig.plan.join_tallies[MODEL].joined == 0
