"""`driftline run`: start in order, stop in reverse, and what is logged on the way."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
import structlog
from tests.consumer.cli.conftest import CAR_LOAN, Driftline
from tests.consumer.cli.records import alert
from tests.consumer.cli.test_check_bodies import read_by

from driftline.consumer.cli import service
from driftline.consumer.cli.logs import start_logging
from driftline.consumer.cli.service_log import AnnouncingProducer, Reporter
from driftline.consumer.config import LogConfig
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log import kafka_python
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.memory import MemoryBroker, MemoryConsumer, MemoryProducer
from driftline.consumer.log.protocol import Message, Polled, TopicPartition
from driftline.consumer.log.topics import output_topics
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status
from driftline.consumer.service.worker import Worker
from driftline.consumer.sketch.state import SPARK
from driftline.detectors.reference import Reference


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Logging and signals are the process's."""
    signals = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in signals.items():
        signal.signal(number, handler)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def broker(car_loan_folder: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    """A broker in memory in the place of Kafka, with the topics of the configuration."""
    made = MemoryBroker(now=1_700_000_000_000)
    made.create("ml.predictions", 2)
    for spec in output_topics("driftline", 3, 0):
        if spec.needed:
            made.create(spec.name, spec.partitions, spec.cleanup_policy)

    def consumer(topics: Set[str]) -> MemoryConsumer:
        assert topics == {"ml.predictions", "driftline.panes"}
        return MemoryConsumer(made, topics)

    monkeypatch.setattr(made, "consumer", consumer)
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    config = CAR_LOAN.replace('9092"', '9092", start: earliest') + "http: {port: 0}\n"
    (car_loan_folder / "driftline.yaml").write_text(config)
    return made


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int, number: signal.Signals) -> None:
    """Send this process a signal when the worker has taken so many steps."""
    step, taken = Worker.step, iter(range(steps))

    def counted(worker: Worker, timeout: float = 0.2) -> bool:
        if next(taken, None) is None:
            os.kill(os.getpid(), number)
        return step(worker, timeout)

    monkeypatch.setattr(Worker, "step", counted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_clean(
    driftline: Driftline,
    broker: MemoryBroker,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    broker.append(Message("ml.predictions", 0, None, b"oops"))
    row = {"id": 1, "car_value": 12000.0, "timestamp": "2019-03-27 00:00:00", "y_pred": 1}
    broker.append(Message("ml.predictions", 1, None, json.dumps(row).encode()))
    stop_after(monkeypatch, 20, number)
    threads = {thread.name for thread in threading.enumerate()}
    ran = driftline("run")
    assert (ran.code, ran.out) == (0, ""), ran.err
    lines = [json.loads(line) for line in ran.err.splitlines()]
    assert [line["event"] for line in lines] == ["start", "ownership", "rejected", "stopped"]
    start, ownership, rejected, stopped = lines
    assert (start["models"], start["models_count"]) == (["car-loan"], 1)
    assert ownership["partitions"] == ["ml.predictions[0]", "ml.predictions[1]"]
    assert ownership["models"] == ["car-loan"]
    assert not [name for name in (*start, *ownership) if name.endswith("_more")]
    assert (rejected["reason"], rejected["events"]) == ("malformed", 1)
    assert stopped["signal"] == number.name
    assert all(list(line)[:3] == ["time", "level", "event"] for line in lines)
    assert broker.members == []
    assert len(list(broker.records("driftline.dead-letter"))) == 1
    keys = {r.key for r in broker.records("driftline.state")}
    assert any((key or b"").endswith(b"sketch/ml.predictions/1") for key in keys)
    assert {thread.name for thread in threading.enumerate()} <= threads


def test_a_lost_worker_asks_to_be_started_again(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(worker: Worker, timeout: float = 0.2) -> bool:
        raise WorkerLost("no answer for 60 s")

    monkeypatch.setattr(Worker, "step", lose)
    ran = driftline("run")
    assert ran.code == 75
    last = json.loads(ran.err.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("lost", "no answer for 60 s")
    assert broker.members == []


def test_what_needs_an_operator_ends_it_with_one_sentence(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(consumer: MemoryConsumer, timeout: float) -> Polled:
        raise LogError("the topic was re-created")

    monkeypatch.setattr(MemoryConsumer, "poll", refuse)
    ran = driftline("run")
    assert (ran.code, ran.err.splitlines()[-1]) == (2, "the topic was re-created")
    assert broker.members == []


def test_topics_are_checked_before_anything_is_read(
    driftline: Driftline, broker: MemoryBroker
) -> None:
    broker.infos.pop("driftline.alerts")
    broker.infos.pop("ml.predictions")
    broker.create("driftline.state", 3, "delete")
    ran = driftline("run")
    assert ran.code == 2
    assert [line.split(" ")[0] for line in ran.err.splitlines()] == [
        "driftline.yaml:14:",
        "driftline.alerts",
        "driftline.state",
    ]


def test_a_topic_that_spark_reads_is_refused_until_it_is_taken_over(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by(broker, "ml.predictions", SPARK)
    ran = driftline("run")
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith(
        "ml.predictions is read by Spark (sketch_stream): stop its query, then run "
    )
    Path("applied.yaml").write_text("kafka: {bootstrap_servers: 'localhost:9092'}")
    broker.create("driftline.models", 1, "compact")
    for options, text in (
        (["ml.prediction"], "no model reads it; known are ml.predictions"),
        (["ml.predictions", "--stages=judge"], "this worker reads no input, add sketch to stages"),
        (["ml.prediction", "--config=applied.yaml"], "there is no such topic, correct the name"),
    ):
        ran = driftline("run", "--take-over", *options)
        assert (ran.code, ran.err) == (2, f"--take-over {options[0]}: {text}\n")
    stop_after(monkeypatch, 20, signal.SIGTERM)
    for text in ("taken over", "nothing to take over"):
        ran = driftline("run", "--take-over", "ml.predictions")
        assert ran.code == 0, ran.err
        first = json.loads(ran.err.splitlines()[0])
        assert (first["event"], first["topic"]) == (text, "ml.predictions")
        stop_after(monkeypatch, 20, signal.SIGTERM)


def test_a_worker_of_some_stages_reads_their_topics_alone(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by(broker, "ml.predictions", SPARK)
    subscribed: list[Set[str]] = []

    def consumer(topics: Set[str]) -> MemoryConsumer:
        subscribed.append(topics)
        return MemoryConsumer(broker, topics)

    monkeypatch.setattr(broker, "consumer", consumer)
    stop_after(monkeypatch, 20, signal.SIGTERM)
    ran = driftline("run", "--stages", "judge,join")
    assert ran.code == 0, ran.err
    start = json.loads(ran.err.splitlines()[0])
    assert (start["inputs"], start["stages"]) == ([], ["join", "judge"])
    assert subscribed == [{"driftline.panes"}]
    ran = driftline("run", "--stages", "join")
    assert (ran.code, ran.err) == (
        2,
        "stages: no model has labels, so nothing is joined: name another stage too\n",
    )
    ran = driftline("run", "--stages", "judge,count")
    assert (ran.code, ran.err) == (
        2,
        "command line: stages: count is no stage, they are sketch, join, judge\n",
    )


class Stuck:
    """A producer whose broker is gone; the signal comes while it waits for it."""

    def __init__(self, broker: object) -> None: ...

    def send(self, message: object) -> None: ...

    def flush(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()

    def close(self) -> None: ...


def test_it_ends_in_time_when_the_broker_is_gone(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []

    def leave(code: int) -> None:
        ended.append(code)
        raise SystemExit(code)  # the real one would end the tests

    monkeypatch.setattr(broker, "producer", lambda: Stuck(broker))
    monkeypatch.setattr(service, "TIME_TO_STOP", 0.05)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(
        sys.stderr, "fileno", lambda: os.open(os.devnull, os.O_WRONLY), raising=False
    )
    ran = driftline("run")
    assert (ran.code, ended) == (75, [75])


def logged(config: LogConfig | None = None) -> tuple[Any, io.StringIO]:
    stream = io.StringIO()
    return start_logging(config or LogConfig(format="json"), stream), stream


def test_an_alert_is_announced_when_it_is_acknowledged() -> None:
    log, stream = logged()
    broker = MemoryBroker()
    broker.create("driftline.alerts", 1)
    producer = AnnouncingProducer(MemoryProducer(broker), "driftline.alerts", log)
    producer.send(Message("driftline.alerts", 0, b"k", msgspec.json.encode(alert())))
    assert stream.getvalue() == ""
    producer.flush()
    producer.flush()
    (line,) = [json.loads(each) for each in stream.getvalue().splitlines()]
    assert line["event"] == "alert published"
    assert (line["alert_id"], line["revision"]) == ("56f29dcfdc4e44e8", 2)
    assert line["summary"].startswith("car-loan: car_value rose")


def test_what_recurs_is_said_once_in_ten_seconds(
    car_loan: Reference, car_loan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.consumer.config import load

    monkeypatch.chdir(car_loan_folder)
    config = load("driftline.yaml", environ={}).config
    status = Status(Plan(config, {"car-loan": car_loan}))
    log, stream = logged(LogConfig(format="json", level="debug"))
    reporter = Reporter(log, status)
    totals = status.totals["ml.predictions"]

    def said() -> list[tuple[str, int]]:
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        return [(line["event"], line.get("events", 0)) for line in lines]

    reporter.look(0)
    totals.late["car-loan"] += 3
    reporter.look(9_999)
    assert said() == []
    totals.late["car-loan"] += 2
    totals.skipped["tombstone"] += 1
    reporter.look(10_000)
    assert said() == [("late", 5), ("skipped", 1)]
    reporter.look(30_000)
    assert said() == []
    totals.rejected["schema"] += 1
    status.checkpointed = 30_001
    reporter.look(30_001, last=True)
    assert said() == [("checkpoint", 0), ("rejected", 1)]


def test_what_is_in_no_verdict_is_said(
    car_loan: Reference, car_loan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.consumer.config import load

    monkeypatch.chdir(car_loan_folder)
    plan = Plan(load("driftline.yaml", environ={}).config, {"car-loan": car_loan})
    status = Status(plan)
    log, stream = logged(LogConfig(format="json"))
    judge = plan.judge("car-loan", JudgeState(0, 0))
    panes = PanesPartition({"car-loan": judge}, {}, 0, 0)
    status.stages = {TopicPartition("driftline.panes", 1): panes}
    reporter = Reporter(log, status)
    reporter.look(0)
    plan.passed_over["car-loan"]["idle"] += 7
    judge.mixed += 2
    reporter.look(10_000)
    reporter.look(20_000)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["model"], first["events"], first["reason"]) == (
        "passed over", "car-loan", 7, "idle",
    )  # fmt: skip
    assert (second["event"], second["model"], second["windows_not_judged"]) == (
        "two configurations", "car-loan", 2,
    )  # fmt: skip
    assert second["level"] == "warning"


def test_the_traceback_of_a_model_that_failed_is_written_once(
    car_loan: Reference, car_loan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftline.consumer.config import load

    monkeypatch.chdir(car_loan_folder)
    plan = Plan(load("driftline.yaml", environ={}).config, {"car-loan": car_loan})
    status = Status(plan)
    log, stream = logged(LogConfig(format="json"))
    panes = PanesPartition({"car-loan": plan.judge("car-loan", JudgeState(0, 0))}, {}, 0, 0)
    status.stages = {TopicPartition("driftline.panes", 1): panes}
    reporter = Reporter(log, status)
    reporter.look(0)
    assert stream.getvalue() == ""
    with panes.failures.guard("car-loan", panes.fail):
        raise ZeroDivisionError("a defect")
    reporter.look(1)
    reporter.look(2, last=True)
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["level"], line["event"]) == ("error", "model failed")
    assert (line["model"], line["stage"], line["partition"]) == (
        "car-loan", "judge", "driftline.panes[1]",
    )  # fmt: skip
    assert "Traceback" in line["exception"]
    assert "ZeroDivisionError: a defect" in line["exception"]


def test_readable_logs_hold_no_control_characters() -> None:
    log, stream = logged(LogConfig(format="text"))
    log.info("start", model="a\x1b[31m")
    log.debug("hidden")
    assert "start" in stream.getvalue()
    assert "a\\x1b[31m" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_others_forges_a_line_or_moves_the_cursor(form: Literal["text", "json"]) -> None:
    ugly = "\x1b]0;owned\x07\x9b2J\u202e\n2026 error"
    log, stream = logged(LogConfig(format=form))
    log.warning("alert published", summary=ugly, models=[ugly], by={ugly: 1})
    logging.getLogger("some.library").error("gone: %s", ugly)
    assert len(stream.getvalue().splitlines()) == 2
    try:
        raise ValueError(ugly)
    except ValueError:
        log.exception("failed", summary=ugly)
    text = stream.getvalue()
    assert "ValueError" in text
    assert text.replace("\n", "").isprintable()


def test_libraries_log_in_the_same_form() -> None:
    _, stream = logged()
    logging.getLogger("kafka.client").warning("gone: %s", "k\x07:9092")
    line = json.loads(stream.getvalue())
    assert line["event"] == "gone: k\\x07:9092"
    assert (line["level"], line["logger"]) == ("warning", "kafka.client")


def test_local_variables_stay_out_of_the_log() -> None:
    for config in (LogConfig(format="text"), LogConfig(format="json")):
        log, stream = logged(config)
        password = "correct" + "-horse"
        try:
            raise ValueError(len(password))
        except ValueError:
            log.exception("failed")
        assert "ValueError" in stream.getvalue()
        assert "correct-horse" not in stream.getvalue()
