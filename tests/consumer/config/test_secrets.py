"""A secret is read from two places only and shown in none."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer

from driftline.consumer.config import ConfigError, Loaded, show
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.kafka_python.options import client_options

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

SECRET = "hunter2-Xq"
ADVICE = "set kafka.sasl.password_file or DRIFTLINE__KAFKA__SASL__PASSWORD"
MODEL = "models:\n  m: {predictions: t, reference: r.json}\n"
ENVIRON = {"DRIFTLINE__KAFKA__SASL__PASSWORD": SECRET}


def config(
    sasl: str = "password_file: secret.txt", server: str = "localhost:9092", more: str = ""
) -> str:
    kafka = (
        f"bootstrap_servers: ['{server}'], sasl: {{mechanism: PLAIN, username: u, {sasl}}}{more}"
    )
    return f"{MODEL}kafka: {{{kafka}}}\n"


def password(loaded: Loaded) -> str | None:
    sasl = loaded.config.kafka.sasl
    assert sasl is not None
    return sasl.password.get_secret_value() if sasl.password else None


def test_from_a_file(read: Read) -> None:
    files = {"conf/driftline.yaml": config(), "conf/secret.txt": SECRET + "\n"}
    assert password(read(files)) == SECRET
    assert password(read(files, offline=True)) is None


def test_the_environment_wins(read: Read) -> None:
    assert password(read({"driftline.yaml": config(), "secret.txt": "other"}, ENVIRON)) == SECRET
    assert password(read(config(sasl=""), ENVIRON)) == SECRET


@pytest.mark.parametrize("secret", ["{x", "[1]", "12345", "true", "a,b", " x"])
def test_a_password_is_not_parsed(read: Read, secret: str) -> None:
    environ = {"DRIFTLINE__KAFKA__SASL__PASSWORD": secret}
    assert password(read(config(sasl=""), environ)) == secret


def test_never_shown(read: Read) -> None:
    for files, environ in (
        ({"driftline.yaml": config(), "secret.txt": SECRET}, {}),
        ({"driftline.yaml": config()}, ENVIRON),
    ):
        loaded = read(files, environ)
        assert password(loaded) == SECRET
        shown = [
            repr(loaded),
            str(loaded.config),
            repr(loaded.config.kafka.sasl),
            show(loaded),
            loaded.config.model_dump_json(),
            str(vars(loaded.locations)),
        ]
        assert all(SECRET not in text for text in shown)
        assert "'**********'" in show(loaded)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            config(sasl=f"password: {SECRET}"),
            f"3: kafka.sasl.password: a secret does not belong here, {ADVICE}",
        ),
        (
            config(more=f", options: {{sasl_plain_password: {SECRET}}}"),
            f"3: kafka.options.sasl_plain_password: a secret does not belong here, {ADVICE}",
        ),
        (
            config(more=f", options: {{ssl_password: {SECRET}}}"),
            "3: kafka.options.ssl_password:"
            " a secret does not belong here, use a key_file that needs no passphrase",
        ),
        (
            config(more=f", options: {{my_token: {SECRET}}}"),
            f"3: kafka.options.my_token: looks like a secret, which does not belong here: {ADVICE}",
        ),
        (
            config(sasl=f"passwort: {SECRET}"),
            "3: kafka.sasl.passwort: unknown key, did you mean password_file?",
        ),
        (
            config(server=f"user:{SECRET}@kafka-1:9092"),
            "3: kafka.bootstrap_servers: write each broker as host:port, for example kafka-1:9092",
        ),
        (f"{config()}x: *{SECRET}\n", "4: not valid YAML: found undefined alias"),
        (
            f"{config()}runbook: !{SECRET} x\n",
            "4: runbook: tags (a word after !) are not supported",
        ),
    ],
)
def test_refused_in_the_file(read: Read, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read({"driftline.yaml": text, "secret.txt": SECRET}, ENVIRON)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"driftline.yaml:{line}"
    error = caught.value
    assert SECRET not in repr(error) + str(error) + str(pickle.dumps(error.args))
    assert error.__cause__ is None
    assert error.__context__ is None


def test_refused_on_the_command_line(problems: Problems) -> None:
    overrides = {"kafka": {"sasl": {"password": SECRET}}}
    assert problems(config(sasl=""), ENVIRON, overrides) == [
        f"command line: kafka.sasl.password: a secret does not belong here, {ADVICE}"
    ]


def test_missing_or_unreadable(problems: Problems) -> None:
    assert problems(config()) == [
        "driftline.yaml:3: kafka.sasl.password_file:"
        " secret.txt cannot be read: No such file or directory"
    ]
    assert problems({"driftline.yaml": config(), "secret.txt": "\n"}) == [
        "driftline.yaml:3: kafka.sasl.password_file: secret.txt is empty"
    ]
    assert problems(config(sasl="")) == [
        f"driftline.yaml:3: kafka.sasl: a password is missing, {ADVICE}"
    ]
    assert problems(config(sasl=""), offline=True) == []


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.symlink_to("/dev/zero"), "it is a pipe or a device, not a file"),
        (os.mkfifo, "it is a pipe or a device, not a file"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_text(SECRET * 10_000), "it is larger than 64,000 bytes"),
        (
            lambda path: (path.write_text(SECRET), path.chmod(0o646)),
            "everybody may write it, run  chmod o-w  on it",
        ),
    ],
)
def test_a_file_that_holds_no_password(
    problems: Problems, tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    make(tmp_path / "secret.txt")
    assert problems(config()) == [
        f"driftline.yaml:3: kafka.sasl.password_file: secret.txt cannot be read: {said}"
    ]
    assert problems(config(), offline=True) == []


def test_a_token_is_read_as_carefully_at_each_login(read: Read, tmp_path: Path) -> None:
    text = (
        f"{MODEL}kafka: {{bootstrap_servers: '[::1]:9092', sasl: {{mechanism: OAUTHBEARER,"
        " password_file: secret.txt}}\n"
    )
    kafka = read({"driftline.yaml": text, "secret.txt": "one"}).config.kafka
    token = client_options(kafka, KafkaConsumer, {})["sasl_oauth_token_provider"].token
    (tmp_path / "secret.txt").write_text("two\n")
    assert token() == "two"
    (tmp_path / "secret.txt").chmod(0o666)
    with pytest.raises(LogError, match=r"secret\.txt cannot be read: everybody may write it"):
        token()


def test_oauthbearer_has_no_user(read: Read) -> None:
    text = MODEL + "kafka: {bootstrap_servers: '[::1]:9092', sasl: {mechanism: OAUTHBEARER}}\n"
    assert password(read(text)) is None


def test_user_name_and_mechanism(problems: Problems) -> None:
    head = MODEL + "kafka: {bootstrap_servers: 'localhost:9092', sasl: "
    assert problems(head + "{mechanism: SCRAM-SHA-256}}\n", ENVIRON) == [
        "driftline.yaml:3: kafka.sasl.username: SCRAM-SHA-256 needs a user name"
    ]
    assert problems(head + "{mechanism: SCRAM, username: u}}\n", ENVIRON) == [
        "driftline.yaml:3: kafka.sasl.mechanism: unknown value,"
        " known are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"
    ]


@pytest.mark.parametrize(
    ("server", "allowed"),
    [
        ("localhost:9092", True),
        ("127.0.0.1:9092", True),
        ("127.9.9.9:9092", True),
        ("[::1]:9092", True),
        ("kafka-1:9092", False),
        ("10.0.0.1:9092", False),
        ("localhost.example:9092", False),
    ],
)
def test_a_login_needs_tls_except_to_loopback(
    problems: Problems, server: str, allowed: bool
) -> None:
    refused = (
        "driftline.yaml:3: kafka.sasl: refused without TLS, because anybody on the way could read"
        " the login: add `tls: {}` to kafka"
    )
    assert problems(config(sasl="", server=server), ENVIRON) == ([] if allowed else [refused])
    assert problems(config(sasl="", server=server, more=", tls: {}"), ENVIRON) == []


def test_tls_files(problems: Problems) -> None:
    text = MODEL + "kafka: {bootstrap_servers: 'k:1', tls: {ca_file: ca.pem, key_file: key.pem}}\n"
    key = "driftline.yaml:3: kafka.tls.key_file: a key needs its certificate: set cert_file too"
    assert problems(text) == [
        "driftline.yaml:3: kafka.tls.ca_file: ca.pem cannot be read: No such file or directory",
        "driftline.yaml:3: kafka.tls.key_file: key.pem cannot be read: No such file or directory",
        key,
    ]
    assert problems(text, offline=True) == [key]
    Path("ca.pem").write_text("x")
    Path("key.pem").write_text("x")
    assert problems(text.replace("key_file", "cert_file")) == []
    Path("key.pem").chmod(0o666)
    Path("ca.pem").unlink()
    Path("ca.pem").symlink_to("/dev/zero")
    assert problems(text)[:2] == [
        "driftline.yaml:3: kafka.tls.ca_file: ca.pem cannot be read: it is a pipe or a device, not"
        " a file",
        "driftline.yaml:3: kafka.tls.key_file: key.pem cannot be read: everybody may write it, run"
        "  chmod o-w  on it",
    ]
