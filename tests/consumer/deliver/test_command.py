"""Commands for alerts, as real processes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tests.consumer.deliver.conftest import TOPIC, Alerts, alert, resolved

from driftline.consumer.deliver.command import CommandRunner
from driftline.consumer.deliver.command import send as run_commands
from driftline.consumer.deliver.dispatcher import Attempts
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.position import MemoryPosition
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber

RECORD = AlertRecord(alert(), b'{"alert_id": "a"}', 0, 0, 0)
LARGE = AlertRecord(alert(), b"x" * 1_000_000, 0, 0, 0)  # more than a pipe holds


def shell(script: str, timeout: float = 60.0, grace: float = 5.0) -> CommandRunner:
    return CommandRunner(["sh", "-c", script], timeout, grace)


def run(runner: CommandRunner, errors: list[str]) -> None:
    try:
        runner(RECORD)
    except DeliveryError as error:
        errors.append(str(error))


def test_the_command_gets_the_record_on_its_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    CommandRunner(["sh", "-c", 'cat > "$1"', "sh", str(out)], 60.0)(RECORD)
    assert out.read_bytes() == RECORD.value + b"\n"
    shell("exit 0")(LARGE)  # it need not read it


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "sh ended with exit code 3"),
        ("kill -9 $$", "sh was ended by signal 9"),
        ("cat > /dev/null; exit 1", "sh ended with exit code 1"),
    ],
)
def test_what_is_not_0_is_a_failure(script: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        shell(script)(LARGE)


@pytest.mark.parametrize(
    "script", ["exec sleep 60", "sleep 60", "trap '' TERM; sleep 60; sleep 60"]
)
def test_a_command_that_hangs_is_ended(script: str) -> None:
    with pytest.raises(DeliveryError, match=r"sh took longer than 0.2 s and was ended"):
        shell(script, timeout=0.2, grace=0.2)(LARGE)


def test_all_that_it_has_started_ends_with_it(tmp_path: Path) -> None:
    """All hold the pipe's writing end: it can be read to its end only when all of them are gone."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = f"exec 3> {pipe}; (trap '' TERM; sleep 60; sleep 60) & sleep 60 & wait"
    runner = shell(script, timeout=2.0, grace=0.1)
    errors: list[str] = []
    thread = threading.Thread(target=run, args=(runner, errors))
    thread.start()
    with pipe.open("rb") as reader:
        assert reader.read() == b""
    thread.join()
    assert errors == ["sh took longer than 2 s and was ended"]


def test_closing_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    runner = shell(f"exec 3> {pipe}; exec sleep 60", grace=0.1)
    errors: list[str] = []
    thread = threading.Thread(target=run, args=(runner, errors))
    thread.start()
    with pipe.open("rb") as reader:  # the command runs
        runner.close()
        assert reader.read() == b""
    thread.join()
    assert errors == ["sh was ended by signal 15"]
    with pytest.raises(DeliveryError, match="stopping"):
        runner(RECORD)


def test_a_program_that_does_not_exist_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(AlertsError, match="retrain-me: no such program, or it may not be exec"):
        CommandRunner(["retrain-me"], 1.0)
    with pytest.raises(AlertsError, match="no command is given"):
        CommandRunner([], 1.0)
    program = tmp_path / "hook"
    program.write_bytes(b"\0")
    program.chmod(0o755)
    with pytest.raises(DeliveryError, match=r"hook: Exec format error"):
        CommandRunner([str(program)], 1.0)(RECORD)


def test_every_record_gets_its_run_whatever_the_others_do(
    alerts: Alerts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = """
read -r line
echo "$line" >> "$1"
case "$line" in
  *'"alert_id":"fails"'*) exit 1;;
  *'"alert_id":"hangs"'*) exec sleep 60;;
esac
"""
    out = tmp_path / "out"
    command = ["sh", "-c", script, "sh", str(out)]
    positions = MemoryPosition()
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    assert subscriber.poll() == []
    alerts.publish(alert("hangs"), alert("fails"), alert("a"), resolved("a"), alert("b"))
    counts = run_commands(
        subscriber, command, threading.Event(), timeout=2.0, parallel=2,
        attempts=Attempts(limit=2, backoff=0.0), follow=False,
    )  # fmt: skip
    assert (counts.delivered, counts.retried, counts.failed) == (3, 2, 2)
    ran = [json.loads(line) for line in out.read_text().splitlines()]
    runs = [(record["alert_id"], record["revision"]) for record in ran]
    assert sorted(runs) == [
        ("a", 1), ("a", 2), ("b", 1), ("fails", 1), ("fails", 1), ("hangs", 1), ("hangs", 1),
    ]  # fmt: skip
    assert runs.index(("a", 1)) < runs.index(("a", 2))
    assert runs.index(("b", 1)) < len(runs) - 1  # not held up until the one that hangs is over
    assert "alert fails, revision 1 (car-loan) is given up after 2 attempts" in caplog.text
    assert "alert hangs, revision 1 (car-loan) is given up after 2 attempts" in caplog.text
    assert AlertSubscriber(alerts.log, TOPIC, positions=positions).poll() == []


def test_what_runs_when_it_is_stopped_runs_again(alerts: Alerts, tmp_path: Path) -> None:
    positions, stop = MemoryPosition(), threading.Event()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    alerts.publish(alert("a"))

    def stop_when_it_runs() -> None:
        with pipe.open("rb"):
            stop.set()

    thread = threading.Thread(target=stop_when_it_runs)
    thread.start()
    subscriber = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    run_commands(subscriber, ["sh", "-c", f"exec 3> {pipe}; exec sleep 60"], stop)
    thread.join()
    again = AlertSubscriber(alerts.log, TOPIC, positions=positions)
    counts = run_commands(again, ["true"], threading.Event(), follow=False)
    assert counts.delivered == 1
