"""Wire bytes of a Schema Registry's own serializers, through a real broker and a real worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import message_factory
from tests.kafka.checkout import START
from tests.kafka.conftest import NewTopic
from tests.kafka.deployment import write_config
from tests.kafka.registry import serving
from typer.testing import CliRunner

from driftline.consumer.cli import app
from driftline.detectors import FeatureColumn, build_reference
from driftline.producer.records.formats.protobuf import Messages
from driftline.producer.records.formats.schemas import Schema as OurSchema

AVRO = json.dumps(
    {
        "type": "record",
        "name": "Prediction",
        "fields": [
            {"name": "event_id", "type": "string"},
            {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "model", "type": "string"},
            {
                "name": "features",
                "type": {
                    "type": "record",
                    "name": "Features",
                    "fields": [{"name": "amount", "type": ["null", "double"]}],
                },
            },
        ],
    }
)
JSON = json.dumps(
    {"$schema": "http://json-schema.org/draft-07/schema#", "title": "P", "type": "object"}
)
PROTO = """
syntax = "proto3";
package checkout;
message Other { string name = 1; }
message Prediction {
  message Features { optional double amount = 1; }
  string event_id = 1; int64 timestamp = 2; string model = 3; Features features = 4;
}
"""
EVENTS = 60
WINDOW = {"length": "10s", "grace": "0s", "min_events": 1}


@pytest.fixture
def registry() -> Any:
    """The mock registry of the serializers' library."""
    return SchemaRegistryClient.new_client({"url": "mock://"})


@pytest.fixture
def url(registry: Any) -> Iterator[str]:
    """The same over HTTP."""
    with serving(registry) as url:
        yield url


def serializers(registry: Any) -> dict[str, Callable[[dict[str, Any], SerializationContext], Any]]:
    """What writes an event, by the name of its topic: each language, framed and by header."""
    messages = Messages(OurSchema("PROTOBUF", PROTO, message="Prediction"))
    prediction = message_factory.GetMessageClass(messages._meant())
    auto: dict[str, Any] = {"auto.register.schemas": True}
    header = {**auto, "schema.id.serializer": header_schema_id_serializer}
    protobuf = {**auto, "use.deprecated.format": False}

    def message(event: dict[str, Any], _: Any) -> Any:
        made = prediction(
            event_id=event["event_id"], timestamp=event["timestamp"], model=event["model"]
        )
        made.features.amount = event["features"]["amount"]
        return made

    def of_protobuf(conf: dict[str, Any]) -> Any:
        serializer = ProtobufSerializer(prediction, registry, conf)
        return lambda event, context: serializer(message(event, context), context)

    return {
        "avro": AvroSerializer(registry, AVRO, conf=auto),
        "avro-header": AvroSerializer(registry, AVRO, conf=header),
        "json": JSONSerializer(JSON, registry, conf=auto),
        "json-header": JSONSerializer(JSON, registry, conf=header),
        "protobuf": of_protobuf(protobuf),
        "protobuf-header": of_protobuf({**protobuf, **header}),
    }


def test_every_serializer_is_read(
    bootstrap: str, new_topic: NewTopic, prefix: str, registry: Any, url: str, tmp_path: Path
) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    models = {}
    for name, serialize in serializers(registry).items():
        topic = new_topic(name)
        for number in range(EVENTS):
            event = {
                "event_id": str(number),
                "timestamp": START + 1_000 * number,
                "model": name,
                "features": {"amount": number / 2},
            }
            headers: list[Any] = []
            context = SerializationContext(topic, MessageField.VALUE, headers)
            producer.produce(topic, serialize(event, context), headers=headers)
        amounts = FeatureColumn("numeric", np.arange(EVENTS) / 2)
        file = tmp_path / f"{name}.json"
        file.write_bytes(build_reference(name, {"amount": amounts}).to_json())
        models[name] = {"predictions": topic, "reference": file.name, "window": WINDOW}
    producer.flush()
    config = write_config(
        tmp_path / "d.yaml", bootstrap, prefix, models, schema_registry={"url": url}
    )
    found = CliRunner().invoke(app, ["check", "--config", str(config), "--json"])
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    for name in models:
        (fit,) = (row["message"] for row in rows if row["subject"] == name)
        assert fit.endswith(f"; {EVENTS} of {EVENTS} recent events fit")
    forms = {row["message"] for row in rows if row.get("subject") == "formats"}
    languages = {"avro": "Avro", "json": "JSON", "protobuf": "Protobuf"}
    for name in models:
        (form,) = (text for text in forms if text.startswith(f"{prefix}.{name}:"))
        by = "GUID" if name.endswith("-header") else "id"
        assert f"{languages[name.split('-')[0]]}, Schema Registry {by} " in form
