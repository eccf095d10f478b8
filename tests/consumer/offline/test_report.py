"""A report: rows of verdicts and alerts, as text, frame, dictionary and page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
import pytest
from tests.consumer.cli.records import alert, verdict
from tests.consumer.html.agreement import data_of
from tests.consumer.html.test_inlined import Elements

from driftline.consumer.config import ModelConfig, ReferenceConfig
from driftline.consumer.offline import frames
from driftline.consumer.offline.feedback import Note
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.published import Run
from driftline.consumer.offline.report import Report, written
from driftline.consumer.views.pipeline import ModelFlow, PipelineView
from driftline.consumer.wire.records import Alert, Verdict


def changed(record: Verdict, **fields: object) -> Verdict:
    return msgspec.structs.replace(record, **fields)


@pytest.fixture
def report() -> Report:
    fired, quiet = verdict(), changed(verdict(), feature="tenure", effect=0.01, state="ok")
    earlier = changed(fired, effect=0.3)
    segment = changed(quiet, segment="channel=web", effect=9.0)
    unjudged = changed(
        quiet, feature="<b>&", state="insufficient", reason="no value", effect=None, bins=None,
        detectors={},
    )  # fmt: skip
    found = Found("car-loan", 500)
    verdicts = [earlier, fired, quiet, segment, unjudged]
    for each in verdicts:
        found.add(each)
    found.add(alert().with_change("median 43,485, normally 21,902"))
    return Report.of(found, verdicts, [Note("assumed", "timestamp is <ts>")], run(alert()))


def run(*alerts: Alert) -> Run:
    config = ModelConfig(predictions=("rows",), reference=ReferenceConfig(layout="-"))
    flow = ModelFlow("car-loan", None, None, 2_991, 7, 2, 0, 0, {}, None, failed=False)
    missed = PipelineView(True, None, [], [], [flow], {"malformed": 4}, {}, [])
    return Run("car-loan", config, alerts, missed)


def test_a_row_is_the_window_that_differed_most_and_what_drifted_comes_first(
    report: Report,
) -> None:
    assert [row.feature for row in report.features] == ["car_value", "tenure", "<b>&"]
    row = report["car_value"]
    assert (row.drifted, row.effect, row.change, row.since) == (
        True, 1.53282, "median 43,485, normally 21,902", "2019-03-27T00:00:00Z",
    )  # fmt: skip
    assert row.p_value == 6.87915e-157
    assert (report["tenure"].drifted, report["tenure"].change) == (False, "")
    assert report["<b>&"].change == "no value"
    assert report.drifted == ["car_value"]
    with pytest.raises(KeyError):
        report["other"]


def test_text_names_how_many_of_how_many(report: Report) -> None:
    text = str(report)
    assert text.startswith("1 of 3 features drifted: 1 window judged")
    assert "car_value" in text
    assert "assumed  timestamp is <ts>" in text


def test_rows_as_dictionary_json_and_frame(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(report.to_json()) == report.to_dict()
    frame = report.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["feature"].tolist() == ["car_value", "tenure", "<b>&"]
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    assert type(report.to_frame()).__module__.startswith("polars")
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    assert isinstance(report.to_frame(), pa.Table)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        frames.frame([])


def test_a_notebook_shows_the_rows(report: Report) -> None:
    text = report._repr_html_()
    assert text.startswith(f"<p>{report.headline}</p>")
    assert text.count('<th scope="row">') == 3
    assert '<th scope="row">&lt;b&gt;&amp;</th>' in text
    assert "<td>drifted</td><td>1.53</td><td>6.9e-157</td><td>median 43,485, normally" in text
    assert text.endswith("<p>assumed  timestamp is &lt;ts&gt;</p>")


def test_what_is_saved_is_the_view_with_its_names_escaped(report: Report, tmp_path: Path) -> None:
    report.save(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    data, view = data_of(text), report.view()
    assert [each["in_topics"] for each in data["alerts"]] == [False]  # no command finds it there
    assert (data["title"], data["notes"]) == ("Drift of car-loan", ["assumed: timestamp is <ts>"])
    assert data["pipeline"]["rejected"] == {"malformed": 4}
    assert [each["feature"] for each in data["features"]] == ["car_value"]  # the others are quiet
    assert {each.feature for each in view.features} == {"car_value", "tenure", "<b>&"}
    assert [each.record for each in view.alerts] == [alert()]
    assert "b" not in {tag for tag, _, _ in Elements(text).found}
    assert "assumed: timestamp is &lt;ts&gt;" in text


def test_a_budget_that_is_off_is_said_so(report: Report) -> None:
    off = dataclasses.replace(
        report.run, config=report.run.config.model_copy(update={"budget": None})
    )
    found = Report.of(Found("car-loan", 500), [], [], off)
    assert found.headline.endswith("budget of false alarms: off")
    assert found.view().promised is None


def test_figures() -> None:
    assert [written(x) for x in (0.0, 1e-5, 12345.0)] == ["0", "1e-05", "12,345"]
