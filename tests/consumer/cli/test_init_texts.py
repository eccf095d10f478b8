"""`driftline init` of records whose numbers are text, and with marks of missing values."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.config import load
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.detectors.reference import Reference
from driftline.producer.records.text_form import TextForm

FUEL = ("gas", "oil", "NA", "?", "unknown")
RECORDS: list[dict[str, Any]] = [
    {
        "ts": 1_600_000_000 + 60 * i,
        "age": str(20 + i * 7 % 50) if i % 11 else "",
        "km": f"{i * 13 % 101 / 4}",
        "fuel": FUEL[i * 3 % 5],
        "vip": bool(i % 2) if i % 9 else "n/a",
        "score": f"{i * 17 % 97 / 97:.3f}",
    }
    for i in range(1_500)
]
LINES = "\n".join(map(json.dumps, RECORDS))


def read_reference(folder: Path) -> Reference:
    packed = (folder / "references" / "calls.json.gz").read_bytes()
    return Reference.from_json(gzip.decompress(packed))


def check_what_is_written(driftline: Driftline, folder: Path, topic: str, events: Path) -> None:
    """It passes check and a backtest without an edit, and the reference is read by it."""
    config = load("driftline.yaml", environ={}, offline=True).config
    assert config.sources[topic].mapping.texts == TextForm(("?", "NA"), coerce=True)
    text = (folder / "driftline.yaml").read_text()
    assert re.search(r'^    # missing: \["\?", NA, unknown\] +# if they are no', text, re.MULTILINE)
    features = {each.name: each for each in read_reference(folder).layout.features}
    assert {name: each.type for name, each in features.items()} == {
        "age": "numeric",
        "km": "numeric",
        "prediction.score": "numeric",
        "fuel": "categorical",
        "vip": "boolean",
    }
    assert features["fuel"].categories == ("gas", "oil", "unknown")
    ran = driftline("check", "--offline")
    assert ran.code == 0, ran.out
    ran = driftline("backtest", "--input", str(events), "--verdicts", "--json")
    assert ran.code == 0
    verdicts = [json.loads(line) for line in ran.out.splitlines()]
    counts = [each["counts"] for each in verdicts if each.get("counts") and each["feature"]]
    assert counts
    assert not any(each["invalid"] or each["unseen"] for each in counts)
    assert any(each["missing"] for each in counts)


def test_a_file(driftline: Driftline, tmp_path: Path) -> None:
    events = tmp_path / "calls.jsonl"
    events.write_text(LINES)
    ran = driftline("init", "--from", "calls.jsonl")
    assert ran.code == 0, ran.err
    assert "assumed  numbers as text: score, age, km, vip\n" in ran.err
    assert 'note  "NA" stands for no value in fuel\n' in ran.err
    assert "note  [unknown] may stand for no value too: " in ran.err
    check_what_is_written(driftline, tmp_path, "calls.predictions", events)


def test_a_topic(driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()
    broker.create("ml.calls", 1)
    for line in LINES.splitlines():
        broker.append(Message("ml.calls", 0, None, line.encode()))
    monkeypatch.setattr(kafka_python, "connect", lambda config: broker)
    ran = driftline("init", "--from-topic", "ml.calls", "--model", "calls")
    assert ran.code == 0, ran.err
    events = tmp_path / "later.jsonl"
    events.write_text(LINES)
    check_what_is_written(driftline, tmp_path, "ml.calls", events)


def test_events_get_a_source_where_their_texts_need_one(
    driftline: Driftline, tmp_path: Path
) -> None:
    events = [
        {"timestamp": each.pop("ts"), "model": "calls", "features": each}
        for each in map(dict, RECORDS)
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, events)))
    assert driftline("init", "--from", "calls.jsonl").code == 0
    mapping = (
        load("driftline.yaml", environ={}, offline=True).config.sources["calls.predictions"].mapping
    )
    assert mapping.is_native
    assert mapping.texts == TextForm(("?", "NA"), coerce=True)
    assert driftline("check", "--offline").code == 0
    assert driftline("backtest", "--input", "calls.jsonl").code == 0


def test_a_file_alone_reads_numbers_as_text(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text(LINES)
    ran = driftline("backtest", "--input", "calls.jsonl")
    assert ran.code == 0
    assert "age (numeric), km (numeric)" in ran.err
    assert "assumed  numbers as text: score, age, km, vip\n" in ran.err


def test_records_with_nan_are_read_and_of_others_it_is_said_why(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = MemoryBroker()
    broker.create("ml.calls", 1)
    for i in range(1_300):
        value = "NaN" if i % 9 == 0 else str(i % 50)
        record = f'{{"ts": {1_600_000_000 + 60 * i}, "age": {value}, "town": "K\u00f6ln"}}'
        broker.append(Message("ml.calls", 0, None, record.encode("latin-1" if i < 5 else "utf-8")))
    monkeypatch.setattr(kafka_python, "connect", lambda config: broker)
    ran = driftline("init", "--bootstrap-servers", "k:9092", "--from-topic", "ml.calls")
    assert ran.code == 0, ran.err
    assert "note  5 records are left out: the value is not UTF-8\n" in ran.err
    assert "features: age (numeric), town (categorical)" in ran.err
    assert "1,295 events" in ran.out
