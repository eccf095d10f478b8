"""Every key and its default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.consumer.config import Budget, Start
from driftline.consumer.config.values import For

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Read

KAFKA = "kafka: {bootstrap_servers: localhost:9092}\n"
MODEL = "models: {m: {predictions: t, reference: r.json, %s}}\n"
HOUR, DAY = 3_600_000, 86_400_000


def test_sections(read: Read) -> None:
    config = read(KAFKA + MODEL % "").config
    assert config.version == 1
    assert config.include == ()
    assert config.kafka.group == "driftline"
    assert config.kafka.start == Start("ago", DAY)
    assert config.kafka.tls is None
    assert config.kafka.sasl is None
    assert config.kafka.options == {}
    assert config.output.prefix == "driftline"
    assert config.output.create_topics is False
    assert config.output.partitions is None
    assert config.output.replication_factor is None
    assert config.sources == {}
    assert config.defaults == {}
    assert config.limits.max_ahead == 300_000
    assert config.limits.idle_after == 60_000
    assert config.limits.max_event_bytes == 262_144
    assert (config.http.host, config.http.port) == ("127.0.0.1", 9108)
    assert (config.ui.url, config.ui.host, config.ui.port) == (None, "127.0.0.1", 9110)
    assert (config.ui.workers, config.ui.windows) == ((), 200)
    assert config.metrics.max_series == 200
    assert (config.log.level, config.log.format) == ("info", "auto")


def test_model(read: Read) -> None:
    model = read(KAFKA + MODEL % "").config.models["m"]
    window = model.window
    assert (window.length, window.every, window.grace) == (HOUR, HOUR, 60_000)
    assert window.min_events == 500
    assert model.labels is None
    assert model.zone == "UTC"
    assert model.budget == Budget(1, 30 * DAY)
    assert (model.min_effect, model.min_rise, model.critical_effect) == (0.02, 0.02, 0.25)
    assert model.thresholds == {}
    assert model.features == {}
    assert model.performance == {}
    assert model.ignore == model.segments == ()
    assert model.positive_label is None
    assert model.stale_after == DAY
    assert model.owner is None
    assert model.runbook is None
    assert model.page is None
    assert model.weight_for("x") == 1
    assert not model.is_ignored("x")


def test_every_is_length(read: Read) -> None:
    window = read(KAFKA + MODEL % "window: {length: 6d}").config.models["m"].window
    assert (window.length, window.every, window.pane) == (6 * DAY, 6 * DAY, None)


def test_labels(read: Read) -> None:
    for written in ("labels: truth", "labels: {topic: truth}"):
        labels = read(KAFKA + MODEL % written).config.models["m"].labels
        assert labels is not None
        assert (labels.topic, labels.horizon, labels.by) == ("truth", 7 * DAY, "arrival")
        assert labels.maturity == 7 * DAY
    written = "labels: {topic: truth, by: prediction, horizon: 14d}"
    labels = read(KAFKA + MODEL % written).config.models["m"].labels
    assert labels is not None
    assert labels.maturity == 14 * DAY  # the horizon


def test_limit(read: Read) -> None:
    model = read(KAFKA + MODEL % "thresholds: {ks: {warning: 0.1}}").config.models["m"]
    limit = model.thresholds["ks"]
    assert (limit.warning, limit.critical, limit.on) == (0.1, None, "value")
    assert limit.for_ == For(1, 1)
    assert limit.for_ == (1, 1)


def test_group_is_prefix(read: Read) -> None:
    config = read(KAFKA + MODEL % "" + "output: {prefix: credit.drift}\n").config
    assert config.kafka.group == "credit.drift"
    assert config.output.topic("dead-letter") == "credit.drift.dead-letter"


def test_tls_may_be_empty(read: Read) -> None:
    tls = read("kafka: {bootstrap_servers: k:9093, tls: {}}\n" + MODEL % "").config.kafka.tls
    assert tls is not None
    assert (tls.ca_file, tls.cert_file, tls.key_file) == (None, None, None)


def test_notations(read: Read) -> None:
    keys = """
      budget: off, stale_after: off, min_rise: 5%, positive_label: 1, segments: "a, b",
      predictions: [t, u], features: {x.y: {weight: 2, type: boolean},
        prediction.score: {thresholds: {ks: {critical: 0.3}}}},
      thresholds: {ks: {warning: 1%, on: p_value}}"""
    text = KAFKA + MODEL.replace("predictions: t, ", "") % keys
    model = read(text).config.models["m"]
    assert model.budget is None
    assert model.stale_after is None
    assert model.min_rise == 0.05
    assert model.positive_label == "1"
    assert model.segments == ("a", "b")
    assert model.predictions == ("t", "u")
    assert (model.weight_for("x.y"), model.features["x.y"].type) == (2, "boolean")
    assert model.thresholds_for("x.y")["ks"].on == "p_value"
    # The feature's own limit on a detector takes the place of the model's.
    assert model.thresholds_for("prediction.score")["ks"].critical == 0.3
    assert model.thresholds_for("prediction.score")["ks"].warning is None
