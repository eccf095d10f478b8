"""`driftline check`: the examples of the documentation, and each thing that it finds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.log.transactions import MemoryTransaction

from driftline.consumer.cli.check_all import inspect
from driftline.consumer.cli.check_findings import overview, render
from driftline.consumer.cli.topic_checks import input_topics, wanted_topics
from driftline.consumer.config import Loaded, load
from driftline.consumer.judge.dispersed import NO_TIMES
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Log, Message, TopicPartition
from driftline.detectors import FeatureColumn, build_reference
from driftline.detectors.outcomes import OutcomeLayout

HOUR = 3_600_000
EXAMPLE = """\
version: 1
include: [teams/*.yaml]
kafka:
  bootstrap_servers: [kafka-1:9093, kafka-2:9093]
  tls: {}
  sasl: {mechanism: SCRAM-SHA-512, username: driftline, password_file: kafka-password}
defaults:
  window: {length: 1h, every: 5m, grace: 1m, min_events: 500}
models:
  fraud-scorer:
    predictions: payments.predictions
    labels: {topic: payments.chargebacks, horizon: 14d}
    reference: fraud-scorer.json
    window: {min_events: 100}
    thresholds:
      missing: {critical: 5%}
    features:
      amount:
        thresholds:
          psi: {warning: 0.1, critical: 0.25, for: 2 of 3}
  chargeback-risk:
    predictions: payments.predictions
    reference: chargeback-risk.json
"""
TEAM = """\
sources:
  pricing.predictions:
    fields:
      event_id: request_id
      timestamp: ts
      prediction.score: price
      features: "*"
models:
  price-quote:
    predictions: pricing.predictions
    reference: ../price-quote.json
    budget: 1 per 90d
    features:
      amout: {weight: 2}
"""
PRINTED = """\
driftline.yaml   3 models, 3 input topics, budget 2.3 false alarms in 30 d

ok       kafka             kafka-1:9093, TLS, SCRAM-SHA-512 as driftline
ok       topics            payments.predictions 12 partitions, pricing.predictions 6, payments.chargebacks 4
error    topics            driftline.alerts is missing: run  driftline topics create
ok       fraud-scorer      reference ID (50,000 events, 2 features, no times: windows alone alarm until 30 panes are there, and how many events are normal is learnt in a week); 1,000 of 1,000 recent events fit
warning  fraud-scorer      amount: with min_events 100, 2.5 % of quiet windows reach psi 0.1 (219 of the 8,640 in 30 d);
                           with 500 none does. Raise min_events, or leave it to the budget
warning  chargeback-risk   about 110 events an hour: a window of 1h never has min_events 500; try length: 6h
error    price-quote       features.amout: not in the reference; did you mean amount?   teams/pricing.yaml:14

2 errors, 2 warnings
"""  # noqa: E501 (as it is printed)


OUTCOME: dict[str, Any] = {
    "layout": OutcomeLayout.classification(["no", "yes"], None, True).to_json(),
    "counts": [{"cell": [0, 1, 4], "count": [800, 50, 150]}],
    "error_model": None,
}
"""Of a model that names classes: 800 and 150 right, 50 wrong."""


def build(
    path: Path,
    model: str,
    features: Sequence[str] = ("amount",),
    events: int = 50_000,
    outcome: dict[str, Any] | None = None,
) -> str:
    """Write a reference of numeric features and one category; return its id."""
    columns = {
        name: FeatureColumn("numeric", np.arange(events) * 7919 % events / 10) for name in features
    }
    kinds = ["web" if i % 2 else "shop" for i in range(events)]
    columns["channel"] = FeatureColumn("categorical", kinds)
    reference = build_reference(model, columns, outcome=outcome)
    path.write_bytes(reference.to_json())
    return reference.id


def event(model: str, event_id: str | None = None, **features: object) -> bytes:
    return json.dumps({"model": model, "event_id": event_id, "features": features}).encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def broker(folder: Path) -> MemoryBroker:
    """The topics of the example; one of Driftline's own is missing."""
    made = MemoryBroker()
    for topic, partitions in (("payments.predictions", 12), ("pricing.predictions", 6)):
        made.create(topic, partitions)
    made.create("payments.chargebacks", 4)
    for name in ("verdicts", "panes", "joins", "dead-letter"):
        made.create(f"driftline.{name}", 6)
    for name in ("state", "control"):
        made.create(f"driftline.{name}", 6, "compact")
    return made


def check(folder: Path, log: Log | None) -> str:
    loaded = read(folder)
    head = overview(loaded.files, loaded.config, len(input_topics(loaded.config)))
    return f"{head}\n\n{render(inspect(loaded, log), 'driftline run')}\n"


def read(folder: Path) -> Loaded:
    return load("driftline.yaml", environ={}, offline=True)


def test_the_example_of_the_documentation(folder: Path, broker: MemoryBroker) -> None:
    (folder / "teams").mkdir()
    (folder / "driftline.yaml").write_text(EXAMPLE)
    (folder / "teams/pricing.yaml").write_text(TEAM)
    reference_id = build(folder / "fraud-scorer.json", "fraud-scorer", outcome=OUTCOME)
    build(folder / "chargeback-risk.json", "chargeback-risk")
    build(folder / "price-quote.json", "price-quote")
    now = broker.now = 1_700_000_000_000
    for i in range(12 * 100):  # every tenth is of the smaller model: 110 of those an hour
        model = "fraud-scorer" if i % 10 else "chargeback-risk"
        sent = now + int(i / 1_100 * HOUR)
        value = event(model, f"e{i}", amount=i, channel="web")
        broker.append(Message("payments.predictions", i // 10 % 12, None, value, timestamp=sent))
    printed = check(folder, MemoryLog(broker))
    assert printed == PRINTED.replace("ID", reference_id)


ONE = """\
kafka: {{bootstrap_servers: "localhost:9092"}}
models:
  car-loan: {{predictions: ml.predictions, reference: car-loan.json{more}}}
"""


@pytest.fixture
def one(folder: Path) -> Callable[..., MemoryBroker]:
    """One model whose topics all exist; what is sent to it."""

    def write(*values: bytes, more: str = "") -> MemoryBroker:
        (folder / "driftline.yaml").write_text(ONE.format(more=more))
        if not (folder / "car-loan.json").exists():
            build(folder / "car-loan.json", "car-loan")
        made = MemoryBroker(now=1_700_000_000_000)
        made.create("ml.predictions", 2)
        for spec in wanted_topics(read(folder).config):
            made.create(spec.name, 6, spec.cleanup_policy)
        for number, value in enumerate(values):
            made.append(Message("ml.predictions", number % 2, None, value))
        return made

    return write


def found(folder: Path, broker: MemoryBroker) -> list[str]:
    """What is printed between head and closing line, without what is always there."""
    lines = check(folder, MemoryLog(broker)).splitlines()[2:-2]
    return [line for line in lines if not line.startswith(("ok       kafka", "ok       topics"))]


def test_nothing_to_say(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one(*[event("car-loan", amount=1, channel="web")] * 10)
    printed = check(folder, MemoryLog(broker))
    assert printed.startswith(
        "driftline.yaml   1 model, 1 input topic, budget 1 false alarm in 30 d"
    )
    assert "ok       kafka             localhost:9092, no TLS, no login\n" in printed
    assert "ok       topics            ml.predictions 2 partitions\n" in printed
    fits = f"(50,000 events, 2 features, {NO_TIMES}); 10 of 10 recent events fit\n"
    assert fits in printed
    assert printed.endswith("\n\nno errors. Next: driftline run\n")


def test_windows_of_five_days_are_learnt_for_longer(
    folder: Path, one: Callable[..., MemoryBroker]
) -> None:
    broker = one(more=", window: {length: 5d, every: 1d}")
    printed = check(folder, MemoryLog(broker))
    assert "learnt in a week" not in printed
    assert "how many events are normal is learnt from the first 35 days of the stream" in printed


def test_no_events_yet(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    (line,) = found(folder, one())
    assert line.endswith(f"2 features, {NO_TIMES}); no recent events")


def test_events_that_do_not_fit(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    good = event("car-loan", amount=1, channel="web")
    (line, more) = found(folder, one(good, good, good, b"oops"))
    assert line.startswith(
        "warning  car-loan          1 of 4 recent events of ml.predictions are refused: malformed, "
    )
    assert more.strip() == "they will be dead letters"
    (_, more) = found(folder, one(b"oops", b"oops"))
    assert more.strip() == "they will be dead letters"  # which no mapping would help
    (_, more) = found(folder, one(b'{"a": 1}', b'{"a": 1}'))
    assert more.strip() == "map them with sources.ml.predictions.fields"
    (line, more) = found(folder, one(b'{"timestamp": "2200-01-01", "features": {"amount": 1}}'))
    assert "too_far_ahead" in line
    assert more.endswith("give the zone with sources.ml.predictions.timezone")


def test_events_of_nobody(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    assert found(folder, one(event("other", amount=1))) == [
        "warning  car-loan          none of 1 recent events of ml.predictions is of this model"
    ]


def test_a_transaction_that_is_open(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one(*[event("car-loan", amount=1, channel="web")] * 4)
    aborted = MemoryTransaction(broker, TopicPartition("ml.predictions", 0))
    aborted.send(b"oops")
    aborted.abort()
    (line,) = found(folder, broker)
    assert line.endswith("4 of 4 recent events fit")
    opened = MemoryTransaction(broker, TopicPartition("ml.predictions", 1))
    opened.send(b"oops")
    opened.send(b"oops")
    (first, more, last) = found(folder, broker)
    assert first == (
        "warning  topics            ml.predictions[1]: an open transaction holds what was written"
        " from offset 2 on (2 records at the most);"
    )
    assert more.strip() == "windows wait for it: let its producer commit or abort it"
    assert last.endswith("4 of 4 recent events fit")


def test_features_that_the_events_never_have(
    folder: Path, one: Callable[..., MemoryBroker]
) -> None:
    assert found(folder, one(event("car-loan", amount=12)))[0].endswith(
        "channel is absent from every recent event"
    )
    assert found(folder, one(event("car-loan", amount="much", channel=1)))[0].endswith(
        "amount is invalid in every recent event"
    )
    ignoring = one(event("car-loan", amount=1), more=", ignore: [channel]")
    assert found(folder, ignoring)[0].endswith("1 of 1 recent events fit")


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        (
            "ks: {warning: 0.01}",
            "amount: with min_events 500, 100.0 % of quiet windows reach ks 0.01",
        ),
        ("ks: {warning: 0.2}", None),
        ("ks: {critical: 0.01, on: p_value}", "1.0 % of quiet windows reach ks p_value 0.01"),
        ("psi: {warning: 0.001}", "2 features, amount most: with min_events 500, "),
        ("chi_square: {warning: 3}", "channel: with min_events 500, 8.3 % of quiet windows"),
        ("jensen_shannon: {warning: 0.004}", "quiet windows reach jensen_shannon 0.004"),
        ("jensen_shannon: {warning: 0.1}", None),
        ("missing: {warning: 1%}", None),
        ("hellinger: {warning: 0.02}", "quiet windows reach hellinger 0.02"),
        ("total_variation: {warning: 0.001}", None),
        ("missing: {warning: 0%}", "100.0 % of quiet windows reach missing 0%"),
        ("wasserstein: {warning: 1}", None),
    ],
)
def test_thresholds_that_quiet_data_reaches(
    folder: Path, one: Callable[..., MemoryBroker], thresholds: str, said: str | None
) -> None:
    lines = found(folder, one(more=f", thresholds: {{{thresholds}}}"))
    warnings = [line for line in lines if line.startswith("warning")]
    if said is None:
        assert warnings == []
    else:
        assert said in warnings[0]
        assert len(warnings) == 1


def test_a_threshold_that_more_events_do_not_help(
    folder: Path, one: Callable[..., MemoryBroker]
) -> None:
    lines = found(folder, one(more=", thresholds: {chi_square: {warning: 3}}"))
    assert (
        lines[-1].strip() == "more events do not help. Raise the limit, or leave it to the budget"
    )


def test_topics(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one()
    broker.infos.pop("ml.predictions")
    broker.create("driftline.state", 6, "delete")
    lines = found(folder, broker)
    assert lines[0].startswith(
        "error    topics            driftline.state has cleanup.policy=delete"
    )
    assert lines[1] == (
        "error    car-loan          predictions[0]: the topic ml.predictions does not exist:"
        " correct the name, or create it   driftline.yaml:3"
    )
    broker.infos.pop("driftline.control")
    printed = check(folder, MemoryLog(broker))
    hint = "without driftline.control alerts cannot be marked: run  driftline topics create"
    assert f"ok       topics            {hint}\n" in printed
    assert printed.endswith("\n2 errors\n")  # that it lacks is none
    for name in [name for name in broker.infos if name.startswith("driftline.")]:
        broker.infos.pop(name)
    assert found(folder, broker)[0] == (
        "error    topics            none of driftline.* exists: run  driftline topics create"
    )


def test_missing_topics_are_no_error_where_they_will_be_created(
    folder: Path, one: Callable[..., MemoryBroker]
) -> None:
    broker = one()
    text = (folder / "driftline.yaml").read_text()
    (folder / "driftline.yaml").write_text(text + "output: {create_topics: true}\n")
    broker.infos.pop("driftline.alerts")
    assert not any(line.startswith("error") for line in found(folder, broker))


def test_a_broker_that_is_away_is_one_error_of_more(driftline: Driftline, folder: Path) -> None:
    """References are not read meanwhile, so the answer comes at once."""
    text = ONE.format(more=", window: {rows: 500}").replace("localhost:9092", "localhost:1")
    (folder / "driftline.yaml").write_text(text)
    away = "localhost:1: connection refused: no broker listens there"
    advice = "\nthe references were not read: check --offline reads them without it"
    for more in (["reference"], []):
        ran = driftline("check", "--json")
        kafka, *others = [json.loads(line)["message"] for line in ran.out.splitlines()]
        assert (ran.code, kafka) == (2, away if more else away + advice)
        assert [text.partition(":")[0] for text in others] == ["window.rows", *more]
        build(folder / "car-loan.json", "car-loan")


def test_references(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    build(folder / "car-loan.json", "other")
    lines = found(folder, one())
    assert lines[1] == "warning  car-loan          the reference was built for the model other"
    lines = found(folder, one(more=", features: {amount: {type: categorical}}"))
    assert "the reference has it as numeric: build it again with --type amount=cat" in lines[1]
    (folder / "car-loan.json").write_text("{}")
    assert found(folder, one())[0].startswith("error    car-loan          reference: ")


def test_the_offline_example(driftline: Driftline, folder: Path) -> None:
    (folder / "driftline.yaml").write_text(ONE.format(more=""))
    reference_id = build(folder / "car-loan.json", "car-loan")
    ran = driftline("check", "--offline")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "driftline.yaml   1 model, 1 input topic, budget 1 false alarm in 30 d\n"
        "\n"
        f"ok       car-loan          reference {reference_id} "
        f"(50,000 events, 2 features, {NO_TIMES})\n"
        "\n"
        "no errors. Next: driftline backtest --input last-week.parquet\n"
    )


def test_errors_of_the_file_are_rows_too(driftline: Driftline, folder: Path) -> None:
    (folder / "driftline.yaml").write_text("kafka: {}\nmodels:\n  quote: {windows: 1}\n")
    ran = driftline("check", "--offline")
    assert ran.code == 2
    assert "error    kafka             bootstrap_servers: required key is missing   " in ran.out
    assert "error    quote             windows: unknown key, did you mean window?   " in ran.out
    assert ran.out.endswith(" errors\n")
    rows = [json.loads(line) for line in driftline("check", "--offline", "--json").out.splitlines()]
    assert {row["level"] for row in rows} == {"error"}
    assert {"quote", "kafka"} <= {row["subject"] for row in rows}
