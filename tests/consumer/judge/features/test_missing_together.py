"""Features that are missing in the same events: one cause, one alert."""

from __future__ import annotations

import numpy as np
import pytest
from tests.consumer.judge.features.test_causes import (
    EVENTS,
    NAMES,
    Event,
    Fault,
    judged,
    lost,
    made,
    reference,
    run,
    watched,
)
from tests.consumer.service.small import HOUR, MODEL, START, alerts, sketch
from tests.consumer.service.small import records as input_records

from driftline.consumer.judge.features.many import ManyFeatures
from driftline.consumer.judge.lives.life import Life, Lives, WindowTimes
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Acceptance, Horizon, Loss, Pane
from driftline.detectors.reference import Reference

__all__ = ["reference"]  # the fixture


def now_and_then(*names: str, of: int = 5, begin: int = 4, end: int = 99, at: int = 0) -> Fault:
    """Values that are missing in one of so many events, from one hour to another."""

    def fault(one: Event) -> None:
        after = one["timestamp"] - START
        if begin * HOUR <= after < end * HOUR and after // (HOUR // EVENTS) % of == at:
            for name in names:
                one["features"][name] = None

    return fault


def both(*faults: Fault) -> Fault:
    def fault(one: Event) -> None:
        for each in faults:
            each(one)

    return fault


def test_they_are_one_alert(reference: Reference) -> None:
    alert, *more = run(reference, now_and_then("f03", "f01", "f07"), after=0)
    assert {each.alert_id for each in more} <= {alert.alert_id}
    assert (alert.kind, alert.feature, alert.type) == ("data_quality", None, None)
    assert alert.segment is None
    assert alert.names == ("f01", "f03", "f07")
    assert alert.summary == (
        "m: f01, f03 and f07 are missing together in 4.0 % of events, normally 0.0 %, since"
        " 2020-09-20 04:00 UTC. All of channel and region. Only these features."
    )
    assert alert.change == "missing together in 4.0 %, normally 0.0 %"
    assert (alert.detector, alert.segments) == ("missing", "all of channel and region")
    assert alert.value == 0.04
    assert alert.features is not None
    assert {each.effect for each in alert.features} == {alert.effect}
    assert alert.rule == "budget: 1 per 30d, min_rise: 2% (window alarm)"
    assert alert.budgeted


def test_a_field_with_all_that_is_made_of_it_has_disappeared(reference: Reference) -> None:
    def fault(one: Event) -> None:
        for name in NAMES[:6]:
            del one["features"][name]

    found = run(reference, fault, hours=12)
    (first,) = [each for each in found if each.revision == 1]
    assert "f00, f01, f02, f03, f04 and 1 more are missing together in " in first.summary
    window = {"length": "1h", "every": "1h", "grace": "0s", "min_events": 50}
    (alert,) = run(reference, fault, window=window)
    assert (
        "more have disappeared: they are missing in 100.0 % of events, normally 0.0 %"
        in alert.summary
    )


def test_others_are_alerts_of_their_own(reference: Reference) -> None:
    fault = both(now_and_then("f01", "f02"), now_and_then("f05", of=4))
    found = run(reference, fault, after=0)
    assert sorted({each.names for each in found}) == [("f01", "f02"), ("f05",)]
    assert len({each.incident_id for each in found}) == 1
    assert ". All of channel and region. 1 other feature changed too: f05." in found[0].summary


def test_counts_that_differ_in_one_pane_are_two_alerts(reference: Reference) -> None:
    def fault(one: Event) -> None:
        now_and_then("f01", "f02")(one)
        if one["timestamp"] == START + 4 * HOUR + HOUR // 2 + 1 * (HOUR // EVENTS):
            one["features"]["f02"] = None

    assert {each.feature for each in run(reference, fault, after=0)} == {"f01", "f02"}


def test_of_one_segment_they_are_its_alert(reference: Reference) -> None:
    (alert,) = run(reference, lost("f02", "f04", of=("region", "south")), hours=12)
    assert (alert.segment, alert.names) == ("region=south", ("f02", "f04"))
    assert ". Only in region=south. Only these features." in alert.summary


def test_it_is_over_when_the_last_has_its_values_again(reference: Reference) -> None:
    fault = both(now_and_then("f01", "f02", end=6), now_and_then("f02", begin=6, end=9))
    fired, *more, resolved = run(reference, fault, hours=22, after=0)
    assert (fired.names, resolved.names) == (("f01", "f02"), ("f01", "f02"))
    assert fired.alert_id == resolved.alert_id
    assert (resolved.status, resolved.revision) == ("resolved", 2 + len(more))
    assert resolved.until is not None
    assert "2020-09-20T09:00:00Z" <= resolved.until <= "2020-09-20T15:00:00Z"
    assert "m: f01 and f02 are back to normal since " in resolved.summary


def life(name: str, since: int, severity: int = 1) -> Life:
    return Life(MODEL, name, "data_quality", since, firing=True, severity=severity, revision=1)


def group(counts: dict[str, list[int]]) -> tuple[ManyFeatures, Lives]:
    lives = {one.key: one for one in (life(name, HOUR) for name in sorted(counts))}
    return ManyFeatures(MODEL, NAMES, lives, HOUR, 4 * HOUR), lives


def test_one_that_follows_in_the_same_events_belongs_to_it() -> None:
    counts = {"f01": [20, 30, 25], "f02": [20, 30, 25], "f03": [20, 30, 25], "f04": [20, 30, 24]}

    def missing(name: str, first: int, end: int) -> np.ndarray:
        return np.array(counts[name][first // HOUR - 1 : end // HOUR - 1])

    many, lives = group({"f01": [], "f02": []})
    (first,) = many.together([*lives.values()], missing, WindowTimes(0, 3 * HOUR, HOUR))
    assert first.features == ["f01", "f02"]
    later = [life("f03", 3 * HOUR), life("f04", 3 * HOUR)]
    lives.update({one.key: one for one in later})
    times = WindowTimes(0, 4 * HOUR, 3 * HOUR)
    (grown,) = many.together(later, missing, times)
    assert (grown.key, grown.features) == (first.key, ["f01", "f02", "f03"])
    assert [one.silent for one in later] == [True, False]
    # The key holds, though there may be another one now.
    assert lives[first.key] is first
    del lives[later[1].key]
    later[0].severity = 2
    (rose,) = many.follow([], times)
    assert (rose.key, rose.severity, rose.revision) == (first.key, 2, 3)


def test_one_that_is_missing_again_with_another_leaves_its_first_alert() -> None:
    everywhere = np.array([90])
    many, lives = group({"f01": [], "f02": []})
    (first,) = many.together([*lives.values()], lambda *_: everywhere, WindowTimes(0, HOUR, 0))
    back = lives.pop((MODEL, "f01", "data_quality"))
    assert many.follow([back], WindowTimes(HOUR, 2 * HOUR, HOUR)) == []
    again = [life("f01", 5 * HOUR), life("f03", 5 * HOUR)]
    lives.update({one.key: one for one in again})

    def missing(name: str, *_: int) -> np.ndarray:
        return everywhere + (name == "f02")

    (second,) = many.together(again, missing, WindowTimes(5 * HOUR, 6 * HOUR, 5 * HOUR))
    assert (second.features, first.features) == (["f01", "f03"], ["f01", "f02"])
    assert {lives[first.key].since, lives[second.key].since} == {HOUR, 5 * HOUR}
    # The first is over with its last part, though the second speaks of a feature that it names.
    over = lives.pop((MODEL, "f02", "data_quality"))
    (ended,) = many.follow([over], WindowTimes(6 * HOUR, 7 * HOUR, 6 * HOUR))
    assert (ended.key, ended.firing) == (first.key, False)
    assert lives[second.key].firing


def test_what_is_no_longer_missing_together_is_not_said_to_be(reference: Reference) -> None:
    fault = both(now_and_then("f01", "f02", of=9), now_and_then("f01", begin=5, of=1))
    fired, *_, last = run(reference, fault, hours=12, after=0)
    assert "f01 and f02 are missing together in " in fired.summary
    assert "f01 and f02 are missing in " in last.summary
    assert " % to " in last.summary


@pytest.mark.parametrize(
    ("counts", "told"),
    [([31], 0), ([32], 1), ([1, 1], 0), ([2, 2], 1), ([0, 0, 0], 0)],
)
def test_few_are_equal_by_chance(counts: list[int], told: int) -> None:
    many, lives = group({"f01": counts, "f02": counts})
    times = WindowTimes(0, HOUR + len(counts) * HOUR, HOUR)
    found = many.together([*lives.values()], lambda *_: np.array(counts), times)
    assert len(found) == told


def test_two_groups_and_the_number_of_events_are_three_alerts() -> None:
    a, b = [life("f01", HOUR), life("f02", HOUR)], [life("f03", HOUR), life("f04", HOUR)]
    lives: Lives = {one.key: one for one in (*a, *b)}
    volume = Life(MODEL, "", "data_quality", HOUR, firing=True)
    lives[volume.key] = volume
    many = ManyFeatures(MODEL, NAMES, lives, HOUR, 4 * HOUR)
    found = many.together(
        [*a, *b],
        lambda name, *_: np.array([90 if name < "f03" else 80]),
        WindowTimes(0, 2 * HOUR, HOUR),
    )
    assert [one.features for one in found] == [["f01", "f02"], ["f03", "f04"]]
    assert len(lives) == 7
    assert lives[volume.key] is volume
    state = decode(encode(JudgeState(position=0, rewind=0, lives=found)), JudgeState)
    assert [one.key for one in state.lives] == [one.key for one in found]


def test_a_restart_anywhere_changes_nothing(reference: Reference) -> None:
    events = made(14, 2)
    fault = both(
        now_and_then("f09", "f10", end=7), now_and_then("f01", "f02", begin=5, end=7, of=3)
    )
    for one in events:
        fault(one)
    fed = sketch(watched(reference)).feed(input_records(events), 0)
    messages: list[Pane | Horizon | Loss | Acceptance] = [
        each for each in fed if isinstance(each, Pane | Horizon | Loss)
    ]
    whole = judged(reference, messages, set())
    assert {a.names for a in alerts(whole)} == {("f01", "f02"), ("f09", "f10")}
    rng = np.random.default_rng(3)
    for _ in range(2):
        stops = set(rng.choice(len(messages), 6, replace=False).tolist())
        assert judged(reference, messages, stops) == whole


def test_one_may_be_accepted_and_the_others_go_on(reference: Reference) -> None:
    events = made(12, 2)
    for one in events:
        now_and_then("f01", "f02")(one)
    fed = sketch(watched(reference)).feed(input_records(events), 0)
    messages: list[Pane | Horizon | Loss | Acceptance] = [
        each for each in fed if isinstance(each, Pane | Horizon | Loss)
    ]
    at = len(messages) * 3 // 4
    first, second = (
        Acceptance(name, MODEL, name, "ada", "no longer sent", START + 4 * HOUR, None)
        for name in ("f01", "f02")
    )
    alone = alerts(judged(reference, [*messages[:at], first, *messages[at:]], set()))
    assert {each.status for each in alone} == {"firing"}
    both_ended = alerts(judged(reference, [*messages[:at], first, second, *messages[at:]], set()))
    last = [each for each in both_ended if each.status == "resolved"]
    assert len(last) == 1
    assert last[0].alert_id == alone[0].alert_id
    assert "is accepted by ada as it is" in last[0].summary
