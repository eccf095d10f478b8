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
    SECOND,
    START,
    labelled_plan,
)

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
    tally = msgspec.structs.asdict(rig.plan.join_tallies[MODEL])
    assert {k: n for k, n in tally.items() if n} == {"predictions": 1, **expected}


def test_the_first_of_two_predictions_with_one_id_holds() -> None:
    rig = Rig(labelled_plan("arrival"))
    rig.write([prediction("a"), prediction("a", label="no", score=0.1)])
    rig.write([{"event_id": "a", "timestamp": START, "actual": "yes"}], topic=LABELS)
    rig.write([{"event_id": "?", "timestamp": START + HOUR, "actual": "yes"}], topic=LABELS)
    rig.start()
    rig.settle()
    tally = rig.plan.join_tallies[MODEL]
    assert (tally.predictions, tally.duplicates, tally.joined) == (1, 1, 1)


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
    assert +worker.status.tallies[LABELS].rejected == {reason: 1}
    assert rig.plan.join_tallies[MODEL].joined == 0
