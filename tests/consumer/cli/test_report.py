"""`driftline report`: from the topics to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.records import accuracy, alert, verdict
from tests.consumer.html.agreement import agrees, data_of

from driftline.consumer.cli.report_log import windows_for
from driftline.consumer.config import (
    Config,
    KafkaConfig,
    ModelConfig,
    OutputConfig,
    ReferenceConfig,
    WindowConfig,
)
from driftline.consumer.log import kafka_python
from driftline.consumer.log.errors import Unreachable
from driftline.consumer.log.memory import MemoryBroker, MemoryRecord
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.messages import dead_letter_message
from driftline.consumer.sketch.totals import DeadLetter
from driftline.consumer.wire.control import Mark, Marks
from driftline.consumer.wire.records import Verdict, Window
from driftline.producer.records.timestamp import format_time

BROKER = ("--bootstrap-servers", "localhost:9092")
DAY = 86_400_000
BEGIN = 1_554_163_200_000  # 2019-04-02
NEWEST = "2019-04-07T00:00:00Z"


def judged() -> list[Verdict]:
    """Five days of one feature; the last two drift, one has too few events."""
    found = []
    for day in range(5):
        start, end = (format_time(BEGIN + (day + side) * DAY) for side in (0, 1))
        window = Window(start, end, 100 * (day + 1))
        one = msgspec.structs.replace(verdict(), window=window, verdict_id=f"{day:016x}")
        if day == 0:
            few = {"state": "insufficient", "reason": "fewer than 200 events", "effect": None}
            one = msgspec.structs.replace(one, **few, detectors={}, bins=None)
        elif day < 3:
            one = msgspec.structs.replace(one, state="ok", effect=0.01 * day)
        found.append(one)
    return found


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = MemoryBroker(now=BEGIN)
    for name in ("verdicts", "alerts", "control", "dead-letter"):
        made.create(f"driftline.{name}", 2)
    for each in judged():
        made.now += DAY
        made.append(Message("driftline.verdicts", 1, b"", msgspec.json.encode(each)))
    fired = msgspec.structs.replace(alert(), window=judged()[-1].window, budgeted=True, revision=1)
    other = msgspec.structs.replace(accuracy(), model="other", stream="other")
    for record in (fired, other):
        made.append(Message("driftline.alerts", 0, b"", msgspec.json.encode(record)))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    return made


def documents(broker: MemoryBroker, name: str) -> list[Any]:
    return [json.loads(record.value or b"") for record in broker.records(f"driftline.{name}")]


def test_the_file_has_what_the_topics_have(driftline: Driftline, broker: MemoryBroker) -> None:
    ran = driftline("report", *BROKER, "--output", "reports/week.html", "--model", "car-loan")
    assert (ran.code, ran.err) == (0, "")
    path = Path("reports/week.html")
    size = f"{path.stat().st_size / 1_000:,.0f}"
    assert ran.out == (
        f"reports/week.html   {size} kB, 1 alert, 1 model, verdicts of 2019-04-02 00:00 UTC to"
        " 2019-04-07 00:00 UTC\n"
    )
    data = agrees(path, documents(broker, "verdicts"), documents(broker, "alerts")[:1])
    assert data["title"] == "Drift of car-loan"
    assert (data["fired"], data["false"], data["promised"]) == (1, 0, None)


def test_json_is_the_view(driftline: Driftline, broker: MemoryBroker, tmp_path: Path) -> None:
    ran = driftline("report", *BROKER, "--json", "--output", tmp_path / "x.html")
    (line,) = ran.out.splitlines()
    view = json.loads(line)
    assert view["title"] == "Drift of car-loan, other"
    assert [each["record"]["model"] for each in view["alerts"]] == ["other", "car-loan"]
    assert view["features"][0]["verdict"]["window"]["end"] == NEWEST
    assert data_of((tmp_path / "x.html").read_text(encoding="utf-8"))["title"] == view["title"]


def test_the_span_is_of_event_time(driftline: Driftline, broker: MemoryBroker) -> None:
    broker.now += 30 * DAY  # the wall's time tells nothing
    span = ("--since", "2019-04-03T00:00:00Z", "--until", "2019-04-05T00:00:00Z")
    view = json.loads(driftline("report", *BROKER, *span, "--json").out)
    (model,) = [each for each in view["models"] if each["model"]["model"] == "car-loan"]
    assert model["axis"]["ends"] == ["2019-04-04T00:00:00Z", "2019-04-05T00:00:00Z"]
    assert (view["since"], view["covered"]) == ("2019-04-03T00:00:00Z",) * 2
    assert (view["alerts"], view["insufficient"]) == ([], {})
    later = driftline("report", *BROKER, "--since", "2019-06-01", "--output", "later.html")
    assert later.out.endswith(" models, no verdict in this span\n")
    assert "No verdict lies in it." in Path("later.html").read_text(encoding="utf-8")


def test_marks_and_dead_letters_are_counted(driftline: Driftline, broker: MemoryBroker) -> None:
    mark = Mark("ada", "2019-04-08T00:00:00Z")
    marks = Marks("driftline.control.v1", alert().alert_id, false_alarm=mark)
    broker.append(Message("driftline.control", 0, b"", msgspec.json.encode(marks)))
    original = MemoryRecord("in", 0, 7, BEGIN, b"", b"oops", [])
    letter = DeadLetter(original, "malformed", "no JSON")
    broker.append(dead_letter_message(letter, "driftline.dead-letter", 2))
    ran = driftline("report", *BROKER, "--model", "car-loan", "--json")
    view = json.loads(ran.out)
    assert (view["fired"], view["false"], view["acknowledged"]) == (1, 1, 0)
    assert view["pipeline"]["rejected"] == {"malformed": 1}
    before = json.loads(driftline("report", *BROKER, "--until", "2019-04-03", "--json").out)
    assert before["pipeline"]["rejected"] == {}


def test_a_topic_of_dead_letters_that_cannot_be_read_is_said(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hint() -> str:
        return str(json.loads(driftline("report", *BROKER, "--json").out)["pipeline"]["hint"])

    assert hint() == "Late events are counted by the workers' /metrics alone."
    monkeypatch.setattr(
        OutputConfig, "topic", lambda self, name: f"driftline.{name}".replace("dead-", "no-")
    )
    assert hint().endswith("the topic of dead letters cannot be read.")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "where to? give --output report.html, or --json\n"),
        (
            ("--model", "churn", "--json"),
            "--model churn: nothing is known of it, but of car-loan, other\n",
        ),
        (("--since", "soon", "--json"), "--since soon: write a time such as"),
        (("--output", "/dev/null/x.html"), "--output /dev/null/x.html: cannot be written: "),
    ],
)
@pytest.mark.usefixtures("broker")
def test_a_mistake_is_a_sentence(driftline: Driftline, options: tuple[str, ...], says: str) -> None:
    ran = driftline("report", *BROKER, *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(says)


def test_topics_that_are_not_there_and_a_broker_that_is_away(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_python, "connect", lambda config: MemoryBroker(now=BEGIN))
    ran = driftline("report", *BROKER, "--json")
    assert ran.code == 2
    assert ran.err.startswith("driftline.verdicts does not exist: check output.prefix, or run")

    def away(config: object) -> None:
        raise Unreachable("k:1: connection refused: no broker listens there")

    monkeypatch.setattr(kafka_python, "connect", away)
    assert driftline("report", *BROKER, "--json").code == 75


def test_as_many_windows_are_read_as_the_span_has() -> None:
    window = WindowConfig(length=3_600_000, every=300_000)
    model = ModelConfig(
        predictions=("in",), reference=ReferenceConfig(layout="r.json"), window=window
    )
    config = Config(kafka=KafkaConfig(bootstrap_servers=("k:1",)), models={"m": model})
    assert windows_for(None, 0) == windows_for(config, None) == 1_000
    assert windows_for(config, 0) == 20_000
    assert windows_for(config, 1 << 62) == 200
