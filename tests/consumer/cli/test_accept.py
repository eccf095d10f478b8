"""`driftline accept`, and `backtest --accept`, which repeats it."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, SECOND, plan, rows

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, acceptance
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.offline.accepted import read_accepted
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.wire.codec import CONTROL_VERSION, encode
from driftline.consumer.wire.messages import Acceptance, decode_panes, partition_of
from driftline.detectors import FeatureColumn, build_reference
from driftline.producer.errors import InputError

BROKER = ("--bootstrap-servers", "localhost:9092")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = MemoryBroker()
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    return made


def test_it_is_a_record_in_the_log_of_panes(driftline: Driftline, broker: MemoryBroker) -> None:
    broker.create("driftline.panes", 3)
    ran = driftline("accept", "m", "x", "--why", "new", "--since", "2026-01-01T00:00:00Z", *BROKER)
    assert (ran.code, ran.err) == (0, "")
    text = "x of m is accepted as it is by ada: the next records of its alerts say so"
    assert ran.out.endswith(f"  {text}\n")
    (record,) = broker.logs[TopicPartition("driftline.panes", partition_of("m", 3))]
    made = decode_panes(record.value or b"")
    assert isinstance(made, Acceptance)
    assert (record.key, made.feature, made.who, made.why) == (b"m", "x", "ada", "new")
    assert (made.since, made.start) == (1_767_225_600_000, None)
    found = json.loads(driftline("accept", "m", "--why", "all", "--json", *BROKER).out)
    assert (found["feature"], found["type"]) == ("", "acceptance")


def test_a_mistake_is_said_in_a_sentence(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = driftline("accept", "m", *BROKER)
    assert (ran.code, ran.err) == (
        2, "--why is missing: say why this is normal, such as --why 'a new market'\n",
    )  # fmt: skip
    ran = driftline("accept", "m", "--why", "x", *BROKER)
    assert (ran.code, ran.err) == (
        2,
        "driftline.panes does not exist, so no worker judges the model: run  driftline topics"
        " create\n",
    )
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: 'localhost:9092'}\n"
        "models: {loan: {predictions: in, reference: none.json, window: {length: 1h}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    ran = driftline("accept", "m", "--why", "x")
    assert (ran.code, ran.err) == (2, "m: not in the configuration, known are loan\n")


def test_a_feature_is_one_of_the_reference(
    driftline: Driftline, broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.create("driftline.panes", 1)
    columns = {"income": FeatureColumn("numeric", np.arange(100.0))}
    (tmp_path / "r.json").write_bytes(build_reference("loan", columns).to_json())
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: 'localhost:9092'}\n"
        "models: {loan: {predictions: in, reference: r.json, window: {length: 1h}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    ran = driftline("accept", "loan", "incme", "--why", "x")
    problem = "incme: the model's reference has no such feature, did you mean income?\n"
    assert (ran.code, ran.err) == (2, problem)
    assert driftline("accept", "loan", "income", "--why", "x").code == 0
    assert len(broker.logs[TopicPartition("driftline.panes", 0)]) == 1
    (tmp_path / "r.json").unlink()  # who accepts may not have the file that the workers read
    assert driftline("accept", "loan", "incme", "--why", "x").code == 0


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (AcceptanceRequest("x", "ada", " "), "why: write 1 to 2,000 characters"),
        (
            AcceptanceRequest("x", "ada", "b", "soon"),
            "since: write a time in RFC 3339, such as 2026-03-27T08:00:00Z",
        ),
        (
            AcceptanceRequest("x", "a", "b", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"),
            "since: write a time before start",
        ),
        (
            AcceptanceRequest("performance.accuracy", "ada", "b"),
            "performance.accuracy: the present of features can be accepted, not that of metrics:"
            " build a reference of predictions that are good enough",
        ),
    ],
)
def test_what_cannot_be_accepted(request_: AcceptanceRequest, problem: str) -> None:
    with pytest.raises(AlertsError) as raised:
        acceptance("m", request_, 0)
    assert str(raised.value) == problem


def test_a_backtest_repeats_what_the_service_accepted_byte_for_byte(tmp_path: Path) -> None:
    window = {"length": "40s", "every": "20s", "pane": "10s", "grace": "5s", "min_events": 15}
    setup = plan(budget="10 per 1d", window=window)
    rng = np.random.default_rng(3)
    events = rows(0, 200, SECOND, rng)
    for event in rows(200 * SECOND, 300, SECOND, rng):
        event["features"]["x"] += 3.0
        events.append(event)
    rig = Rig(setup)
    rig.write(events[:350])
    rig.start()
    rig.settle()
    one = acceptance(MODEL, AcceptanceRequest("", "ada", "a new market"), 5)
    place = partition_of(MODEL, 2)
    rig.broker.append(
        Message("driftline.panes", place, MODEL.encode(), encode(one, CONTROL_VERSION))
    )
    rig.write(events[350:])
    rig.settle()
    published = [*rig.records("verdicts"), *rig.records("alerts")]
    assert {each["status"] for each in rig.alerts()} == {"firing", "resolved"}
    file = tmp_path / "published.ndjson"
    file.write_bytes(b"\n".join(record.value or b"" for record in published))

    again = Backtest(setup, MODEL, "in")
    again.accept(read_accepted([str(file)], MODEL, setup.config.models[MODEL].window))
    found = [msgspec.json.encode(each) for each in (*again.feed(events), *again.end())]
    assert sorted(found) == sorted(record.value or b"" for record in published)


def test_a_file_is_backtested_with_what_is_accepted(driftline: Driftline, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    value = rng.normal(size=4_000)
    value[2_600:] += 3.0
    times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(4_000), "min")
    file = tmp_path / "events.csv"
    pd.DataFrame({"timestamp": times, "x": value}).to_csv(file, index=False)
    arguments = ("backtest", "--input", file, "--window", "2h", "--json")
    alone = [json.loads(line) for line in driftline(*arguments).out.splitlines()]
    assert [each["status"] for each in alone] == ["firing"]
    ran = driftline(*arguments, "--accept", "x@2026-01-03T06:00:00Z")
    fired, ended = (json.loads(line) for line in ran.out.splitlines())
    assert (fired["status"], ended["status"]) == ("firing", "resolved")
    assert ended["accepted"]["who"] == "backtest"
    assert ended["until"] == "2026-01-03T06:00:00Z"
    wrong = driftline(*arguments, "--accept", "y@2026-01-03T00:00:00Z")
    assert (wrong.code, wrong.err.splitlines()[-1]) == (
        2, "--accept y: the reference has no such feature",
    )  # fmt: skip
    by_rows = ("backtest", "--input", file, "--rows", "200", "--json", "--accept", "x@3001")
    found = [json.loads(line) for line in driftline(*by_rows).out.splitlines()]
    (last,) = [each for each in found if each["status"] == "resolved"]
    assert last["accepted"]["start"] == "3001"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("x@soon", "--accept: write FEATURE@TIME, such as income@2026-03-27T00:00:00Z"),
        ("nothing", "--accept nothing: write FEATURE@TIME, or name a file of verdicts"),
    ],
)
def test_what_cannot_be_read_of_it(given: str, problem: str) -> None:
    with pytest.raises(InputError) as raised:
        read_accepted([given], MODEL, plan().config.models[MODEL].window)
    assert str(raised.value) == problem


def test_a_line_that_is_no_verdict(tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text('{"model": "m"}\n')
    with pytest.raises(InputError, match=r"some.ndjson, line 1: no verdict and no alert"):
        read_accepted([str(file)], MODEL, plan().config.models[MODEL].window)
