"""`driftline alerts exec` and `alerts notify`: from the topic to a command or to servers."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline, Ran
from tests.consumer.deliver.conftest import Alerts, alert, resolved
from tests.consumer.deliver.test_webhook import Server, answering

from driftline.consumer.cli.alert_actions import until_stopped
from driftline.consumer.log import broker, kafka_python
from driftline.consumer.log.errors import Unreachable

BROKER = ("--bootstrap-servers", "localhost:9092")
SAVE = "import sys; open('got.jsonl', 'a').write(sys.stdin.read())"
ONCE = ("--no-follow", *BROKER)


@pytest.fixture(autouse=True)
def alerts(monkeypatch: pytest.MonkeyPatch) -> Alerts:
    made = Alerts()
    monkeypatch.setattr(kafka_python, "connect", lambda config: made.broker)
    made.publish(alert("a"), resolved("a"), alert("b", severity="critical"), alert("c"))
    return made


@pytest.fixture
def server() -> Iterator[Server]:
    with answering() as made:
        yield made


def got(folder: Path) -> list[tuple[str, int]]:
    """Identities of the records that a command was given."""
    documents = [json.loads(line) for line in (folder / "got.jsonl").read_text().splitlines()]
    return sorted((each["alert_id"], each["revision"]) for each in documents)


def test_a_command_gets_what_fires(driftline: Driftline, tmp_path: Path) -> None:
    ran = driftline("alerts", "exec", *ONCE, "--parallel", 1, "--", sys.executable, "-c", SAVE)
    assert (ran.code, ran.out, ran.err) == (0, "", "done 2, retried 0, given up 0\n")
    assert got(tmp_path) == [("b", 1), ("c", 1)]


def test_a_command_goes_on_where_it_stopped(
    driftline: Driftline, tmp_path: Path, alerts: Alerts
) -> None:
    command = ("--position", "p.json", "--severity", "critical", "--", sys.executable, "-c", SAVE)
    assert driftline("alerts", "exec", *ONCE, *command).code == 0
    assert got(tmp_path) == [("b", 1)]
    alerts.publish(resolved("b", severity="critical"), alert("d"))
    assert driftline("alerts", "exec", *ONCE, *command).code == 0
    assert got(tmp_path) == [("b", 1), ("b", 2)]


def test_a_command_that_fails_is_given_up(
    driftline: Driftline, caplog: pytest.LogCaptureFixture
) -> None:
    fails = ("--attempts", 1, "--", sys.executable, "-c", "raise SystemExit(3)")
    ran = driftline("alerts", "exec", *ONCE, "--model", "car-loan", *fails)
    assert (ran.code, ran.err) == (2, "done 0, retried 0, given up 2\n")
    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith("is given up after 1 attempts: "
                                       f"{sys.executable} ended with exit code 3")  # fmt: skip


UGLY = "\x1b]0;owned\x07\x9b2J\u202e\nalert x is given up"


@pytest.mark.parametrize("verb", ["exec", "notify"])
def test_nothing_of_others_reaches_the_terminal_as_it_is(
    driftline: Driftline,
    alerts: Alerts,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as outside of the tests
    alerts.publish(alert("d", stream=f"car-loan/channel={UGLY}", summary=UGLY))
    server.codes = [404] * 4
    arguments = ("--", "false") if verb == "exec" else ("--to", server.url)
    ran = driftline("alerts", verb, *ONCE, "--attempts", 1, *arguments)
    assert ran.code == 2
    assert ran.err.count("is given up after 1 attempts") == 3
    assert len(ran.err.splitlines()) == 4
    assert ran.err.replace("\n", "").isprintable()


@pytest.mark.parametrize("path", ["/s3cret x", "/s3cret\n", "/s3cr\u00e9t"])
def test_a_bad_url_is_refused_at_once_and_not_shown(
    driftline: Driftline, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_python, "connect", lambda config: pytest.fail("asked the broker"))
    ran = driftline("alerts", "notify", "--to", f"http://127.0.0.1:9{path}", *ONCE)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert ran.err.startswith("the webhook's URL holds a blank, a line break or another character")
    assert "s3cr" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--timeout", "soon", "--", "true"), "--timeout soon: write a duration such as 90s or"),
        (("--", "no-such-program"), "no-such-program: no such program, or it may not be executed"),
    ],
)
def test_what_cannot_be_run(driftline: Driftline, arguments: tuple[str, ...], said: str) -> None:
    ran = driftline("alerts", "exec", *ONCE, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(said)


def test_without_a_topic_of_alerts(driftline: Driftline, tmp_path: Path) -> None:
    (tmp_path / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: k:1}\noutput: {prefix: other}\n"
        "models: {m: {predictions: t, reference: r.json}}\n"
    )
    ran = driftline("alerts", "exec", "--no-follow", "--", "true")
    assert (ran.code, ran.err) == (
        2,
        "other.alerts does not exist: check output.prefix, or run  driftline topics create\n",
    )


@pytest.mark.parametrize(
    "verb",
    [
        ("tail", "--no-follow"),
        ("exec", "--no-follow", "--", "true"),
        ("notify", "--dry-run", "--no-follow"),
    ],
)
def test_a_broker_that_is_away_is_waited_for(
    driftline: Driftline, alerts: Alerts, monkeypatch: pytest.MonkeyPatch, verb: tuple[str, ...]
) -> None:
    attempts = 0

    def connect(config: object) -> object:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise Unreachable("k:1: connection refused: no broker listens there")
        return alerts.broker

    monkeypatch.setattr(kafka_python, "connect", connect)
    monkeypatch.setattr(broker, "PAUSE", 0.0)
    name, *rest = verb
    ran = driftline("alerts", name, "--wait", "0", *BROKER, *rest)
    assert (ran.code, ran.err) == (75, "k:1: connection refused: no broker listens there\n")
    driftline("alerts", name, *BROKER, *rest)
    assert attempts == 3
    ran = driftline("alerts", name, "--wait", "soon", *BROKER, *rest)
    assert (ran.code, ran.err) == (2, "--wait soon: write a duration such as 90s or 10m\n")


def notify(driftline: Driftline, *arguments: object) -> Ran:
    return driftline("alerts", "notify", *ONCE, *arguments)


def test_several_targets_are_sent_to(
    driftline: Driftline, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_NOTIFY_TO", f"slack+{server.url} alertmanager+{server.url}")
    ran = notify(driftline)
    assert (ran.code, ran.err) == (0, "sent 2, retried 0, given up 0\n")
    firing, message = sorted(server.bodies, key=lambda body: "text" in body)
    assert {each["labels"]["severity"] for each in firing} == {"warning", "critical"}
    assert message["text"].startswith("*car-loan: FIRING critical, 2 alerts*\n")
    ran = notify(driftline, "--to", f"slack+{server.url}", "--severity", "critical")
    assert server.bodies[2]["text"].startswith("*car-loan: FIRING critical*\n")


def test_what_was_sent_is_not_sent_again(driftline: Driftline, server: Server) -> None:
    here = ("--to", server.url, "--position", "p.json")
    assert notify(driftline, *here).err == "sent 2, retried 0, given up 0\n"
    assert notify(driftline, *here).err == "sent 0, retried 0, given up 0\n"


def test_headers_and_a_token_go_with_what_is_posted(
    driftline: Driftline, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    here = ("--to", server.url, "--model", "car-loan")
    notify(driftline, *here, "--header", "X-Team: credit", "--token-file", "token")
    assert server.headers[0]["Authorization"] == "Bearer t0ken"
    assert server.headers[0]["X-Team"] == "credit"
    monkeypatch.setenv("DRIFTLINE_NOTIFY_TOKEN", "other\n")
    notify(driftline, *here)
    assert server.headers[-1]["Authorization"] == "Bearer other"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--to is missing: name a URL to send to, or use --dry-run"),
        (("--to", "here"), "a target is a URL, and its scheme says what it is: https://, "),
        (("--to", "http://a", "--header", "s3cret"), "a header is written 'Name: value', in ASCII"),
        (("--to", "http://a", "--token-file", "no"), "no: cannot be read (No such file or direc"),
        (("--to", "http://a", "--token-file", "empty"), "empty: holds no token, which is ASCII"),
        (("--to", "http://a", "--token-file", "odd"), "odd: holds no token, which is ASCII"),
        (("--to", "http://a", "--to", "slack+http://b", "--header", "A: s3cret"),
         "--header and a token go to one URL over HTTP, and here are 2: send to the others by"),
        (("--to", "json://a", "--header", "A: s3cret"),
         "--header and a token go to one URL over HTTP, and here are 0: send to the others by"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent(
    driftline: Driftline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_text("s3cr\u00e9t", encoding="utf-8")
    monkeypatch.setattr(kafka_python, "connect", lambda config: pytest.fail("asked the broker"))
    ran = notify(driftline, *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)
    assert ran.err.startswith(said)
    assert "s3cret" not in ran.err


def test_a_dry_run_prints_and_keeps_nothing(
    driftline: Driftline, tmp_path: Path, server: Server
) -> None:
    ran = notify(driftline, "--dry-run", "--to", server.url, "--position", "p.json")
    assert ran.out.splitlines()[:3] == [
        "car-loan: FIRING critical, 2 alerts",
        alert().summary,
        alert().summary,
    ]
    assert (server.bodies, (tmp_path / "p.json").exists()) == ([], False)


def test_a_sample_is_sent_without_a_broker(
    driftline: Driftline, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_python, "connect", lambda config: pytest.fail("asked the broker"))
    to = ("--to", server.url, "--to", f"slack+{server.url}")
    ran = notify(driftline, "--test", *to)
    assert (ran.code, ran.out) == (0, "127.0.0.1: a sample was sent\n" * 2)
    server.codes = [500, 200]
    ran = notify(driftline, "--test", *to)
    assert (ran.code, ran.out) == (2, "127.0.0.1: a sample was sent\n")
    assert ran.err == "127.0.0.1 answered 500\n1 of 2 did not take the sample\n"


def test_a_server_that_refuses(driftline: Driftline, server: Server) -> None:
    server.codes = [500]
    ran = notify(driftline, "--to", f"alertmanager+{server.url}")
    assert (ran.code, ran.err.splitlines()[-1]) == (2, "sent 0, retried 1, given up 0")


def test_the_old_verb_still_works(driftline: Driftline, server: Server) -> None:
    ran = driftline("alerts", "webhook", "--format", "slack", server.url, *ONCE)
    assert (ran.code, ran.err.splitlines()) == (
        0,
        [
            "alerts webhook is deprecated: use  driftline alerts notify --to slack+URL",
            "sent 1, retried 0, given up 0",
        ],
    )
    assert "text" in server.bodies[0]


def test_a_signal_stops_and_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with until_stopped() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)
    assert signal.getsignal(signal.SIGTERM) is before
