"""What Driftline makes has the bytes it had: a hash changes only where a change means it to.

`freeze` says how to freeze anew, and how to compare two versions line by line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.consumer.golden.everything import every_figure, everything, troubles
from tests.consumer.golden.freeze import readable
from tests.consumer.golden.outputs import FOUND, SCREENS, Outputs, differences, frozen, write
from tests.consumer.golden.random_runs import CALM, KILLED, random_runs
from tests.consumer.golden.screens import screens
from tests.consumer.wire.published_fields import published_fields

from driftline.consumer.wire.meaning import Contract
from driftline.consumer.wire.schemas import schema_of

DETECTORS = {
    "ks", "psi", "chi_square", "jensen_shannon", "wasserstein",
    "missing", "invalid", "unseen", "out_of_range",
}  # fmt: skip
CLASSES = {
    "accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss", "brier",
    "calibration_error",
}  # fmt: skip
NUMBERS = {"mae", "rmse", "r2", "bias"}
ESTIMATED = {
    "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier", "mae", "rmse",
}  # fmt: skip


def check(outputs: Outputs, *groups: str) -> None:
    """Fail where outputs differ from what is frozen of these groups; write what they are now."""
    known = {name: was for name, was in frozen().items() if name.split("/")[0] in groups}
    found = differences(outputs, known)
    write({name: outputs[name] for name in found if name in outputs}, FOUND)
    said = "\n".join(f"{name}: {how}" for name, how in found.items())
    assert not found, f"these outputs changed; those of now are in {FOUND}\n{said}"


@pytest.fixture(scope="module")
def runs() -> Outputs:
    return random_runs()


def test_random_runs(runs: Outputs) -> None:
    check(runs, *(f"random {seed}" for seed in (*CALM, *KILLED)))


def test_the_random_runs_have_everything_that_a_run_may_have(runs: Outputs) -> None:
    everywhere = {name.split("/")[1] for name, lines in runs.items() if lines} - {"run"}
    assert everywhere == {"panes", "joins", "alerts", "verdicts", "state", "dead-letter"}
    verdicts = [line for name, lines in runs.items() if "verdicts" in name for line in lines]
    kills = [runs[f"random {seed}/run"] for seed in KILLED]
    assert ["0 kills"] not in kills
    for what in ('"segment":"tier=gold"', '"stream":"versions"', '"type":"performance"'):
        assert any(what in line for line in verdicts), what


def test_every_figure_and_alert() -> None:
    check(every_figure(), "everything", "troubles")


def test_every_detector_and_metric_occurs_in_a_verdict() -> None:
    verdicts = list(everything().verdicts().values())
    shown: dict[str, set[str]] = {}
    for verdict in verdicts:
        sort = "estimate" if "estimated_" in (verdict["feature"] or "") else verdict["type"]
        shown.setdefault(sort, set()).update(verdict["detectors"])
    named = {"psi", "chi_square", "jensen_shannon"}
    sides = {"champion", "challenger", "comparison"}
    quantiles = {f"residual_q{percent}" for percent in ("05", "25", "50", "75", "95")}
    assert shown == {
        "numeric": DETECTORS - {"unseen", "chi_square"},
        "categorical": named | {"unseen"},
        "boolean": named,
        "performance": CLASSES | NUMBERS | quantiles | sides | {"estimate_gap"},
        "estimate": ESTIMATED,
        "events": {"events"},
    }
    assert {v["state"] for v in verdicts} == {"ok", "warning", "critical", "insufficient"}


def kinds(alerts: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Kind to what is named in its alerts: a detector, a metric, or how a rule begins."""
    found: dict[str, set[str]] = {}
    for alert in alerts:
        kind = "estimate" if "estimated_" in (alert["feature"] or "") else alert["kind"]
        name = alert["detector"] or alert["rule"].split(":")[0]
        found.setdefault(kind, set()).add(name)
    return found


def test_every_kind_of_alert_occurs_and_ends() -> None:
    alerts = everything().alerts()
    rates = {"missing", "invalid", "unseen", "out_of_range"}
    expected = {
        "feature_drift": DETECTORS - rates | {"sequential", "budget"},  # budget: many features
        "prediction_drift": {"ks", "psi", "chi_square", "sequential"},
        "data_quality": rates,
        "performance": CLASSES | NUMBERS | {"estimate_gap", "comparison"},
        "estimate": {"brier", "log_loss", "recall"},
        "labels": {"labels"},
    }
    assert kinds(alerts) == expected
    assert kinds([a for a in alerts if a["status"] == "resolved"]).keys() == expected.keys()
    assert kinds([a for a in alerts if a["severity"] == "critical"]).keys() == {
        "feature_drift", "prediction_drift", "data_quality", "performance",
    }  # fmt: skip


def test_an_alert_that_goes_on_is_repeated() -> None:
    """Seven days later it has one record more, of the same severity."""
    told: dict[str, list[str]] = {}
    for alert in everything().alerts():
        if alert["status"] == "firing":
            told.setdefault(alert["alert_id"], []).append(alert["severity"])
    assert any(len(records) > len(set(records)) for records in told.values())


def test_every_trouble_occurs_and_ends() -> None:
    told = [alert["summary"] for alert in troubles().alerts() if alert["status"] == "firing"]
    for words in (
        "no events since",
        "an open transaction keeps the rest of it from being read",
        "were deleted before they were read",
        "were not read, because their batch is a dead letter",
    ):
        assert any(words in summary for summary in told), words
    ended = [alert for alert in troubles().alerts() if alert["status"] == "resolved"]
    assert {alert["kind"] for alert in ended} == {"stale", "data_loss"}


def shape(value: Any, kept: set[str]) -> Any:
    """Return what a schema looks at: names, types, and those texts that it names."""
    if isinstance(value, dict):
        return tuple(sorted((name, shape(each, kept)) for name, each in value.items()))
    if isinstance(value, list):
        return (len(value) == 2, *sorted({shape(each, kept) for each in value}, key=repr))
    return value if value in kept or isinstance(value, bool) else type(value).__name__


@pytest.mark.parametrize("name", ["verdict", "alert"])
def test_every_verdict_and_alert_is_valid_by_its_schema(name: Contract) -> None:
    """Records of one shape are valid together; one of each shape is looked at."""
    lines = [line.partition("=") for line in published_fields()]
    kept = {text for path, _, text in lines if text and path.startswith(name)}
    records = [
        *(everything().verdicts().values() if name == "verdict" else everything().alerts()),
        *(troubles().verdicts().values() if name == "verdict" else troubles().alerts()),
    ]
    shapes = {repr(shape(record, kept)): record for record in records}
    validator = jsonschema.Draft202012Validator(schema_of(name))
    assert len(shapes) > 20
    assert not [error.message for each in shapes.values() for error in validator.iter_errors(each)]


def test_screens(tmp_path: Path) -> None:
    found = screens(tmp_path)
    check(found, "screens", "flights", "car loan")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in SCREENS.glob("*.txt")}
    assert texts == {
        name: "".join(f"{line}\n" for line in lines) for name, lines in readable(found).items()
    }
