"""`driftline apply` and `driftline models`, on a broker in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.service.small import reference

from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker

CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  churn:
    predictions: in
    reference: churn.json
    window: {length: 1h}
"""
SECOND = """\
  fraud:
    predictions: in
    reference: fraud.json
comparisons:
  both: {champion: churn, challenger: fraud, traffic: same}
"""


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = MemoryBroker()
    made.create("in", 2)
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    for name in ("churn", "fraud"):
        (tmp_path / f"{name}.json").write_bytes(reference(model=name).to_json())
    (tmp_path / "models.yaml").write_text(CONFIG)
    return made


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_without_the_topic_it_says_what_to_do(driftline: Driftline, broker: MemoryBroker) -> None:
    for command in (("apply", "-f", "models.yaml"), ("models", "list", "-c", "models.yaml")):
        ran = driftline(*command)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "driftline.models is missing: run  driftline topics create\n"


def test_what_is_applied_is_listed_shown_changed_and_removed(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path
) -> None:
    (tmp_path / "driftline.yaml").write_text(CONFIG.partition("models:")[0])
    assert driftline("topics", "create").code == 0
    dry = driftline("apply", "-f", "models.yaml", "--dry-run")
    assert (dry.code, dry.out) == (0, "added      model       churn\n")
    assert dry.err == "nothing was written\n"
    assert driftline("models", "list").err == "no models are applied to driftline.models\n"

    first = driftline("apply", "-f", "models.yaml", "--who", "ada", "--json")
    assert (first.code, lines(first.out)[0]["written"]) == (0, True)
    again = driftline("apply", "-f", "models.yaml")
    assert again.out == "unchanged  model       churn\n"
    (listed,) = lines(driftline("models", "list", "--json").out)
    assert (listed["model"], listed["by"], listed["since"]) == ("churn", "ada", None)
    assert listed["reference"] == reference(model="churn").id
    assert driftline("models", "list").out.splitlines()[1].split()[0] == "churn"
    assert "length: 1h" in driftline("models", "show", "churn").out
    assert lines(driftline("models", "show", "churn", "--json").out)[0]["predictions"] == ["in"]

    (tmp_path / "models.yaml").write_text(CONFIG.replace("1h", "2h"))
    (changed,) = lines(driftline("apply", "-f", "models.yaml", "--json").out)
    assert (changed["action"], changed["keys"]) == ("changed", ["window.every", "window.length"])
    assert changed["since"] is not None
    assert len(lines(driftline("models", "list", "--json").out)) == 2

    dry = driftline("models", "remove", "churn", "--dry-run")
    assert dry.out.startswith("removed    model       churn")
    assert driftline("models", "remove", "churn").code == 0
    ran = driftline("models", "show", "churn")
    assert (ran.code, ran.err) == (2, "churn is not applied, known are none\n")


def test_what_is_not_in_the_file_stays_unless_it_is_pruned(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path
) -> None:
    driftline("topics", "create", "-c", "models.yaml")
    (tmp_path / "both.yaml").write_text(CONFIG + SECOND.partition("comparisons")[0])
    driftline("apply", "-f", "both.yaml")
    left = driftline("apply", "-f", "models.yaml")
    text = "applied, and not in the file: --prune removes it"
    assert left.out.splitlines()[1] == f"left       model       fraud  {text}"
    pruned = driftline("apply", "-f", "models.yaml", "--prune")
    assert pruned.out.splitlines()[1].startswith("removed    model       fraud  from ")
    assert (
        driftline("apply", "-f", "both.yaml").out.splitlines()[1] == "added      model       fraud"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CONFIG.replace("predictions: in", "predictions: out"), "the topic out does not exist"),
        (CONFIG.replace("churn.json", "none.json"), "none.json does not exist"),
        (CONFIG.replace("{length: 1h}", "{rows: 100}"), "rows are for a backtest"),
        (CONFIG.partition("models:")[0], "models: required key is missing"),
        (
            CONFIG + "sources: {in: {format: avro, schema: in.avsc}}\n",
            "keep this source in the workers' own configuration",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path, text: str, why: str
) -> None:
    driftline("topics", "create", "-c", "models.yaml")
    avro = {"type": "record", "name": "e", "fields": [{"name": "x", "type": "double"}]}
    (tmp_path / "in.avsc").write_text(json.dumps(avro))
    (tmp_path / "models.yaml").write_text(text)
    ran = driftline("apply", "-f", "models.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert not list(broker.records("driftline.models"))


def test_who_applies_has_a_name(driftline: Driftline, broker: MemoryBroker) -> None:
    ran = driftline("apply", "-f", "models.yaml", "--who", " ")
    assert (ran.code, ran.err) == (2, "--who: write 1 to 200 characters\n")


def test_a_file_of_workers_is_checked_and_shown(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path
) -> None:
    (tmp_path / "driftline.yaml").write_text(CONFIG.partition("models:")[0])
    for options in (("--offline",), ()):
        ran = driftline("check", *options)
        assert "none in this file: workers watch those that are applied" in ran.out
    assert (ran.code, "driftline.models is missing" in ran.out) == (2, False)  # with all others
    assert driftline("topics", "create").code == 0
    assert driftline("check").code == 0
    del broker.infos["driftline.models"]
    ran = driftline("check")
    assert (ran.code, "driftline.models is missing" in ran.out) == (2, True)
    assert "models: {}" in driftline("config", "show").out
