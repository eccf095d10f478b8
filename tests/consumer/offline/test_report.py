"""A report: rows of verdicts and alerts, as text, frame, dictionary and page."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
import pytest
from tests.consumer.cli.records import alert, verdict

from driftline.consumer.offline import frames
from driftline.consumer.offline.feedback import Note
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.report import Report
from driftline.consumer.offline.report_page import written
from driftline.consumer.wire.records import Verdict


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
    return Report.of(found, verdicts, [Note("assumed", "timestamp is <ts>")], "1 per 30d")


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


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "rect"):
            self.open.append(tag)
        assert not any(name in ("src", "href") for name, _ in attrs), "needs nothing else"

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def test_a_page_is_whole_escapes_names_and_needs_no_network(report: Report, tmp_path: Path) -> None:
    report.save(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    tags = _Tags()
    tags.feed(text)
    assert not tags.open
    assert "svg" in tags.seen
    assert "b" not in tags.seen
    assert "&lt;b&gt;&amp;" in text
    assert "http" not in text
    assert report._repr_html_() in text


def test_only_the_largest_of_many_bins_are_drawn(report: Report) -> None:
    many = changed(
        verdict(),
        bins={
            "categories": [f"c{i}" for i in range(100)],
            "reference": list(range(100)),
            "window": [1] * 100,
        },
    )
    found = Found("car-loan", 500)
    found.add(many)
    text = Report.of(found, [many], [], "1 per 30d")._repr_html_()
    assert text.count("<title>") == 40
    assert "c99: 1.0 %" in text
    assert "c1: " not in text


def test_figures() -> None:
    assert [written(x) for x in (0.0, 1e-5, 12345.0)] == ["0", "1e-05", "12,345"]
