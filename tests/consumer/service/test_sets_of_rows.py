"""A backtest over a set of rows: in any order the same, and what the service would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import (
    HORIZON,
    MODEL,
    SECOND,
    START,
    TOPIC,
    alerts,
    backtest,
    labelled_plan,
    plan,
    row,
    rows,
    verdicts,
    windows,
)

from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.records.timestamp import LATEST

Row = dict[str, Any]
LOG = plan(
    window={"length": "60s", "every": "20s", "grace": "5s", "min_events": 20},
    thresholds={"ks": {"warning": 0.4}},
)
SET = replace(LOG, ordered=False)
LABELLED = replace(labelled_plan("arrival"), ordered=False)


def drifting() -> list[Row]:
    rng = np.random.default_rng(11)
    return [*rows(0, 150, SECOND, rng), *rows(150 * SECOND, 150, SECOND, rng, x=2.5)]


EVENTS = drifting()


def later(chunks: Sequence[Sequence[Row]]) -> list[int]:
    smallest = [min((row["timestamp"] for row in chunk), default=LATEST) for chunk in chunks]
    return [*accumulate([LATEST, *smallest[:0:-1]], min)][::-1]


def fed(of: Plan, events: Sequence[Row], labels: Sequence[Row], size: int) -> list[Verdict | Alert]:
    """What a backtest gives in chunks of a size; labels are fed as the events' times go on."""
    run = Backtest(of, MODEL, TOPIC)
    found: list[Verdict | Alert] = []
    chunks = [events[i : i + size] for i in range(0, len(events), size)]
    waiting = sorted(labels, key=lambda label: int(label["timestamp"]))
    for chunk, time in zip(chunks, later(chunks), strict=True):
        due = [label for label in waiting if label["timestamp"] <= time]
        waiting = waiting[len(due) :]
        found += [*run.feed(chunk), *run.close(time)]
        found += [*run.feed_labels(due), *run.close_labels(time)]
    assert run.totals.late[MODEL] == 0
    return [*found, *run.feed_labels(waiting), *run.end()]


def in_order(found: Sequence[Verdict | Alert]) -> list[bytes]:
    return sorted(map(msgspec.json.encode, found))


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_order_and_chunks_change_nothing(random: Any, size: int) -> None:
    shuffled = EVENTS[:]
    random.shuffle(shuffled)
    expected = [*map(msgspec.json.encode, fed(SET, EVENTS, (), 300))]
    assert [*map(msgspec.json.encode, fed(SET, shuffled, (), size))] == expected
    assert [*map(msgspec.json.encode, fed(SET, EVENTS[::-1], (), size))] == expected


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
def test_what_the_service_gives_comes_first_and_the_rest_is_not_complete(
    end: int, size: int
) -> None:
    found, log = fed(SET, EVENTS[:end], (), size), backtest(LOG, EVENTS[:end])
    assert [*map(msgspec.json.encode, found[: len(log)])] == [*map(msgspec.json.encode, log)]
    rest = found[len(log) :]
    assert {verdict.complete for verdict in verdicts(rest)} == {False}
    assert windows(rest)[-1][2] == min(end, 60 - -end % 20)
    assert all(b'"complete"' not in line for line in map(msgspec.json.encode, log))
    assert all(b'"complete":false' in line for line in map(msgspec.json.encode, verdicts(rest)))


def test_drift_in_the_window_that_the_file_ends_in_raises_its_alert() -> None:
    quiet = rows(0, 100, SECOND, np.random.default_rng(3))
    shifted = rows(100 * SECOND, 15, SECOND, np.random.default_rng(4), x=9.0)
    of = replace(
        plan(window={"length": "20s", "min_events": 10}, budget="1 per 30d"), ordered=False
    )
    assert alerts(backtest(replace(of, ordered=True), [*quiet, *shifted])) == []
    (alert,) = alerts(fed(of, [*quiet, *shifted], (), 50))
    assert (alert.feature, alert.window.events) == ("x", 15)


def labelled(seed: int) -> tuple[list[Row], list[Row]]:
    rng = np.random.default_rng(seed)
    events, labels = [], []
    for number in range(200):
        time, said = START + number * SECOND, str(rng.choice(["yes", "no"]))
        features = {"x": float(rng.normal()), "c": "p"}
        events.append(
            {
                "event_id": f"e{number}", "timestamp": time, "features": features,
                "prediction": {"label": said, "score": 0.7 if said == "yes" else 0.3},
                "tags": {"tier": "tin"},
            }
        )  # fmt: skip
        # The label that comes last is in time.
        delay = HORIZON - 1 if number == 199 else int(rng.integers(0, HORIZON + 9))
        came = min(time + delay * SECOND + 500, START + (199 + HORIZON) * SECOND - 500)
        labels.append({"event_id": f"e{number}", "timestamp": came, "actual": "yes"})
    return events, labels


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 250))
def test_labels_find_their_predictions_in_any_order(random: Any, size: int) -> None:
    events, labels = labelled(1)
    expected = in_order(fed(LABELLED, events, labels, 200))
    assert any(b'"performance"' in line and b'"labelled":0' not in line for line in expected)
    random.shuffle(events)
    assert in_order(fed(LABELLED, events, labels, size)) == expected


def test_labels_of_a_set_are_those_of_the_log_as_long_as_it_lasts() -> None:
    events, labels = labelled(2)
    found = fed(LABELLED, events, labels, 37)
    ordered = replace(LABELLED, ordered=True)
    run = Backtest(ordered, MODEL, TOPIC)
    log: list[Verdict | Alert] = []
    both = sorted([*events, *labels], key=lambda each: int(each["timestamp"]))
    for each in both:
        log += run.feed_labels([each]) if "actual" in each else run.feed([each])
    log += run.end()
    complete = [each for each in found if not isinstance(each, Verdict) or each.complete]
    of_log = {msgspec.json.encode(each) for each in log}
    assert of_log <= {msgspec.json.encode(each) for each in complete}
    assert {msgspec.json.encode(v) for v in verdicts(complete)} == {
        msgspec.json.encode(v) for v in verdicts(log)
    }
    assert any(not verdict.complete for verdict in verdicts(found) if verdict.type == "performance")


def test_one_wild_time_changes_no_other_window() -> None:
    wild = row(3_650 * 86_400_000)
    found, quiet = fed(SET, [EVENTS[0], wild, *EVENTS[1:]], (), 100), fed(SET, EVENTS, (), 100)
    known = {verdict.verdict_id: verdict for verdict in verdicts(found)}
    for verdict in verdicts(quiet):
        if verdict.complete:
            assert known[verdict.verdict_id] == verdict
