"""The files of the user's guide, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from driftline.consumer.config import Budget, For, Limit, Start
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.time_form import TimeForm

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

FILES = Path(__file__).parent / "files"


def test_smallest(read: Read) -> None:
    loaded = read((FILES / "smallest.yaml").read_text(encoding="utf-8"))
    model = loaded.config.models["car-loan"]
    assert loaded.config.kafka.bootstrap_servers == ("localhost:9092",)
    assert model.predictions == ("ml.predictions",)
    assert model.reference.layout == "references/car-loan.json.gz"
    assert loaded.files == ("driftline.yaml",)
    assert loaded.warnings == ()


def test_three_models(read: Read, three_models: dict[str, str]) -> None:
    loaded = read(three_models, offline=True)
    config = loaded.config
    assert loaded.files == ("driftline.yaml", "teams/crm.yaml")
    assert loaded.warnings == ()
    assert list(config.models) == ["fraud-scorer", "chargeback-risk", "price-quote", "churn"]

    kafka = config.kafka
    assert kafka.bootstrap_servers == ("kafka-1:9093", "kafka-2:9093")
    assert kafka.group == "driftline"
    assert kafka.start == Start("ago", 24 * 3_600_000)
    assert kafka.tls is not None
    assert kafka.tls.ca_file == Path("/etc/driftline/ca.pem")
    assert kafka.sasl is not None
    assert (kafka.sasl.mechanism, kafka.sasl.username) == ("SCRAM-SHA-512", "driftline")
    assert kafka.sasl.password_file == Path("/run/secrets/kafka-password")
    assert kafka.sasl.password is None

    fraud = config.models["fraud-scorer"]
    assert fraud.labels is not None
    assert (fraud.labels.topic, fraud.labels.horizon) == ("payments.chargebacks", 14 * 86_400_000)
    assert fraud.owner == "risk"
    assert fraud.runbook == "https://wiki.example/fraud-scorer"
    assert fraud.segments == ("channel",)
    assert fraud.thresholds_for("country") == {"missing": Limit(critical=0.05)}
    assert fraud.thresholds_for("amount") == {
        "missing": Limit(critical=0.05),
        "psi": Limit(warning=0.1, critical=0.25, for_=For(2, 3)),
    }
    assert fraud.performance["roc_auc"].max_drop == 0.02
    assert fraud.performance["roc_auc"].for_ == (2, 3)

    risk = config.models["chargeback-risk"]
    assert risk.is_ignored("debug_x")
    assert risk.is_ignored("trace_id")
    assert not risk.is_ignored("trace_id2")

    price = config.models["price-quote"]
    assert price.budget == Budget(1, 90 * 86_400_000)
    assert (price.window.length, price.window.every) == (6 * 3_600_000, 30 * 60_000)
    assert price.window.length == 12 * price.window.every

    # What the model does not say comes from `defaults`, also inside of window.
    assert fraud.window.every == risk.window.every == config.models["churn"].window.every == 300_000
    assert price.window.grace == 60_000
    assert config.models["churn"].reference.layout == "teams/churn.json"


def test_mapping_of_a_source(read: Read, three_models: dict[str, str]) -> None:
    source = read(three_models, offline=True).config.sources["pricing.predictions"]
    assert source.mapping == Mapping(
        {
            "event_id": "request_id",
            "timestamp": "ts",
            "prediction.score": "price",
            "tags.country": "market",
            "features": "*",
        },
        TimeForm("ms"),
    )


def test_the_error_of_the_guide(problems: Problems, three_models: dict[str, str]) -> None:
    text = three_models["driftline.yaml"]
    slip = text.replace("    window: {length: 6h", "    windows: {length: 6h")
    line = next(i for i, row in enumerate(slip.splitlines(), 1) if "windows:" in row)
    assert problems({**three_models, "driftline.yaml": slip}, offline=True) == [
        f"driftline.yaml:{line}: models.price-quote.windows: unknown key, did you mean window?"
    ]
