"""A worker reads whole what it judges, the layout of what it counts, and nothing of all else."""

from __future__ import annotations

import gc
import io
import json
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import structlog
from tests.consumer.service.small import (
    MODEL,
    REFERENCE,
    backtest,
    labelled_reference,
    plan,
    reference,
    rows,
)

from driftline.consumer.cli.service_log import Reporter
from driftline.consumer.config import Loaded, load
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service import references as files
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.reference_outline import parse_outline, parse_reference
from driftline.consumer.service.references import (
    load_reference,
    read_references,
    sort_out,
    stored_references,
)
from driftline.consumer.service.status import Status
from driftline.consumer.service.stored_references import References, StoredReference
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.codec import encode
from driftline.detectors import Reference
from driftline.detectors.count_rows import CountRows
from driftline.detectors.reference import content_hash
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

NAMES = [f"model-{i}" for i in range(6)]
TOPICS = {name: "even" if i % 2 == 0 else "odd" for i, name in enumerate(NAMES)}
FIRST = Path(__file__).parents[2] / "data/reference_0_1_0.json"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Six models in two topics, each with a reference of its own."""
    for i, name in enumerate(NAMES):
        (tmp_path / f"{name}.json").write_bytes(reference(seed=i, model=name).to_json())
    models = {
        name: {"predictions": topic, "reference": str(tmp_path / f"{name}.json")}
        for name, topic in TOPICS.items()
    }
    kafka = {"bootstrap_servers": "localhost:9092"}
    path = tmp_path / "driftline.yaml"
    path.write_text(json.dumps({"kafka": kafka, "models": models}))
    return load(path, environ={})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """How often each file was read, and how."""
    counts: Counter[tuple[str, str]] = Counter()
    load_one = files.load_reference

    def counted(
        address: str | Path, parse: Callable[[bytes], Reference] = parse_reference
    ) -> Reference:
        counts[Path(address).stem, "outline" if parse is parse_outline else "whole"] += 1
        return load_one(address, parse)

    monkeypatch.setattr(files, "load_reference", counted)
    return counts


def started(loaded: Loaded) -> Plan:
    references, problems = stored_references(loaded)
    assert sort_out(problems) == []
    return Plan(loaded.config, references)


def sketch(plan: Plan, topic: str, partition: int = 0) -> Any:
    at, state = TopicPartition(topic, partition), SketchState("id", 2, 0, 0, 0, {})
    return plan.sketch(at, 2, state, 0, InputTotals(), 0)


def test_the_start_looks_at_each_reference_once(
    loaded: Loaded, read: Counter[tuple[str, str]]
) -> None:
    watched = started(loaded)
    assert read == {(name, "outline"): 1 for name in NAMES}
    assert watched.models == tuple(NAMES)
    assert watched.inputs == {"even", "odd"}


def test_what_is_judged_is_read_whole_and_nothing_else(
    loaded: Loaded, read: Counter[tuple[str, str]]
) -> None:
    watched = started(loaded)
    read.clear()
    judges = [watched.judge(name, JudgeState(0, 0)) for name in NAMES[:2]]
    assert read == {(name, "whole"): 1 for name in NAMES[:2]}
    # The metrics page and another stage of the model find what the judge has.
    assert [watched.outlines[name] for name in NAMES[:2]] == [each.reference for each in judges]
    assert watched.references[NAMES[0]] is judges[0].reference
    assert read.total() == 2


def test_what_is_judged_no_longer_is_let_go(loaded: Loaded, read: Counter[tuple[str, str]]) -> None:
    watched = started(loaded)
    read.clear()
    judge = watched.judge(NAMES[0], JudgeState(0, 0))
    own = judge.reference.id
    del judge
    gc.collect()
    assert not any(isinstance(each, Reference) and each.id == own for each in gc.get_objects())
    assert watched.judge(NAMES[0], JudgeState(0, 0)).reference.id == own
    assert read == {(NAMES[0], "whole"): 2}


def test_what_is_counted_is_read_without_counts_once_for_all_partitions(
    loaded: Loaded, read: Counter[tuple[str, str]]
) -> None:
    watched = started(loaded)
    read.clear()
    sketches = [sketch(watched, "even", partition) for partition in range(2)]
    assert [each.failures for each in sketches] == [{}, {}]
    assert read == {(name, "outline"): 1 for name in NAMES[::2]}
    assert {watched.outlines[name].counts.size for name in NAMES[::2]} == {0}


def test_a_reference_that_breaks_later_fails_its_model_alone(loaded: Loaded) -> None:
    watched = started(loaded)
    Path(loaded.config.models[NAMES[0]].reference.layout or "").write_bytes(b"{}")
    with pytest.raises(ReferenceError, match=r"model-0\.json: the reference has schema None"):
        watched.judge(NAMES[0], JudgeState(0, 0))
    assert watched.judge(NAMES[1], JudgeState(0, 0)).name == NAMES[1]
    assert {*sketch(watched, "even").failures} == {NAMES[0]}


def test_what_counts_and_what_judges_have_one_layout(loaded: Loaded) -> None:
    watched = started(loaded)
    path = Path(loaded.config.models[NAMES[0]].reference.layout or "")
    known = load_reference(path)
    again = replace(known, counted=replace(known.counted, counts=known.counts * 2))
    path.write_bytes(again.to_json())
    # Built again over its layout, it is taken by who reads it next: verdicts carry its id.
    assert watched.judge(NAMES[0], JudgeState(0, 0)).reference.id == again.id != known.id
    path.write_bytes(labelled_reference(NAMES[0]).to_json())
    gc.collect()
    with pytest.raises(ReferenceError, match="than when this worker started: start it again"):
        watched.judge(NAMES[0], JudgeState(0, 0))


def test_a_broken_reference_is_refused_at_the_start(loaded: Loaded) -> None:
    path = Path(loaded.config.models[NAMES[3]].reference.layout or "")
    path.write_bytes(path.read_bytes().replace(b'"events":1000', b'"events":1001', 1))
    _, problems = stored_references(loaded)
    _, same = read_references(loaded)
    assert [str(each) for each in problems] == [str(each) for each in same]
    assert "does not match its id" in str(problems[0])
    assert len(problems) == 1
    path.unlink()
    _, problems = stored_references(loaded)
    assert "does not exist" in str(problems[0])


def test_a_judge_holds_the_counts_of_the_streams_that_it_judges(loaded: Loaded) -> None:
    watched = started(loaded)
    counts = watched.judge(NAMES[0], JudgeState(0, 0)).reference.counted.counts
    assert isinstance(counts, CountRows)
    # The model has segments of its reference, but watches none of them.
    assert [isinstance(row, np.ndarray) for row in counts.rows] == [True] + [False] * 6


def test_who_counts_and_judges_holds_one_grid(loaded: Loaded) -> None:
    watched = started(loaded)
    counted = sketch(watched, "even")
    judge = watched.judge(NAMES[0], JudgeState(0, 0))
    outline = watched.outlines[NAMES[0]]
    assert judge.reference.counts.any()
    for own, known in zip(judge.reference.layout.features, outline.layout.features, strict=True):
        assert own.grid is known.grid
    assert counted.failures == {}


def test_the_whole_run_is_the_same_by_what_is_held_in_little_memory() -> None:
    settings: dict[str, Any] = {"segments": ["tier"], "budget": "1 per 30d"}
    config = plan(**settings).config
    streams = (None, "tier=gold", "tier=tin", "tier=__other__")
    rng = np.random.default_rng(9)
    events = [*rows(0, 400, 200, rng), *rows(80_000, 400, 200, rng, x=2.5)]
    found = [
        [encode(each) for each in backtest(Plan(config, {MODEL: own}), events)]
        for own in (REFERENCE, REFERENCE.watched_by(streams))
    ]
    assert found[0] == found[1]
    assert len(found[0]) > 100


@pytest.mark.parametrize("of", [REFERENCE, labelled_reference()])
def test_an_outline_is_the_whole_without_what_is_normal(of: Reference) -> None:
    data = of.to_json()
    own, whole = parse_outline(data), parse_reference(data)
    assert (own.id, own.layout_id) == (of.id, of.layout_id) == (whole.id, whole.layout_id)
    assert own.counts.shape == (len(of.streams), 0)
    assert (own.streams, own.segments, own.outcome) == (of.streams, of.segments, whole.outcome)
    assert own.stream_events.tolist() == of.stream_events.tolist()
    for one, other in zip(own.layout.features, of.layout.features, strict=True):
        assert (one.name, one.type, one.categories) == (other.name, other.type, other.categories)
        assert np.array_equal(one.grid, other.grid)
        assert np.array_equal(one.ties, other.ties)
    assert whole.to_json() == data
    outline = whole.outline()
    assert (outline.id, outline.layout_id) == (of.id, of.layout_id)


def test_another_text_of_the_same_content_is_read_all_the_same() -> None:
    data = REFERENCE.to_json()
    spaced = json.dumps(json.loads(data), indent=2).encode()
    assert parse_reference(spaced).to_json() == data
    assert parse_outline(spaced).id == REFERENCE.id
    first = FIRST.read_bytes()
    assert parse_reference(first).to_json() == first
    assert parse_outline(first).layout_id == parse_reference(first).layout_id


@pytest.mark.parametrize("parse", [parse_outline, parse_reference])
def test_each_changed_byte_is_found(parse: Callable[[bytes], Reference]) -> None:
    data = REFERENCE.to_json()
    rng = np.random.default_rng(1)
    for at in rng.choice(len(data) - 2, 300, replace=False).tolist():
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(ReferenceError):
            parse(bytes(changed))


def test_a_forged_layout_id_is_not_believed() -> None:
    document = json.loads(REFERENCE.to_json())
    document["layout"]["id"] = "0" * 16
    del document["id"]
    other = Reference.from_json(REFERENCE.to_json())
    text = msgspec.json.encode({**document, "id": content_hash(document)}, order="sorted") + b"\n"
    for parse in (parse_outline, parse_reference):
        assert parse(text).layout_id == other.layout_id


def test_a_plan_without_its_references_is_small_to_send(loaded: Loaded) -> None:
    watched = started(loaded)
    first = watched.judge(NAMES[0], JudgeState(0, 0))
    sketch(watched, "even")
    sent = pickle.dumps(watched)
    assert len(sent) < 20_000
    again = pickle.loads(sent)
    assert again.judge(NAMES[0], JudgeState(0, 0)).reference.id == first.reference.id
    assert sketch(again, "odd").failures == {}


def test_references_may_come_from_anywhere() -> None:
    asked: list[str] = []

    def fetch() -> Reference:
        asked.append("m")
        return REFERENCE

    both = References({"m": StoredReference(fetch)}, {"n": REFERENCE})
    assert ({*both}, len(both), "m" in both, "n" in both, "o" in both) == (
        {"m", "n"}, 2, True, True, False,
    )  # fmt: skip
    assert asked == []
    assert both.outlines["m"].id == both["m"].id == both["n"].id
    assert both.outlines["n"] is REFERENCE
    with pytest.raises(KeyError):
        both["o"]


def test_the_log_says_what_to_do_where_a_reference_is_gone() -> None:
    status, stream = Status(Plan(plan().config, {})), io.StringIO()
    panes = PanesPartition({}, {}, 0, 0)
    status.stages = {TopicPartition("driftline.panes", 1): panes}
    with panes.failures.guard("m"):
        raise ReferenceError("m.json does not exist: build it")
    log = structlog.wrap_logger(
        structlog.PrintLogger(stream), [structlog.processors.JSONRenderer()]
    )
    Reporter(log, status).look(0)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["reason"]) == ("model failed", "m.json does not exist: build it")
    assert line["advice"] == "the other models go on; restart when mended"
    assert "exc_info" not in line
