"""What becomes of single rows, what blocks of another reference mean, and the stage's words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.join.oracle import EVERY, Row, Rules
from tests.consumer.join.random_log import block
from tests.consumer.join.running import Run, new_join, outcome_model, run
from tests.consumer.join.script import script

from driftline.consumer.join import codes as codes_module
from driftline.consumer.join import model as model_module
from driftline.consumer.join.codes import Codes
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.pane import OutcomePane
from driftline.consumer.join.state import Cut, JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room
from driftline.consumer.log.protocol import Gap, TopicPartition
from driftline.consumer.wire.codec import encode, unpack_integers
from driftline.consumer.wire.join_rows import JoinRows, pack_rows
from driftline.consumer.wire.messages import Block, Horizon, Pane
from driftline.detectors.outcomes import OutcomeLayout
from driftline.detectors.outcomes.counting import moment_unit
from driftline.detectors.outcomes.fixed_point import total
from driftline.detectors.outcomes.layout import EXPECTED

ARRIVAL = Rules("arrival", 30_000, 30_000)
PREDICTION = Rules("prediction", 30_000, 10_000)
END = ("p0 @100", "p1 @100", "l0 @100")
NOW = ("p0 @20", "p1 @20", "l0 @20")


@pytest.mark.parametrize(
    ("lines", "rules", "totals"),
    [
        ("p0 P1@1", ARRIVAL, {"expired": 1}),
        ("p0 P1@1|l0 L1@5", ARRIVAL, {"joined": 1}),
        ("p0 P1@1|l0 L1@30.9", ARRIVAL, {"joined": 1}),
        ("p0 P1@1|l0 L1@31", ARRIVAL, {"expired": 1, "unmatched": 1}),
        ("p0 P1@1|l0 L1@1", ARRIVAL, {"joined": 1}),
        ("p0 P1@1 L1@1", ARRIVAL, {"joined": 1}),
        ("p0 P1@31|l0 L1@2", ARRIVAL, {"joined": 1}),  # the label is timed before
        ("p0 P1@32|l0 L1@2", ARRIVAL, {"expired": 1, "unmatched": 1}),
        ("l0 L1@5", ARRIVAL, {"unmatched": 1}),  # of an id that nobody knows
        ("p0 P1@1|l0 L1=0@5 L1@6", ARRIVAL, {"joined": 1, "corrected": 1}),
        ("p0 P1@1|l0 L1@5 L1@6", ARRIVAL, {"joined": 1, "repeated": 1}),
        ("p0 P1@8|l0 L1=0@5 L1@6", ARRIVAL, {"joined": 1, "corrected": 1}),
        ("p0 P1@1|l0 L1@5 L1=0@11", ARRIVAL, {"joined": 1, "unmatched": 1}),
        ("p0 P1@1|l0 L1@5 L1=0@11", PREDICTION, {"joined": 1, "corrected": 1}),
        ("p0 P1@1|l0 L1@21", PREDICTION, {"late": 1}),
        ("p0 P1@1 P1=0@2|l0 L1@5", ARRIVAL, {"duplicates": 1, "joined": 1}),
        ("p0 P1@1|p1 P1=0@1|l0 L1@5", ARRIVAL, {"duplicates": 1, "joined": 1}),
        ("p0 P1@1|l0 L1@5|p1 P1=0@7", ARRIVAL, {"duplicates": 1, "joined": 1}),
        ("p0 P1@1|l0 L1@5|p1 P1=0@12", ARRIVAL, {"joined": 1, "expired": 1, "predictions": 2}),
    ],
)  # fmt: skip
def test_what_becomes_of_rows(lines: str, rules: Rules, totals: dict[str, int]) -> None:
    blocks = script(*lines.split("|"), *END)
    found = msgspec.structs.asdict(run(blocks, rules).join.totals)
    wanted = {"predictions": int("P1" in lines), **totals}
    assert {k: n for k, n in found.items() if n} == {k: n for k, n in wanted.items() if n}


def test_the_first_of_two_predictions_with_one_id_holds() -> None:
    found = run(script("p0 P1=0@1", "p1 P1=1@2", "l0 L1=1@5", *END), ARRIVAL)
    assert found.counts()[0]["matched", 0, 1, 0] == 1
    found = run(script("p0 P1=0@2", "p1 P1=1@1", "l0 L1=1@5", *END), ARRIVAL)
    assert found.counts()[0]["matched", 1, 1, 0] == 1


def test_of_rows_at_one_time_the_source_decides_and_not_who_comes_first() -> None:
    lines = ["p0 P1=0@1", "p1 P1=1@1", "l0 L1=1@1"]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        found = run(script(*(lines[i] for i in order), *END), ARRIVAL)
        assert found.counts()[0]["matched", 0, 1, 0] == 1


def test_nothing_has_an_effect_before_every_source_has_spoken() -> None:
    found = Run(new_join(ARRIVAL))
    for offset, one in enumerate(script("p0 P1@1", "p0 @100", "l0 @100")):
        for output in found.join.feed(one, offset):
            found.take(output)
    assert (found.panes, found.horizon, found.join.totals.predictions) == ({}, None, 0)


def test_the_words_of_the_stage() -> None:
    join = new_join(PREDICTION)
    (claimed,) = join.claim()
    assert claimed == Horizon("joins", 0, 1, "m", None, None, 0, 0, outcomes=True)
    found = [
        output
        for offset, one in enumerate(script("p0 P1@1", *NOW, *END))
        for output in join.feed(one, offset)
        if isinstance(output, Horizon)
    ]
    assert [(horizon.horizon, horizon.progress, horizon.until) for horizon in found] == [
        (10_000, 21_000, 4),  # 20 s less the maturity
        (90_000, 101_000, 7),
    ]
    assert list(join.claim()) == [found[-1]]


def test_panes_go_before_the_horizon_that_makes_them_final() -> None:
    join = new_join(ARRIVAL)
    kinds = [
        (type(output).__name__, getattr(output, "start", None))
        for offset, one in enumerate(script("p0 P1@1 P2@12", "l0 L1@15", *END))
        for output in join.feed(one, offset)
    ]
    assert kinds == [
        ("Horizon", None),
        ("Pane", 0),
        ("Horizon", None),
        ("Pane", 10_000),
        ("Pane", 40_000),
        ("Horizon", None),
    ]


def test_a_state_while_the_past_is_read_again_would_forget_it() -> None:
    blocks = script("p0 P1@1 P2@5", *NOW)
    state = run(blocks, ARRIVAL).join.state()
    assert state is not None
    assert (state.position, state.rewind) == (4, 0)
    assert state.since is not None
    assert 800 < state.since <= 1_000  # a whole step of the horizon
    again = new_join(ARRIVAL, state)
    assert again.state() is None
    assert not list(again.feed(blocks[0], 0))
    assert again.state() is None
    for offset in (1, 2, 3):
        list(again.feed(blocks[offset], offset))
    again.catch_up()
    found = again.state()
    assert found is not None
    assert encode(found) == encode(state)


def test_a_loss_covers_what_may_have_been_in_it() -> None:
    gap = Gap(TopicPartition("joins", 0), 4, 9)
    assert new_join(ARRIVAL).lost(gap) is None  # nothing is known yet, so nothing is missing
    join = run(script("p0 P1@1", *NOW), ARRIVAL).join
    loss = join.lost(gap)
    assert loss is not None
    assert (loss.wanted, loss.begin, loss.start, loss.end) == (4, 9, 20_000, 21_001)
    assert (join.position, loss.outcomes) == (9, True)


def test_after_a_gap_in_the_past_what_is_left_of_it_is_still_the_past() -> None:
    """Else what had its effect before the restart would have it again."""
    blocks = script(
        "l0 @0",
        *(f"p0 P{hour}@{hour}" for hour in range(8)),
        *("p1 @8", "l0 L1@9 L2@9", "p0 @9"),
        *("p0 P50@30", "p1 @30", "l0 @30", "p0 @60", "p1 @60", "l0 @60"),
    )
    rules = Rules("arrival", 20_000, 20_000)
    calm, restarted = run(blocks, rules), run(blocks[:12], rules)
    state = restarted.join.state()
    assert state is not None
    assert state.rewind == 0
    join = new_join(rules, state)
    loss = join.lost(Gap(TopicPartition("joins", 0), 0, 1))
    assert loss is not None
    assert (loss.wanted, loss.begin, join.position) == (0, 1, state.position)
    found = Run(join)
    for offset in range(1, len(blocks)):
        for output in join.feed(blocks[offset], offset):
            found.take(output)
    assert found.panes | restarted.panes == calm.panes
    assert calm.counts()[0]["predicted", 0] == 8


def test_a_state_of_before_is_still_read() -> None:
    """Records written before some fields were there; a cut was a pair."""
    written = {"type": "join", "position": 9, "rewind": 3, "since": 1_000, "cut": [[60_000, 400]]}
    state = msgspec.convert(written, JoinState)
    assert state == JoinState(9, 3, since=1_000, cut=[Cut(60_000, 400)])
    assert new_join(ARRIVAL, state).rewind == 3


def test_the_most_frequent_versions_are_named_whatever_the_order() -> None:
    names = [f"v{number:03}" for number in range(103)]
    rng = np.random.default_rng(2)
    codes = np.concatenate([np.arange(1, 104), rng.integers(1, 104, 2_000)]).astype(np.int16)
    versions = []
    for order in (codes, codes[::-1], rng.permutation(codes)):
        pane = OutcomePane(outcome_model(ARRIVAL), 0, 0)
        for some in np.array_split(order, rng.integers(1, 9)):
            pane._count_versions(0, some, names)
        versions.append(pane._named_versions(0))
    assert versions[0] == versions[1] == versions[2]
    assert len(versions[0]) == 101
    assert sum(versions[0].values()) == len(codes)
    least = min(many for name, many in versions[0].items() if name != "__other__")
    assert versions[0]["__other__"] <= 3 * least


def test_ids_beyond_measure_are_not_named_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "_MOST_IDS", 3)
    few = script("l0 L1@1 L2@1 L3@1", "p0 P1@5", *NOW)
    many = script("l0 L1@1 L2@1 L3@1 L4@1 L5@1", "p0 P1@5", *NOW)
    for blocks, named in ((few, True), (many, False)):
        join = run(blocks, ARRIVAL).join
        state = join.state()
        assert state is not None
        assert (state.early is not None) is named
        assert state.met is not None
        again = new_join(ARRIVAL, state)
        for offset, one in enumerate(blocks):
            list(again.feed(one, offset))
        again.catch_up()
        assert len(again._matching.rows) == len(join._matching.rows)


def other_block(**fields: Any) -> Block:
    """Return a block of one prediction of `yes` and one label of it, with other codes."""
    rows = [Row(1_000, "p", 0, 0, False, 1, 1, 0), Row(2_000, "p", 0, 1, True, 1, 1, 0)]
    return msgspec.structs.replace(block(rows, 2_000), **fields)


def joined(one: Block, join: ModelJoin) -> list[Pane]:
    """Return the panes that come of one block."""
    blocks = [one, *script("p1 @100", "l0 @100", "p0 @100")]
    blocks[-1] = msgspec.structs.replace(
        blocks[-1], horizon=msgspec.structs.replace(blocks[-1].horizon, until=2)
    )
    outputs = [o for offset, b in enumerate(blocks) for o in join.feed(b, offset)]
    return [o for o in outputs if isinstance(o, Pane)]


@pytest.mark.parametrize(
    ("fields", "cell"),
    [
        ({}, ("matched", 1, 1, 0)),
        ({"classes": ["yes", "no"]}, ("matched", 0, 0, 0)),
        ({"classes": ["a", "yes", "no"]}, ("matched", 1, 1, 0)),
        ({"classes": ["a", "b"]}, ("expired", 0)),  # the label is of no use any more
        ({"classes": []}, ("expired", 0)),  # it was a regression
        ({"segments": {"tier": ["tin", "gold"]}}, ("matched", 1, 1, 1)),
        ({"segments": {"tier": ["gold", "tin"]}}, ("matched", 1, 1, 0)),
        ({"segments": {"region": ["gold"]}}, ("matched", 1, 1, 1)),
    ],
    ids=str,
)
def test_a_block_says_itself_what_its_codes_mean(fields: dict[str, Any], cell: Any) -> None:
    found = Run(new_join(ARRIVAL))
    for pane in joined(other_block(**fields), found.join):
        found.take(pane)
    counts = [key for pane in found.counts().values() for key in pane]
    assert cell in counts
    assert len([key for key in counts if key[0] in ("matched", "expired")]) == 1


def test_a_block_of_more_or_fewer_tags_is_read() -> None:
    """As after a change of the segments in the configuration."""
    one = other_block()
    assert one.rows is not None
    none = msgspec.structs.replace(
        one, segments={}, rows=msgspec.structs.replace(one.rows, segments=[])
    )
    found = Run(new_join(ARRIVAL))
    for pane in joined(none, found.join):
        found.take(pane)
    assert found.counts()[0]["matched", 1, 1, 1] == 1
    plain = replace(outcome_model(ARRIVAL), streams=(None,), segments={})
    join = ModelJoin(plain, ("p", "l"), Room(10, 10), 0, 1, JoinState(0, 0, "id", 1), JoinTotals())
    assert [[s.stream for s in pane.streams] for pane in joined(one, join)] == [[None]]


def test_a_block_of_classes_says_nothing_to_a_regression() -> None:
    layout = OutcomeLayout.regression(np.arange(50.0), np.arange(50.0) + 1)
    model = replace(outcome_model(ARRIVAL), layout=layout)
    join = ModelJoin(model, ("p", "l"), Room(10, 10), 0, 1, JoinState(0, 0, "id", 1), JoinTotals())
    joined(other_block(), join)
    assert (join.totals.predictions, join.totals.joined, join.totals.expired) == (1, 0, 1)


def test_a_regression_joins_its_values() -> None:
    layout = OutcomeLayout.regression(np.arange(50.0), np.arange(50.0) + 1)
    model = replace(outcome_model(ARRIVAL), layout=layout)
    join = ModelJoin(model, ("p", "l"), Room(10, 10), 0, 1, JoinState(0, 0, "id", 1), JoinTotals())
    rows = JoinRows(
        np.array([0, 1]), np.array([False, True]), np.array([1_000, 2_000]),
        np.array([5, 5], np.uint64), np.array([20.0, 23.5]), np.zeros(2, np.int64),
        np.array([1, 0]), np.array([[0, 0]]),
    )  # fmt: skip
    (pane,) = joined(other_block(classes=[], rows=pack_rows(rows)), join)
    assert join.totals.joined == 1
    assert (pane.start, pane.length, pane.high) == (0, EVERY, layout.size + 62)


@pytest.mark.parametrize(("written", "many"), [("a" * 16, 1), ("b" * 16, 0), (None, 0)])
def test_what_another_model_of_the_errors_expected_is_not_counted(
    written: str | None, many: int
) -> None:
    layout = OutcomeLayout.regression(np.arange(50.0), np.arange(50.0) + 1)
    layout = replace(layout, errors="a" * 16)
    model = replace(outcome_model(ARRIVAL), layout=layout)
    join = ModelJoin(model, ("p", "l"), Room(10, 10), 0, 1, JoinState(0, 0, "id", 1), JoinTotals())
    rows = JoinRows(
        np.array([0, 1]), np.array([False, True]), np.array([1_000, 2_000]),
        np.array([5, 5], np.uint64), np.array([20.0, 23.5]), np.zeros(2, np.int64),
        np.array([1, 0]), np.array([[0, 0]]),
    )  # fmt: skip
    rows.expected = np.array([0.5, np.nan], np.float32)
    (pane,) = joined(other_block(classes=[], rows=pack_rows(rows), errors=written), join)
    stream = pane.streams[0]
    counts = np.zeros(pane.high, np.int64)
    cells = np.cumsum(unpack_integers(stream.indexes))
    counts[cells] = unpack_integers(stream.counts)
    outcomes = counts[: layout.size]
    assert layout.view(outcomes, "pairs")[0] == 1
    assert layout.view(outcomes, "estimated")[0] == many
    expected = total(layout.view(outcomes, "expected")[0], moment_unit(EXPECTED["expected"]))
    assert expected == 0.5 * many


def test_versions_beyond_measure_share_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes_module, "MOST_NAMES", 3)
    codes = Codes((), {})
    assert codes.learn(["a", "b"]).tolist() == [0, 1, 2]
    assert codes.learn(["b", "c", "d", "e"]).tolist()[:3] == [0, 2, 3]
    again = codes.learn(["d", "f", "a"]).tolist()
    assert again[1] == again[2]
    assert codes.names[again[1] - 1] == "__other__"
    assert codes.names[again[3] - 1] == "a"
