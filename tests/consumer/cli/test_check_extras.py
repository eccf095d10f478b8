"""`driftline check`: extras that are not installed, and schemas that cannot be read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.test_check import ONE, build, check

from driftline.consumer.log import broker
from driftline.consumer.log.memory import MemoryBroker, MemoryLog

FORMATS = "driftline.producer.records.formats"
INSTALL = 'pip install "driftline[{}]"'
EXTRAS = """\
kafka: {bootstrap_servers: "localhost:9092", client: confluent}
sources:
  ml.avro: {format: avro}
  ml.proto: {schema: score.proto}
models:
  car-loan: {predictions: [ml.avro, ml.proto], reference: "s3://drift/car-loan.json"}
  quote: {predictions: ml.avro, reference: "models:/quote/1/reference.json"}
"""


def test_extras_that_are_not_installed(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the broker each is named that a worker would end for."""
    (tmp_path / "driftline.yaml").write_text(EXTRAS)
    (tmp_path / "score.proto").write_text('syntax = "proto3"; message Score { double x = 1; }')
    monkeypatch.setattr(broker, "find_spec", lambda name: None)
    for library in ("fastavro", "grpc_tools", "fsspec", "mlflow.artifacts"):
        monkeypatch.setitem(sys.modules, library, None)
    for language in ("avro", "protobuf"):
        monkeypatch.delitem(sys.modules, f"{FORMATS}.{language}", raising=False)
    ran = driftline("check", "--offline", "--json")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, ran.err) == (2, "")
    assert {row["level"] for row in rows} == {"error"}
    assert [(row["subject"], row["message"].partition(" (")[0]) for row in rows] == [
        (
            "kafka",
            f"kafka.client: confluent needs the extra confluent: {INSTALL.format('confluent')}",
        ),
        ("sources", f"ml.avro: reading Avro needs the extra avro: {INSTALL.format('avro')}"),
        (
            "sources",
            f"ml.proto: reading Protobuf needs the extra protobuf: {INSTALL.format('protobuf')}",
        ),
        (
            "car-loan",
            "reference: s3://drift/car-loan.json needs the extra references:"
            f" {INSTALL.format('references')}",
        ),
        (
            "quote",
            "reference: models:/quote/1/reference.json needs the extra references:"
            f" {INSTALL.format('references')}",
        ),
    ]
    at_the_start = driftline("run")
    assert (at_the_start.code, at_the_start.out) == (2, "")
    for name in ("avro", "protobuf", "references"):
        assert INSTALL.format(name) in at_the_start.err


def test_a_client_that_is_not_installed_is_known_before_any_reference(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_spec", lambda name: None)
    text = ONE.format(more="").replace('"localhost:9092"', '"localhost:1", client: confluent')
    (tmp_path / "driftline.yaml").write_text(text)
    printed = [driftline("check", *more).out for more in ((), ("--offline",))]
    assert printed[0] == printed[1]
    assert "error    kafka             kafka.client: confluent needs the extra" in printed[0]
    build(tmp_path / "car-loan.json", "car-loan")
    refused = (
        'kafka.client: confluent needs the extra confluent: pip install "driftline[confluent]"'
    )
    assert (ran := driftline("run")).code == 2
    assert ran.err.endswith(f"{refused}\n")


def test_a_schema_that_cannot_be_read(driftline: Driftline, tmp_path: Path) -> None:
    build(tmp_path / "car-loan.json", "car-loan")
    source = "sources:\n  ml.predictions: {format: avro, schema: score.avsc}\n"
    (tmp_path / "driftline.yaml").write_text(ONE.format(more="") + source)
    why = "ml.predictions.schema: score.avsc cannot be read: No such file or directory"
    assert why in driftline("check", "--offline").out
    topics = MemoryBroker()
    topics.create("ml.predictions", 2)
    printed = check(tmp_path, MemoryLog(topics))
    assert f"error    sources           {why}" in printed
    assert printed.count("score.avsc") == 1
