"""A small model and short ways to run its stages: events in, verdicts and alerts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from driftline.consumer.config import Config
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals, Output
from driftline.consumer.wire.messages import Horizon, Loss, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

MODEL, TOPIC = "m", "in"
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
START = 1_600_020_000_000 // DAY * DAY + 7 * DAY  # 2020-09-20T00:00:00Z
WINDOW = {"length": "30s", "every": "10s", "grace": "5s", "min_events": 1}


def reference(seed: int = 5, model: str = MODEL, events: int = 1_000) -> Reference:
    """One feature of each type, and two tags."""
    rng = np.random.default_rng(seed)
    return build_reference(
        model=model,
        features={
            "x": FeatureColumn("numeric", rng.normal(size=events).round(3)),
            "c": FeatureColumn("categorical", rng.choice(["p", "q", "r"], events).tolist()),
            "b": FeatureColumn("boolean", rng.choice(["false", "true"], events).tolist()),
        },
        segments={
            "tier": rng.choice(["gold", "tin"], events).tolist(),
            "model_version": rng.choice(["1", "2"], events).tolist(),
        },
    )


def labelled_reference(model: str = MODEL) -> Reference:
    """Two features, a tag, and predictions with their ground truth: right nine times in ten."""
    rng = np.random.default_rng(5)

    def event() -> dict[str, Any]:
        score = float(rng.random())
        said = "yes" if score > 0.5 else "no"
        return {
            "features": {"x": float(rng.normal()), "c": str(rng.choice(["p", "q", "r"]))},
            "prediction": {"label": said, "score": score},
            "actual": said if rng.random() < 0.9 else {"yes": "no", "no": "yes"}[said],
            "tags": {"tier": str(rng.choice(["gold", "tin"]))},
        }

    settings = ReferenceSettings(model, segments=["tier"], positive_label="yes")
    return reference_from_rows([[event() for _ in range(400)]], Mapping(), settings).reference


REFERENCE = reference()


def plan(references: dict[str, Reference] | None = None, /, **settings: Any) -> Plan:
    """The plan for `MODEL` on `TOPIC`; `settings` are keys of the model.

    `kafka`, `limits`, `output`, `ui` and `models` (more of them) are sections of the configuration.
    """
    sections = {k: settings.pop(k) for k in ("kafka", "limits", "output", "ui") if k in settings}
    models = settings.pop("models", {})
    model = {"predictions": TOPIC, "reference": "unused.json", "window": WINDOW, "budget": "off"}
    kafka = {"bootstrap_servers": "localhost:9092", "start": "earliest"}
    config = Config.model_validate(
        {
            "limits": {"idle_after": "5s"},
            "models": {MODEL: {**model, **settings}}
            | {name: {**model, **own} for name, own in models.items()},
            **sections,
            "kafka": {**kafka, **sections.get("kafka", {})},
        }
    )
    known = {MODEL: REFERENCE, **(references or {})}
    return Plan(config, {name: known[name] for name in config.models})


LABELS = "truth"
OTHER = "n"  # a second model, whose events and labels lie in the same topics
GRACE, HORIZON = 5, 60  # seconds


def labelled_plan(by: str, *others: str) -> Plan:
    """The plan for `MODEL`, and others, whose labels lie in one topic of labels."""
    return plan(
        {name: labelled_reference(name) for name in (MODEL, *others)},
        labels={"topic": LABELS, "horizon": f"{HORIZON}s", "by": by},
        performance={"accuracy": {"max_drop": 0.1, "for": "2 of 3"}},
        window={"length": "30s", "every": "10s", "grace": f"{GRACE}s", "min_events": 5},
        thresholds={"ks": {"warning": 0.4}},
        segments=["tier"],
        models={
            name: {
                "labels": {"topic": LABELS, "horizon": f"{HORIZON}s", "by": by},
                "performance": {"accuracy": {"max_drop": 0.1, "for": "2 of 3"}},
            }
            for name in others
        },
    )


def row(time: int, **values: Any) -> dict[str, Any]:
    """An event at `time` ms after `START`; `values` go into the features, or replace a field."""
    event: dict[str, Any] = {"timestamp": START + time, "model": MODEL}
    for name in ("timestamp", "model", "model_version", "tags"):
        if name in values:
            event[name] = values.pop(name)
    return {**event, "features": {"x": 0.0, "c": "p", "b": True, **values}}


def rows(start: int, count: int, step: int, rng: np.random.Generator, **fixed: Any) -> list[Any]:
    """Events as quiet as the reference, from `start` on, `step` ms apart."""
    return [
        row(
            start + i * step,
            **{
                "x": round(float(rng.normal()), 3),
                "c": str(rng.choice(["p", "q", "r"])),
                "b": bool(rng.random() < 0.5),
                **fixed,
            },
        )
        for i in range(count)
    ]


def records(
    values: Iterable[dict[str, Any] | bytes | None],
    partition: int = 0,
    first: int = 0,
    written: int = -1,
) -> list[MemoryRecord]:
    """Input records from offset `first` on, written at `written` (ms; below 0: not known)."""
    return [
        MemoryRecord(
            TOPIC,
            partition,
            offset,
            written,
            None,
            msgspec.json.encode(value) if isinstance(value, dict) else value,
        )
        for offset, value in enumerate(values, first)
    ]


def sketch(
    plan: Plan,
    partition: int = 0,
    partitions: int = 1,
    state: SketchState | None = None,
    now: int = 0,
) -> PartitionSketch:
    """The sketch of one input partition."""
    return PartitionSketch(
        TopicPartition(TOPIC, partition),
        partitions,
        plan.decoder(TOPIC),
        {name: plan.sketch_model(name) for name in plan.models_of(TOPIC)},
        state or SketchState("id", partitions, 0, 0, 0, {}),
        now,
        InputTotals(),
    )


def backtest(plan: Plan, rows: Sequence[dict[str, Any]]) -> list[Verdict | Alert]:
    """What a backtest over `rows` gives."""
    run = Backtest(plan, MODEL, TOPIC)
    return [*run.feed(rows), *run.end()]


def judge_all(
    plan: Plan, messages: Iterable[Output | PanesMessage], name: str = MODEL
) -> list[Verdict | Alert]:
    """What a fresh judge makes of messages in the log of panes."""
    judge = plan.judge(name, JudgeState(position=0, rewind=0))
    found: list[Verdict | Alert] = []
    for offset, message in enumerate(messages):
        assert isinstance(message, Pane | Horizon | Loss)
        found += judge.feed(message, offset)
    return found


def verdicts(outputs: Iterable[Verdict | Alert], feature: str | None = None) -> list[Verdict]:
    """The verdicts among `outputs`, of one feature if it is given."""
    return [o for o in outputs if isinstance(o, Verdict) and feature in (None, o.feature)]


def alerts(outputs: Iterable[Verdict | Alert], feature: str | None = None) -> list[Alert]:
    """The alerts among `outputs`, of one feature if it is given."""
    return [o for o in outputs if isinstance(o, Alert) and feature in (None, o.feature)]


def windows(outputs: Iterable[Verdict | Alert]) -> list[tuple[int, int, int]]:
    """(start, end, events) of the windows judged, seconds after `START`, of feature x."""
    return [
        (seconds(v.window.start), seconds(v.window.end), v.window.events)
        for v in verdicts(outputs, "x")
        if v.segment is None
    ]


def seconds(time: str | None) -> int:
    """Seconds after `START` of an RFC 3339 time."""
    assert time is not None
    moment = np.datetime64(time.removesuffix("Z"), "ms").astype(np.int64)
    return int(moment - START) // SECOND
