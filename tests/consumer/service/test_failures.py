"""One model's unexpected error ends that model only, and costs nothing once it is mended."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import pytest
from tests.consumer.service.drawing import MODELS, Labelling, draw_input
from tests.consumer.service.rig import Rig
from tests.consumer.service.simulation import Run, Schedule
from tests.consumer.service.small import MODEL, SECOND, labelled_plan, row

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.features import changes
from driftline.consumer.judge.features.stream import StreamJudge
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.log.protocol import Record
from driftline.consumer.service import join_writer, messages
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.messages import Outputs
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.blocks import BlockWriter
from driftline.consumer.sketch.fields import EventFields
from driftline.consumer.sketch.labels import LabelReader
from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.sketch.model_reader import ModelReader
from driftline.consumer.sketch.open_pane import OpenPane
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.wire.messages import Horizon, Pane
from driftline.consumer.wire.records import Alert, Verdict

WATCHED, OTHER = MODELS
COMPARISON = "compare:versions"
APART = Labelling(
    topic="truth", partitions=2, delay=10, odd=0.2, ends=120,
    settings={
        "labels": {"topic": "truth", "horizon": "40s", "by": "arrival"},
        "performance": {"accuracy": {"max_drop": 0.2}},
    },
    most=1_000_000,
    compared="same",
)  # fmt: skip
AMONG = Labelling(
    topic="in", partitions=2, delay=10, odd=0.2, ends=120,
    settings={
        "labels": {"topic": "in", "horizon": "40s", "by": "arrival"},
        "performance": {"accuracy": {"max_drop": 0.2}},
    },
    most=1_000_000,
    compared=None,
)  # fmt: skip


@dataclass
class Fault:
    """A method that raises from its n-th call for a model on, after half of what it yields."""

    owner: Any
    name: str
    model: Callable[..., str]
    after: int = 3
    fails: str = WATCHED
    calls: int = 0

    def inject(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = getattr(self.owner, self.name)

        def broken(*args: Any, **kwargs: Any) -> Any:
            if self.model(*args, **kwargs) != self.fails:
                return original(*args, **kwargs)
            self.calls += 1
            if self.calls <= self.after:
                return original(*args, **kwargs)
            made = original(*args, **kwargs)
            return half(made) if isinstance(made, Iterator) else boom(made)

        monkeypatch.setattr(self.owner, self.name, broken)


def half(made: Iterator[Any]) -> Iterator[Any]:
    yield from list(made)[:1]
    raise ZeroDivisionError("a defect")


def boom(made: object) -> object:
    raise ZeroDivisionError("a defect")


def of_self(it: Any, *_: Any, **__: Any) -> str:
    return str(it.name)


FAULTS = {
    "judge": lambda: Fault(ModelJudge, "feed", of_self, 40),
    "judge half-way": lambda: Fault(StreamJudge, "judge", lambda s, *_: s.name, 5),
    "first message of a judge": lambda: Fault(ModelJudge, "feed", of_self, 0),
    "state of a judge": lambda: Fault(ModelJudge, "state", of_self, 2),
    "wall clock of a judge": lambda: Fault(ModelJudge, "tick", of_self, 2),
    "making a judge": lambda: Fault(Plan, "judge", lambda plan, name, *_: name, 0),
    "alert as a record": lambda: Fault(
        messages, "cloud_event", lambda alert, *_: alert.model, 1
    ),
    "verdict as a record": lambda: Fault(
        Outputs, "message", lambda _, o: o.model if isinstance(o, Verdict | Alert) else "", 11
    ),
    "message of a sketch as a record": lambda: Fault(
        Outputs, "message", lambda _, o: o.model if isinstance(o, Pane | Horizon) else "", 21
    ),
    "comparison": lambda: Fault(
        ComparisonJudge, "feed", lambda *_: COMPARISON, 4, fails=COMPARISON
    ),
    "join": lambda: Fault(ModelJoin, "feed", lambda join, *_: join.model.name, 6),
    "join of a comparison": lambda: Fault(
        ModelJoin, "feed", lambda join, *_: join.model.name, 6, fails=COMPARISON
    ),
    "state of a join": lambda: Fault(ModelJoin, "state", lambda j: j.model.name, 3),
    "rows of events": lambda: Fault(ModelReader, "rows", lambda m, *_: m.fields.schema.name, 5),
    "reading events": lambda: Fault(ModelReader, "read", lambda m, *_: m.fields.schema.name, 5),
    "counting": lambda: Fault(ModelSketch, "count", lambda m, *_: m._model.name, 4),
    "counting half-way": lambda: Fault(OpenPane, "add", lambda p, *_: p.model.name, 7),
    "counting again": lambda: Fault(ModelSketch, "recount", lambda m, *_: m._model.name, 0),
    "making a sketch": lambda: Fault(Plan, "sketch_model", lambda plan, name: name, 0),
    "making a decoder": lambda: Fault(EventFields, "of", lambda schema, _: schema.name, 0),
    "making what joins": lambda: Fault(join_writer, "_join_model", lambda plan, name: name, 0),
    "outcomes": lambda: Fault(Plan, "outcomes", lambda plan, name: name, 0),
    "silence": lambda: Fault(ModelSketch, "idle", lambda m, *_: m._model.name, 1),
    "blocks": lambda: Fault(BlockWriter, "write", lambda w, name, *_: name, 4),
    "labels": lambda: Fault(LabelReader, "labels_of", lambda _, name, *__: name, 1),
}  # fmt: skip


def run(labelling: Labelling) -> Run:
    inputs = draw_input(random.Random(3), 2, 4, False, labelling)
    return Run(inputs, Schedule("off", batch=7), random.Random(1), labelling)


def of(model: str, found: dict[bytes, set[bytes]]) -> dict[bytes, set[bytes]]:
    return {
        key: values
        for key, values in found.items()
        if all(owner(value) == model for value in values)
    }


def owner(value: bytes) -> str:
    """The name in the logs of the model or comparison that a record is of."""
    body = msgspec.json.decode(value)
    return COMPARISON if body["model"] == "versions" else str(body["model"])


@cache
def calm_run(topic: str) -> Run:
    return run(APART if topic == "truth" else AMONG).go()


UPSTREAM = {
    "message of a sketch as a record", "rows of events", "reading events", "counting",
    "counting half-way", "counting again", "silence", "blocks", "labels",
    "making a sketch", "making a decoder", "making what joins", "outcomes",
}  # fmt: skip
# Where labels lie among the events, or in a topic of their own.
CASES = [(kind, AMONG if kind in UPSTREAM else APART) for kind in FAULTS]
CASES += [("blocks", APART), ("labels", APART), ("making a sketch", APART)]


@pytest.mark.parametrize(("kind", "labelling"), CASES)
def test_a_model_that_fails_stops_alone_and_goes_on_after_a_restart(
    kind: str, labelling: Labelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, fault = calm_run(labelling.topic), FAULTS[kind]()
    with monkeypatch.context() as patch:
        fault.inject(patch)
        disturbed = run(labelling).go()
        if kind == "counting again":
            restart(disturbed)
    (worker, _, _), failed = disturbed.workers[0], {fault.fails}
    assert {failure.model for failure in worker.status.failures()} == failed
    for topic in ("verdicts", "alerts"):
        expected, found = calm.published(topic), disturbed.published(topic)
        for name in {WATCHED, OTHER, COMPARISON} - failed:
            if fault.fails == WATCHED and name == COMPARISON and kind in UPSTREAM:
                continue  # it lives from the rows of the model that failed
            assert of(name, found) == of(name, expected)
        assert all(values <= expected[key] for key, values in found.items())

    restart(disturbed)  # mended
    for topic in ("verdicts", "alerts"):
        assert disturbed.published(topic) == calm.published(topic)
    assert disturbed.dead_letters() == calm.dead_letters()
    assert not disturbed.workers[0][0].status.failures()


def restart(disturbed: Run) -> None:
    _, consumer, producer = disturbed.workers[0]
    disturbed.kill(0, consumer, producer)
    disturbed.schedule.workers = 0
    disturbed.go()


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize(
    ("stage", "owner", "name"),
    [
        (PartitionSketch, ModelSketch, "count"),
        (JoinsPartition, ModelJoin, "feed"),
        (PanesPartition, ModelJudge, "feed"),
    ],
)
def test_what_a_model_needs_that_fails_again_is_not_read_for_the_others(
    stage: Any, owner: Any, name: str, removed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RECENT", (2,))  # panes that the gate looks back at
    both = labelled_plan("arrival", "n")
    rig = Rig(both)
    original, feed = getattr(owner, name), stage.feed

    def broken(self: Any, *args: Any) -> Any:
        model = getattr(self, "_model", None) or getattr(self, "model", self)
        return boom(None) if model.name == "n" else original(self, *args)

    fed: list[int] = []

    def counted(self: Any, records: Sequence[Record], *args: Any) -> Any:
        fed.append(len(records))
        return feed(self, records, *args)

    monkeypatch.setattr(owner, name, broken)
    monkeypatch.setattr(stage, "feed", counted)
    rig.start(batch=10)
    for second in range(0, 600, 2):
        rig.write([row(second * SECOND, model=model) for model in (MODEL, "n")])
    rig.settle()
    rig.stop()
    before = sum(fed)
    fed.clear()
    alone = labelled_plan("arrival")
    worker = rig.start(alone if removed else both, batch=10)
    rig.settle()
    assert {failure.model for failure in worker.status.failures()} == (set() if removed else {"n"})
    assert before > 0
    assert sum(fed) < before / 4
