"""Judging comparisons: rarely wrong however often it looks, soon right, exact after a restart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np
import pytest

from driftline.consumer.config import ComparisonConfig, ModelConfig
from driftline.consumer.join.cells import EXPIRED, EXTRA_CELLS
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.comparison.judge import ComparisonJudge, ComparisonState, subject_of
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Horizon, Loss, Pane, PanesMessage, StreamCounts
from driftline.consumer.wire.records import Alert, ReferenceName, Verdict
from driftline.detectors.outcomes import IndependentTest, PairedTest
from driftline.detectors.outcomes.comparison import LEAST_PANES, Evidence
from driftline.detectors.outcomes.share_variation import ShareVariation

MINUTE, DAY = 60_000, 86_400_000
RUNBOOK = "https://wiki.example/fraud"
MODEL = ModelConfig.model_validate({
    "predictions": "in", "reference": "r.json", "window": {"length": "1m"}, "owner": "risk",
    "runbook": RUNBOOK,
})  # fmt: skip
Traffic = Literal["split", "same"]
Cells = Sequence[int]
COUNTED = {"split": "of both", "same": "that one of both predicted better"}


def config(traffic: Traffic, alpha: float = 0.05, challenger: str = "m@2") -> ComparisonConfig:
    sides = {"champion": "m@1", "challenger": challenger}
    return ComparisonConfig.model_validate({**sides, "traffic": traffic, "alpha": alpha})


def judge(
    wanted: ComparisonConfig, state: ComparisonState | None = None, kind: str = "classification"
) -> ComparisonJudge:
    state = state or ComparisonState(0, 0, "id", 1)
    return ComparisonJudge("new", wanted, MODEL, ReferenceName("ref", 9), kind, state)


def messages(
    wanted: ComparisonConfig, cells: Cells, start: int, expired: int = 0, length: int = MINUTE
) -> tuple[Pane, Horizon]:
    """A pane, and the horizon that makes it final."""
    counts = np.zeros(COMPARISON_CELLS + EXTRA_CELLS, np.int64)
    counts[:COMPARISON_CELLS] = cells
    counts[COMPARISON_CELLS + EXPIRED] = expired
    places = np.flatnonzero(counts)
    stream = StreamCounts(
        None, 3, {"m@1": 1, "m@2": 2}, pack_integers(np.diff(places, prepend=0)),
        pack_integers(counts[places]),
    )  # fmt: skip
    end = start + length
    pane = Pane(
        "joins", 0, "compare:new", start, length, subject_of(wanted, "classification"), 0, 1, 0,
        len(counts), [stream], outcomes=True,
    )  # fmt: skip
    return pane, Horizon("joins", 0, 1, "compare:new", end, end, 1, 0, outcomes=True)


def fed(judge: ComparisonJudge, log: Sequence[PanesMessage], offset: int = 0) -> list[object]:
    return [out for n, message in enumerate(log, offset) for out in judge.feed(message, n)]


def stream(
    traffic: Traffic, shares: tuple[float, float], panes: int, rng: np.random.Generator
) -> Iterator[Cells]:
    """Cells of panes whose sizes vary; on the same traffic both tend to be wrong together."""
    for _ in range(panes):
        n = int(rng.integers(20, 120))
        if traffic == "same":
            chance = np.where(rng.random(n) < 0.7, rng.random(n), rng.random((2, n)))
            a, b = chance[0] < shares[0], chance[1] < shares[1]
            yield [0, 0, 0, 0, *(int(((a == x) & (b == y)).sum()) for x, y in _PAIRS)]
        else:
            chance, challenger = rng.random(n), rng.random(n) < 0.2
            a, b = chance[~challenger] < shares[0], chance[challenger] < shares[1]
            yield [int(a.sum()), int((~a).sum()), int(b.sum()), int((~b).sum()), 0, 0, 0, 0]


_PAIRS = ((True, True), (True, False), (False, True), (False, False))


def decisions(traffic: Traffic, shares: tuple[float, float], streams: int) -> list[str]:
    """What is decided in so many streams of 60 panes, each looked at after every pane."""
    wanted = config(traffic)
    found: list[str] = []
    for seed in range(streams):
        rng, one = np.random.default_rng(seed), judge(wanted)
        for number, cells in enumerate(stream(traffic, shares, 60, rng)):
            fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
        found.append(one.standing.decision)
    return found


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_two_that_are_equally_good_are_seldom_told_apart(traffic: Traffic) -> None:
    found = decisions(traffic, (0.9, 0.9), streams=200)
    wrong = len(found) - found.count("undecided")
    assert wrong <= 0.05 * len(found), wrong


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_sides_that_vary_by_themselves_are_seldom_told_apart(traffic: Traffic) -> None:
    """Each side has panes in which it does better or worse: 0.85 give or take 0.05."""
    wanted = config(traffic)
    found: list[str] = []
    plain: list[bool] = []
    out: list[object] = []
    for seed in range(40):
        rng, one = np.random.default_rng(seed), judge(wanted)
        untempered = False
        for number in range(40):
            shares = np.clip(0.85 + 0.05 * rng.standard_normal(2), 0.0, 1.0)
            right = rng.random((2, 600)) < shares[:, None]
            a, b = right
            cells = [0] * 4 + [int(((a == x) & (b == y)).sum()) for x, y in _PAIRS]
            if traffic == "split":
                cells = [int(n) for own in right for n in (own.sum(), 600 - own.sum())] + [0] * 4
            out = fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
            state = one.state()
            evidence = Evidence(*state.evidence)
            if traffic == "same":
                evidence = PairedTest(*state.cells[5:7]).evidence
            untempered |= evidence.decide(0.05) != "undecided"
        found.append(one.standing.decision)
        plain.append(untempered)
    assert len(found) - found.count("undecided") <= 2
    assert sum(plain) >= 20
    (verdict,) = out
    assert isinstance(verdict, Verdict)
    assert verdict.note is not None
    assert verdict.note.startswith(
        "how the two compare differs from pane to pane by more than chance: 100 events tell as much"
    )


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_a_state_without_variation_is_read_and_its_decision_stands(traffic: Traffic) -> None:
    wanted = config(traffic)
    one = judge(wanted)
    for number, cells in enumerate(stream(traffic, (0.6, 0.9), 25, np.random.default_rng(2))):
        fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
    record = msgspec.to_builtins(one.state())
    del record["variation"]
    old = judge(wanted, msgspec.convert(record, ComparisonState))
    assert old.standing.decision == "better"
    (verdict,) = fed(old, messages(wanted, cells, 25 * MINUTE), 50)
    assert isinstance(verdict, Verdict)
    assert verdict.reason == (
        f"1 pane with labelled events {COUNTED[traffic]}, 20 needed to know how much they vary by"
        " themselves"
    )


@pytest.mark.parametrize(
    ("traffic", "shares", "told"),
    [
        ("split", (0.8, 0.9), "better"),
        ("split", (0.9, 0.8), "worse"),
        ("same", (0.88, 0.92), "better"),
        ("same", (0.92, 0.88), "worse"),
    ],
)
def test_a_real_difference_is_told(
    traffic: Traffic, shares: tuple[float, float], told: str
) -> None:
    found = decisions(traffic, shares, streams=40)
    assert found.count(told) >= 39
    assert set(found) <= {told, "undecided"}  # one may take longer than 60 panes


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_what_is_published_follows_from_the_counts(traffic: Traffic) -> None:
    wanted = config(traffic)
    one = judge(wanted)
    cells = list(stream(traffic, (0.6, 0.9), 30, np.random.default_rng(1)))
    test: PairedTest | IndependentTest = IndependentTest() if traffic == "split" else PairedTest()
    between = ShareVariation()
    for number, pane in enumerate(cells):
        out = fed(one, messages(wanted, pane, number * MINUTE, expired=2), 2 * number)
        total = np.sum(cells[: number + 1], axis=0)
        if isinstance(test, PairedTest):
            between = test.vary(between, champion=pane[5], challenger=pane[6])
            test = test.add(champion=pane[5], challenger=pane[6])
            shares = (total[4] + total[5]) / total.sum(), (total[4] + total[6]) / total.sum()
        else:
            both = (pane[0], pane[0] + pane[1]), (pane[2], pane[2] + pane[3])
            between = test.vary(between, *both)
            test = test.add(*both)
            shares = total[0] / (total[0] + total[1]), total[2] / (total[2] + total[3])
        (verdict,) = [each for each in out if isinstance(each, Verdict)]
        assert verdict.counts == {"labelled": total.sum(), "unused": 0, "expired": 2 * number + 2}
        if number < LEAST_PANES - 1:
            many = (
                f"{number + 1} pane{'s' if number else ''} with labelled events {COUNTED[traffic]}"
            )
            assert (verdict.state, verdict.detectors) == ("insufficient", {})
            assert verdict.reason == f"{many}, 20 needed to know how much they vary by themselves"
            assert one.standing.p_value == 1.0
            continue
        found = verdict.detectors
        assert found["champion"].value == pytest.approx(shares[0], rel=1e-5)
        assert found["challenger"].value == pytest.approx(shares[1], rel=1e-5)
        assert found["comparison"].value == pytest.approx(shares[1] - shares[0], rel=1e-4)
        decided = test.tempered(between.phi()).decide(0.05) != "undecided"
        p_value = found["comparison"].p_value
        assert p_value is not None
        assert (p_value <= 0.05) == decided
    assert verdict.state == "warning"
    assert verdict.window.events == 3 * 30


def test_a_decision_is_an_alert_and_again_every_week() -> None:
    wanted = config("same")
    one = judge(wanted)
    out: list[object] = []
    for number in range(LEAST_PANES):
        assert not any(isinstance(each, Alert) for each in out)
        out += fed(one, messages(wanted, [0, 0, 0, 0, 5, 0, 3, 1], number * MINUTE), 2 * number)
    (alert,) = [each for each in out if isinstance(each, Alert)]
    assert alert.summary == (
        "new: m@2 is better than m@1: accuracy 0.889 (95 % interval 0.835 to 0.927) against "
        "0.556 (0.483 to 0.626), on 180 labelled events, since 1970-01-01 00:00 UTC."
    )
    assert (alert.revision, alert.owner, alert.runbook) == (1, "risk", RUNBOOK)
    assert alert.rule == "comparison: same traffic, alpha 0.05"
    assert one.standing.decision == "better"
    again = []
    for day in range(1, 16):
        offset = 2 * (LEAST_PANES + day)
        for each in fed(one, messages(wanted, [0, 0, 0, 0, 5, 1, 1, 0], day * DAY), offset):
            again += [(day, each.revision, each.alert_id)] if isinstance(each, Alert) else []
    assert again == [(8, 2, alert.alert_id), (15, 3, alert.alert_id)]


def test_a_decision_stands_until_the_opposite_is_reached() -> None:
    wanted = config("same")
    one = judge(wanted)
    told = []
    for number, cells in enumerate([*[[1, 5]] * LEAST_PANES, [20, 2], *[[400, 20]] * 40]):
        out = fed(one, messages(wanted, [0, 0, 0, 0, 0, *cells, 0], number * MINUTE), 2 * number)
        told += [(one.standing.decision, x.revision) for x in out if isinstance(x, Alert)]
        if number == LEAST_PANES:
            assert one.standing.decision == "better"
    assert told == [("better", 1), ("worse", 2)]


def test_a_canary_that_was_better_may_turn_out_worse_on_all_traffic() -> None:
    wanted, rng = config("split"), np.random.default_rng(0)
    one, told = judge(wanted), []
    for number in range(72):
        events, share = (1_500, 0.94) if number < 24 else (50_000, 0.885)
        right, wrong = (int(rng.binomial(events, chance)) for chance in (0.9, share))
        cells = [right, events - right, wrong, events - wrong, 0, 0, 0, 0]
        out = fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
        told += [one.standing.decision for each in out if isinstance(each, Alert)]
    assert told == ["better", "worse"]
    assert one.standing.p_value <= 0.05


def test_evidence_against_both_claims_has_no_end() -> None:
    wanted = config("split")
    one = judge(wanted)
    panes = ((45_000, 50_000, 45_500), (57_000, 60_000, 24_000), (25_000, 50_000, 49_000))
    for number, (right, events, other) in enumerate(panes * 7):
        cells = [right, events - right, other, events - other, 0, 0, 0, 0]
        (verdict,) = fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
    assert max(one.state().evidence) < -800
    assert isinstance(verdict, Verdict)
    assert (verdict.state, verdict.detectors["comparison"].p_value) == ("ok", 1.0)


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_without_labelled_events_of_both_nothing_is_said(traffic: Traffic) -> None:
    wanted = config(traffic)
    (verdict,) = fed(judge(wanted), messages(wanted, [5, 1, 0, 0, 0, 0, 0, 0], 0))
    assert isinstance(verdict, Verdict)
    assert (verdict.state, verdict.detectors) == ("insufficient", {})
    reasons = {"split": "no labelled events of m@2 alone", "same": "that both predicted"}
    assert reasons[traffic] in (verdict.reason or "")


def test_panes_in_which_both_did_as_well_are_not_said_to_be_counted() -> None:
    wanted = config("same")
    one = judge(wanted)
    for number in range(LEAST_PANES + 5):
        cells = [0, 0, 0, 0, 9, 0, 1 if number == 3 else 0, 2]
        (verdict,) = fed(one, messages(wanted, cells, number * MINUTE), 2 * number)
    assert isinstance(verdict, Verdict)
    assert (verdict.reason or "").startswith(
        "1 pane with labelled events that one of both predicted better, 20 needed"
    )


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_a_restart_anywhere_changes_nothing(traffic: Traffic) -> None:
    wanted = config(traffic)
    log: list[PanesMessage] = []
    for number, cells in enumerate(stream(traffic, (0.6, 0.9), 22, np.random.default_rng(2))):
        log += [*messages(wanted, cells, number * MINUTE)]
    log = [log[2], *log[:2], *log[3:]]  # a pane that comes long before it is final
    log.insert(9, Loss("joins", 0, "compare:new", 1, 2, 3, 4, outcomes=True))
    calm = judge(wanted)
    whole = [calm.feed(message, n) for n, message in enumerate(log)]
    for cut in range(len(log)):
        before = judge(wanted)
        assert [before.feed(message, n) for n, message in enumerate(log[:cut])] == whole[:cut]
        record = msgspec.msgpack.encode(before.state())
        state = msgspec.msgpack.decode(record, type=ComparisonState)
        after = judge(wanted, state)
        assert not fed(after, log[state.rewind : state.position], state.rewind)
        rest = [after.feed(message, n) for n, message in enumerate(log[cut:], cut)]
        assert rest == whole[cut:]
        assert after.state() == calm.state()


def test_another_subject_begins_anew_and_passes_over_the_panes_of_the_old_one() -> None:
    old, new = config("same"), config("same", challenger="m@3")
    one = judge(old)
    fed(one, messages(old, [0, 0, 0, 0, 50, 2, 30, 5], 0))
    two = judge(new, one.state())
    assert two.standing.decision == "undecided"
    assert not two.standing.cells.any()
    assert fed(two, messages(old, [0, 0, 0, 0, 50, 2, 30, 5], MINUTE), 2) == []
    (verdict,) = fed(two, messages(new, [0, 0, 0, 0, 9, 1, 1, 0], 2 * MINUTE), 4)
    assert isinstance(verdict, Verdict)
    assert verdict.counts == {"labelled": 11, "unused": 0, "expired": 0}


def test_panes_of_two_lengths_are_each_counted_once() -> None:
    wanted = config("same")
    one = judge(wanted)
    long, _ = messages(wanted, [0, 0, 0, 0, 9, 1, 1, 0], 0, length=3 * MINUTE)
    short, horizon = messages(wanted, [0, 0, 0, 0, 7, 0, 0, 0], 3 * MINUTE)
    found = fed(one, [short, long, horizon])
    assert [v.counts["labelled"] for v in found if isinstance(v, Verdict) and v.counts] == [11, 18]


def test_a_regression_says_who_is_nearer() -> None:
    wanted = config("same")
    one = judge(wanted, kind="regression")
    out: list[object] = []
    for number in range(LEAST_PANES):
        pane, horizon = messages(wanted, [0, 0, 0, 0, 0, 1, 5, 2], number * MINUTE)
        pane = msgspec.structs.replace(pane, layout_id=subject_of(wanted, "regression"))
        out += fed(one, [pane, horizon], 2 * number)
    (alert,) = [each for each in out if isinstance(each, Alert)]
    assert "m@2 is better than m@1: nearer to the truth in a share of 0.625" in alert.summary
