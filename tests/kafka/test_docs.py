"""The commands of README and docs that need a broker, and their code, on a real one.

A reader's own addresses stand in the place of the page's: that of the broker, a prefix for the
topics, and the servers that are posted to.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kafka.errors
import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from tests.consumer.cli.records import verdict
from tests.consumer.deliver.conftest import alert
from tests.consumer.deliver.test_webhook import Server, answering
from tests.consumer.html.agreement import data_of
from tests.docs import commands, own_data, test_commands
from tests.docs.pages import PAGES, README
from tests.docs.shell import Shell
from tests.kafka import accepted, checkout
from tests.kafka.checkout import Sender
from tests.kafka.reader import TopicReader, wait_until
from tests.kafka.registry import serving

from driftline.producer import format_time
from driftline.producer.files.rows import read_rows

REGISTRY = "http://localhost:8081"
ORDERS = """\
kafka: {bootstrap_servers: localhost:9092}
sources:
  orders.events:
    fields: {event_id: id, timestamp: ordered_at, prediction.score: score, features: "*"}
  orders.returned: {fields: {event_id: id, actual: returned}}
models:
  orders:
    predictions: orders.events
    labels: orders.returned
    reference: references/orders.json.gz
"""
ADDRESS = re.compile(r"https?://[^/]+")


@dataclass
class Reader:
    """Somebody who does what a page says.

    Attributes:
        shell: where.
        bootstrap, prefix, admin: of the broker.
        server: what is posted goes there.
        printed: what each command has printed on stdout.
    """

    shell: Shell
    bootstrap: str
    prefix: str
    admin: Any
    server: Server
    printed: dict[str, str] = field(default_factory=dict)

    def create(self, *topics: str) -> None:
        """Create topics, unless they exist."""
        for topic in topics:
            with contextlib.suppress(kafka.errors.TopicAlreadyExistsError):
                new = {topic: {"num_partitions": 2, "replication_factor": 1}}
                self.admin.create_topics(new, wait_for_metadata=True)

    def do(self, *arguments: str) -> str:
        """Run a verb to its end; return what it printed."""
        call = self.shell.inside if arguments[0] == "alerts" else self.shell.driftline
        ran = call(arguments)
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
        return ran.stdout

    def follow(self, page: str, serve: Callable[[], bool]) -> None:
        """Run the commands of a page; `driftline run` until `serve` and then SIGTERM."""
        for command in commands.of_page(page, broker=True):
            words = [ADDRESS.sub(self._address, horizon) for horizon in command.arguments]
            if words == ["run"]:
                self._run(serve)
                continue
            if words[0] == "run":  # of some stages: `test_end_to_end.py` runs them
                continue
            if words[0] == "init":
                words += ["--bootstrap-servers", self.bootstrap]
            follows = words[0] == "alerts" and words[1] in ("tail", "exec", "notify")
            if follows and not {"--no-follow", "--test"} & {*words}:
                words.insert(2, "--no-follow")  # it would follow for ever
            self.printed[command.line] = self.do(*words)

    def log(self) -> str:
        """Return what `driftline run` has logged."""
        return (self.shell.folder / "log").read_text(encoding="utf-8")

    def _address(self, found: re.Match[str]) -> str:
        return f"http://127.0.0.1:{self.server.http.server_port}"

    def _run(self, serve: Callable[[], bool]) -> None:
        worker = self.shell.start(["run"], self.shell.folder / "log")
        try:
            wait_until(serve, "what the worker is to do", 30)
            worker.terminate()
            assert worker.wait(10) == 0, self.log()
        finally:
            worker.kill()
            worker.wait()


@pytest.fixture
def reader(bootstrap: str, prefix: str, admin: Any, tmp_path: Path) -> Iterator[Reader]:
    env = {
        "DRIFTLINE__KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "DRIFTLINE__OUTPUT__PREFIX": prefix,
        "DRIFTLINE__OUTPUT__PARTITIONS": "2",
        "DRIFTLINE__HTTP__PORT": "0",
        "DRIFTLINE__LOG__FORMAT": "json",
        "no_proxy": "127.0.0.1",
    }
    with answering() as server:
        yield Reader(Shell(tmp_path, env), bootstrap, prefix, admin, server)


def avro_events(registry: Any, topic: str) -> list[bytes]:
    """Events of a topic as a registry's own serializer writes them, one a minute until now."""
    number = {"type": "double"}
    fields = [("timestamp", "long"), ("age", number), ("prediction", number)]
    schema = {
        "type": "record",
        "name": "Churn",
        "fields": [{"name": name, "type": kind} for name, kind in fields],
    }
    serialize = AvroSerializer(registry, json.dumps(schema))
    context = SerializationContext(topic, MessageField.VALUE)
    now = int(time.time() * 1_000)
    events = [
        {"timestamp": now - 60_000 * i, "age": 20.0 + i % 50, "prediction": i % 10 / 10}
        for i in range(2_000)
    ]
    return [serialize(event, context) for event in reversed(events)]


def readme(reader: Reader) -> None:
    registry = SchemaRegistryClient.new_client({"url": "mock://readme"})
    with serving(registry) as url:
        reader.create("churn.avro")
        Sender(reader.bootstrap).send("churn.avro", 0, avro_events(registry, "churn.avro"))
        reader.shell.write("churn.yaml", README.blocks("yaml")[1].replace(REGISTRY, url))
        _readme(reader)
    checked = reader.printed["driftline check --config churn.yaml"]
    assert "churn.avro: Avro, Schema Registry id " in checked


def _readme(reader: Reader) -> None:
    reader.create("ml.predictions")
    own_data.last_quarter(reader.shell)
    reader.shell.write("driftline.yaml", README.blocks("yaml")[0])
    reader.shell.write_program("retrain.sh", "cat > alert.json")
    for command in commands.of_page("README.md", broker=False):
        if command.words[1] == "reference":
            reader.do(*command.arguments)
    reader.follow("README.md", lambda: '"ownership"' in reader.log())


def index(reader: Reader) -> None:
    """Events of the last hours are there; the alerts that nobody raised are none."""
    reader.create("payments.events")
    Sender(reader.bootstrap).send("payments.events", 0, checkout.events(0, 300))
    reader.follow("index.md", lambda: '"ownership"' in reader.log())
    written, _, checked, tailed = reader.printed.values()
    assert "model checkout, topic payments.events" in written
    assert re.search(r"^ok +checkout .* recent events fit$", checked, re.MULTILINE), checked
    assert tailed == ""


def mappings(reader: Reader) -> None:
    """Records of the page's shape are read in the topic: they fit the reference made from them."""
    test_commands.STAGES["mappings.md"]["Flat rows"](reader.shell)
    reader.create("scoring.rows")
    reader.do("topics", "create")
    rows = (reader.shell.folder / "sample.ndjson").read_bytes().splitlines()
    Sender(reader.bootstrap).send("scoring.rows", 0, rows[:500])
    reader.follow("mappings.md", bool)
    (printed,) = reader.printed.values()
    assert re.search(r"^ok +credit .* recent events fit$", printed, re.MULTILINE), printed


def operations(reader: Reader) -> None:
    """Some records cannot be used: they are shown, and sent again."""
    topic = f"{reader.prefix}.events"
    reader.create(topic)
    config = reader.shell.folder / "driftline.yaml"
    own = {"create_topics": False}
    checkout.write_config(config, reader.bootstrap, topic, reader.prefix, output=own)
    broken = [checkout.event(0, timestamp=0)] * 7 + [b'{"model": "checkout", "features": 3}'] * 2
    sender = Sender(reader.bootstrap)
    sender.send(topic, 0, checkout.events(0, 60))

    def serve() -> bool:
        if not broken:
            with TopicReader(reader.bootstrap, f"{reader.prefix}.dead-letter") as letters:
                return len(letters.read()) == 9
        if '"ownership"' in reader.log():
            sender.send(topic, 1, broken)
            broken.clear()
        return False

    reader.follow("operations.md", serve)
    show, replay = list(reader.printed)[-2:]
    assert reader.printed[show].count("the timestamp is no time that can be read") == 5
    assert reader.printed[replay].split() == ["sent", "2", "dead", "letters:", "schema", "2"]


def scenarios(reader: Reader) -> None:
    reader.create("payments.predictions")
    reader.shell.write("driftline.yaml", PAGES["configuration.md"].blocks("yaml")[0])
    reader.follow("scenarios.md", bool)
    (printed,) = reader.printed.values()
    assert printed == "sent 72,000 events to payments.predictions\n"
    truth = (reader.shell.folder / "truth.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["feature"] for line in truth.splitlines()] == ["amount"]


def subscribing(reader: Reader) -> None:
    """One alert fires since 2019, one since today."""
    page = PAGES["subscribing.md"]
    reader.shell.write("driftline.yaml", PAGES["configuration.md"].blocks("yaml")[0])
    reader.shell.write_program("retrain.sh", "cat >> alerts.jsonl")
    reader.do("topics", "create")
    today = format_time(int(time.time() * 1_000))
    old = alert("56f29dcfdc4e44e8", severity="critical")
    new = alert("0123456789abcdef", end=today)
    values = [msgspec.json.encode(each) for each in (old, new)]
    Sender(reader.bootstrap).send(f"{reader.prefix}.alerts", 0, values)
    reader.follow("subscribing.md", bool)
    critical, last_day, shown, *_ = reader.printed.values()
    assert critical.count("\n") == 1
    assert "FIRING    critical  car-loan: car_value rose" in critical
    assert [json.loads(line)["alert_id"] for line in last_day.splitlines()] == [new.alert_id]
    assert shown.startswith("FIRING  critical  car-loan / car_value")
    handled = (reader.shell.folder / "alerts.jsonl").read_bytes().splitlines()
    assert sorted(handled) == sorted(values)
    assert (reader.shell.folder / "retrain.json").exists()
    # A sample to the chat, and then nothing: the page has called the critical one a false alarm.
    sample, *rest = zip(reader.server.paths, reader.server.bodies, strict=True)
    assert sample[0] == "/hook"
    sent = dict(rest)
    assert sorted(sent) == ["/api/v2/alerts", "/drift"]
    assert len(rest) == 2
    assert len(sent["/api/v2/alerts"]) == 2  # marks hold nothing back from an Alertmanager
    assert sent["/drift"]["alert_id"] == new.alert_id
    (code,) = page.blocks("python")
    own = code.replace('"localhost:9092"', f'"{reader.bootstrap}", "{reader.prefix}.alerts"')
    assert first_line(reader.shell.folder, f"{own}\nfollow()\n").startswith("car-loan car_value ")


def silence(reader: Reader) -> None:
    """What is said of an alert is kept, and what is taken back is not."""
    reader.shell.write("driftline.yaml", PAGES["configuration.md"].blocks("yaml")[0])
    reader.do("topics", "create")
    values = [msgspec.json.encode(alert("56f29dcfdc4e44e8"))]
    Sender(reader.bootstrap).send(f"{reader.prefix}.alerts", 0, values)
    reader.follow("how-to/silence.md", bool)
    shown = json.loads(reader.do("alerts", "tail", "--no-follow", "--json"))
    assert {name for name, mark in shown["marks"].items() if isinstance(mark, dict)} == {
        "acknowledge", "false_alarm",
    }  # fmt: skip


def change_models(reader: Reader) -> None:
    """A model is applied before the worker runs, and watched; then it is removed."""
    page, shell = PAGES["how-to/change-models.md"], reader.shell
    checkout.write_config(shell.folder / "unused.yaml", reader.bootstrap, "shop.events", "unused")
    for name, text in zip(("driftline", "models"), page.blocks("yaml"), strict=True):
        shell.write(f"{name}.yaml", text)
    reader.create("shop.events")
    reader.follow("how-to/change-models.md", lambda: '"models": ["checkout"]' in reader.log())
    created, planned, applied, listed, shown, removed = reader.printed.values()
    assert f"{reader.prefix}.models" in created
    assert planned == applied == "added      model       checkout\n"
    assert listed.splitlines()[1].startswith("checkout  ")
    assert "predictions:\n- shop.events" in shown
    assert removed.startswith("removed    model       checkout  from ")
    assert reader.do("models", "list") == ""


def report(reader: Reader) -> None:
    """An alert and a verdict are of 2019, one of each is of today, which the last 7 days have."""
    reader.shell.write("driftline.yaml", PAGES["configuration.md"].blocks("yaml")[0])
    reader.do("topics", "create")
    today = format_time(int(time.time() * 1_000))
    old, new = alert("56f29dcfdc4e44e8", status="resolved"), alert("0123456789abcdef", end=today)
    window = msgspec.structs.replace(verdict().window, start=today[:10] + "T00:00:00Z", end=today)
    judged = [verdict(), msgspec.structs.replace(verdict(), window=window)]
    sender = Sender(reader.bootstrap)
    sender.send(f"{reader.prefix}.alerts", 0, [msgspec.json.encode(each) for each in (old, new)])
    sender.send(f"{reader.prefix}.verdicts", 1, [msgspec.json.encode(each) for each in judged])
    reader.follow("how-to/report.md", bool)
    (printed,) = reader.printed.values()
    assert re.search(rf"^report\.html   \d+ kB, 1 alert, .* verdicts of {today[:10]}", printed)
    data = data_of((reader.shell.folder / "report.html").read_text(encoding="utf-8"))
    assert [each["record"]["alert_id"] for each in data["alerts"]] == [new.alert_id]
    (feature,) = data["features"]
    assert data["verdicts"][feature["verdict"]][0]["window"] == msgspec.to_builtins(window)


def alerted(reader: Reader) -> None:
    """Put orders and what was returned in topics, and the alert on them in its own."""
    own_data.orders(reader.shell)
    command, *_ = commands.of_page("how-to/training-set.md", broker=False)
    reader.do(*command.arguments)
    own = {topic: f"{reader.prefix}.{topic}" for topic in ("orders.events", "orders.returned")}
    text = ORDERS
    for topic, name in own.items():
        text = text.replace(topic, name)
    reader.shell.write("driftline.yaml", text)
    reader.create(*own.values())
    reader.do("topics", "create")
    sender = Sender(reader.bootstrap)
    for topic, file in zip(own.values(), ("orders.csv", "returned.csv"), strict=True):
        rows = [row for chunk in read_rows(reader.shell.folder / file) for row in chunk]
        for partition in (0, 1):
            sender.send(topic, partition, [msgspec.json.encode(row) for row in rows[partition::2]])
    alerts = (reader.shell.folder / "alerts.jsonl").read_bytes().splitlines()
    sender.send(f"{reader.prefix}.alerts", 0, alerts)


def training_set(reader: Reader) -> None:
    """The rows of the topics are those of the alert, with the labels that came."""
    alerted(reader)
    reader.follow("how-to/training-set.md", bool)
    (printed,) = reader.printed.values()
    span = "2026-03-09 00:00 UTC to 2026-03-09 08:00 UTC"
    assert printed == f"drifted.parquet   134 rows, 27 with labels: orders, {span}\n"
    found = [row for chunk in read_rows(reader.shell.folder / "drifted.parquet") for row in chunk]
    assert [row["event_id"] for row in found] == [f"o-{n}" for n in range(2_800, 2_934)]
    assert {row["event_id"] for row in found if row["actual"] is not None} == {
        f"o-{n}" for n in range(2_800, 2_934, 5)
    }


def what_changed(reader: Reader) -> None:
    """The rows of the topics say what those of the file say."""
    alerted(reader)
    reader.follow("how-to/what-changed.md", bool)
    (printed,) = reader.printed.values()
    file = ("--alerts", "alerts.jsonl", "--input", "orders.csv", "--config", "driftline.yaml")
    assert printed == reader.do("explain", "2688705d", *file)
    assert "\n  amount " in printed


def first_line(folder: Path, code: str) -> str:
    """Run code that has no end until it has printed a line."""
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen([sys.executable, "-u", "-c", code], cwd=folder, stdout=printed)
    try:
        wait_until(lambda: b"\n" in (folder / "printed").read_bytes(), "a line", 30)
    finally:
        process.kill()
        process.wait()
    return (folder / "printed").read_text(encoding="utf-8")


STAGES: dict[str, Callable[[Reader], None]] = {
    "README.md": readme,
    "index.md": index,
    "mappings.md": mappings,
    "operations.md": operations,
    "scenarios.md": scenarios,
    "how-to/report.md": report,
    "how-to/training-set.md": training_set,
    "how-to/what-changed.md": what_changed,
    "subscribing.md": subscribing,
    "how-to/accept.md": accepted.follow,
    "how-to/silence.md": silence,
    "how-to/change-models.md": change_models,
}
"""By page: prepares what it presupposes, follows it, and looks at what came of it."""


@pytest.mark.parametrize("page", STAGES)
def test_the_commands_of_a_page(page: str, reader: Reader) -> None:
    STAGES[page](reader)


def test_every_page_with_such_commands_is_followed() -> None:
    assert set(commands.pages(broker=True)) == set(STAGES)
