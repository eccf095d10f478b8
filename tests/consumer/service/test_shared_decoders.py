"""The partitions of a topic share what reads its events, and nothing that a model does in one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from tests.consumer.service.small import MODEL, TOPIC, labelled_plan, plan, records, reference, row

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stored_references import StoredReference
from driftline.consumer.service.topic_versions import TopicVersions
from driftline.consumer.service.versions import ModelVersion
from driftline.consumer.sketch.compile import CompiledFields
from driftline.consumer.sketch.decode import Decoder
from driftline.consumer.sketch.fields import EventFields, ModelSchema
from driftline.consumer.sketch.model_reader import ModelReader
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.sketch.totals import DeadLetter, InputTotals
from driftline.consumer.sketch.versions import MOST_NAMES
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Block, Horizon, ModelChange, Pane
from driftline.producer.records.mapping import Mapping

PARTITIONS = 6
OTHER = "n"


def two_models() -> Plan:
    return plan({OTHER: reference(model=OTHER)}, models={OTHER: {}})


def opened(plan: Plan) -> list[PartitionSketch]:
    """The sketches of all partitions of the topic, each with its own totals."""
    state = SketchState("id", PARTITIONS, 0, 0, 0, {})
    return [
        plan.sketch(TopicPartition(TOPIC, number), PARTITIONS, state, 0, InputTotals(), 2)
        for number in range(PARTITIONS)
    ]


def readers_of(sketch: PartitionSketch) -> list[ModelReader]:
    assert sketch._decoder is not None
    return [*sketch._decoder._models.values()]


def feed(sketch: PartitionSketch, values: Sequence[Any]) -> list[Pane]:
    """Feed records; return the panes that are final, as they are sent."""
    read = records(values, sketch.source.partition, sketch.next)
    return [output for output in sketch.feed(read, 0) if isinstance(output, Pane)]


def test_there_is_one_decoder_of_a_topic_and_one_reader_of_a_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    decoder, compiled = Decoder.__init__, CompiledFields.__init__

    def counted(self: Decoder, *args: Any) -> None:
        made.append("decoder")
        decoder(self, *args)

    def counted_fields(self: CompiledFields, fields: Any, *args: Any) -> None:
        made.append(fields.schema.name)
        compiled(self, fields, *args)

    monkeypatch.setattr(Decoder, "__init__", counted)
    monkeypatch.setattr(CompiledFields, "__init__", counted_fields)
    sketches = opened(two_models())
    for sketch in sketches:
        feed(sketch, [row(0), row(0, model=OTHER)])
    assert sorted(made) == ["", "decoder", MODEL, OTHER]  # "": whose event it is


def test_models_of_a_partition_are_counted_by_what_all_partitions_share() -> None:
    first, second, *_ = opened(two_models())
    models = [sketch._models[MODEL]._model for sketch in (first, second)]
    assert models[0] is models[1]


def test_a_model_that_fails_in_one_partition_rests_in_that_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, *_ = opened(two_models())
    read = ModelReader.read

    def broken(self: ModelReader, *args: Any) -> Any:
        if self.fields.schema.name == MODEL:
            raise ZeroDivisionError("a defect")
        return read(self, *args)

    batch = [row(0), row(0, model=OTHER)]
    with monkeypatch.context() as patch:
        patch.setattr(ModelReader, "read", broken)
        feed(first, batch)
    for sketch in (first, second):
        feed(sketch, batch)
    assert list(first.failures) == [MODEL]
    assert first.totals.counted == {OTHER: 2}
    assert first.totals.skipped["model_failed"] == 2
    assert not second.failures
    assert second.totals.counted == {MODEL: 1, OTHER: 1}


def test_what_a_reader_learned_before_it_failed_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader whose new struct types were made by half would read the next events wrongly."""
    first, second, *_ = opened(two_models())
    batch = [row(0, fresh=i, other=i) for i in range(4)]
    read = CompiledFields._read_chunk

    def broken(self: CompiledFields, *args: Any) -> Any:
        found = read(self, *args)
        if not self._features:  # it finds out whose event it is
            return found
        self._decode = msgspec.json.Decoder(msgspec.defstruct("Another", [])).decode
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(CompiledFields, "_read_chunk", broken)
        feed(first, batch)
    alone = opened(two_models())[1]
    later = row(60_000)
    assert list(first.failures) == [MODEL]
    assert feed(second, [*batch, later]) == feed(alone, [*batch, later])
    assert second.totals.counted == {MODEL: 5}


def test_names_of_versions_are_those_of_a_partition_alone() -> None:
    """Codes are given in the order of all partitions' events, and begin anew when too many."""
    shared, many = opened(two_models()), MOST_NAMES + 1
    alone = opened(two_models())[1]
    for sketch, names in ((shared[0], ("b", "a")), (shared[1], ("a", "c")), (alone, ("a", "c"))):
        feed(sketch, [row(0, model_version=name) for name in names])
    feed(shared[2], [row(0, model_version=str(number)) for number in range(many)])
    ends = [row(1_000, model_version="c"), row(60_000, model_version="d")]
    found, expected = feed(shared[1], ends), feed(alone, ends)
    assert found
    assert found == expected
    assert found[0].streams[0].versions == {"a": 1, "c": 2}


@pytest.mark.parametrize("labels", [False, True])
def test_partitions_in_turn_give_what_they_give_alone(labels: bool) -> None:
    """Also the bytes of the blocks for the join: they list versions in the order of their rows."""
    rng = np.random.default_rng(1)

    def event() -> dict[str, Any]:
        found = row(
            int(rng.integers(0, 120_000)), model=str(rng.choice([MODEL, OTHER])),
            model_version=f"v{rng.integers(0, 9)}", tags={"tier": str(rng.choice(["tin", "x"]))},
            x=float(rng.normal()), **{f"new_{rng.integers(0, 20)}": 1},
        )  # fmt: skip
        prediction = {"label": str(rng.choice(["yes", "no"])), "score": float(rng.random())}
        return {**found, "event_id": str(rng.integers(0, 1 << 30)), "prediction": prediction}

    make = partial(labelled_plan, "arrival", OTHER) if labels else two_models
    shared, alone = opened(make()), [opened(make())[number] for number in range(PARTITIONS)]
    made: set[type] = set()
    for place in range(30):
        number, batch = place % PARTITIONS, [event() for _ in range(40)]
        found, expected = (
            each.feed(records(batch, number, each.next), 0)
            for each in (shared[number], alone[number])
        )
        assert not any(isinstance(output, DeadLetter) for output in found)
        assert [encode(cast(Pane, output)) for output in found] == [
            encode(cast(Pane, output)) for output in expected
        ]
        made |= {*map(type, found)}
    assert made == ({Pane, Horizon, Block} if labels else {Pane, Horizon})


def applied(*firsts: int) -> Plan:
    """A plan of a model whose versions begin at some times."""
    base = plan()
    config, stored = base.config.models[MODEL], StoredReference(reference)
    versions = [
        ModelVersion(ModelChange(MODEL, f"v{n}", "", "", first), config, stored, at=0)
        for n, first in enumerate(firsts)
    ]
    return Plan(base.config, base.references, versions={MODEL: versions})


def test_partitions_share_by_the_versions_that_hold_there() -> None:
    of = applied(0, 1_000_000)

    def come(horizon: int | None) -> TopicVersions:
        progress = ModelProgress(0, 0, horizon, horizon)
        return TopicVersions.of(of, TOPIC, SketchState("id", 1, 0, 0, 0, {MODEL: progress}))

    before, after = come(10), come(2_000_000)
    assert come(2_000_001) is after
    assert before.later
    assert not after.later
    assert before is not after


def test_a_decoder_is_shared_also_where_a_model_cannot_be_read_until_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = EventFields.of

    def broken(schema: ModelSchema, mapping: Mapping) -> EventFields:
        if schema.name == MODEL:
            raise ZeroDivisionError("a defect")
        return of(schema, mapping)

    both = two_models()
    with monkeypatch.context() as patch:
        patch.setattr(EventFields, "of", broken)
        sketches = opened(both)
    mended = opened(both)
    readers = [{*map(id, readers_of(each))} for each in (*sketches, *mended)]
    assert all(list(sketch.failures) == [MODEL] for sketch in sketches)
    assert not any(sketch.failures for sketch in mended)
    assert readers == [readers[0]] * PARTITIONS + [readers[-1]] * PARTITIONS
