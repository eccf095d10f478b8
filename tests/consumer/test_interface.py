"""The examples of the interface page, and the proof on the car-loan data.

`interface_examples.json` holds the page's verdicts and alerts as they stand there. Its ids are
illustrative; its Wasserstein distance is that of the raw values, ours comes from the counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.consumer.views import oracle

from driftline.consumer.config import Config
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.views.fold import Views
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import identity
from driftline.detectors import Reference
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

DATA = Path(__file__).parents[1] / "data"
PAGE: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("interface_examples.json").read_bytes()
)
FIELDS: dict[str, str | Constant] = {
    "timestamp": "timestamp",
    "event_id": "id",
    "prediction.score": "y_pred_proba",
    "prediction.label": "y_pred",
    "features": "*",
    "model_version": Constant("1"),
}
DRIFTED = {
    "car_value",
    "salary_range",
    "loan_length",
    "repaid_loan_on_prev_car",
    "prediction.score",
}
QUIET = {"debt_to_income_ratio", "driver_tenure", "prediction.label", "size_of_downpayment"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What a backtest gave."""

    verdicts: list[Verdict]
    alerts: list[Alert]
    backtest: Backtest

    def verdict(self, feature: str, start: str) -> Verdict:
        (found,) = (v for v in self.verdicts if (v.feature, v.window.start) == (feature, start))
        return found


@pytest.fixture(scope="module")
def reference() -> Reference:
    mapping = Mapping({**FIELDS, "actual": "repaid"})
    rows = read_rows(DATA / "car_loan_reference.csv.gz")
    settings = ReferenceSettings(model="car-loan", grid=None)
    return reference_from_rows(rows, mapping, settings).reference


@pytest.fixture(scope="module")
def analysis() -> list[Row]:
    return [row for rows in read_rows(DATA / "car_loan_analysis.csv.gz") for row in rows]


def configuration(sources: Row | None = None, **more: Any) -> Config:
    """The page's configuration; `sources` and keys of the model may be added."""
    return Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {"ml.predictions": {"fields": FIELDS}, **(sources or {})},
            "models": {
                "car-loan": {
                    "predictions": "ml.predictions",
                    "reference": "references/car-loan.json.gz",
                    "window": {"length": "6d"},
                    "owner": "credit",
                    "runbook": "https://wiki.example/car-loan",
                    **more,
                }
            },
        }
    )


def judged(reference: Reference, chunks: Iterable[list[Row]]) -> Judged:
    """Run the page's configuration over rows."""
    plan = Plan(configuration(), {"car-loan": reference})
    backtest = Backtest(plan, "car-loan", "ml.predictions")
    outputs = [output for chunk in chunks for output in backtest.feed(chunk)]
    outputs += backtest.end()
    return Judged(
        # Those on how many events come have no feature.
        [each for each in outputs if isinstance(each, Verdict) and each.feature is not None],
        [output for output in outputs if isinstance(output, Alert)],
        backtest,
    )


@pytest.fixture(scope="module")
def run(reference: Reference, analysis: list[Row]) -> Judged:
    return judged(reference, [analysis[i : i + 10_000] for i in range(0, 50_000, 10_000)])


@pytest.fixture(scope="module")
def ended(reference: Reference, analysis: list[Row]) -> Judged:
    """Rows 0 to 9,999 again after row 39,999, at the times that follow."""
    again = [
        {**row, "timestamp": later["timestamp"]}
        for row, later in zip(analysis[:10_000], analysis[40_000:], strict=True)
    ]
    return judged(reference, [analysis[:40_000], again])


def document(record: Verdict | Alert) -> dict[str, Any]:
    """The record as a reader of the topic has it."""
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return body


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize("example", ["numeric_verdict", "categorical_verdict"])
def test_verdict(run: Judged, reference: Reference, example: str) -> None:
    page = PAGE[example]
    found = document(run.verdict(page["feature"], page["window"]["start"]))
    window = page["window"]
    assert found["verdict_id"] == identity(
        "car-loan", page["feature"], window["start"], window["end"], reference.id
    )
    assert found["reference"] == {"id": reference.id, "events": 50_000}
    told = {"verdict_id", "reference", "detectors"}
    assert without(found, *told) == without(page, *told)
    assert list(found) == list(page)
    exactly = without(found["detectors"], "wasserstein")
    assert exactly == without(page["detectors"], "wasserstein")
    assert list(found["detectors"]) == list(page["detectors"])


def test_wasserstein_from_counts_is_near_that_of_the_raw_values(run: Judged) -> None:
    page = PAGE["numeric_verdict"]["detectors"]["wasserstein"]
    found = document(run.verdict("car_value", "2019-04-02T00:00:00Z"))["detectors"]["wasserstein"]
    assert found["value"] == 18323.4
    assert found["value"] == pytest.approx(page["value"], rel=2e-5)
    assert without(found, "value") == without(page, "value")


def check_alert(
    found: dict[str, Any],
    page: dict[str, Any],
    reference: Reference,
    *but: str,
    incident: str = "2019-03-31T00:00:00Z",
) -> None:
    """Compare a record with the page's: all fields but ids, and what `but` names."""
    since = page["since"]
    assert found["alert_id"] == identity("car-loan", page["feature"], page["kind"], since)
    assert found["incident_id"] == identity("car-loan", incident)
    assert found["reference"] == {"id": reference.id, "events": 50_000}
    told = {"alert_id", "incident_id", "reference", *but}
    assert without(found, *told) == without(page, *told)
    assert set(found) >= set(page) - {"interval", "normal"}


def test_firing_alert(run: Judged, reference: Reference) -> None:
    """It fires nine hours after the drift begins, long before the window of 6 days is over."""
    page = PAGE["firing_alert"]
    (found,) = (
        document(a)
        for a in run.alerts
        if a.feature == "car_value" and a.window.start == page["window"]["start"]
    )
    check_alert(found, page, reference)


def test_resolved_alert(ended: Judged, reference: Reference) -> None:
    page = PAGE["resolved_alert"]
    records = [document(a) for a in ended.alerts if a.feature == "salary_range"]
    check_alert(records[-1], page, reference, "revision", "also_firing")
    # Fired, rose, then written again whenever 7 days have passed: with windows of 6 days at every
    # second, from 2019-04-20 to 2019-07-13; then resolved.
    assert [record["window"]["end"][:10] for record in records] == [
        *("2019-04-01", "2019-04-08"),
        *("2019-04-20", "2019-05-02", "2019-05-14", "2019-05-26"),
        *("2019-06-07", "2019-06-19", "2019-07-01", "2019-07-13"),
        "2019-07-19",
    ]
    assert [record["revision"] for record in records] == list(range(1, 12))
    assert [record["status"] for record in records] == ["firing"] * 10 + ["resolved"]


def test_every_alert_resolves_after_three_quiet_windows(ended: Judged) -> None:
    resolved = {a.feature: a for a in ended.alerts if a.status == "resolved"}
    assert resolved.keys() == DRIFTED
    later = {}
    for feature, alert in resolved.items():
        lived = [
            v
            for v in ended.verdicts
            if v.feature == feature and alert.begin < v.window.span[1] <= alert.window.span[1]
        ]
        quiet = [v.effect is not None and v.effect < 0.01 for v in lived]
        three = [all(quiet[i : i + 3]) for i in range(len(quiet) - 2)]
        assert three[-1]
        later[feature] = len(three) - 1 - three.index(True)
        until = [v.window.start for v in ended.verdicts if v.feature == feature]
        assert alert.until == until[until.index(alert.window.start) - 2]
        still = {f for f, other in resolved.items() if other.window.span[1] > alert.window.span[1]}
        assert set(alert.also_firing) == still
    # The finer bins of the change alarm have to be quiet too.
    assert later == {**dict.fromkeys(DRIFTED, 0), "prediction.score": 1}
    assert resolved["salary_range"].also_firing == ["loan_length", "prediction.score"]


def test_the_five_drifted_features_alert_and_no_other(run: Judged) -> None:
    assert {alert.feature for alert in run.alerts} == DRIFTED
    assert {verdict.feature for verdict in run.verdicts} == DRIFTED | QUIET
    assert {v.state for v in run.verdicts if v.feature in QUIET} == {"ok"}


def test_no_window_before_the_drift_fires(run: Judged) -> None:
    assert min(alert.window.times[1] for alert in run.alerts) == "2019-03-31T12:00:00Z"
    before = {v.state for v in run.verdicts if v.window.times[1] <= "2019-03-31T03:00:00Z"}
    assert before == {"ok"}


def test_the_table_of_the_backtest(run: Judged) -> None:
    rises: dict[str, Alert] = {}
    severity: dict[str, str] = {}
    for alert in run.alerts:
        assert alert.feature is not None
        if severity.get(alert.feature) != alert.severity:
            rises[alert.feature] = alert
            severity[alert.feature] = alert.severity
    assert {f: ((a.since or "")[:10], a.severity, f"{a.effect:.2f}") for f, a in rises.items()} == {
        "car_value": ("2019-03-31", "critical", "0.42"),
        "repaid_loan_on_prev_car": ("2019-03-31", "critical", "0.40"),
        "salary_range": ("2019-03-30", "critical", "0.27"),
        "prediction.score": ("2019-03-31", "critical", "0.38"),
        "loan_length": ("2019-03-31", "critical", "0.29"),
    }
    said = {feature: alert.summary.partition(", since ")[0] for feature, alert in rises.items()}
    assert said == {
        "car_value": "car-loan: car_value rose: median 34,732, normally 21,902",
        "repaid_loan_on_prev_car": 'car-loan: repaid_loan_on_prev_car changed: "true" is 84.1 % '
        "of events, normally 55.1 %",
        "salary_range": 'car-loan: salary_range changed: "60K+ €" is 0.6 % of events, '
        "normally 10.1 %",
        "prediction.score": "car-loan: prediction.score narrowed: 0.09 to 0.52 in 26.1 % "
        "of events, normally 9.8 %",
        "loan_length": "car-loan: loan_length rose: median 17, normally 16",
    }
    first = {
        alert.feature: alert.window.times[1][:10] for alert in run.alerts if alert.revision == 1
    }
    assert first == {
        **dict.fromkeys(["car_value", "repaid_loan_on_prev_car"], "2019-03-31"),
        **dict.fromkeys(["loan_length", "prediction.score", "salary_range"], "2019-04-01"),
    }
    assert len({alert.alert_id for alert in run.alerts}) == 5
    assert len({alert.incident_id for alert in run.alerts}) == 1


def test_fifty_windows_and_what_is_left_over(run: Judged) -> None:
    windows = sorted({(v.window.start, v.window.end) for v in run.verdicts})
    assert len(windows) == 50
    assert windows[-1][1] == "2019-08-24T00:00:00Z"
    judged_events = sum(v.window.events for v in run.verdicts if v.feature == "car_value")
    totals = run.backtest.totals
    assert (totals.read, totals.counted["car-loan"]) == (50_000, 50_000)
    assert not totals.rejected
    assert not run.backtest.examples
    assert totals.late["car-loan"] == 0
    assert 50_000 - judged_events == 908


def test_verdicts_and_alerts_do_not_depend_on_the_chunks(
    run: Judged, reference: Reference, analysis: list[Row]
) -> None:
    def chunks() -> Iterator[list[Row]]:
        sizes, start = [1, 9_999, 17_777, 3, 30_000], 0
        for size in sizes:
            yield analysis[start : start + size]
            start += size

    other = judged(reference, chunks())
    for mine, theirs in ((run.verdicts, other.verdicts), (run.alerts, other.alerts)):
        assert msgspec.json.encode(mine) == msgspec.json.encode(theirs)


def test_counts_add_up_and_numbers_are_finite(run: Judged) -> None:
    kinds = ("valid", "missing", "absent", "invalid")
    for verdict in run.verdicts:
        assert verdict.counts is not None
        assert sum(verdict.counts[kind] for kind in kinds) == verdict.window.events
    for text in (msgspec.json.encode(run.verdicts), msgspec.json.encode(run.alerts)):
        json.loads(text, parse_constant=lambda name: pytest.fail(name))


def test_views_hold_every_figure(run: Judged, reference: Reference) -> None:
    """What the page answers of the car loans is what stands in their records."""
    views = Views.of(configuration(), read=lambda place: run.verdicts[place.offset])
    oracle.folded(enumerate(run.verdicts), run.alerts, views)
    shown = views.model("car-loan")
    assert shown is not None
    oracle.check_model(shown, run.verdicts, run.alerts)
    assert {row.feature for row in shown.features} == DRIFTED | QUIET
    for row in shown.features:
        feature = views.feature("car-loan", row.feature)
        assert feature is not None
        oracle.check_feature(feature, run.verdicts)
    assert {row.feature for row in views.alerts().alerts} == DRIFTED
    assert shown.model.reference == reference.id
    for alert in run.alerts:
        found = views.alert(alert.alert_id)
        assert found is not None
        assert found.verdict is not None
        assert found.verdict.feature == alert.feature
