"""What a model server needs of Driftline's packages: kafka-python and msgspec, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.producer.alone import run_alone


def test_the_logger_works_with_kafka_python_and_msgspec_alone(tmp_path: Path) -> None:
    program = """
from driftline.producer import InputError, KafkaSender, MemorySender, PredictionLogger

sender = MemorySender()
with PredictionLogger("cars", sender, clock=lambda: 1553644800.0) as predictions:
    ids = predictions.log_batch([[1.5, "gas"]], [0.5], names=["km", "fuel"], event_ids=["a"])
    predictions.label("a", True)
for record in sender.records:
    print(record.value.decode())
KafkaSender("ml.predictions", "localhost:9092").close()
try:
    KafkaSender("ml.predictions", "localhost:9092", acks=0)
except InputError as error:
    print(error)
"""
    assert run_alone(program, tmp_path).splitlines() == [
        '{"event_id":"a","timestamp":1553644800000,"model":"cars",'
        '"features":{"km":1.5,"fuel":"gas"},"prediction":0.5}',
        '{"event_id":"a","timestamp":1553644800000,"model":"cars","actual":true}',
        "acks cannot be changed: that nothing is lost rests on it",
    ]


def test_mappings_and_ndjson_need_no_more(tmp_path: Path) -> None:
    program = """
from pathlib import Path
from driftline.producer import Mapping, parse_timestamp
from driftline.producer.replay import replay
from driftline.producer.files.rows import read_rows

Path("a.ndjson").write_text('{"when": "2019-03-27", "km": 12}')
((row,),) = read_rows("a.ndjson")
print(Mapping({"timestamp": "when", "features": "*"}).to_event(row))
"""
    event = {"timestamp": "2019-03-27", "features": {"km": 12}}
    assert run_alone(program, tmp_path) == f"{event}\n"


@pytest.mark.parametrize(
    ("name", "needs"), [("Event", "pydantic"), ("reference_from_rows", "numpy")]
)
def test_the_block_is_one(name: str, needs: str, tmp_path: Path) -> None:
    program = f"""
import driftline.producer
try:
    driftline.producer.{name}
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run_alone(program, tmp_path) == f"{needs}\n"
