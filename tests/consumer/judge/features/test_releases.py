"""Tags that say what was released: the first appearance of a value is named by the alert."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    START,
    alerts,
    backtest,
    plan,
    records,
    sketch,
)

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.windows.releases import SeenReleases
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Pane, decode_panes
from driftline.consumer.wire.samples import NAMED, merged_names
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

WINDOW = {"length": "6h", "every": "1h", "grace": "0s", "min_events": 50}
EVENTS = 200  # an hour
Event = dict[str, Any]


def made(hours: int, seed: int, begin: int = 0, change: int = 999) -> list[Event]:
    """Events of some hours; from `change` on of another image, with other incomes."""
    rng, events = np.random.default_rng(seed), []
    for hour in range(begin, begin + hours):
        for i in range(EVENTS):
            new = hour >= change
            tags = {"image": "3f2a" if new else "11aa", "request": f"r-{hour}-{i}", "python": 3}
            events.append(
                {
                    "timestamp": START + hour * HOUR + i * HOUR // EVENTS,
                    "model": MODEL,
                    "model_version": "3.1",
                    "features": {"income": round(rng.normal(0.6 if new else 0.0), 3)},
                    "tags": tags,
                }
            )
    return events


@pytest.fixture(scope="module")
def reference() -> Reference:
    settings = ReferenceSettings(MODEL, segments=["python"])
    return reference_from_rows([made(60, 1, -100)], Mapping.native(), settings).reference


def watched(reference: Reference, **more: Any) -> Plan:
    return plan({MODEL: reference}, **{"window": WINDOW, "budget": "1 per 30d", **more})


def panes(plan: Plan, events: list[Event], partitions: int = 1) -> list[Pane]:
    """The panes of events that lie in some partitions."""
    found = []
    for partition in range(partitions):
        one = sketch(plan, partition, partitions)
        own = events[partition::partitions]
        found += [each for each in one.feed(records(own, partition), 0) if isinstance(each, Pane)]
    return found


def test_the_alert_names_what_was_released(reference: Reference) -> None:
    tags = ["model_version", "image", "request", "python"]
    found = alerts(backtest(watched(reference, releases=tags), made(16, 2, change=8)))
    assert found[0].summary.endswith(" Only this feature. Began with image 3f2a.")
    assert found[0].began_with == {"image": "3f2a"}


def test_only_tags_that_are_named_are_looked_at(reference: Reference) -> None:
    (first, *_) = alerts(backtest(watched(reference), made(16, 2, change=8)))
    assert (first.began_with, first.summary.count("Began")) == (None, 0)


def test_panes_say_which_values_come_and_how_often(reference: Reference) -> None:
    watching = watched(reference, releases=["image", "request", "python"], segments=["python"])
    found = panes(watching, made(4, 2, change=2))
    half = EVENTS // 2  # panes are half an hour long
    assert [each.releases["image"] for each in found if each.releases][:1] == [{"11aa": half}]
    assert {len(each.releases["request"]) for each in found if each.releases} == {NAMED}
    for each in found:
        assert each.releases
        assert each.releases["python"] == {"3": half}
        assert {stream.stream for stream in each.streams} == {None, "python=3"}
        assert decode_panes(encode(each)) == each


def test_without_other_tags_panes_are_as_they_were(reference: Reference) -> None:
    (first, *_) = panes(watched(reference), made(3, 2))
    assert b"releases" not in encode(first)


def test_any_split_and_order_names_the_same(reference: Reference) -> None:
    window = {**WINDOW, "grace": "2h"}
    watching = watched(reference, releases=["image", "request"], window=window)
    events = made(6, 2, change=2)
    rng = np.random.default_rng(1)
    mixed = [
        events[hour * EVENTS + int(i)] for hour in range(6) for i in rng.permutation(EVENTS)
    ]  # fmt: skip

    def named(found: list[Pane]) -> dict[tuple[int, str], dict[str, int]]:
        by_tag: dict[tuple[int, str], list[dict[str, int]]] = {}
        for each in found:
            for tag, values in (each.releases or {}).items():
                by_tag.setdefault((each.start, tag), []).append(values)
        return {key: merged_names(values) for key, values in by_tag.items()}

    wanted = named(panes(watching, events))
    assert named(panes(watching, mixed)) == wanted
    split = named(panes(watching, mixed, partitions=3))
    assert {key: split[key] for key in wanted} == wanted


def test_what_was_seen_is_kept(reference: Reference) -> None:
    watching = watched(reference, releases=["image"])
    messages = panes(watching, made(6, 2))
    judge = watching.judge(MODEL, JudgeState(position=0, rewind=0))
    one = sketch(watching)
    for offset, message in enumerate(one.feed(records(made(6, 2)), 0)):
        judge.feed(message, offset)  # type: ignore[arg-type]  # no blocks of a join
    kept = decode(encode(judge.state()), JudgeState)
    assert (kept.releases, len(messages) > 0) == ({"image": ["11aa"]}, True)
    again = SeenReleases(["image"], [], kept.releases or {})
    assert again.others == {"image": ["11aa"]}
