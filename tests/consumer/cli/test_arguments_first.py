"""What is wrong with the arguments is said before any broker is asked, and before data is read."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.log import kafka_python
from driftline.consumer.service import references
from driftline.detectors import FeatureColumn, build_reference

CONFIG = """\
kafka: {bootstrap_servers: "localhost:1"}
sources:
  mapped: {fields: {prediction.score: p, features: "*"}}
models:
  m: {predictions: [t, mapped], reference: m.json}
"""
APPLIED = "kafka: {bootstrap_servers: 'localhost:1'}\n"
MISTAKES = {
    "check --plan --rate foo": "--rate foo: write events a time, such as 1000/s, 20k/s or 5000/m",
    "check --plan --rate u=1/s": "--rate u=1/s: no model reads u; known are mapped, t",
    "check --plan --rate 1/s --rate 2/s": "--rate 1/s: name the topic, as there are several: ",
    "check --plan --rate 1/s --partitions t=no": "--partitions no: write a number of partitions",
    "check --plan --rate foo --config none.yaml": "--rate foo: write events a time",
    "check --plan --rate 1/s --config applied.yaml": "--plan needs models in the file",
    "run --take-over u": "--take-over u: no model reads it; known are mapped, t",
    "run --take-over t --stages judge": "--take-over t: this worker reads no input, add sketch",
    "replay --topic t --generate 1 --scenario sudden": "scenario sudden: name a feature",
    "replay --topic t --generate 1 --scenario slow:feature=a": "scenario slow:feature=a: no kind",
    "replay --topic mapped --generate 1": "--generate: mapped holds no events but rows",
    "replay --topic mapped --input rows.csv --model m": "--model: rows go as they are to mapped",
    "dead-letter show --reason malformd": "'malformd' is not one of 'malformed', 'schema'",
    "dead-letter replay --reason late": "'late' is not one of 'malformed', 'schema'",
    "dead-letter show --since 1h --until 2h": "--until 2h: nothing is between it and --since 1h",
    "report --json --since 1h --until 1h": "--until 1h: nothing is between it and --since 1h",
    "explain 12ab --against 1h..2h": "--against 1h..2h: write two times",
    "backtest --input rows.csv --accept then": "--accept then: write FEATURE@TIME, or name",
    "backtest --input rows.csv --accept a@then": "--accept a@then: write FEATURE@TIME, such",
    "reference build --from-topic t --first 9 --model m --output r.json --layout-of none.json": (
        "none.json does not exist: build it with driftline reference build"
    ),
    "reference build --from-topic t --since 1h --until 2h --model m --output r.json": (
        "--until 2h: nothing is between it and --since 1h"
    ),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_wrong_argument(
    line: str, driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    (tmp_path / "applied.yaml").write_text(APPLIED)
    (tmp_path / "rows.csv").write_text("a,p\n1,0.5\n")
    built = build_reference("m", {"a": FeatureColumn("numeric", np.arange(100.0))})
    (tmp_path / "m.json").write_bytes(built.to_json())
    asked: list[object] = []
    monkeypatch.setattr(kafka_python, "connect", asked.append)
    monkeypatch.setattr(references, "read_reference_file", asked.append)
    ran = driftline(*shlex.split(line))
    assert (ran.code, ran.out, asked) == (2, "", [])
    assert MISTAKES[line] in ran.err
