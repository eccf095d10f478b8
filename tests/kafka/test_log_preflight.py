"""What an operator reads when the broker cannot be reached, with servers of a few lines each."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kafka.broker import write_certificates

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import wait_for_broker
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.kafka_python import connect
from driftline.consumer.log.kafka_python.identity import instance_id, ssl_context
from driftline.consumer.log.kafka_python.preflight import login, preflight

Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers on free ports: `serve(talk)` returns the address, `talk` gets a connection."""
    listening: list[socket.socket] = []

    def start(talk: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    talk(connection)

        threading.Thread(target=run, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in listening:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def broker_that_answers(*replies: bytes) -> Callable[[socket.socket], None]:
    """A broker that knows ApiVersions, and answers SaslHandshake and the login with `replies`."""

    def talk(connection: socket.socket) -> None:
        for body in (b"\0\0\0\0\0\0", *replies):
            head = connection.recv(4)
            if not head:
                return
            connection.recv(struct.unpack(">i", head)[0])
            connection.sendall(struct.pack(">ii", 4 + len(body), 1) + body)

    return talk


def behind_tls(
    directory: Path, talk: Callable[[socket.socket], None]
) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "broker.pem")

    def secure(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            talk(wrapped)

    return secure


NO_LOGIN = struct.pack(">hi", 34, 0)
LOGIN = struct.pack(">hih5s", 33, 1, 5, b"PLAIN")
OFFERED = struct.pack(">hih5s", 0, 1, 5, b"PLAIN")
LET_IN = struct.pack(">hhi", 0, -1, 0)
NOT_LET_IN = struct.pack(">hh6si", 58, 6, b"Sorry!", 0)
ALICE = {"mechanism": "PLAIN", "username": "alice", "password": "x"}


def sentence(config: KafkaConfig) -> str:
    """What a broker that refuses makes us say: exit code 2."""
    with pytest.raises(LogError) as caught:
        connect(config)
    return str(caught.value)


def outage(config: KafkaConfig) -> str:
    """What is said while nobody answers, who is waited for: exit code 75 or patience."""
    with pytest.raises(Unreachable) as caught:
        connect(config)
    return str(caught.value)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def kafka_section(address: str, **more: object) -> KafkaConfig:
    return KafkaConfig.model_validate({"bootstrap_servers": [address], **more})


def test_unknown_host() -> None:
    said = outage(kafka_section("no-such-broker.invalid:9092"))
    assert said == (
        "no-such-broker.invalid:9092: unknown host no-such-broker.invalid,"
        " check kafka.bootstrap_servers"
    )


def test_nobody_listens() -> None:
    address = closed_port()
    assert outage(kafka_section(address)) == (
        f"{address}: connection refused: no broker listens there"
    )


def test_silence_is_not_waited_for_longer_than_the_limit(serve: Serve) -> None:
    address = serve(lambda connection: time.sleep(1))
    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
        preflight([address], None, None, 0.3)
    assert time.monotonic() - start < 0.9


def test_something_else_listens(serve: Serve) -> None:
    address = serve(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert sentence(kafka_section(address)) == (
        f"{address}: what listens there is not a Kafka broker"
    )


def test_plain_text_to_a_tls_port_that_says_so(serve: Serve) -> None:
    alert = b"\x15\x03\x03\x00\x02\x02\x46"  # unexpected message
    said = sentence(kafka_section(serve(lambda connection: connection.sendall(alert))))
    assert "this listener speaks TLS: set kafka.tls" in said


def test_plain_text_to_a_tls_port_that_hangs_up(serve: Serve, tmp_path: Path) -> None:
    address = serve(behind_tls(write_certificates(tmp_path / "tls"), broker_that_answers(NO_LOGIN)))
    assert "this listener speaks TLS: set kafka.tls" in sentence(kafka_section(address))


def test_tls_to_a_plain_text_port(serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        (size,) = struct.unpack(">i", connection.recv(4))
        if size < 1_000:  # else what a broker does with a TLS greeting: it hangs up
            connection.recv(size)
            connection.sendall(struct.pack(">ii", 10, 1) + b"\0\0\0\0\0\0")

    address = serve(talk)
    assert sentence(kafka_section(address, tls={})) == (
        f"{address}: this listener does not speak TLS: remove kafka.tls, or use its TLS port"
    )


@pytest.mark.parametrize("tls", [None, {}])
def test_a_balancer_whose_brokers_are_away(serve: Serve, tls: dict[str, str] | None) -> None:
    """It accepts and hangs up; with TLS it may make the handshake itself."""
    config = kafka_section(serve(lambda connection: None))
    if tls is not None:
        config = kafka_section(config.bootstrap_servers[0], tls=tls)
    said = outage(config)
    assert "it hung up at once: if this listener" in said
    assert "kafka.tls" in said


def test_a_balancer_that_ends_tls_and_whose_brokers_are_away(serve: Serve, tmp_path: Path) -> None:
    tls = write_certificates(tmp_path / "tls")
    address = serve(behind_tls(tls, lambda connection: None))
    said = outage(kafka_section(address, tls={"ca_file": tls / "ca.pem"}))
    assert "it hung up after the TLS handshake" in said


def test_a_server_that_answers_tls_with_plain_text(serve: Serve) -> None:
    address = serve(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert "does not speak TLS" in sentence(kafka_section(address, tls={}))


@pytest.mark.parametrize(
    ("host", "valid", "cause"),
    [
        ("127.0.0.1", (-60, -30), "the broker's certificate has expired"),
        ("127.0.0.1", (2, 3), "the broker's certificate is not valid yet: check the clocks"),
        ("kafka-1", (-1, 1), "the broker's certificate is not for the host name 127.0.0.1"),
    ],
)
def test_certificates(
    serve: Serve, tmp_path: Path, host: str, valid: tuple[int, int], cause: str
) -> None:
    tls = write_certificates(tmp_path / "tls", host, valid)
    address = serve(behind_tls(tls, broker_that_answers(NO_LOGIN)))
    said = sentence(kafka_section(address, tls={"ca_file": tls / "ca.pem"}))
    assert said == f"{address}: {cause}"


def test_another_authority(serve: Serve, tmp_path: Path) -> None:
    address = serve(behind_tls(write_certificates(tmp_path / "a"), broker_that_answers(NO_LOGIN)))
    other = write_certificates(tmp_path / "b")
    said = sentence(kafka_section(address, tls={"ca_file": other / "ca.pem"}))
    assert "not signed by an authority that kafka.tls.ca_file names" in said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_wanted(serve: Serve, tmp_path: Path, version: ssl.TLSVersion) -> None:
    tls = write_certificates(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "broker.pem")
    context.load_verify_locations(tls / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(100)

    said = sentence(kafka_section(serve(talk), tls={"ca_file": tls / "ca.pem"}))
    assert "client certificate" in said
    assert "kafka.tls.cert_file" in said


def test_old_tls_is_refused(serve: Serve, tmp_path: Path) -> None:
    tls = write_certificates(tmp_path / "tls")
    config = kafka_section("127.0.0.1:1", tls={"ca_file": tls / "ca.pem"})
    assert config.tls is not None
    assert ssl_context(config.tls).minimum_version == ssl.TLSVersion.TLSv1_2
    assert ssl_context(config.tls).check_hostname


def test_a_login_is_wanted(serve: Serve) -> None:
    address = serve(broker_that_answers(LOGIN))
    assert sentence(kafka_section(address)) == (
        f"{address}: the broker wants a login: set kafka.sasl (mechanism: PLAIN)"
    )


def test_the_mechanism_is_not_offered(serve: Serve) -> None:
    sasl = {"mechanism": "SCRAM-SHA-512", "username": "alice", "password": "x"}
    address = serve(broker_that_answers(LOGIN))
    assert sentence(kafka_section(address, sasl=sasl)) == (
        f"{address}: the broker does not offer kafka.sasl.mechanism SCRAM-SHA-512, but PLAIN"
    )


def test_no_login_is_wanted(serve: Serve) -> None:
    address = serve(broker_that_answers(NO_LOGIN))
    assert sentence(kafka_section(address, sasl=ALICE)) == (
        f"{address}: this listener takes no login: remove kafka.sasl, or use its SASL port"
    )


def test_one_broker_of_several_is_enough(serve: Serve) -> None:
    dead = closed_port()
    alice = login(kafka_section("localhost:1", sasl=ALICE))
    preflight([dead, serve(broker_that_answers(OFFERED, LET_IN))], None, alice, 2.0)
    preflight([dead, serve(broker_that_answers(NO_LOGIN))], None, None, 2.0)


def test_one_refusal_of_several_is_enough_and_one_stranger_is_not(serve: Serve) -> None:
    dead = closed_port()
    refuses = serve(broker_that_answers(LOGIN))
    with pytest.raises(LogError, match="the broker wants a login"):
        preflight([dead, refuses], None, None, 2.0)
    stranger = serve(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"))
    with pytest.raises(Unreachable, match="not a Kafka broker"):
        preflight([stranger, dead], None, None, 2.0)


def test_the_login_is_refused(serve: Serve) -> None:
    address = serve(broker_that_answers(OFFERED, NOT_LET_IN))
    assert sentence(kafka_section(address, sasl=ALICE)) == (
        f"{address}: the broker refused the login of alice:"
        " check kafka.sasl.username and the password"
    )


def test_a_broker_that_goes_away_while_we_log_in_has_refused_nothing(serve: Serve) -> None:
    address = serve(broker_that_answers(OFFERED))
    assert "it hung up" in outage(kafka_section(address, sasl=ALICE))


def test_a_token_whose_file_is_gone(serve: Serve, tmp_path: Path) -> None:
    sasl = {"mechanism": "OAUTHBEARER", "password_file": tmp_path / "token"}
    address = serve(broker_that_answers(OFFERED))
    said = sentence(kafka_section(address, sasl=sasl))
    assert f"kafka.sasl.password_file {tmp_path / 'token'} cannot be read" in said


def test_who_cannot_be_reached_is_waited_for_with_a_line_a_minute() -> None:
    now = 1000.0
    lines: list[tuple[str, float]] = []

    def attempt() -> str:
        if now < 1000 + longest_outage:
            raise Unreachable("k:1: connection refused")
        return "here"

    def pause(seconds: float) -> None:
        nonlocal now
        now += seconds

    def wait(longest: float | None) -> str:
        return wait_for_broker(
            attempt, longest, lambda e, s: lines.append((str(e), s)), pause, lambda: now
        )

    longest_outage = 150.0
    assert wait(None) == "here"
    assert lines == [("k:1: connection refused", waited) for waited in (0.0, 60.0, 120.0)]
    now, lines = 1000.0, []
    with pytest.raises(Unreachable):
        wait(90.0)
    assert (now, len(lines)) == (1090.0, 2)
    now, lines = 1000.0, []
    with pytest.raises(Unreachable):
        wait(0.0)
    assert (now, lines) == (1000.0, [])


def test_a_broker_that_does_not_know_the_handshake(serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        (size,) = struct.unpack(">i", connection.recv(4))
        connection.recv(size)
        connection.sendall(struct.pack(">ii", 10, 1) + b"\0\0\0\0\0\0")

    preflight([serve(talk)], None, None, 2.0)


@pytest.mark.parametrize(
    ("tls", "cause"),
    [
        ({"ca_file": "missing.pem"}, "kafka.tls.ca_file missing.pem cannot be used: "),
        ({"cert_file": "missing.pem"}, "kafka.tls.cert_file missing.pem cannot be used: "),
    ],
)
def test_files_of_tls(tls: dict[str, str], cause: str) -> None:
    assert sentence(kafka_section("127.0.0.1:1", tls=tls)).startswith(cause)


def test_a_host_whose_name_cannot_be_the_id_of_a_member(monkeypatch: pytest.MonkeyPatch) -> None:
    config = kafka_section("127.0.0.1:1", static_membership=True)
    monkeypatch.setattr(socket, "gethostname", lambda: "driftline-0.example")
    assert instance_id(config) == "driftline-0.example"
    monkeypatch.setattr(socket, "gethostname", lambda: "Anna's laptop")
    said = sentence(config)
    assert said.startswith('kafka.static_membership: this host is called "Anna\'s laptop", not a')
    assert said.endswith("or set kafka.options.group_instance_id instead")
