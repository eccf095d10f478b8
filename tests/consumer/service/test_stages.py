"""Workers that run some of the stages: together they say what one says that runs all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    SECOND,
    START,
    TOPIC,
    labelled_plan,
    plan,
    row,
)
from tests.consumer.service.test_applied import WATCHED, Applying

from driftline.consumer.config.names import STAGES
from driftline.consumer.service.bodies import take_over
from driftline.consumer.service.opening import topics_joined, topics_read
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States
from driftline.consumer.sketch.state import SPARK


def some(of: Plan, *stages: str) -> Plan:
    """The plan of a worker that runs some stages."""
    return Plan(of.config.model_copy(update={"stages": stages}), of.references)


def labelled(rng: np.random.Generator) -> Rig:
    """A broker with two minutes of predictions and labels in two partitions each."""
    rig = Rig(labelled_plan("prediction"), partitions=2)
    for number in range(240):
        score = round(float(rng.random()), 3)
        said = "yes" if score > 0.5 else "no"
        time = number * SECOND // 2
        event = row(time, x=float(rng.normal(number / 60)), c=str(rng.choice(["p", "q", "z"])))
        event |= {"event_id": f"e{number}", "prediction": {"label": said, "score": score}}
        event["tags"] = {"tier": str(rng.choice(["gold", "tin"]))}
        rig.write([event], partition=number % 2)
        actual = said if rng.random() < 0.6 else {"yes": "no", "no": "yes"}[said]
        label = {"event_id": f"e{number}", "timestamp": START + time + 3_000, "actual": actual}
        rig.write([{**label, "model": MODEL}], partition=number * 7 % 2, topic=LABELS)
    return rig


def said(rig: Rig) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Verdicts, and alerts that are not about Driftline itself."""
    alerts = [alert for alert in rig.alerts() if alert["kind"] not in ("stale", "data_loss")]
    return rig.verdicts(), alerts


@pytest.mark.parametrize(
    "workers",
    [
        [("sketch",), ("join", "judge")],
        [("judge",), ("join",), ("sketch",)],
        [("judge",), ("sketch", "join"), ("sketch",), STAGES],
    ],
)
def test_together_they_say_what_one_says_that_runs_all(workers: Sequence[Sequence[str]]) -> None:
    one = labelled(np.random.default_rng(3))
    one.start()
    one.settle()
    verdicts, alerts = said(one)
    assert {verdict["type"] for verdict in verdicts.values()} >= {"numeric", "performance"}
    assert alerts
    many = labelled(np.random.default_rng(3))
    for stages in workers:
        many.start(some(many.plan, *stages))
    many.settle()
    assert said(many) == (verdicts, alerts)
    for stages, (worker, consumer, _) in zip(workers, many.workers, strict=True):
        assert {stage.kind for stage in worker.status.stages.values()} <= set(stages)
        inputs = {at for at in consumer.assigned if at.topic in many.plan.inputs}
        assert ("sketch" in stages) or not inputs


def test_what_a_worker_reads() -> None:
    whole = labelled_plan("arrival")
    read = {stages: topics_read(some(whole, *stages)) for stages in (("sketch",), ("join",))}
    assert read == {("sketch",): {TOPIC, LABELS}, ("join",): {"driftline.joins"}}
    assert topics_read(some(plan(), *STAGES)) == {TOPIC, "driftline.panes"}
    # Without labels nothing is joined; a member of the group has to name a topic.
    assert topics_read(some(plan(), "join")) == frozenset()
    assert topics_joined(some(plan(), "join")) == {"driftline.models"}


def test_stages_are_killed_apart_and_say_the_same() -> None:
    one, many = (labelled(np.random.default_rng(4)) for _ in range(2))
    one.start()
    one.settle()
    stages = [some(many.plan, "sketch"), some(many.plan, "join"), some(many.plan, "judge")]
    for each in stages:
        many.start(each, batch=30)
    rng = np.random.default_rng(1)
    for _ in range(12):
        for _ in range(int(rng.integers(1, 12))):
            for worker, _, _ in many.workers:
                worker.step()
        place = int(rng.integers(3))
        many.kill(place)
        many.start(stages.pop(place), batch=30)
        stages.append(stages_of(many))
    many.settle()
    assert said(many) == said(one)


def stages_of(rig: Rig) -> Plan:
    """The plan of the worker that was started last."""
    worker, _, _ = rig.workers[-1]
    return worker.status.plan


def test_models_are_applied_to_workers_of_some_stages() -> None:
    """Those that sketch have nothing to read before; those that judge need no input topic."""
    rig = Applying()
    rig.start(some(rig.plan, "sketch"))
    rig.start(some(rig.plan, "judge"))
    rig.live(0, 5)
    sketch, judge = (consumer for _, consumer, _ in rig.workers)
    assert sketch.topics == {"driftline.models"}
    rig.apply(plan(**WATCHED))
    rig.live(5, 90)
    assert sketch.topics == {TOPIC}
    assert judge.topics == {"driftline.panes"}
    assert {at.topic for at in judge.assigned} == {"driftline.panes"}
    assert {verdict["type"] for verdict in rig.verdicts().values()} == {
        "numeric",
        "categorical",
        "boolean",
    }


def test_who_judges_beside_another_body_is_not_refused() -> None:
    rig = Rig(plan())
    rig.write([row(time * SECOND) for time in range(60)])
    rig.start(some(rig.plan, "sketch"))
    rig.settle()
    rig.stop()
    states = States(rig.broker.log, "driftline.state", 2, "driftline")
    states.refresh()
    for message in take_over(states, rig.broker.infos[TOPIC], SPARK):
        rig.broker.append(message)
    assert rig.verdicts() == {}
    del rig.broker.infos[TOPIC]  # it may be on another cluster
    rig.start(some(rig.plan, "join", "judge"))
    rig.settle()
    assert rig.verdicts()
