"""`driftline replay --scenario`: what is sent drifts, and the truth stands beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker

CONFIG = """\
kafka: {bootstrap_servers: k:1}
sources: {flat: {fields: {timestamp: time, features: "*"}}}
models: {m: {predictions: flat, reference: r.json}}
"""
HOURS = "".join(f"2026-01-01 {hour:02}:00:00,{hour},x\n" for hour in range(24))
TRUTH = (
    '{"feature":"km","kind":"sudden","start":"2026-01-01T12:00:00Z","end":"2026-01-01T18:00:00Z"}'
)


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryBroker:
    made = MemoryBroker(now=1_700_000_000_000)
    made.create("flat", 1)
    made.create("events", 1)
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    (tmp_path / "rows.csv").write_text(f"time,km,kind\n{HOURS}")
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    return made


@pytest.mark.parametrize("topic", ["flat", "events"])
def test_rows_and_events_drift_alike(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path, topic: str
) -> None:
    text = "sudden:feature=km,start=12h,end=18h,size=100"
    options = ("--scenario", text, "--truth", "truth.jsonl")
    ran = driftline("replay", "--input", "rows.csv", "--topic", topic, *options)
    assert (ran.code, ran.out) == (0, f"sent 24 events to {topic}\n")
    assert ran.err.splitlines()[-1] == f"truth  {TRUTH}"
    assert (tmp_path / "truth.jsonl").read_text() == f"{TRUTH}\n"
    sent = [json.loads(record.value or b"") for record in broker.records(topic)]
    values = [each["km"] if topic == "flat" else each["features"]["km"] for each in sent]
    assert values == [hour + 100 * (12 <= hour < 18) for hour in range(24)]


def test_several_scenarios_over_the_bundled_stream(
    driftline: Driftline, broker: MemoryBroker
) -> None:
    swap = ("--scenario", "swapped_columns:feature=amount,with=distance,start=1h")
    unit = ("--scenario", "broken_unit:feature=distance,factor=10,end=1h,start=0h")
    ran = driftline("replay", "--generate", 2, "--seed", 3, "--topic", "events", *swap, *unit)
    assert (ran.code, ran.out) == (0, "sent 3,000 events to events\n")
    truths = [json.loads(line.removeprefix("truth  ")) for line in ran.err.splitlines()]
    assert [(truth["feature"], truth["kind"]) for truth in truths] == [
        ("distance", "broken_unit"),
        ("amount", "swapped_columns"),
        ("distance", "swapped_columns"),
    ]
    drifted = [json.loads(record.value or b"")["features"] for record in broker.records("events")]
    driftline("replay", "--generate", 2, "--seed", 3, "--topic", "events")
    both = [json.loads(record.value or b"")["features"] for record in broker.records("events")]
    plain = both[3_000:]
    assert [each["distance"] for each in drifted[:10]] == [10 * e["distance"] for e in plain[:10]]
    assert [each["distance"] for each in drifted[-10:]] == [e["amount"] for e in plain[-10:]]
    assert [each["age"] for each in drifted] == [each["age"] for each in plain]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--truth", "t.jsonl"], "--truth: there is none without --scenario"),
        (["--scenario", "sudden:feature=kn"], "kn: no record has such a feature, check the name"),
        (["--scenario", "sudden:feature=kind"], "feature kind has no numbers; use missing_values,"),
        (["--scenario", "suden:feature=km"], "scenario suden:feature=km: no kind suden, did you"),
        (["--generate", "2"], "send what? give --input FILE or --generate HOURS"),
    ],
)
def test_what_cannot_be_laid_over(
    driftline: Driftline, broker: MemoryBroker, options: list[str], said: str
) -> None:
    ran = driftline("replay", "--input", "rows.csv", "--topic", "events", *options)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[-1]
    assert list(broker.records("events")) == []


def test_a_mapped_topic_takes_no_generated_events(driftline: Driftline) -> None:
    ran = driftline("replay", "--generate", "1", "--topic", "flat")
    assert (ran.code, ran.err) == (
        2,
        "--generate: flat holds no events but rows, which sources maps\n",
    )
