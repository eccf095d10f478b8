"""`driftline replay`: rows of a file to records of a topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.consumer.cli.conftest import CAR_LOAN, Driftline

from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker, MemoryRecord

ROWS = "id,km,timestamp,y_pred_proba\nx,12,2019-03-27 00:00:00,0.5\n,7,2019-03-27 01:00:00,nan\n"
Records = Callable[..., list[MemoryRecord]]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryBroker:
    made = MemoryBroker(now=1_700_000_000_000)
    made.create("ml.predictions", 4)
    made.create("other", 3)
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    return made


def sent(broker: MemoryBroker, topic: str) -> dict[bytes | None, dict[str, Any]]:
    """Key to value; the records carry the present as their timestamp."""
    records = list(broker.records(topic))
    assert {record.timestamp for record in records} == {broker.now}
    return {record.key: json.loads(record.value or b"") for record in records}


def test_a_topic_of_native_events_gets_events(driftline: Driftline, broker: MemoryBroker) -> None:
    ran = driftline("replay", "--input", "rows.csv", "--topic", "other", "--model", "m")
    assert (ran.code, ran.out) == (0, "sent 2 events to other\n")
    assert "assumed  event_id: column id" in ran.err
    assert sent(broker, "other") == {
        b"x": {
            "event_id": "x",
            "timestamp": "2019-03-27 00:00:00",
            "prediction": {"score": 0.5},
            "features": {"km": 12},
            "model": "m",
        },
        None: {
            "event_id": None,
            "timestamp": "2019-03-27 01:00:00",
            "prediction": {"score": None},
            "features": {"km": 7},
            "model": "m",
        },
    }


def test_a_mapped_topic_gets_the_rows_as_they_are(
    driftline: Driftline, broker: MemoryBroker
) -> None:
    ran = driftline("replay", "--input", "rows.csv", "--topic", "ml.predictions")
    assert (ran.code, ran.err) == (0, "")
    assert sent(broker, "ml.predictions") == {
        b"x": {"id": "x", "km": 12, "timestamp": "2019-03-27 00:00:00", "y_pred_proba": 0.5},
        None: {"id": None, "km": 7, "timestamp": "2019-03-27 01:00:00", "y_pred_proba": None},
    }


def test_rows_without_an_id_go_to_the_partitions_in_turn(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("km\n" + "1\n" * 9)
    driftline("replay", "--input", "rows.csv", "--topic", "other", "--rate", "100000")
    assert [record.partition for record in broker.records("other")] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--topic", "nope"], "--topic nope: there is no such topic; create it first"),
        (["--topic", "other", "--rate", "0"], "rate 0: has to be above 0"),
        (["--topic", "other", "--rate", "1", "--speed", "1"], "rate and speed exclude each other"),
        (["--topic", "ml.predictions", "--model", "m"], "--model: rows go as they are to "),
        (["--topic", "other", "--input", "nope.csv"], "nope.csv: no such file; check the path"),
        (["--topic", "other", "--config", "nope.yaml"], "nope.yaml: no such file"),
        (["--topic", "other", "--bootstrap-servers", "kafka"], "write each broker as host:port"),
    ],
)
def test_what_cannot_be_done(
    driftline: Driftline, broker: MemoryBroker, options: list[str], said: str
) -> None:
    ran = driftline("replay", "--input", "rows.csv", *options)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert list(broker.records("other")) == []


def test_without_a_configuration_the_broker_must_be_named(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path
) -> None:
    (tmp_path / "driftline.yaml").unlink()
    ran = driftline("replay", "--input", "rows.csv", "--topic", "other")
    assert (ran.code, ran.err) == (
        2,
        "where is the broker? give --config or --bootstrap-servers\n",
    )
    servers = ("--bootstrap-servers", "a:1, b:2")
    assert driftline("replay", "--input", "rows.csv", "--topic", "other", *servers).code == 0
    ran = driftline("replay", "-i", "rows.csv", "--topic", "other", "--bootstrap-servers", "a")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
