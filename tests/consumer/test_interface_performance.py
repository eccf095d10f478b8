"""The interface page's alert on performance, and the proof with late labels on the car-loan data.

The accuracy is .944 before row 25,000 and .916 from there on; labels come at once, or 30 days late.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from tests.consumer.test_interface import (
    DATA,
    DRIFTED,
    PAGE,
    QUIET,
    Judged,
    Row,
    analysis,
    check_alert,
    configuration,
    document,
    reference,
)

from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors import Reference
from driftline.producer.files.rows import read_rows

__all__ = ["analysis", "reference"]

LABELS = {"labels": {"fields": {"timestamp": "at", "event_id": "id", "actual": "repaid"}}}
LIMIT = {"accuracy": {"max_drop": 0.01, "for": "2 of 3"}}
DRIFT = "2019-03-31T03:00:00Z"
ACCURACY, ESTIMATED = "performance.accuracy", "performance.estimated_accuracy"


@pytest.fixture(scope="module")
def truth(analysis: list[Row]) -> list[Row]:
    """The ground truth, known when the prediction is made."""
    target = [row for rows in read_rows(DATA / "car_loan_analysis_target.csv.gz") for row in rows]
    pairs = zip(target, analysis, strict=True)
    assert all(label["id"] == event["id"] for label, event in zip(target, analysis, strict=True))
    return [{**label, "at": event["timestamp"]} for label, event in pairs]


def late(rows: list[Row], days: int) -> list[Row]:
    delay = timedelta(days=days)
    return [{**row, "at": str(datetime.fromisoformat(str(row["at"])) + delay)} for row in rows]


def judged(reference: Reference, events: list[Row], labels: list[Row], chunk: int) -> Judged:
    """Run the page's configuration with labels; whichever is behind in time is fed first."""
    config = configuration(LABELS, labels={"topic": "labels", "horizon": "40d"}, performance=LIMIT)
    backtest = Backtest(Plan(config, {"car-loan": reference}), "car-loan", "ml.predictions")

    def feed() -> Iterator[Verdict | Alert]:
        i = j = 0
        while i < len(events) or j < len(labels):
            behind = j >= len(labels) or (
                i < len(events) and str(events[i]["timestamp"]) <= str(labels[j]["at"])
            )
            if behind:
                yield from backtest.feed(events[i : i + chunk])
                i += chunk
            else:
                yield from backtest.feed_labels(labels[j : j + chunk])
                j += chunk
        yield from backtest.end()

    found = list(feed())
    return Judged(
        [each for each in found if isinstance(each, Verdict)],
        [each for each in found if isinstance(each, Alert)],
        backtest,
    )


@pytest.fixture(scope="module")
def run(reference: Reference, analysis: list[Row], truth: list[Row]) -> Judged:
    return judged(reference, analysis, truth, 1_000)


@pytest.fixture(scope="module")
def delayed(reference: Reference, analysis: list[Row], truth: list[Row]) -> Judged:
    return judged(reference, analysis, late(truth, 30), 5_000)


def fired(found: Judged, feature: str) -> Alert:
    """The first record of the one alert that there is."""
    (first,) = (a for a in found.alerts if a.feature == feature and a.revision == 1)
    return first


def test_alert_on_performance(run: Judged, reference: Reference) -> None:
    page, found = PAGE["performance_alert"], document(fired(run, ACCURACY))
    # An incident of its own: it began 12 days after the features changed.
    check_alert(found, page, reference, "also_firing", incident=page["since"])
    assert list(found) == list(page)
    # The page has the order of the window before; by the effect in this one it is another.
    assert sorted(found["also_firing"]) == sorted(page["also_firing"])
    start = found["window"]["start"]
    effects = [run.verdict(feature, start).effect or 0.0 for feature in found["also_firing"]]
    assert effects == sorted(effects, reverse=True)


def test_it_fires_once_by_the_20th_of_april_and_nothing_before(run: Judged) -> None:
    records = [a for a in run.alerts if a.feature == ACCURACY]
    assert len({a.alert_id for a in records}) == 1
    assert records[0].window.end == "2019-04-20T00:00:00Z"
    assert {a.status for a in records} == {"firing"}
    assert [a.revision for a in records] == list(range(1, len(records) + 1))
    realised = [v for v in run.verdicts if v.feature == ACCURACY]
    assert len(realised) == 50
    assert {v.state for v in realised if v.window.times[1] <= DRIFT} == {"ok"}
    assert min(a.window.times[1] for a in run.alerts) > DRIFT


def test_the_accuracy_is_that_of_the_data(
    run: Judged, truth: list[Row], analysis: list[Row]
) -> None:
    """Counted by hand, window by window."""
    right = {
        str(event["timestamp"]): event["y_pred"] == label["repaid"]
        for event, label in zip(analysis, truth, strict=True)
    }
    for verdict in (v for v in run.verdicts if v.feature == ACCURACY):
        start, end = (t.replace("T", " ").rstrip("Z") for t in verdict.window.times)
        own = [good for at, good in right.items() if start <= at < end]
        assert verdict.counts == {"labelled": len(own), "waiting": 0, "expired": 0}
        assert verdict.detectors["accuracy"].value == pytest.approx(sum(own) / len(own), rel=1e-5)


def test_verdicts_on_performance(run: Judged) -> None:
    one = document(run.verdict(ACCURACY, "2019-04-14T00:00:00Z"))
    assert one["detectors"] == {
        "accuracy": {
            "value": 0.915237, "p_value": None, "threshold": 0.93364, "state": "warning",
            "interval": [0.896252, 0.931016], "reference": 0.94364,
        }
    }  # fmt: skip
    assert (one["type"], one["effect"], one["bins"]) == ("performance", None, None)
    assert one["counts"] == {"labelled": 991, "waiting": 0, "expired": 0}
    metrics = {v.feature for v in run.verdicts if v.type == "performance"}
    assert {
        f"performance.{name}"
        for name in ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss",
                     "brier", "calibration_error", "estimate_gap", "estimated_accuracy")
    } <= metrics  # fmt: skip


def test_the_features_are_judged_as_without_labels(run: Judged) -> None:
    features = {v.feature for v in run.verdicts if v.type != "performance" and v.feature}
    assert features == DRIFTED | QUIET
    assert {a.feature for a in run.alerts} == DRIFTED | {ACCURACY, ESTIMATED}
    page = PAGE["numeric_verdict"]
    found = document(run.verdict("car_value", page["window"]["start"]))
    # Performance has its own share of the budget: it takes nothing from the features.
    assert found["detectors"]["ks"] == page["detectors"]["ks"]
    assert found["sequential"] == page["sequential"]


def test_the_estimate_tells_it_before_late_labels_do(run: Judged, delayed: Judged) -> None:
    estimated, realised = fired(delayed, ESTIMATED), fired(delayed, ACCURACY)
    assert estimated == fired(run, ESTIMATED)  # labels change nothing of it
    assert estimated.window.end == "2019-04-14T00:00:00Z"
    assert realised.window.end == "2019-05-20T00:00:00Z"
    assert estimated.summary.startswith("car-loan: estimated accuracy fell to 0.909 ")
    assert "estimated from 991 predictions without labels" in estimated.summary
    assert min(a.window.times[1] for a in delayed.alerts) > DRIFT
    # By arrival: what came in a window is judged then, and what has no label yet waits.
    last = delayed.verdict(ACCURACY, "2019-05-14T00:00:00Z")
    assert last.counts == {"labelled": 991, "waiting": 4954, "expired": 0}
    assert last.detectors[ACCURACY.removeprefix("performance.")].value == realised.value


def of_labels(record: Verdict | Alert) -> bool:
    """Whether it speaks of what labels tell."""
    name = str(record.feature)
    return name.startswith("performance.") and not name.startswith("performance.estimated_")


def test_records_do_not_depend_on_the_chunks(
    delayed: Judged, reference: Reference, analysis: list[Row], truth: list[Row]
) -> None:
    """Of either kind they come in the same order; how the two mix depends on who is fed first."""
    other = judged(reference, analysis, late(truth, 30), 777)
    for mine, theirs in ((delayed.verdicts, other.verdicts), (delayed.alerts, other.alerts)):
        for kind in (True, False):
            mine_of_kind = [each for each in mine if of_labels(each) == kind]
            theirs_of_kind = [each for each in theirs if of_labels(each) == kind]
            assert msgspec.json.encode(mine_of_kind) == msgspec.json.encode(theirs_of_kind)


def test_every_label_is_accounted_for(run: Judged, delayed: Judged) -> None:
    for found in (run, delayed):
        totals = found.backtest.join_totals
        assert totals is not None
        # The newest label lies within `grace` of the end: an earlier one could still come.
        assert totals.joined == 49_999
        assert (totals.expired, totals.unmatched, totals.corrected, totals.late) == (0, 0, 0, 0)
