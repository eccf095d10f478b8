"""Names of features, tags and models: read as they are by every verb, or refused by every verb."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from tests.consumer.cli.conftest import Driftline
from tests.consumer.http.conftest import collector
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import START

from driftline.consumer.config import Config
from driftline.consumer.service.plan import Plan
from driftline.detectors import FeatureColumn, Reference, build_reference

NAMES = [
    'rating ("1-5")', "back\\slash", "end\\", "a tab\there", "line\nbreak", "cr\rhere", "nul\0",
    "\x1b[31m", "dot.ted", " blanks ", "größe", "名前", "x" * 1_000, "estimated_accuracy",
    "accuracy", "__other__", "performance", "prediction.of_old", "a=b", "m/a", "*", "[x]", "null",
    "label", "\u2028", "\u202e",
]  # fmt: skip
REFUSED = [
    "", "y" * 1_001, "prediction.score", "prediction.label", "actual.score", "actual.label",
    "performance.accuracy", "performance.estimated_accuracy", "performance.mine",
]  # fmt: skip
TAG, VALUES = 'ti"er\n', ["gold", 'a"b', "x\ny", "", "__other__", "v=1"]
T0 = 1_772_409_600  # s


def events(*names: str, count: int = 1_200, shift: float = 0.0) -> list[dict[str, Any]]:
    """Native events, a minute apart; every second feature is text."""
    rng = random.Random(3)
    return [
        {
            "timestamp": T0 + 60 * i,
            "model": "m",
            "features": {
                name: rng.choice(["p", 'q"', "r\\\n"]) if f % 2 else rng.gauss(shift, 1)
                for f, name in enumerate(names)
            },
            "prediction": {"score": rng.random()},
            "tags": {TAG: rng.choice(VALUES)},
        }
        for i in range(count)
    ]


def write(file: str, rows: list[dict[str, Any]]) -> str:
    Path(file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def config(**own: Any) -> str:
    model = {"predictions": "in", "reference": "r.json", "window": {"length": "10h"}, **own}
    return json.dumps({"kafka": {"bootstrap_servers": "localhost:9092"}, "models": {"m": model}})


def build(*options: str) -> list[str]:
    named = ["--model", "m", "--input", "e.ndjson", "--output", "r.json"]
    return ["reference", "build", *named, *options]


def test_what_can_be_read_is_read_by_every_verb(driftline: Driftline) -> None:
    write("e.ndjson", events(*NAMES))
    ran = driftline("init", "--from", "e.ndjson", "--output", "made.yaml")
    assert ran.code == 0, ran.err
    assert driftline("check", "--offline", "--config", "made.yaml").code == 0
    ran = driftline(*build("--segment", TAG))
    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    Path("driftline.yaml").write_text(config(segments=[TAG]))
    assert driftline("check", "--offline").code == 0
    write("late.ndjson", events(*NAMES, shift=1.0))
    ran = driftline("backtest", "--input", "late.ndjson", "--json", "--verdicts")
    assert ran.code == 0, ran.err
    records = [json.loads(line) for line in ran.out.splitlines()]
    verdicts = [record for record in records if "verdict_id" in record]
    # One verdict of the model is on how many events came.
    assert {record["feature"] for record in verdicts} == {*NAMES, "prediction.score", None}
    assert {record["segment"] for record in verdicts} == {
        None, f"{TAG}=__other__", *(f"{TAG}={value}" for value in VALUES),
    }  # fmt: skip
    assert len({record["verdict_id"] for record in verdicts}) == len(verdicts)
    drifted = {r["feature"] for r in verdicts if r["state"] == "critical" and r["segment"] is None}
    assert drifted == set(NAMES[::2])
    kinds = {r["feature"]: r["kind"] for r in records if "alert_id" in r}
    assert set(kinds.values()) == {"feature_drift"}
    text = driftline("backtest", "--input", "late.ndjson", "--verdicts").out
    assert not [c for c in text if not (c.isprintable() or c == "\n")]
    # A name makes no line of its own: a row each, however it is called.
    rows = [line for line in text.splitlines() if line[:4] == "2026" and "critical" in line]
    assert len(rows) >= len(drifted)


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: name[:20] or "none")
def test_what_cannot_be_read_is_refused_by_every_verb(name: str, driftline: Driftline) -> None:
    write("e.ndjson", events("x", "c", name))
    column = FeatureColumn("numeric", np.arange(1_000.0))
    if name not in ("prediction.score", "prediction.label"):  # which a reference may well have
        reference = build_reference("m", {"x": column, name: column})
        Path("old.json").write_bytes(reference.to_json())
        Path("driftline.yaml").write_text(config(reference="old.json"))
        refusals = [driftline("check", "--offline")]
        # It says nothing of what is not watched.
        Path("driftline.yaml").write_text(config(reference="old.json", ignore=[name or "?", ""]))
        assert driftline("check", "--offline").code == 0
    else:
        refusals = []
    refusals += [driftline("init", "--from", "e.ndjson", "--force"), driftline(*build())]
    for ran in refusals:
        assert ran.code == 2
        said = [line for line in (ran.out + ran.err).splitlines() if "the feature " in line]
        assert len(said) == 1, ran
        assert "rename it" in said[0]
        assert "Traceback" not in ran.err
    Path("driftline.yaml").write_text(config(ignore=["performance.*", "prediction.*", "actual.*"]))
    if "." in name:
        ran = driftline(*build("--config", "driftline.yaml"))
        assert ran.code == 0, ran.err


@pytest.mark.parametrize("tag", ["a=b", "", "t" * 1_001])
def test_a_tag_whose_segments_could_be_anothers_is_refused(tag: str, driftline: Driftline) -> None:
    rows = [{**row, "tags": {tag: "v", "a": "b=v"}} for row in events("x", "c", count=50)]
    write("e.ndjson", rows)
    ran = driftline(*build("--segment", tag, "--segment", "a"))
    assert ran.code == 2
    assert "the tag " in ran.err
    column = FeatureColumn("numeric", np.arange(1_000.0))
    reference = build_reference("m", {"x": column}, {tag: ["v"] * 1_000, "a": ["b=v"] * 1_000})
    Path("r.json").write_bytes(reference.to_json())
    Path("driftline.yaml").write_text(config(segments=[tag, "a"]))
    ran = driftline("check", "--offline")
    assert ran.code == 2
    assert "the tag " in ran.out


def test_a_model_is_called_what_a_topic_may_be_called(driftline: Driftline) -> None:
    write("e.ndjson", [{**row, "model": "my model"} for row in events("x", "c")])
    for ran in (
        driftline("init", "--from", "e.ndjson"),
        driftline(*build("--model", "my model")),
        driftline("backtest", "--input", "e.ndjson"),
    ):
        assert ran.code == 2
        assert "'my model': not a legal" in ran.err
        assert len(ran.err.strip().splitlines()) <= 2


def test_the_service_and_its_metrics_read_them() -> None:
    rng = np.random.default_rng(1)
    names = [name for name in NAMES if name != "x" * 1_000]
    reference = build_reference(
        "m",
        {name: FeatureColumn("numeric", rng.normal(size=500)) for name in names},
        {TAG: rng.choice(["a\nb", 'c"'], 500).tolist()},
    )
    assert Reference.from_json(reference.to_json()).id == reference.id
    settings = json.loads(config(segments=[TAG], budget="off"))
    settings["models"]["m"] |= {"window": {"length": "10s", "grace": "0s", "min_events": 5}}
    settings["models"]["m"]["thresholds"] = {"ks": {"warning": 0.2}}
    settings["kafka"]["start"] = "earliest"
    rig = Rig(Plan(Config.model_validate(settings), {"m": reference}))
    rig.write(
        [
            {
                "timestamp": START + i * 1_000,
                "features": {name: float(rng.normal(2)) for name in names},
                "tags": {TAG: "a\nb"},
            }
            for i in range(60)
        ],
        topic="in",
    )
    worker = rig.start()
    rig.settle()
    # All of them changed at once: one alert names each.
    (alert,) = rig.alerts()
    assert {each["name"] for each in alert["features"]} == set(names)
    assert {v["stream"] for v in rig.verdicts().values()} >= {"m", f"m/{TAG}=a\nb"}
    registry = CollectorRegistry()
    registry.register(collector(worker.status))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    labels = {s.labels.get("feature") for f in families for s in f.samples}
    assert set(names) <= labels
