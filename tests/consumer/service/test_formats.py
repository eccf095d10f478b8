"""Records in any form, through a worker: each event counts once, and is refused alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import LABELS, SECOND, TOPIC, labelled_plan, plan, row, rows

from driftline.consumer.cli.dead_letters import LetterChoice, as_document, choose, is_apart
from driftline.consumer.cli.dead_letters import row as line
from driftline.consumer.config import Config, SourceConfig
from driftline.consumer.log.errors import Unreachable
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import Unread
from driftline.consumer.service.formats import RecordOpener, record_form
from driftline.consumer.service.plan import Plan
from driftline.producer.errors import SchemaError
from driftline.producer.records.formats.framing import SchemaId
from driftline.producer.records.formats.reader import RecordForm
from driftline.producer.records.formats.schemas import Schema

EVENTS = rows(0, 200, 1_000, np.random.default_rng(3))


def record(value: bytes | None, offset: int = 0, **headers: bytes) -> MemoryRecord:
    return MemoryRecord(TOPIC, 0, offset, -1, b"key", value, tuple(headers.items()))


def judged(values: list[bytes]) -> dict[str, Any]:
    rig = Rig(plan())
    rig.write(values)
    rig.start()
    rig.settle()
    return rig.verdicts()


def test_the_form_of_records_changes_no_verdict() -> None:
    single = [msgspec.json.encode(event) for event in EVENTS]
    expected = judged(single)
    assert expected
    assert judged([msgspec.json.encode(EVENTS[i : i + 7]) for i in range(0, 200, 7)]) == expected
    forms: list[Callable[[bytes], bytes]] = [
        lambda value: b"\xef\xbb\xbf" + value, gzip.compress, lambda value: b"\0\0\0\0\x2a" + value,
        lambda value: json.dumps(value.decode()).encode(), lambda value: value,
    ]  # fmt: skip
    assert judged([forms[i % 5](value) for i, value in enumerate(single)]) == expected


def test_one_of_several_events_is_refused_alone() -> None:
    rig = Rig(plan())
    good = [row(at * SECOND) for at in range(3)]
    value = msgspec.json.encode([good[0], 7, good[1], {"features": 3}, good[2]])
    rig.write([value], key=b"k", headers=[("mine", b"1")])
    rig.write([b"\x80\x04K\x01."])
    worker = rig.start()
    rig.settle()
    letters = choose(rig.records("dead-letter"), LetterChoice())
    assert [(one.offset, one.index, one.reason) for one in letters] == [
        (0, 1, "malformed"), (0, 3, "schema"), (1, None, "malformed"),
    ]  # fmt: skip
    assert [one.record.value for one in letters] == [b"7", b'{"features":3}', b"\x80\x04K\x01."]
    assert letters[0].record.key == b"k"
    assert letters[0].record.headers[0] == ("mine", b"1")
    assert "in[0]@0 event 1" in line(letters[0], values=False)
    assert as_document(letters[1], values=True)["index"] == 3
    assert "a Python pickle" in letters[2].detail
    totals = worker.status.totals[TOPIC]
    assert (totals.read, totals.counted.total(), totals.rejected.total()) == (6, 3, 3)


def test_only_where_json_is_read_an_event_alone_can_be_sent_again() -> None:
    rig = Rig(plan())
    rig.write([msgspec.json.encode([row(0), 7])])
    rig.start()
    rig.settle()
    (letter,) = choose(rig.records("dead-letter"), LetterChoice())
    config = rig.plan.config
    assert not is_apart(letter, None)
    assert not is_apart(letter, config)
    for source in (SourceConfig(preset="kserve-v2"), SourceConfig(format="avro")):
        assert is_apart(letter, config.model_copy(update={"sources": {TOPIC: source}}))


def test_labels_are_read_in_the_same_forms() -> None:
    def matched(several: bool) -> dict[str, Any]:
        rig = Rig(labelled_plan("arrival"))
        events = [
            {**row(at * SECOND), "event_id": str(at), "prediction": {"label": "yes", "score": 0.9},
             "tags": {"tier": "gold"}}
            for at in range(120)
        ]  # fmt: skip
        labels = [
            {"event_id": str(at), "timestamp": event["timestamp"] + SECOND, "actual": "yes"}
            for at, event in enumerate(events)
        ]
        for topic, all_ in ((TOPIC, events), (LABELS, labels)):
            step = 8 if several else 1
            parts = [all_[i : i + step] for i in range(0, 120, step)]
            values = [msgspec.json.encode(part if several else part[0]) for part in parts]
            rig.write([gzip.compress(value) if several else value for value in values], topic=topic)
        rig.start()
        rig.settle()
        return {k: v for k, v in rig.verdicts().items() if v["type"] == "performance"}

    expected = matched(several=False)
    assert expected
    assert matched(several=True) == expected


def test_events_that_bring_their_own_label_need_no_id() -> None:
    rig = Rig(labelled_plan("arrival"))
    events = [
        {**row(at * SECOND), "prediction": {"label": "yes", "score": 0.9}, "actual": "yes",
         "tags": {"tier": "gold"}}
        for at in range(120)
    ]  # fmt: skip
    model = rig.plan.config.models["m"]
    labels = model.labels.model_copy(update={"topic": TOPIC}) if model.labels else None
    models = {"m": model.model_copy(update={"labels": labels})}
    config = rig.plan.config.model_copy(update={"models": models})
    rig = Rig(Plan(config, rig.plan.references))
    rig.write([msgspec.json.encode(events[i : i + 8]) for i in range(0, 120, 8)])
    rig.start()
    rig.settle()
    found = [v for v in rig.verdicts().values() if v["type"] == "performance" and not v["segment"]]
    # With one id a record it would be an eighth of them.
    assert max(v["counts"]["labelled"] for v in found if v["counts"]) > 20


class Away:
    def find(self, schema: SchemaId) -> Schema | None:
        raise Unreachable("nobody answers")


def test_no_record_is_refused_because_the_registry_is_away() -> None:
    known = plan()
    rig = Rig(Plan(known.config, known.references, schemas=Away()))
    rig.write([row(0), b"\0\0\0\0\x2a\1\2", row(SECOND)])
    rig.start()
    with pytest.raises(Unreachable):
        rig.settle()
    assert rig.records("dead-letter") == []


def test_a_header_that_names_the_schema_goes_before_the_first_byte() -> None:
    class Texts:
        def find(self, schema: SchemaId) -> Schema | None:
            return Schema("AVRO", '"string"')

    opener = RecordOpener(RecordForm(), Texts(), 1_000)
    header = b"\0\0\0\0\x2a"
    value = b"\x7b" + b"x"  # Avro that begins with a brace, and is too short for its length
    (event,) = opener.open([record(value, __value_schema_id=header)])
    assert isinstance(event.value, Unread)
    (event,) = opener.open([record(b'\x0e{"a":1}', __value_schema_id=header)])
    assert event.value == b'{"a":1}'
    assert opener.open([record(b"{}", other=b"1")])[0].value == b"{}"


def test_an_error_of_our_own_stops_no_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    opener = RecordOpener(RecordForm(), None, 1_000)
    monkeypatch.setattr(opener._reader, "read", lambda value, headers: 1 / 0)
    (event,) = opener.open([record(b"[]")])
    assert isinstance(event.value, Unread)
    assert "ZeroDivisionError" in event.value.detail


def test_records_of_plain_json_are_not_touched() -> None:
    opener = RecordOpener(RecordForm(), None, 1_000)
    plain = [record(b'{"a": 1}', offset) for offset in range(3)]
    assert opener.open(plain) is plain
    mixed = [*plain, record(None, 3), record(b"", 4)]
    opened = opener.open(mixed)
    assert list(opened[:4]) == mixed[:4]
    assert isinstance(opened[4].value, Unread)


def test_an_event_may_be_larger_than_its_record() -> None:
    small = plan(limits={"max_event_bytes": 900, "idle_after": "5s"})
    source = {TOPIC: SourceConfig(names=("x" * 400, "y" * 400, "z" * 400))}
    config: Config = small.config.model_copy(update={"sources": source})
    rig = Rig(Plan(config, small.references))
    rig.write([json.dumps({**row(at * SECOND), "features": [1, 2, 3]}).encode() for at in range(3)])
    worker = rig.start()
    rig.settle()
    assert worker.status.totals[TOPIC].counted.total() == 3


def test_the_form_of_a_topic_is_that_of_its_configuration(tmp_path: Path) -> None:
    file = tmp_path / "score.avsc"
    file.write_text('"string"')
    source = SourceConfig(
        format="avro", schema_=file, names=("a",), fields={"features": "body.x", "prediction": "p"}
    )
    form = record_form("t", source)
    assert form.schema == Schema("AVRO", '"string"')
    assert (form.features, form.names, form.source) == (("body", "x"), ("a",), "sources.t")
    assert record_form("t", None) == RecordForm(topic="t")
    with pytest.raises(SchemaError, match="cannot be read"):
        record_form("t", SourceConfig(schema_=tmp_path / "none.avsc"))
