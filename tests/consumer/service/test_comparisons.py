"""Comparisons through the whole service: two models, or two versions of one, on one log."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    HOUR,
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    TOPIC,
    labelled_reference,
    plan,
)

from driftline.consumer.config import ComparisonConfig
from driftline.consumer.http import Health, StatusCollector
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.comparing import misfit
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.outcomes import OutcomeLayout

Row = dict[str, Any]
Traffic = Literal["split", "same"]
NAME = "new-against-old"
QUIET = {"accuracy": {"min": 0.01}}


def comparison(champion: str, challenger: str, traffic: Traffic) -> ComparisonConfig:
    sides = {"champion": champion, "challenger": challenger}
    return ComparisonConfig.model_validate({**sides, "traffic": traffic})


def compared(traffic: Traffic, sides: Sequence[str] = (MODEL, OTHER), by: str = "arrival") -> Plan:
    watched = {"labels": {"topic": LABELS, "horizon": "60s", "by": by}, "performance": QUIET}
    references = {name: labelled_reference(name) for name in (MODEL, OTHER)}
    both = plan(references, models={OTHER: watched}, **watched)
    config = comparison(sides[0], sides[1], traffic)
    return replace(both, config=both.config.model_copy(update={"comparisons": {NAME: config}}))


def stream(
    traffic: Traffic, sides: Sequence[str] = (MODEL, OTHER), right: Sequence[float] = (0.6, 0.95)
) -> tuple[list[Row], list[Row]]:
    """Events of four minutes, five a second, and their labels some seconds later."""
    rng = random.Random(7)
    events, labels = [], []
    for number in range(1_200):
        time, truth = START + number * SECOND // 5, rng.choice(["no", "yes"])
        wrong = {"yes": "no", "no": "yes"}[truth]
        answered = [0, 1] if traffic == "same" else [rng.randrange(2)]
        for side in answered:
            model, _, version = sides[side].partition("@")
            said = truth if rng.random() < right[side] else wrong
            events.append({
                "event_id": f"e{number}",
                "timestamp": time,
                "model": model,
                "model_version": version or "1",
                "features": {"x": rng.gauss(0, 1), "c": rng.choice("pqr")},
                "prediction": {"label": said, "score": 0.9 if said == "yes" else 0.1},
                "tags": {"tier": rng.choice(["gold", "tin"])},
            })  # fmt: skip
        if rng.random() < 0.9:
            at = time + rng.randrange(20 * SECOND)
            labels.append({"event_id": f"e{number}", "timestamp": at, "actual": truth})
    labels.append({"event_id": "?", "timestamp": START + HOUR, "actual": "no"})
    return events, sorted(labels, key=lambda label: label["timestamp"])


def published(rig: Rig, name: str) -> set[bytes]:
    """Verdicts or alerts of the comparison."""
    found = {record.value or b"" for record in rig.records(name)}
    return {record for record in found if msgspec.json.decode(record)["stream"] == NAME}


def series(rig: Rig) -> dict[tuple[str, tuple[str, ...]], float]:
    """What the first worker exports of the comparison, in 6 digits as records have them."""
    status = rig.workers[0][0].status
    collector = StatusCollector(rig.plan.config, status, Health(status, lambda: rig.broker.now))
    return {
        (sample.name, tuple(sample.labels.values())): float(f"{sample.value:.6g}")
        for family in collector.collect()
        for sample in family.samples
        if NAME in sample.labels.values()
    }


def write(rig: Rig, rows: tuple[list[Row], list[Row]], partitions: tuple[int, int]) -> None:
    events, labels = rows
    for place in range(partitions[0]):
        rig.write(events[place :: partitions[0]], place)
    for place in range(partitions[1]):
        rig.write(labels[place :: partitions[1]], place, topic=LABELS)


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_the_better_one_is_told_once(traffic: Traffic) -> None:
    rig = Rig(compared(traffic), 2, {LABELS: 3})
    rows = stream(traffic)
    write(rig, rows, (2, 3))
    rig.start()
    rig.settle()
    (alert,) = map(msgspec.json.decode, published(rig, "alerts"))
    assert alert["feature"] == "performance.comparison"
    assert [alert[key] for key in ("kind", "severity", "status")] == [
        "performance", "warning", "firing",
    ]  # fmt: skip
    assert f"{NAME}: {OTHER} is better than {MODEL}: accuracy 0." in alert["summary"]
    assert alert["p_value"] <= alert["threshold"] == 0.05
    verdicts = sorted(
        map(msgspec.json.decode, published(rig, "verdicts")), key=lambda v: v["window"]["end"]
    )
    assert len({verdict["verdict_id"] for verdict in verdicts}) == len(verdicts) > 20
    assert [v["state"] for v in verdicts] == sorted(v["state"] for v in verdicts)  # ok, warning
    last = verdicts[-1]
    assert last["versions"] == {MODEL: last["versions"][MODEL], OTHER: last["versions"][OTHER]}
    assert sum(last["versions"].values()) == last["window"]["events"] == len(rows[0])
    labelled, unused = len(rows[1]) - 1, 0
    assert last["counts"] == {"labelled": labelled, "unused": unused, "expired": 1_200 - labelled}
    assert series(rig) == {
        ("driftline_comparison_decision", (NAME,)): 1.0,
        ("driftline_comparison", (NAME, "champion", "accuracy")): last["detectors"]["champion"][
            "value"
        ],
        ("driftline_comparison", (NAME, "challenger", "accuracy")): last["detectors"]["challenger"][
            "value"
        ],
    }
    truth = {label["event_id"]: label["actual"] for label in rows[1]}
    for model, side in ((MODEL, "champion"), (OTHER, "challenger")):
        known = [e for e in rows[0] if e["model"] == model and e["event_id"] in truth]
        right = np.mean([e["prediction"]["label"] == truth[e["event_id"]] for e in known])
        figure = last["detectors"][side]
        assert figure["value"] == pytest.approx(right, abs=1e-6)
        assert figure["interval"][0] < right < figure["interval"][1]


@pytest.mark.parametrize("by", ["arrival", "prediction"])
@pytest.mark.parametrize("traffic", ["split", "same"])
def test_kills_change_nothing(traffic: Traffic, by: str) -> None:
    both, rows = compared(traffic, by=by), stream(traffic)
    calm = Rig(both, 1, {LABELS: 2})
    write(calm, rows, (1, 2))
    calm.start()
    calm.settle()
    rig, rng = Rig(both, 2, {LABELS: 1}), random.Random(3)
    write(rig, rows, (2, 1))
    for _ in range(2):
        rig.start(batch=60)
    for _ in range(12):
        for _ in range(rng.randrange(1, 8)):
            rng.choice(rig.workers)[0].step()
            rig.broker.now += 700
        rig.kill(rng.randrange(2))
        rig.start(batch=60)
    for _ in range(200):  # a partition that was too far ahead goes on when time passes
        rng.choice(rig.workers)[0].step()
        rig.broker.now += 700
    rig.settle()
    for name in ("verdicts", "alerts"):
        assert published(rig, name) == published(calm, name) != set()


def test_a_backtest_compares_the_versions_of_its_model() -> None:
    sides = (f"{MODEL}@1", f"{MODEL}@2")
    both, (events, labels) = compared("same", sides), stream("same", sides)
    rig = Rig(both)
    write(rig, (events, labels), (1, 1))
    rig.start()
    rig.settle()
    run = Backtest(both, MODEL, TOPIC)
    found = [*run.feed(events), *run.feed_labels(labels), *run.end()]
    own = [one for one in found if one.stream == NAME]
    for name, some in (
        ("alerts", [msgspec.json.encode(one) for one in own if isinstance(one, Alert)]),
        ("verdicts", [msgspec.json.encode(one) for one in own if not isinstance(one, Alert)]),
    ):
        assert set(some) == published(rig, name) != set()


@pytest.mark.parametrize("by", ["arrival", "prediction"])
@pytest.mark.parametrize("traffic", ["split", "same"])
def test_a_backtest_of_a_set_compares_two_models(traffic: Traffic, by: str) -> None:
    both, (events, labels) = compared(traffic, by=by), stream(traffic)
    rig = Rig(both, 2, {LABELS: 3})
    write(rig, (events, labels), (2, 3))
    rig.start()
    rig.settle()
    rng = random.Random(5)
    run = Backtest(replace(both, ordered=False), MODEL, TOPIC, sides=(MODEL, OTHER))
    found = [
        *run.feed(rng.sample(events, len(events))),
        *run.feed_labels(rng.sample(labels, len(labels))),
        *run.end(HOUR),
    ]
    assert {one.stream for one in found} == {NAME}
    alerts = {msgspec.json.encode(one) for one in found if isinstance(one, Alert)}
    assert alerts == published(rig, "alerts") != set()
    verdicts = {
        msgspec.json.encode(msgspec.structs.replace(one, complete=True))
        for one in found
        if isinstance(one, Verdict)
    }
    assert verdicts == published(rig, "verdicts") != set()


@pytest.mark.parametrize(
    ("traffic", "challenger", "said"),
    [
        ("same", "numbers", None),
        ("split", "numbers", "traffic: same"),
        ("same", "classes", "one side is a classifier"),
    ],
)
def test_what_cannot_be_compared_is_told(traffic: Traffic, challenger: str, said: str) -> None:
    numbers = OutcomeLayout.regression(np.arange(9.0), np.arange(9.0) ** 2)
    layouts = {
        "champion": numbers,
        "numbers": numbers,
        "classes": OutcomeLayout.classification(["a", "b"], "a", labelled=True),
    }
    config = comparison("champion", challenger, traffic)
    found = misfit(config, layouts)
    assert found is None if said is None else said in (found or "")


def test_a_classifier_without_classes_and_one_with_too_many_cannot_be_compared() -> None:
    silent = OutcomeLayout.classification(["a", "b"], "a", False, [0.1, 0.9])
    many = [OutcomeLayout.classification([f"{n}{i}" for i in range(60)], None, True) for n in "ab"]
    config = comparison("m", "n", "split")
    assert "no prediction.label" in (misfit(config, {"m": silent, "n": silent}) or "")
    assert "more than 100 classes" in (misfit(config, {"m": many[0], "n": many[1]}) or "")
