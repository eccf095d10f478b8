"""`kafka.options` in librdkafka's names: what is accepted makes a client, the rest would not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from pydantic import SecretStr, ValidationError

from driftline.consumer.config import KafkaConfig, SaslConfig
from driftline.consumer.config.client_options import (
    FREE,
    LIBRDKAFKA,
    OF_THE_MEMBER,
    librdkafka_problems,
    option_problems,
)
from driftline.consumer.log import broker
from driftline.consumer.log.confluent.client_log import LibrdkafkaLog, client_logger
from driftline.consumer.log.confluent.options import client_options, start_client
from driftline.consumer.log.errors import LogError

NOBODY = "127.0.0.1:1"
CLASSES = {"consumer": confluent_kafka.Consumer, "producer": confluent_kafka.Producer}


def settings(**options: Any) -> KafkaConfig:
    """A configuration that nobody has checked."""
    config = KafkaConfig(bootstrap_servers=(NOBODY,), group="g", client="confluent")
    return config.model_copy(update={"options": options})


def start(client: str, config: KafkaConfig) -> None:
    fixed = {"group.id": "g"} if client == "consumer" else {}
    options = client_options(config, client, {}, **fixed)
    start_client(lambda: CLASSES[client](options))


def test_every_option_is_librdkafkas_or_the_members_or_refused() -> None:
    refused = FREE - LIBRDKAFKA.keys() - OF_THE_MEMBER
    assert refused == {
        "enable_incremental_fetch_sessions", "metric_group_prefix", "metrics_enabled",
        "metrics_num_samples", "metrics_sample_window_ms", "proxy_url", "socks5_proxy",
    }  # fmt: skip
    assert LIBRDKAFKA.keys() | OF_THE_MEMBER <= FREE
    assert not LIBRDKAFKA.keys() & OF_THE_MEMBER


NUMBERS = [
    (name, client)
    for name, known in LIBRDKAFKA.items()
    for client in ([known.client] if known.client else CLASSES)
    if not dict(option_problems({name: 1_000})).get(name)
]


@pytest.mark.parametrize(("name", "client"), NUMBERS)
def test_the_bounds_are_those_of_librdkafka(name: str, client: str) -> None:
    known = LIBRDKAFKA[name]
    for value in (known.least, known.most):
        start(client, settings(**{name: value}))
    for value in (known.least - 1, known.most + 1):
        problems = dict(option_problems({name: value})) | dict(librdkafka_problems({name: value}))
        assert problems.keys() == {name}
    with pytest.raises(LogError, match=r"kafka\.options do not fit together: "):
        start(client, settings(**{name: known.most + 1}))


def test_both_clients_take_the_same_words() -> None:
    for kind in ("gzip", "snappy", "lz4", "zstd"):
        start("producer", settings(compression_type=kind, client_id="x"))
    for given, taken in (({}, None), ({"compression_type": None}, "none")):
        made = client_options(settings(**given), "producer", {"compression.type": None})
        assert made["compression.type"] == taken
    start("producer", settings(compression_type=None))
    for way in ("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"):
        start("consumer", settings(client_dns_lookup=way, client_rack="r"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"socks5_proxy": "a:1"}, "confluent has no such option, remove it"),
        ({"metrics_num_samples": 2}, "confluent has no such option"),
        ({"linger": 5}, "the client has no such option, did you mean linger_ms?"),
        ({"retry_backoff_ms": 0}, "confluent takes 1 to 300000"),
        ({"acks": 1}, "is set by Driftline"),
    ],
)
def test_what_librdkafka_has_not_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KafkaConfig(bootstrap_servers=(NOBODY,), client="confluent", options=options)


def test_the_member_has_options_too() -> None:
    options = {"session_timeout_ms": 9_000, "group_instance_id": "one", "max_poll_records": 7}
    assert KafkaConfig(bootstrap_servers=(NOBODY,), client="confluent", options=options)


def test_the_login(tmp_path: Path) -> None:
    file = tmp_path / "token"
    sasl = SaslConfig(mechanism="OAUTHBEARER", password_file=file)
    config = settings().model_copy(update={"sasl": sasl})
    options = client_options(config, "producer", {})
    for text in ("first", "second"):  # whoever writes the file refreshes it
        file.write_text(f"{text}\n", encoding="utf-8")
        file.chmod(0o600)
        assert options["oauth_cb"]("")[0] == text
    plain = SaslConfig(mechanism="PLAIN", username="alice", password=SecretStr("pw"))
    options = client_options(settings().model_copy(update={"sasl": plain}), "producer", {})
    assert (options["sasl.username"], options["sasl.password"]) == ("alice", "pw")
    assert options["security.protocol"] == "SASL_PLAINTEXT"
    with pytest.raises(LogError, match=r"kafka\.sasl has no password"):
        client_options(
            settings().model_copy(update={"sasl": plain.model_copy(update={"password": None})}),
            "producer",
            {},
        )


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "find_spec", lambda name: None)
    with pytest.raises(LogError, match=r"needs the extra confluent: pip install "):
        broker.connect(settings())
    broker.require_client(KafkaConfig(bootstrap_servers=(NOBODY,)))


def test_each_kind_of_line_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    logger = client_logger()
    assert client_logger() is logger
    assert sum(isinstance(handler, LibrdkafkaLog) for handler in logger.handlers) == 1
    handler = LibrdkafkaLog()
    for kind in ("FAIL", "FAIL", "CONFWARN"):
        line = {"msg": "%s [%s] %s", "args": (kind, "rdkafka#producer-9", "refused")}
        handler.emit(logging.makeLogRecord({"levelno": logging.WARNING, **line}))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["FAIL", "CONFWARN"]
    known = "Configuration property enable.gapless.guarantee is experimental: When set"
    line = {"msg": "%s [%s] %s", "args": ("OTHER", "rdkafka#producer-9", known)}
    handler.emit(logging.makeLogRecord({"levelno": logging.WARNING, **line}))
    assert len(caplog.records) == 2
    assert logger.isEnabledFor(logging.WARNING)
    assert not logger.isEnabledFor(logging.INFO)
