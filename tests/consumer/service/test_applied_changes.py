"""What may be applied, and what a worker makes of it: topics, labels, comparisons, other panes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    TOPIC,
    labelled_plan,
    plan,
    reference,
    row,
    seconds,
)
from tests.consumer.service.test_applied import WATCHED, Applying

from driftline.consumer.config import Config, ModelConfig
from driftline.consumer.config.applied import read_model, write_model
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.service import applying
from driftline.consumer.service.applied import AppliedModels
from driftline.consumer.service.applying import KEPT_MS, Author, compare, largest_time, write
from driftline.consumer.service.lives import lives_of
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.applied import AppliedModel, ReferencePart, key_of
from driftline.consumer.wire.codec import encode
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

MODELS = "driftline.models"


def prediction(second: int, model: str = MODEL) -> dict[str, Any]:
    return {
        "event_id": f"{model}-{second}",
        "timestamp": START + second * SECOND,
        "model": model,
        "features": {"x": 0.1 * (second % 7), "c": "pqr"[second % 3]},
        "prediction": {"label": "yes" if second % 2 else "no", "score": second % 10 / 10},
        "tags": {"tier": "gold"},
    }


def label(second: int, model: str = MODEL) -> dict[str, Any]:
    return {
        "event_id": f"{model}-{second}",
        "timestamp": START + second * SECOND + 500,
        "model": model,
        "actual": "yes" if second % 2 else "no",
    }


def play(rig: Applying, start: int, end: int, *models: str) -> None:
    """Let events and their labels come, one of each a second."""
    for second in range(start, end):
        rig.broker.now = max(rig.broker.now, START + second * SECOND)
        for model in models or (MODEL,):
            rig.write([prediction(second, model)])
            rig.write([label(second, model)], topic=LABELS)
        for worker, _, _ in rig.workers:
            worker.step()


def accuracy(rig: Applying) -> dict[int, str]:
    return {
        seconds(v["window"]["end"]): v["reason"] or v["state"]
        for v in rig.verdicts().values()
        if v["feature"] == "performance.accuracy" and v["segment"] is None and v["model"] == MODEL
    }


def test_labels_go_on_through_a_change_of_the_layout() -> None:
    rig = Applying(TOPIC, LABELS)
    rig.start()
    first = labelled_plan("arrival")
    rig.apply(first)
    play(rig, 0, 100)
    keys = first.config.models[MODEL].model_dump(mode="json", by_alias=True)
    del keys["labels"]["maturity"]
    changed = ModelConfig.model_validate({**keys, "segments": []})
    config = first.config.model_copy(update={"models": {MODEL: changed}})
    (change,) = rig.apply(Plan(config, first.references))
    assert (change.keys, change.first) == (["segments"], START + 110 * SECOND)
    play(rig, 100, 220)
    rig.settle()
    states = accuracy(rig)
    assert [states[end] for end in (80, 100, 150, 200)] == ["ok"] * 4


def test_labels_from_before_another_reference_are_compared_with_theirs() -> None:
    """Where nothing but the reference changes: labels come later than what they are of."""
    rig = Applying(TOPIC, LABELS)
    rig.start()
    whole = labelled_plan("prediction")
    keys = whole.config.models[MODEL].model_dump(mode="json", by_alias=True)
    keys["labels"]["maturity"] = "20s"
    config = whole.config.model_copy(update={"models": {MODEL: ModelConfig.model_validate(keys)}})
    first = Plan(config, whole.references)
    rig.apply(first)
    play(rig, 0, 100)
    own = first.references[MODEL]
    counts = own.counts.copy()
    x = slice(int(own.layout.starts[0]), int(own.layout.starts[1]))
    counts[:, x] = counts[:, x][:, ::-1]
    moved = replace(own, counted=replace(own.counted, counts=counts))
    assert moved.layout_id == own.layout_id
    (change,) = rig.apply(Plan(first.config, {MODEL: moved}))
    assert change.keys == ["reference"]
    assert change.first is not None
    play(rig, 100, 220)
    rig.settle()
    found: dict[bool, set[tuple[bool, str]]] = {True: set(), False: set()}
    for v in rig.verdicts().values():
        late = START + seconds(v["window"]["end"]) * SECOND > change.first
        found[v["feature"].startswith("performance.")].add((late, v["reference"]["id"]))
    expected = {(False, own.id), (True, moved.id)}
    assert found == {True: expected, False: expected}


def test_a_comparison_comes_and_goes() -> None:
    rig = Applying(TOPIC, LABELS)
    rig.start()
    both = labelled_plan("arrival", OTHER)
    comparison = {"champion": MODEL, "challenger": OTHER, "traffic": "split"}
    document = both.config.model_dump(mode="json", by_alias=True, exclude_none=True)
    for model in document["models"].values():
        model["labels"].pop("maturity")
    compared = Config.model_validate({**document, "comparisons": {"two": comparison}})
    rig.apply(both)
    play(rig, 0, 60, MODEL, OTHER)
    added = [each for each in rig.apply(Plan(compared, both.references)) if each.action == "added"]
    assert [(each.kind, each.name) for each in added] == [("comparison", "two")]
    play(rig, 60, 140, MODEL, OTHER)
    rig.settle()
    assert "two" in {v["model"] for v in rig.verdicts().values()}
    gone = [each for each in rig.apply(both, prune=True) if each.action == "removed"]
    assert [(each.kind, each.name) for each in gone] == [("comparison", "two")]
    play(rig, 140, 150, MODEL, OTHER)
    worker, _, _ = rig.workers[0]
    assert worker.status.models() == {MODEL, OTHER}


def test_panes_of_another_length_begin_where_both_end() -> None:
    rig = Applying()
    rig.start()
    rig.apply(plan(**WATCHED))
    rig.live(0, 100)
    window = {"length": "60s", "every": "20s", "grace": "4s", "min_events": 1}
    (change,) = rig.apply(plan(**{**WATCHED, "window": window}))
    assert change.first == START + 120 * SECOND
    rig.live(100, 300)
    rig.settle()
    found = rig.judged()
    assert [each for each in found if each[1] <= 120][-1] == (90, 120, "ok")
    assert [each[2] for each in found if each[0] >= 120] == ["ok"] * 6
    assert {each[2] for each in found if each[0] < 120 < each[1]} == {"reference changed"}


def test_a_model_that_moves_to_another_topic_is_counted_there() -> None:
    rig = Applying(TOPIC, "other")
    rig.start()
    rig.apply(plan(**WATCHED))
    rig.live(0, 100)
    (change,) = rig.apply(plan(**WATCHED, predictions="other"))
    assert change.keys == ["predictions"]
    for second in range(100, 200):
        rig.broker.now = max(rig.broker.now, START + second * SECOND)
        rig.write([row(second * SECOND)], topic="other" if second >= 110 else TOPIC)
        rig.workers[0][0].step()
    rig.settle()
    events = {
        seconds(v["window"]["end"]): v["window"]["events"]
        for v in rig.verdicts().values()
        if v["feature"] == "x"
    }
    assert {events[end] for end in range(80, 180, 10)} == {30}


def test_a_source_changes_how_records_are_read() -> None:
    rig = Applying()
    rig.start()
    rig.apply(plan(**WATCHED))
    wanted = plan(**WATCHED)
    fields = {"timestamp": "ts", "features": "*"}
    sources = {TOPIC: {"fields": fields}}
    document = wanted.config.model_dump(mode="json", by_alias=True, exclude_none=True)
    config = Config.model_validate({**document, "sources": sources})
    rig.live(0, 5)
    added = [each for each in rig.apply(Plan(config, wanted.references)) if each.action == "added"]
    assert [(each.kind, each.name) for each in added] == [("source", TOPIC)]
    rig.broker.now += 2 * SECOND
    rig.settle()
    rig.write([{"ts": START + n * SECOND, "x": 0.0, "c": "p", "b": True} for n in range(60)])
    rig.settle()
    worker, _, _ = rig.workers[0]
    assert worker.status.totals[TOPIC].counted[MODEL] == 65


def test_a_topic_that_is_not_there_holds_up_its_model_alone() -> None:
    rig = Applying()
    rig.start()
    both = plan({"n": reference(model="n")}, **WATCHED, models={"n": {"predictions": "later"}})
    rig.apply(both)
    rig.live(0, 60)
    worker, _, _ = rig.workers[0]
    assert worker.status.models() == {MODEL}
    rig.broker.create("later", 1)
    rig.live(60, 70)
    rig.settle()
    assert worker.status.models() == {MODEL, "n"}


def test_what_was_replaced_is_forgotten_after_a_week() -> None:
    rig = Applying()
    rig.apply(plan(**WATCHED))
    rig.apply(plan({MODEL: reference(seed=7)}, **WATCHED))
    rig.applied.refresh()
    assert (len(rig.applied.models[MODEL].versions), len(rig.applied.parts)) == (2, 2)
    rig.broker.now += KEPT_MS + 1
    rig.apply(
        plan({MODEL: reference(seed=7), "n": reference(model="n")}, **WATCHED, models={"n": {}})
    )
    assert (len(rig.applied.models[MODEL].versions), len(rig.applied.parts)) == (1, 2)


@pytest.mark.parametrize("again", [False, True])
def test_labels_go_on_when_the_beginning_of_a_life_is_forgotten(
    again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are known by it, whichever models are applied later."""
    rig = Applying(TOPIC, LABELS)
    rig.start()
    first, both = labelled_plan("arrival"), labelled_plan("arrival", OTHER)
    rig.apply(first)
    begin = 0
    if again:
        play(rig, 0, 60)
        rig.apply(Plan(first.config.model_copy(update={"models": {}}), {}), prune=True)
        play(rig, 60, 140)
        rig.apply(first)
        begin = 140
    play(rig, begin, begin + 100)
    keys = first.config.models[MODEL].model_dump(mode="json", by_alias=True)
    del keys["labels"]["maturity"]
    changed = ModelConfig.model_validate({**keys, "segments": []})
    config = first.config.model_copy(update={"models": {MODEL: changed}})
    rig.apply(Plan(config, first.references))
    play(rig, begin + 100, begin + 220)
    monkeypatch.setattr(applying, "KEPT_MS", 60 * SECOND)
    config = both.config.model_copy(update={"models": both.config.models | {MODEL: changed}})
    rig.apply(Plan(config, both.references))
    assert len(rig.applied.models[MODEL].versions) == 1
    play(rig, begin + 220, begin + 320)
    rig.settle()
    states = accuracy(rig)
    assert [states.get(begin + end) for end in range(150, 301, 10)] == ["ok"] * 16


def test_labels_are_read_again_after_a_life_that_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that was not opened anew meanwhile still knows how far its rows had come."""
    monkeypatch.setattr(applying, "KEPT_MS", 60 * SECOND)
    rig = Applying(TOPIC, LABELS)
    rig.start()
    first = labelled_plan("arrival")
    rig.apply(first)
    play(rig, 0, 60)
    rig.apply(Plan(first.config.model_copy(update={"models": {}}), {}), prune=True)
    play(rig, 60, 140)
    rig.apply(first)
    play(rig, 140, 200)
    assert [each.removed for each in rig.applied.models[MODEL].versions] == [True, False]
    rig.settle()
    states = accuracy(rig)
    assert [states.get(end) for end in range(150, 191, 10)] == ["ok"] * 5


def test_a_life_has_one_name_whatever_is_forgotten() -> None:
    """Its first version may be forgotten at any time, and a removal too."""
    rig = Applying()
    quiet = Plan(plan().config.model_copy(update={"models": {}}), {})
    names = set()
    for life in range(2):
        for seed in (7, 8, 9):
            rig.apply(plan({MODEL: reference(seed=seed)}, **WATCHED))
            rig.applied.refresh()
            versions = rig.applied.plan(quiet, rig.broker.now).versions[MODEL]
            names.add((life, lives_of(versions)[-1].first))
            rig.broker.now += KEPT_MS + 1
        rig.apply(quiet, prune=True)
    assert [life for life, _ in sorted(names)] == [0, 1]
    assert (0, 0) in names


def test_a_part_that_is_lost_is_written_again() -> None:
    rig = Applying()
    rig.apply(plan(**WATCHED))
    (key,) = rig.applied.parts
    rig.broker.append(Message(MODELS, 0, key, None))
    rig.applied.refresh()
    version = rig.applied.models[MODEL].newest
    with pytest.raises(ReferenceError, match=f"the reference of m in {MODELS} is not whole"):
        rig.applied.reference(MODEL, version)
    (change,) = rig.apply(plan(**WATCHED))
    assert (change.action, change.keys) == ("changed", ["reference"])
    assert rig.applied.reference(MODEL, version).id == version.reference


def test_two_who_apply_at_once_are_told() -> None:
    rig = Applying()
    wanted = plan(**WATCHED)
    changes = compare(
        rig.applied, wanted.config, wanted.references, Author("ada", START), lambda name: None
    )
    producer = rig.broker.producer()
    flush = producer.flush

    def late() -> None:
        flush()
        assert isinstance(changes[0].record, AppliedModel)
        other = msgspec.structs.replace(changes[0].record.versions[0], who="bob")
        record = AppliedModel(MODEL, [other])
        rig.broker.append(Message(MODELS, 0, key_of(record), encode(record)))

    producer.flush = late  # type: ignore[method-assign]  # somebody else writes just then
    with pytest.raises(LogError, match="model m was applied by somebody else at the same time"):
        write(rig.applied, changes, producer, START)


@pytest.mark.parametrize("value", [b"{}", encode(ReferencePart("m", b""))[:-1]])
def test_a_record_that_cannot_be_read_is_refused_by_name(value: bytes) -> None:
    rig = Applying()
    rig.broker.append(Message(MODELS, 0, b"model/m", value))
    with pytest.raises(LogError, match=f"model/m in {MODELS} cannot be read"):
        AppliedModels(rig.broker.log, MODELS).refresh()


def test_the_newest_time_is_looked_for_further_and_further_back() -> None:
    rig = Applying()
    rig.start()
    rig.apply(plan(**WATCHED))
    assert largest_time(rig.broker.log, "driftline.panes", 2, MODEL) is None
    rig.live(0, 30)
    rig.workers[0][0].checkpoint()
    place = next(r.partition for r in rig.records("panes"))
    for _ in range(150):
        rig.broker.append(Message("driftline.panes", place, b"another", b"?"))
    rig.broker.append(Message("driftline.panes", place, None, b"of somebody else"))
    found = largest_time(rig.broker.log, "driftline.panes", 2, MODEL)
    assert found is not None
    assert START < found <= START + 30 * SECOND
    assert len(rig.broker.logs[TopicPartition("driftline.panes", place)]) > 150


def test_a_model_is_read_as_it_was_written() -> None:
    keys = {
        "predictions": ["a", "b"],
        "reference": "r.json",
        "labels": {"topic": "t", "horizon": "2d", "by": "prediction"},
        "seasons": "off",
        "budget": "2 per 7d",
        "stale_after": "off",
        "thresholds": {"psi": {"warning": 0.1, "for": "2 of 3"}},
        "performance": {"roc_auc": {"max_drop": 0.02}},
    }
    model = ModelConfig.model_validate(keys)
    found = read_model(write_model(model))
    assert write_model(found) == write_model(model)
    assert found.model_copy(update={"reference": model.reference}) == model
