"""One run in which every figure and every kind of alert occurs.

Four models of 52 days. On days 16 to 32 every feature drifts, in the one way that its own threshold
looks at (in one model half of them from day 20 on), and performance falls; from day 38 to 44 no
labels come.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from tests.consumer.golden.outputs import (
    Outputs,
    json_lines,
    record_lines,
    rounded_text,
    state_lines,
)
from tests.consumer.service.rig import OUTPUTS, Rig
from tests.consumer.service.small import DAY, SECOND, START, plan, row
from tests.consumer.service.test_silent_model import wait
from tests.consumer.service.test_transactions import transaction
from tests.consumer.service.test_unread_batch import write_bomb

from driftline.consumer.config import Config
from driftline.consumer.deliver.alertmanager import alertmanager_alert
from driftline.consumer.deliver.incidents import Incidents, Update
from driftline.consumer.deliver.slack import slack_message
from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.http import Health, StatusCollector
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Row = dict[str, Any]

EVENTS, TRUTH = "predictions", "truth"
CREDIT, PLAIN, PRICE, GUESS = "credit", "plain", "price", "guess"
DAYS, PER_DAY = 52, 60
DRIFT, SILENCE = range(16, 32), range(38, 44)

NUMERIC = {
    "ks": {"ks": {"warning": 0.3, "critical": 0.6}},
    "psi": {"psi": {"warning": 0.4, "for": "2 of 3"}},
    "wasserstein": {"wasserstein": {"warning": 0.5}},
    "jensen_shannon_numeric": {"jensen_shannon": {"critical": 0.15}},
    "missing": {"missing": {"warning": 0.2}},
    "invalid": {"invalid": {"warning": 0.2}},
    "out_of_range": {"out_of_range": {"critical": 0.1}},
    "ks_p": {"ks": {"warning": 1e-4, "critical": 1e-30, "on": "p_value"}},
}
NAMED = {
    "chi_square": {"chi_square": {"warning": 60}},
    "jensen_shannon": {"jensen_shannon": {"warning": 0.08}},
    "psi_named": {"psi": {"warning": 0.4}},
    "unseen": {"unseen": {"warning": 0.1}},
    "chi_square_p": {"chi_square": {"warning": 1e-6, "on": "p_value"}},
}
FLAG = {"flag": {"psi": {"warning": 0.3}}}
CLASSES = {
    "accuracy": {"max_drop": 0.1, "critical_drop": 0.2, "for": "2 of 3"},
    "precision": {"min": 0.65},
    "recall": {"max_drop": 0.1},
    "f1": {"min": 0.6, "max": 0.99},
    "roc_auc": {"min": 0.7},
    "pr_auc": {"max_drop": 0.1},
    "log_loss": {"max": 0.65},
    "brier": {"max_drop": 0.05},
    "calibration_error": {"max": 0.08},
}
NUMBERS = {
    "mae": {"max_drop": 0.5},
    "rmse": {"max": 1.8, "critical_drop": 3},
    "r2": {"min": 0.5},
    "bias": {"max_drop": 0.5},
}


def document() -> dict[str, Any]:
    """The configuration: every detector, metric, limit and way to count."""
    window = {"length": "3d", "every": "1d", "grace": "1h", "min_events": 40}
    shared = {"predictions": EVENTS, "reference": "unused.json", "window": window, "owner": "risk"}
    features = {name: {"thresholds": own} for name, own in (NUMERIC | NAMED | FLAG).items()}
    labels = {"topic": TRUTH, "horizon": "5d"}
    return {
        "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
        "limits": {"idle_after": "5s"},
        "models": {
            CREDIT: {
                **shared,
                "budget": "off",
                "features": {
                    **features,
                    "prediction.score": {"thresholds": {"ks": {"warning": 0.2}}},
                    "prediction.label": {
                        "thresholds": {"psi": {"warning": 0.09}, "chi_square": {"critical": 7.5}}
                    },
                },
                "segments": ["tier"],
                "labels": labels,
                "performance": CLASSES,
                "runbook": "https://wiki.example/credit",
                "stale_after": "off",
            },
            PLAIN: {
                **shared,
                "budget": "1 per 1d",
                "labels": {**labels, "by": "prediction", "maturity": "4d"},
                "stale_after": "off",
            },
            PRICE: {
                **shared,
                "labels": labels,
                "performance": NUMBERS,
                "segments": ["tier"],
                "ignore": ["flag"],
                "stale_after": "off",
            },
            GUESS: {
                **shared,
                "thresholds": {"ks": {"warning": 0.5}, "missing": {"warning": 0.3}},
                "performance": {"accuracy": {"max_drop": 0.05}, "roc_auc": {"min": 0.7}},
                "stale_after": "off",
            },
        },
        "comparisons": {
            "versions": {
                "champion": f"{CREDIT}@1", "challenger": f"{CREDIT}@2", "traffic": "split",
                "alpha": 0.2,
            },
            "rivals": {"champion": CREDIT, "challenger": PLAIN, "traffic": "same"},
            "prices": {
                "champion": f"{PRICE}@1", "challenger": f"{PRICE}@2", "traffic": "same",
            },
        },
    }  # fmt: skip


def _features(rng: random.Random, drifts: bool) -> Row:
    values: Row = {
        name: round(rng.gauss(2.0 if drifts and name not in _RATES else 0.0, 1), 3)
        for name in NUMERIC
    }
    values |= {name: rng.choices("pqr", (1, 1, 8) if drifts else (4, 3, 3))[0] for name in NAMED}
    values["flag"] = rng.random() < (0.9 if drifts else 0.4)
    if drifts:
        odd = {"missing": None, "invalid": "?", "out_of_range": 99.0, "unseen": "new"}
        values |= {name: value for name, value in odd.items() if rng.random() < 0.5}
    return values


_RATES = ("missing", "invalid", "out_of_range")
_LATER = (
    "jensen_shannon_numeric", "invalid", "out_of_range", "ks_p", "chi_square", "psi_named", "flag",
)  # fmt: skip
"""What drifts four days later in one model: what breaks at once is told as one thing."""


def _class(rng: random.Random, drifts: bool, right: float) -> tuple[Row, str]:
    """A prediction and its ground truth; `right` is added to the chance that it is right."""
    score = round(rng.uniform(0.42, 0.58) if drifts else rng.random(), 3)
    said, other = ("yes", "no") if score > 0.5 else ("no", "yes")
    chance = 0.4 if drifts else min(max(score, 1 - score) + right, 1.0)
    return {"label": said, "score": score}, said if rng.random() < chance else other


def _day(rng: random.Random, day: int) -> Iterator[tuple[Row, Any]]:
    """Yield each event of a day with its ground truth; some share an id, some have none."""
    drifts = day in DRIFT
    for number in range(PER_DAY):
        at = START + day * DAY + number * DAY // PER_DAY
        version = "1" if rng.random() < 0.5 else "2"
        features = _features(rng, drifts)
        shared = {"timestamp": at, "tags": {"tier": rng.choice(["gold", "tin"])}}
        shared |= {"features": features}
        named = {"event_id": f"{day}-{number}", "model_version": version, **shared}
        said, truth = _class(rng, drifts, 0.1 if version == "2" else -0.1)
        some = features
        if drifts and day < DRIFT.start + 4:
            quiet = _features(random.Random(1_000 * day + number), drifts=False)
            some = features | {name: quiet[name] for name in _LATER}
        yield {**named, "features": some, "model": CREDIT, "prediction": said}, truth
        second = said if rng.random() < 0.8 else _class(rng, drifts, 0)[0]
        yield {**named, "model": PLAIN, "prediction": second}, truth
        guess, truth = _class(rng, drifts, 0)
        yield {**shared, "model": GUESS, "prediction": guess}, truth
        x = features["ks"]
        price = round(10 + 3 * x + rng.gauss(2 if drifts else 0, 2 if drifts else 0.8), 3)
        named["event_id"] = f"{day}-{number}-price"
        for side, wide in (("1", 0.6), ("2", 0.2)):
            estimate = {"score": round(10 + 3 * x + rng.gauss(0, wide), 3)}
            event = {**named, "model": PRICE, "model_version": side, "prediction": estimate}
            yield event, price


def _reference(model: str) -> Reference:
    rng = random.Random(11)
    rows = [
        {**event, "actual": truth}
        for day in range(6)
        for event, truth in _day(rng, day)
        if event["model"] == model
    ]
    segments = ["tier"] if model in (CREDIT, PRICE) else []
    positive = None if model == PRICE else "yes"
    settings = ReferenceSettings(model, segments=segments, positive_label=positive, grid=64)
    return reference_from_rows([rows], Mapping(), settings).reference


@cache
def references() -> dict[str, Reference]:
    """The reference of each model: six quiet days."""
    return {model: _reference(model) for model in (CREDIT, PLAIN, PRICE, GUESS)}


@cache
def everything() -> Rig:
    """The run."""
    rig = Rig(Plan(Config.model_validate(document()), references()), 2, {TRUTH: 1})
    rig.broker.now = START + 2 * DAYS * DAY
    rng = random.Random(12)
    labels: dict[str, Row] = {}
    for day in range(DAYS):
        for number, (event, truth) in enumerate(_day(rng, day)):
            name, at = event.get("event_id", ""), event["timestamp"]
            sent: Row = {**event, "timestamp": "soon"} if number == day else event
            rig.write([sent], number % 2, topic=EVENTS)
            if name and name not in labels and day not in SILENCE and rng.random() < 0.95:
                when = at + rng.choice([DAY // 2, DAY, 2 * DAY])
                labels[name] = {"event_id": name, "timestamp": when, "actual": truth}
    rig.write([b"oops", None, {"event_id": "?"}], topic=TRUTH)
    sent_late = sorted(labels.values(), key=lambda label: int(label["timestamp"]))
    rig.write(sent_late, topic=TRUTH)
    rig.start(batch=500, timer=lambda: 0.0)
    rig.settle()
    return rig


@cache
def troubles() -> Rig:
    """A model that is silent, one partition that is held up, events that are lost."""
    rig = Rig(plan(stale_after="60s"), 2)
    for partition in range(2):
        rig.write([row(at * SECOND) for at in range(60)], partition)
    rig.start(timer=lambda: 0.0)
    rig.settle()
    wait(rig)  # nobody speaks
    rig.write([row(at * SECOND) for at in range(90, 120)])
    rig.settle()
    opened = transaction(rig, 1, 121)
    rig.write([row(at * SECOND) for at in range(120, 150)])
    for _ in range(80):  # partition 0 goes on, and waits for the transaction
        rig.broker.now += SECOND
        rig.workers[0][0].step()
    opened.commit()
    rig.settle()
    rig.kill()
    rig.write([row(at * SECOND) for at in range(150, 300)])
    rig.broker.delete_before(TopicPartition("in", 0), 170)
    rig.start(timer=lambda: 0.0)
    rig.settle()
    write_bomb(rig)
    rig.write([row(at * SECOND) for at in range(310, 420)])
    rig.settle()
    return rig


def metrics(rig: Rig) -> list[str]:
    """What Prometheus would read, without the version."""
    status = rig.workers[0][0].status
    registry = CollectorRegistry()
    registry.register(StatusCollector(rig.plan.config, status, Health(status, lambda: START)))
    text = generate_latest(registry).decode()
    return [line for line in rounded_text(text) if not line.startswith("driftline_build_info{")]


def updates_of(alerts: Sequence[Alert]) -> list[Update]:
    """What people are sent of alerts, each record looked at by itself."""
    incidents, updates = Incidents(gather=0), []
    for place, alert in enumerate(alerts):
        incidents.take(AlertRecord(alert, b"", 0, place, place), place)
        updates += incidents.updates({}, place)[0]
    return [update for update in updates if update.changed]


def every_figure() -> Outputs:
    """Each topic of both runs, and what others are sent of their alerts."""
    found: Outputs = {}
    for title, rig in (("everything", everything()), ("troubles", troubles())):
        for name in OUTPUTS:
            lines = state_lines if name == "state" else record_lines
            found[f"{title}/{name}"] = lines(rig.records(name))
        found[f"{title}/metrics"] = metrics(rig)
        alerts = msgspec.convert(rig.bodies("alerts"), list[Alert])
        found[f"{title}/slack"] = json_lines(map(slack_message, updates_of(alerts)))
        found[f"{title}/alertmanager"] = json_lines(alertmanager_alert(a, 0) for a in alerts)
    for model, reference in references().items():
        found[f"everything/reference of {model}"] = reference.to_json().decode().splitlines()
    return found
