"""`driftline check --plan`: what it prints, and what it asks for where something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.detectors import FeatureColumn, build_reference

CONFIG = """\
kafka: {bootstrap_servers: "localhost:1"}
models:
  fraud:
    predictions: payments
    reference: fraud.json
    window: {length: 1h, every: 5m}
  risk:
    predictions: [payments, transfers]
    reference: risk.json
    window: {length: 1h, every: 5m}
"""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """Return a folder with a configuration of two models and their references."""
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    values = np.random.default_rng(1).normal(size=2_000)
    for name in ("fraud", "risk"):
        built = build_reference(name, {"amount": FeatureColumn("numeric", values)})
        (tmp_path / f"{name}.json").write_bytes(built.to_json())
    return tmp_path


def test_it_prints_topics_stages_and_limits(driftline: Driftline, configured: Path) -> None:
    ran = driftline("check", "--plan", "--rate", "200/s", "--partitions", "8", "--workers", "8")
    assert ran.code == 0, ran.out + ran.err
    assert "payments: 100 events/s, 8 partitions, 2 models" in ran.out
    assert "transfers: 100 events/s, 8 partitions, 1 model" in ran.out
    for row in ("driftline.panes ", "driftline.verdicts ", "driftline.state ", "sketch ", "judge "):
        assert f"\n{row}" in ran.out
    assert "driftline.panes: it has 6 partitions, so 2 of 8 workers judge nothing" in ran.out
    assert "benchmarks.plan broker" in ran.out


def test_as_json_it_is_one_document(driftline: Driftline, configured: Path) -> None:
    given = ["--rate", "payments=6k/m", "--rate", "transfers=10/s", "--keyed"]
    ran = driftline("check", "--plan", *given, "--partitions", "12", "--json")
    document = json.loads(ran.out)
    assert document["rates"] == {"payments": 100.0, "transfers": 10.0}
    assert document["partitions"] == {"payments": 12, "transfers": 12}
    assert document["keyed"] is True
    assert [each["stage"] for each in document["stages"]] == ["sketch", "judge"]
    cores = [sum(each["cores_by"].values()) for each in document["stages"]]
    assert document["cores"] == pytest.approx(sum(cores))
    assert all(each["where"] for each in document["measured"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--plan"], "--plan needs a rate: --rate 1000/s"),
        (["--rate", "1/s"], "go with --plan: add it"),
        (["--plan", "--rate", "1000"], "--rate 1000: write events a time, such as 1000/s"),
        (["--plan", "--rate", "0/s"], "--rate 0/s: write events a time"),
        (["--plan", "--rate", "payment=1/s"], "no model reads payment; did you mean payments?"),
        (["--plan", "--rate", "1/s", "--rate", "2/s"], "--rate 1/s: name the topic"),
        (["--plan", "--rate", "1/s", "--partitions", "no"], "--partitions no: write a number"),
        (
            ["--plan", "--rate", "1/s", "--offline"],
            "how many partitions has payments? give --partitions payments=12",
        ),
    ],
)
def test_what_is_missing_is_asked_for(
    given: list[str],
    said: str,
    driftline: Driftline,
    configured: Path,
) -> None:
    partitions = [] if "--offline" in given or "--partitions" in given else ["--partitions", "2"]
    if "--plan" not in given:
        partitions = []
    ran = driftline("check", *given, *partitions)
    assert ran.code == 2
    assert said in ran.out + ran.err
    assert "Traceback" not in ran.out + ran.err


def test_without_a_broker_it_says_how_to_do_without(driftline: Driftline, configured: Path) -> None:
    ran = driftline("check", "--plan", "--rate", "1/s")
    assert ran.code == 2
    assert "With --partitions N the plan asks no broker." in ran.out
