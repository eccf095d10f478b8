"""One cause, one alert: of a model and its segments, and of many features at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import HOUR, MODEL, START, alerts, backtest, plan, sketch
from tests.consumer.service.small import records as input_records

from driftline.consumer.judge.features.many import ManyFeatures
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.lives.life import Life, WindowTimes
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Acceptance, Horizon, Loss, Pane
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.budget import stream_share
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

HOURLY = {"length": "6h", "every": "1h", "grace": "0s", "min_events": 50}
CHANNELS, REGIONS = ("app", "shop", "web"), ("north", "south")
NAMES = [f"f{i:02}" for i in range(12)]
EVENTS = 300  # an hour
Event = dict[str, Any]
Fault = Callable[[Event], None]


def event(time: int, rng: np.random.Generator) -> Event:
    features: dict[str, Any] = dict(
        zip(NAMES, rng.normal(size=len(NAMES)).round(3).tolist(), strict=True)
    )
    features["plan"] = "free" if rng.random() < 0.7 else "paid"
    tags = {"channel": str(rng.choice(CHANNELS)), "region": str(rng.choice(REGIONS))}
    return {"timestamp": START + time, "model": MODEL, "features": features, "tags": tags}


def made(hours: int, seed: int, begin: int = 0) -> list[Event]:
    rng = np.random.default_rng(seed)
    step = HOUR // EVENTS
    return [event((begin + hour) * HOUR + i * step, rng) for hour in range(hours) for i in range(EVENTS)]  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def reference() -> Reference:
    settings = ReferenceSettings(MODEL, segments=["channel", "region"])
    return reference_from_rows([made(60, 1, -100)], Mapping(), settings).reference


def run(
    reference: Reference, fault: Fault, hours: int = 8, after: int = 4, seed: int = 2, **more: Any
) -> list[Alert]:
    """The alerts of a stream of whose hours the first four are quiet, then the fault comes."""
    events = made(hours, seed)
    for one in events[after * EVENTS :]:
        fault(one)
    return alerts(backtest(watched(reference, **more), events))


def watched(reference: Reference, **more: Any) -> Plan:
    settings = {
        "window": HOURLY, "budget": "1 per 30d", "segments": ["channel", "region"], **more
    }  # fmt: skip
    return plan({MODEL: reference}, **settings)


def shifted(by: float, *names: str, of: tuple[str, str] | None = None) -> Fault:
    """Numbers that rise, everywhere or where a tag has a value."""

    def fault(one: Event) -> None:
        if of is None or one["tags"][of[0]] == of[1]:
            for name in names:
                one["features"][name] += by

    return fault


def lost(*names: str, of: tuple[str, str] | None = None) -> Fault:
    """Values that are missing, everywhere or where a tag has a value."""

    def fault(one: Event) -> None:
        if of is None or one["tags"][of[0]] == of[1]:
            for name in names:
                one["features"][name] = None

    return fault


def test_what_breaks_in_all_segments_alike_is_the_models_alert(reference: Reference) -> None:
    (alert,) = run(reference, shifted(0.6, "f01"))
    assert (alert.segment, alert.feature, alert.kind) == (None, "f01", "feature_drift")
    assert alert.segments == "all of channel and region"
    assert ", since 2020-09-20 04:00 UTC. All of channel and region. " in alert.summary


def test_what_breaks_in_one_segment_is_its_alert_alone(reference: Reference) -> None:
    (alert,) = run(reference, shifted(1.0, "f01", of=("channel", "app")), hours=12)
    assert (alert.segment, alert.feature, alert.kind) == ("channel=app", "f01", "feature_drift")
    assert alert.segments == "only in channel=app"
    assert ". Only in channel=app. Only this feature." in alert.summary


def test_a_segment_with_too_few_events_to_judge_is_named_once(reference: Reference) -> None:
    window = {**HOURLY, "min_events": 1_000}  # of 1,800, of which a third is of the segment
    (alert,) = run(reference, shifted(1.0, "f01", of=("channel", "app")), hours=9, window=window)
    assert (alert.segment, alert.segments) == ("channel=app", "only in channel=app")
    quality = run(reference, lost("f01", of=("channel", "app")), hours=9, window=window)
    assert [(a.segment, a.segments) for a in quality] == [(None, "only in channel=app")]
    assert ". Only in channel=app. Only this feature." in quality[0].summary


@pytest.mark.parametrize(
    ("of", "segment", "segments"),
    [
        (None, None, "all of channel and region"),
        (("region", "south"), "region=south", "only in region=south"),
    ],
)
def test_missing_values_are_one_alert_too(
    reference: Reference, of: tuple[str, str] | None, segment: str | None, segments: str
) -> None:
    (alert,) = run(reference, lost("f02", of=of), hours=12)
    assert (alert.segment, alert.feature, alert.kind) == (segment, "f02", "data_quality")
    assert alert.segments == segments


def test_thresholds_say_it_once_too(reference: Reference) -> None:
    limits: dict[str, Any] = {"budget": "off", "thresholds": {"ks": {"warning": 0.25}}}
    (alert,) = run(reference, shifted(2.0, "f01"), hours=12, **limits)
    assert (alert.segment, alert.segments) == (None, "all of channel and region")
    (alert,) = run(reference, shifted(2.0, "f01", of=("channel", "web")), hours=12, **limits)
    assert (alert.segment, alert.segments) == ("channel=web", "only in channel=web")


def test_a_change_that_spreads_joins_the_incident_of_its_segment(reference: Reference) -> None:
    def fault(one: Event) -> None:
        spread = one["timestamp"] >= START + 10 * HOUR
        if spread or one["tags"]["channel"] == "app":
            one["features"]["f01"] += 0.8

    found = run(reference, fault, hours=16)
    first, second = (a for a in found if a.revision == 1)
    assert (first.segment, second.segment) == ("channel=app", None)
    assert first.incident_id == second.incident_id
    assert first.alert_id != second.alert_id
    assert (second.since or "") >= "2020-09-20T10:00:00Z"


def test_a_segment_whose_change_is_over_can_change_again(reference: Reference) -> None:
    def fault(one: Event) -> None:
        hour = (one["timestamp"] - START) // HOUR
        if one["tags"]["channel"] == "app" and (4 <= hour < 10 or hour >= 26):
            one["features"]["f01"] += 1.0

    found = run(reference, fault, hours=34, after=0)
    found = [a for a in found if a.revision == 1 or a.status == "resolved"]
    assert [(a.segment, a.status) for a in found] == [
        ("channel=app", "firing"), ("channel=app", "resolved"), ("channel=app", "firing"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "what", "rule"),
    [
        (shifted(0.8, *NAMES), "", "min_effect: 0.02 (change alarm)"),
        (lost(*NAMES), ": 12 are more often missing", "min_rise: 2% (window alarm)"),
    ],
    ids=["shifted", "lost"],
)
def test_many_features_are_one_alert(
    reference: Reference, fault: Fault, what: str, rule: str
) -> None:
    (alert,) = run(reference, fault, hours=14)
    assert (alert.feature, alert.kind, alert.type) == (None, "feature_drift", None)
    assert alert.features is not None
    assert sorted(one.name for one in alert.features) == NAMES
    effects = [one.effect or 0.0 for one in alert.features]
    assert effects == sorted(effects, reverse=True)
    assert alert.segments == "all of channel and region"
    start = f"m: 12 of 13 features changed{what}, since 2020-09-20 04:00 UTC. All"
    assert alert.summary.startswith(start)
    assert (alert.detector, alert.value) == (None, None)
    assert alert.rule == f"budget: 1 per 30d, {rule}"


def test_many_features_of_one_segment_are_one_alert_of_it(reference: Reference) -> None:
    (alert,) = run(reference, shifted(1.5, *NAMES, of=("channel", "shop")), hours=14)
    assert (alert.segment, alert.feature) == ("channel=shop", None)
    assert alert.segments == "only in channel=shop"
    assert len(alert.features or ()) == 12


def test_many_features_are_resolved_together(reference: Reference) -> None:
    def fault(one: Event) -> None:
        if one["timestamp"] < START + 8 * HOUR:
            shifted(0.8, *NAMES)(one)

    fired, resolved = run(reference, fault, hours=22)
    assert (fired.status, resolved.status) == ("firing", "resolved")
    assert fired.alert_id == resolved.alert_id
    assert (resolved.revision, resolved.feature) == (2, None)
    assert resolved.summary.startswith("m: 12 of 13 features are back to normal since ")


def test_nine_features_are_nine_alerts(reference: Reference) -> None:
    found = run(reference, shifted(0.8, *NAMES[:9]))
    assert sorted(a.feature or "" for a in found) == NAMES[:9]
    assert {a.segment for a in found} == {None}
    assert len({a.incident_id for a in found}) == 1


def judged(
    reference: Reference, messages: Sequence[Pane | Horizon | Loss | Acceptance], stops: set[int]
) -> list[Verdict | Alert]:
    """Return what is judged, by a judge that begins again from its state after some messages."""
    setup = watched(reference)
    judge = setup.judge(MODEL, JudgeState(position=0, rewind=0))
    found: list[Verdict | Alert] = []
    for n, message in enumerate(messages):
        found += judge.feed(message, n)
        if n in stops:
            state = decode(encode(judge.state()), JudgeState)
            judge = setup.judge(MODEL, state)
            for back in range(state.rewind, n + 1):
                assert not judge.feed(messages[back], back)
    return found


def test_a_restart_anywhere_changes_nothing(reference: Reference) -> None:
    events = made(14, 2)
    for number, one in enumerate(events):
        if 4 * EVENTS <= number < 7 * EVENTS:
            shifted(0.8, *NAMES)(one)
        if number >= 9 * EVENTS:
            shifted(1.0, "f01", of=("channel", "app"))(one)
    setup = watched(reference)
    fed = sketch(setup).feed(input_records(events), 0)
    messages = [each for each in fed if isinstance(each, Pane | Horizon | Loss)]

    whole = judged(reference, messages, set())
    assert {a.feature for a in alerts(whole)} >= {None}
    rng = np.random.default_rng(3)
    for _ in range(2):
        stops = set(rng.choice(len(messages), 6, replace=False).tolist())
        assert judged(reference, messages, stops) == whole


def test_segments_never_add_false_alarms(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 quiet streams, under a budget that allows 320 alarms in them."""
    monkeypatch.setattr(f"{__name__}.EVENTS", 50)
    window = {"length": "1h", "grace": "0s", "min_events": 20}
    without, beside = 0, 0
    for seed in range(40):
        events = made(2, 100 + seed)
        for tags in ([], ["channel", "region"]):
            setup = watched(reference, budget="4 per 1h", segments=tags, window=window)
            fired = [a for a in alerts(backtest(setup, events)) if a.revision == 1]
            if tags:
                beside += len(fired)
            else:
                without += len(fired)
    assert 0 < without < 320
    assert beside <= without


def test_ten_segments_cost_the_whole_model_little(reference: Reference) -> None:
    config = watched(reference).config.models[MODEL]
    alone = RuleBook(config, reference.layout, stream_share(0, whole=True))
    among = RuleBook(config, reference.layout, stream_share(10, whole=True))
    # Evidence grows at the same rate, so that the delay grows as the limit does.
    assert np.nanmax(among.limits / alone.limits) < 1.05


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_alerts_on_a_feature_the_newer_counts_in_any_order(order: int) -> None:
    kept = [Life(MODEL, NAMES[0], "feature_drift", 0, firing=True)]
    kept += [Life(MODEL, NAMES[0], "data_quality", 90 * HOUR, firing=True)]
    new = [Life(MODEL, name, "feature_drift", 91 * HOUR, firing=True) for name in NAMES[1:10]]
    lives = {life.key: life for life in [*kept[::order], *new]}
    many = ManyFeatures(MODEL, NAMES, lives, HOUR, 6 * HOUR)
    life = many.join(new, [], WindowTimes(91 * HOUR, 92 * HOUR, 91 * HOUR))
    assert life is not None
    assert life.features == NAMES[:10]
