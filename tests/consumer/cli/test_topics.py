"""`driftline topics` and `driftline config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.consumer.cli.conftest import CAR_LOAN, Driftline

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryBroker:
    made = MemoryBroker()
    made.create("ml.predictions", 2)
    made.create("driftline.alerts", 3)

    def connect(config: KafkaConfig) -> MemoryBroker:
        assert config.bootstrap_servers == ("localhost:9092",)
        return made

    monkeypatch.setattr(kafka_python, "connect", connect)
    (tmp_path / "driftline.yaml").write_text(CAR_LOAN)
    return made


def test_create_makes_what_is_missing(driftline: Driftline, broker: MemoryBroker) -> None:
    ran = driftline("topics", "create")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "exists   driftline.alerts       3 partitions, delete",
        "created  driftline.verdicts     6 partitions, delete",
        "created  driftline.panes        6 partitions, delete",
        "created  driftline.joins        6 partitions, delete",
        "created  driftline.state        6 partitions, compact",
        "created  driftline.dead-letter  6 partitions, delete",
        "created  driftline.control      6 partitions, compact",
        "created  driftline.models       1 partition, compact",
    ]
    states = [json.loads(line) for line in driftline("topics", "create", "--json").out.splitlines()]
    assert {each["state"] for each in states} == {"exists"}
    assert driftline("topics", "check").code == 0
    broker.infos.pop("driftline.control")  # nothing but marks needs it
    assert driftline("topics", "check").code == 0
    broker.create("driftline.control", 1)
    ran = driftline("topics", "check")
    assert ran.code == 2
    assert ran.err.startswith("driftline.control has cleanup.policy=delete, it must be compact:")


def test_check_says_everything_that_is_wrong(driftline: Driftline, broker: MemoryBroker) -> None:
    broker.infos.pop("ml.predictions")
    broker.create("driftline.state", 1)
    ran = driftline("topics", "check")
    assert ran.code == 2
    assert ran.out.splitlines() == [
        "exists   driftline.alerts  3 partitions, delete",
        "wrong    driftline.state   1 partition, delete",
    ]
    first, *others = ran.err.splitlines()
    assert first == (
        "driftline.yaml:14: models.car-loan.predictions[0]: the topic ml.predictions does not"
        " exist: correct the name, or create it"
    )
    assert [line.split(" ")[0] for line in others] == [
        f"driftline.{name}" for name in ("verdicts", "panes", "joins", "state", "dead-letter")
    ]


def test_config_show_is_what_holds(driftline: Driftline, tmp_path: Path) -> None:
    secret = "kafka: {bootstrap_servers: k:9093, tls: {}, sasl: {mechanism: PLAIN, username: u}}\n"
    (tmp_path / "driftline.yaml").write_text(secret + CAR_LOAN.split("\n", 1)[1])
    shown = driftline("config", "show")
    assert shown.code == 0
    values = yaml.safe_load(shown.out)
    assert values["models"]["car-loan"]["window"]["min_events"] == 500
    assert values == json.loads(driftline("config", "show", "--json").out)


def test_the_environment_may_name_the_configuration(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere.yaml").write_text(CAR_LOAN)
    monkeypatch.setenv("DRIFTLINE_CONFIG", "elsewhere.yaml")
    assert driftline("config", "show").code == 0


def test_no_secret_is_shown(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE__KAFKA__SASL__PASSWORD", "correct-horse")
    secret = "kafka: {bootstrap_servers: k:9093, tls: {}, sasl: {mechanism: PLAIN, username: u}}\n"
    (tmp_path / "driftline.yaml").write_text(secret + CAR_LOAN.split("\n", 1)[1])
    for arguments in (("config", "show"), ("config", "show", "--json"), ("check", "--offline")):
        ran = driftline(*arguments)
        assert "correct-horse" not in ran.out + ran.err
    assert "****" in driftline("config", "show").out


def test_config_schema(driftline: Driftline) -> None:
    ran = driftline("config", "schema")
    assert json.loads(ran.out)["title"] == "driftline.yaml"
    assert ran.out.startswith("{\n  ")
