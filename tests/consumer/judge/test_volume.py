"""Whether as many events come as is normal: one alert of the model, from panes to records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.small import (
    DAY,
    HOUR,
    MODEL,
    REFERENCE,
    START,
    TOPIC,
    alerts,
    backtest,
    judge_all,
    plan,
    row,
    verdicts,
)

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.volume_sentence import how_known
from driftline.consumer.judge.volume_steps import VolumeSteps
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode, pack_integers
from driftline.consumer.wire.messages import Horizon, Loss, Pane, StreamCounts
from driftline.consumer.wire.records import EVENTS, Alert, Verdict
from driftline.detectors.reference import Reference
from driftline.detectors.volume import StepEvents, Volume

NOTHING = pack_integers(np.empty(0, np.int64))
FIRST = START // HOUR
HOURLY = {"length": "1h", "pane": "1h", "grace": "0s", "min_events": 5_000}
USUAL = [1_000 + 400 * (hour % 24 > 11) for hour in range(24)]


def known(days: int = 21, times: float = 1.0) -> Reference:
    """The small reference, which was built of this many days before the stream."""
    hourly = StepEvents(FIRST - days * 24, np.array(USUAL * days) * 1)
    hourly = replace(hourly, events=(hourly.events * times).astype(np.int64))
    return replace(REFERENCE, counted=replace(REFERENCE.counted, volume=Volume("UTC", hourly)))


KNOWN = known()


def watched(reference: Reference = KNOWN, **settings: Any) -> Plan:
    """A plan with a budget; the features' windows have too few events to be judged."""
    return plan({MODEL: reference}, **{"window": HOURLY, "budget": "1 per 30d", **settings})


def stream(
    events: Sequence[int], partition: int = 0, partitions: int = 1, hours: int = 1
) -> list[Pane | Horizon]:
    """Panes of so many events in each step, each with its horizon; one without any has none."""
    found: list[Pane | Horizon] = []
    for at, number in enumerate(events):
        start, offset, length = START + at * hours * HOUR, at * 10_000, hours * HOUR
        counts = StreamCounts(None, number, {"1": number}, NOTHING, NOTHING)
        if number:
            found.append(
                Pane(
                    TOPIC, partition, MODEL, start, length, KNOWN.layout_id,
                    offset, offset + number, 0, KNOWN.layout.size, [counts],
                )
            )  # fmt: skip
            horizon = Horizon(
                TOPIC, partition, partitions, MODEL, start + length, start + length - 1,
                offset + number, 0,
            )  # fmt: skip
            found.append(horizon)
    return found


def quiet(days: int, hours: int = 0) -> list[int]:
    return USUAL * days + USUAL[:hours]


def of_events(outputs: Iterable[Verdict | Alert]) -> list[Verdict]:
    return [each for each in verdicts(outputs) if each.type == EVENTS]


def test_a_fall_is_one_alert_until_it_is_over() -> None:
    events = [*quiet(3), *[200] * 6, *quiet(4)[6:24]]
    outputs = judge_all(watched(), stream(events))
    fired, resolved = alerts(outputs)
    assert fired.summary == (
        "m: events fell to 20 % of what this hour normally brings (200 of 1,000),"
        " since 2020-09-23 00:00 UTC."
    )
    assert (fired.status, fired.kind, fired.feature, fired.type) == (
        "firing", "data_quality", None, None,
    )  # fmt: skip
    assert (fired.detector, fired.value, fired.normal, fired.effect) == (EVENTS, 200, 1_000, 0.8)
    assert fired.rule == "budget: 1 per 30d, 2 times as many or as few events (window alarm)"
    assert (fired.severity, fired.names, fired.breaches) == ("warning", (), (1, 1))
    assert (resolved.status, resolved.alert_id) == ("resolved", fired.alert_id)
    assert resolved.summary == (
        "m: the number of events is back to normal since 2020-09-23 06:00 UTC, after 6 hours."
    )
    assert resolved.until == "2020-09-23T06:00:00Z"
    states = [each.state for each in of_events(outputs)]
    assert states == ["insufficient"] * 25 + ["ok"] * 47 + ["warning"] * 6 + ["ok"] * 18


def test_the_verdict_is_of_the_model_and_has_its_figures() -> None:
    found = of_events(judge_all(watched(segments=["tier"]), stream(quiet(2))))
    assert len(found) == 48
    assert {(each.feature, each.segment, each.stream) for each in found} == {(None, None, MODEL)}
    first, last = found[0], found[-1]
    assert first.reason == (
        "how many events are normal is known after the first whole day of the stream"
    )
    figure = last.detectors[EVENTS]
    assert (figure.value, figure.reference, figure.state) == (1_400, 1_400, "ok")
    assert (last.effect, last.window.events, last.subject.sort) == (0.0, 1_400, "model")


def test_a_stop_is_told_once_events_come_again() -> None:
    events = [*quiet(2), *[0] * 8, *quiet(3)[8:24]]
    fired, resolved = alerts(judge_all(watched(), stream(events)))
    assert fired.summary.startswith(
        "m: events fell to 0 % of what these 8 hours normally bring (0 of 8,000), since 2020-09-22"
    )
    assert (fired.severity, resolved.until) == ("critical", "2020-09-22T08:00:00Z")


def test_a_rise_is_an_alert_too() -> None:
    (fired,) = alerts(judge_all(watched(), stream([*quiet(2), 12_500])))
    assert fired.summary.startswith(
        "m: events rose to 1,250 % of what this hour normally brings (12,500 of 1,000)"
    )
    assert fired.severity == "critical"


@pytest.mark.parametrize("reference", [REFERENCE, known(times=0.1), known(days=6)])
def test_the_stream_teaches_what_the_reference_does_not_know(reference: Reference) -> None:
    """Without times, with a part of the events, or of less than a week."""
    events = [*quiet(7), USUAL[0], *[100] * 4]
    outputs = judge_all(watched(reference), stream(events))
    judged = [each for each in of_events(outputs) if each.state != "insufficient"]
    assert [each.state for each in judged] == ["critical"] * 4
    (fired,) = alerts(outputs)
    assert "(100 of 1,000)" in fired.summary
    week = of_events(outputs)[100].reason
    assert week == (
        "how many events are normal is not known yet: 4 days of the stream were seen, 7 are needed"
    )


def test_the_time_before_the_first_event_is_not_without_events() -> None:
    """Windows of a day over a stream that begins in the evening."""
    window = {**HOURLY, "length": "1d", "pane": "1h"}
    outputs = judge_all(watched(window=window), stream([*[0] * 20, *quiet(4)[20:]]))
    figures = [each.detectors[EVENTS] for each in of_events(outputs) if each.detectors]
    assert [(each.value, each.reference) for each in figures] == [(28_800, 28_800)] * 2
    assert alerts(outputs) == []


def test_an_hour_is_judged_whatever_the_windows_are() -> None:
    """Windows of 20 minutes and panes of 10: every third is looked at, with its hour."""
    window = {"length": "20m", "pane": "10m", "grace": "0s", "min_events": 5_000}
    panes: list[Pane | Horizon] = []
    for message in stream([*quiet(2), *[100] * 2]):
        if isinstance(message, Pane):
            for part in range(6):
                (counts,) = message.streams
                own = msgspec.structs.replace(counts, events=counts.events // 6)
                panes.append(
                    msgspec.structs.replace(
                        message, start=message.start + part * HOUR // 6, length=HOUR // 6,
                        first=message.first + part, streams=[own],
                    )
                )  # fmt: skip
        else:
            panes.append(message)
    outputs = judge_all(watched(window=window), panes)
    found = of_events(outputs)
    assert len(found) == 50
    assert [each.window.events for each in found[-2:]] == [96, 96]
    (fired,) = alerts(outputs)
    assert "fell to 9.6 % of what this hour normally brings (96 of 998)" in fired.summary


def test_a_fall_that_lasts_is_usual_after_two_weeks() -> None:
    events = [*quiet(2), *[number // 4 for number in quiet(17)]]
    outputs = judge_all(watched(), stream(events))
    fired, again, ended = alerts(outputs)
    assert (fired.status, again.status, ended.status) == ("firing", "firing", "resolved")
    assert ended.until == "2020-10-06T00:00:00Z"
    assert ended.summary == (
        "m: events fell to 25 % of what this hour normally brings (350 of 1,400), for 14 days;"
        " from now on that is usual."
    )
    later = [each for each in of_events(outputs) if (each.window.start or "") > "2020-10-07"]
    assert {each.state for each in later} == {"insufficient"}


def test_what_settles_between_quiet_and_an_alarm_is_usual_after_two_weeks_too() -> None:
    """A fall to 40 % that settles at 60 %: no window alarms, and none is quiet."""
    many = [*[number * 2 // 5 for number in quiet(1)], *[number * 3 // 5 for number in quiet(17)]]
    outputs = judge_all(watched(), stream([*quiet(2), *many]))
    *_, ended = alerts(outputs)
    assert (ended.status, ended.since, ended.until) == (
        "resolved", "2020-09-22T00:00:00Z", "2020-10-06T00:00:00Z",
    )  # fmt: skip
    assert ended.summary == (
        "m: events fell to 60 % of what this hour normally brings (840 of 1,400), for 14 days;"
        " from now on that is usual."
    )
    assert [each.state for each in of_events(outputs)][-24:] == ["ok"] * 24


def test_an_alert_ends_though_what_is_normal_is_forgotten() -> None:
    """Windows of three days, learnt from the stream: what fires is not, and too little is left."""
    window = {"length": "3d", "every": "6h", "pane": "6h", "grace": "0s", "min_events": 50_000}
    sixths = [1_000] * (4 * 26) + [50] * (4 * 18)
    outputs = judge_all(watched(REFERENCE, window=window), stream(sixths, hours=6))
    *_, ended = alerts(outputs)
    assert (ended.status, ended.since, ended.until) == (
        "resolved", "2020-10-17T12:00:00Z", "2020-10-31T12:00:00Z",
    )  # fmt: skip
    assert ended.summary == (
        "m: the number of events is amiss since 2020-10-17 12:00 UTC, for 14 days, and its alert"
        " ends: how many events are normal is not known yet: 17 days of the stream were seen,"
        " 21 are needed."
    )


def test_an_alert_ends_where_panes_get_another_length() -> None:
    judge = watched().judge(MODEL, JudgeState(0, 0))
    before = stream([*quiet(2), *[100] * 6])
    fired = [each for at, message in enumerate(before) for each in judge.feed(message, at)]
    assert [each.status for each in alerts(fired)] == ["firing"]
    window = {**HOURLY, "length": "6h", "pane": "6h"}
    again = watched(window=window).judge(MODEL, decode(encode(judge.state()), JudgeState))
    after = stream([6_000] * 20, hours=6)[18:]
    later = [
        each for at, message in enumerate(after, len(before)) for each in again.feed(message, at)
    ]
    (ended,) = alerts(later)
    assert (ended.alert_id, ended.status) == (alerts(fired)[0].alert_id, "resolved")
    assert "and its alert ends: events are counted anew." in ended.summary
    assert ended.until is not None
    assert of_events(later)[-1].reason is None


@pytest.mark.parametrize("days", [5, 8])
def test_long_windows_are_judged_once_seven_of_them_are_known(days: int) -> None:
    window = {"length": f"{days}d", "every": "1d", "pane": "1d", "min_events": 50_000}
    events = [1_000] * (8 * days + 2) + [10] * days
    outputs = judge_all(watched(REFERENCE, window=window), stream(events, hours=24))
    found = [each.state for each in of_events(outputs)]
    assert set(found[: 8 * days]) == {"insufficient"}
    assert set(found[8 * days + 1 :]) == {"ok", "warning", "critical"}
    reasons = [each.reason for each in of_events(outputs) if each.reason is not None]
    assert reasons[-1] == (
        f"how many events are normal is not known yet: {7 * days - 1} days of the stream were"
        f" seen, {7 * days} are needed"
    )


@pytest.mark.parametrize(
    ("days", "length", "pane", "text"),
    [
        (28, DAY, HOUR, "is known from 28 days of the reference once"),
        (28, 4 * DAY, HOUR, "is known from 28 days of the reference once"),
        (28, 5 * DAY, HOUR, "is learnt from the first 35 days of the stream"),
        (56, 8 * DAY, HOUR, "is known from 56 days of the reference once"),
        (56, 9 * DAY, HOUR, "is not judged: windows are longer than 8 days"),
    ],
)
def test_check_says_what_windows_of_this_length_need(
    days: int, length: int, pane: int, text: str
) -> None:
    assert text in how_known(known(days).volume, VolumeSteps.of(length, pane))


def test_a_limit_that_there_is_none_of_is_not_written() -> None:
    burst = [10] * 192
    burst[60] = burst[100] = burst[140] = 5_000
    (*_, last) = of_events(judge_all(watched(REFERENCE), stream([*burst, 11])))
    figure = last.detectors[EVENTS]
    assert (figure.value, figure.threshold, figure.state) == (11, None, "ok")


def test_it_is_the_same_from_any_state() -> None:
    """What is kept at any place gives the same records from there on, byte for byte."""
    events = [*quiet(2), *[200] * 3, *[0] * 3, *quiet(3, 4)[6:]]
    messages, own = stream(events), watched()
    whole: list[list[bytes]] = []
    judge, states = own.judge(MODEL, JudgeState(0, 0)), list[bytes]()
    for offset, message in enumerate(messages):
        states.append(encode(judge.state()))
        whole.append([encode(each) for each in judge.feed(message, offset)])
    for cut in range(3, len(messages), 24):
        state = decode(states[cut], JudgeState)
        again = own.judge(MODEL, state)
        found = [
            [encode(each) for each in again.feed(messages[offset], offset)]
            for offset in range(state.rewind, len(messages))
        ]
        assert found[cut - state.rewind :] == whole[cut:]
    assert len(states[-1]) < 4_000


def test_partitions_add_up_in_any_order() -> None:
    events = [*quiet(2), *[200] * 3]
    half = [number // 2 for number in events]
    parts = [stream(half, partition, 2) for partition in (0, 1)]
    beside = [each for pair in zip(*parts, strict=True) for each in pair]
    apart = [*parts[1], *parts[0]]
    alone = [each for each in judge_all(watched(), stream(events)) if isinstance(each, Alert)]
    assert [each.summary for each in alone] == [
        each.summary for each in alerts(judge_all(watched(), beside))
    ]
    assert judge_all(watched(), beside) == judge_all(watched(), apart)


def test_a_silence_is_told_by_its_own_alert() -> None:
    """The hour that it breaks off in, and that in which events come again, are not judged."""
    broken = stream([*quiet(2), 100])
    last = broken.pop()
    assert isinstance(last, Horizon)
    silent = msgspec.structs.replace(last, stale=True, progress=START + 2 * DAY + HOUR // 2)
    back = stream([*[0] * 56, 300, *quiet(3)[9:24]])
    outputs = judge_all(watched(), [*broken, silent, *back])
    assert [(each.kind, each.status) for each in alerts(outputs)] == [
        ("stale", "firing"),
        ("stale", "resolved"),
    ]
    reasons = [each.reason for each in of_events(outputs)[48:]]
    assert (
        reasons == ["the model was silent, of which an alert of its own speaks"] * 3 + [None] * 15
    )


def test_lost_events_are_no_fall() -> None:
    messages: list[Pane | Horizon | Loss] = [*stream(quiet(2))]
    start = START + 2 * DAY
    messages.append(Loss(TOPIC, 0, MODEL, 1, 500, start, start + HOUR))
    messages += stream([*[0] * 48, 200, *quiet(1)[1:]])
    outputs = judge_all(watched(), messages)
    assert {each.kind for each in alerts(outputs)} == {"data_loss"}
    assert of_events(outputs)[48].reason == "not all events of this time are known"


def test_nothing_is_judged_without_a_budget_or_in_windows_that_hours_do_not_fit() -> None:
    for settings in ({"budget": "off"}, {"window": {**HOURLY, "length": "50h", "pane": "50h"}}):
        assert of_events(judge_all(watched(**settings), stream(quiet(5)))) == []


def test_the_hour_in_which_a_file_ends_is_no_fall() -> None:
    window = {"length": "1h", "grace": "0s", "min_events": 5_000}
    events = [row(i * HOUR // 20) for i in range(20 * 26 + 1)]
    of = replace(watched(known(times=0.02), window=window), ordered=False)
    outputs = backtest(of, events)
    last = of_events(outputs)[-1]
    assert (last.state, last.reason) == ("insufficient", "the file ends in this window")
    assert (last.complete, last.detectors, last.window.events) == (False, {}, 1)
    assert alerts(outputs) == []
