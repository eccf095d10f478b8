"""The program, run by `spark-submit` for real: each verb, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kafka
import msgspec
import pyarrow.parquet as pq
import pytest
from tests.consumer.service.simulation import reference
from tests.consumer.spark.lake import Lake, lake
from tests.kafka.deployment import write_config
from tests.kafka.reader import TopicReader
from tests.spark.conftest import MASTER, ROOT, SETTINGS
from tests.spark.test_reference import built
from typer.testing import CliRunner

from driftline.consumer.cli import app
from driftline.consumer.wire.codec import decode, unpack_integers
from driftline.consumer.wire.messages import Horizon, Pane

START = 1_600_000_000_000
EITHER: Any = Pane | Horizon


def submitted(jars: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `spark-submit $(python -m driftline.consumer.spark) ...`."""
    import pyspark

    where = [sys.executable, "-m", "driftline.consumer.spark"]
    program = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    settings = [each for name, value in SETTINGS.items() for each in ("--conf", f"{name}={value}")]
    command = [str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", MASTER]
    return subprocess.run(
        [*command, *settings, "--jars", jars, program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)},
    )


def said(run: subprocess.CompletedProcess[str], verb: str) -> Sequence[str]:
    """What the program itself said; `spark-submit` puts it where its own log is not."""
    lines = (run.stdout + run.stderr).splitlines()
    return [line for line in lines if line.startswith(f"driftline {verb}: ")]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake(tmp_path_factory.mktemp("program"), 2_000, 1, files=2)


def test_backtest(jars: str, own: Lake, tmp_path: Path) -> None:
    files = ("--config", str(own.config), "--input", str(own.folder))
    ran = submitted(jars, "backtest", *files, "--output", str(tmp_path / "verdicts"))
    assert ran.returncode == 0, ran.stderr
    rows = pq.read_table(tmp_path / "verdicts").to_pylist()
    assert sorted((row["kind"], row["json"]) for row in rows) == sorted(own.expected("m00"))


def test_reference(jars: str, own: Lake, tmp_path: Path) -> None:
    files = ("--config", str(own.config), "--input", str(own.folder))
    output = tmp_path / "m00.json"
    ran = submitted(jars, "reference", "--model", "m00", *files, "--output", str(output))
    assert ran.returncode == 0, ran.stderr
    expected = built(own, tmp_path / "expected.json", "--config", str(own.config))
    assert output.read_bytes() == expected


def test_a_mistake_is_one_sentence(jars: str, own: Lake, tmp_path: Path) -> None:
    files = ("--config", str(own.config), "--input", str(tmp_path / "nowhere"))
    ran = submitted(jars, "backtest", *files, "--output", str(tmp_path / "verdicts"))
    assert ran.returncode == 2
    [sentence] = said(ran, "backtest")
    assert sentence.startswith(f"driftline backtest: --input {tmp_path / 'nowhere'}: ")
    assert "Traceback" not in ran.stdout + ran.stderr


def test_sketch(jars: str, bootstrap: str, admin: Any, prefix: str, tmp_path: Path) -> None:
    """It counts what is there, ends, and goes on from there when it is run again."""
    topic = f"{prefix}.in"
    path = tmp_path / "a.json"
    normal = reference("a")
    path.write_bytes(normal.to_json())
    window = {"length": "10m", "every": "2m", "grace": "5s", "min_events": 20}
    models = {"a": {"predictions": topic, "reference": str(path), "window": window}}
    config = write_config(tmp_path / "c.yaml", bootstrap, prefix, models, kafka={"group": prefix})
    admin.create_topics([kafka.admin.NewTopic(topic, 2, 1)])
    made = CliRunner().invoke(app, ["topics", "create", "--config", str(config)])
    assert made.exit_code == 0, made.output
    options = ("--config", str(config), "--topic", topic, "--checkpoint", str(tmp_path / "to"))
    counted = []
    for first in (0, 300):
        producer = kafka.KafkaProducer(bootstrap_servers=bootstrap)
        for i in range(first, first + 300):
            event = {"timestamp": START + i * 4_000, "features": {"x": i / 100, "c": "p"}}
            producer.send(topic, msgspec.json.encode(event), partition=i % 2)
        producer.flush()
        producer.close()
        ran = submitted(jars, "sketch", *options)
        assert ran.returncode == 0, ran.stderr
        counted.append(events(bootstrap, f"{prefix}.panes", len(normal.layout.features)))
    assert counted == [300, 600]


def events(bootstrap: str, topic: str, features: int) -> int:
    """The events of all panes: each is counted once in each feature."""
    total = 0
    with TopicReader(bootstrap, topic) as reader:
        for record in reader.read():
            found = None if record.value is None else decode(record.value, EITHER)
            if isinstance(found, Pane):
                total += sum(unpack_integers(found.streams[0].counts).tolist())
    return total // features
