"""A report in a browser: opened from disk, without network, accessible, printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest
from tests.page.answers import MODEL, Board
from tests.page.window import Tab, tab

from driftline.consumer import backtest
from driftline.consumer.html.report_file import report_file
from driftline.consumer.views.report import ReportView

pytestmark = pytest.mark.page

T = TypeVar("T")
EVIL = '</script><img src=x onerror="alert(1)">\u202e'


def opened(own: Tab) -> Any:
    """Open a report, and wait until what is below its summary is drawn."""
    page = own.open("")
    page.wait_for_selector("article")
    return page


def there(found: T | None) -> T:
    """What there is."""
    assert found is not None
    return found


def view(features: int = 24, windows: int = 60) -> ReportView:
    """A report of a made-up model: its alerts, and the features that they are about."""
    board = Board(features, windows, quiet=2)
    rows = board.listed()
    return ReportView(
        f"Drift of {MODEL}", board.axis.starts[0], board.axis.ends[-1], board.axis.starts[0],
        board.home(), [there(board.model(MODEL))],
        [there(board.feature(MODEL, row.feature or "")) for row in rows],
        [there(board.performance(MODEL))], [there(board.joint(MODEL))],
        [there(board.alert(row.alert_id)) for row in rows],
        0.2, 3, 1, 1, {"fewer than 500 events": 12}, board.pipeline(), ["assumed: timestamp is ts"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def report() -> ReportView:
    return view()


@pytest.fixture(scope="module")
def file(report: ReportView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_file(report), encoding="utf-8")
    return path


def test_it_opens_from_disk_and_asks_for_nothing(
    browser: Any, file: Path, report: ReportView
) -> None:
    with tab(browser, file.as_uri()) as own:
        asked: list[str] = []
        own.page.on("request", lambda request: asked.append(request.url))
        page = opened(own)
        assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
        assert own.complaints == []
        assert page.title() == report.title
        articles = page.locator("article")
        assert articles.count() == len(
            [*report.models, *report.performance, *report.joint, *report.alerts, *report.features]
        )
        targets = page.eval_on_selector_all(
            "a[href^='#']",
            "all => all.map(each => document.querySelector(each.getAttribute('href')) !== null)",
        )
        assert len(targets) > articles.count()
        assert all(targets)
        blocked = page.evaluate("fetch('https://example.org').then(() => false, () => true)")
        assert blocked


def test_figures_are_those_of_the_view(browser: Any, file: Path, report: ReportView) -> None:
    with tab(browser, file.as_uri()) as own:
        page = opened(own)
        shown = page.eval_on_selector_all(
            "article:first-of-type .features .rows [role=row]",
            """rows => rows.map(row => [
              row.querySelector('[role=rowheader]').textContent.trim(),
              ...[...row.querySelectorAll('data')].map(each => +each.value)])""",
        )
        assert shown == [
            [row.feature, row.effect, row.missing] for row in report.models[0].features
        ]
        for alert in report.alerts:
            summary = page.locator("section", has_text="What drifted").first
            row = summary.locator("tr", has_text=alert.row.summary)
            assert "evidence 37 (limit 6.11)" in row.inner_text()


def test_a_file_without_times_and_without_drift_is_as_sound(browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    rng = np.random.default_rng(7)
    before = {"age": rng.normal(0, 1, 900), "plan": rng.choice(["a", "b"], 900)}
    for name, by in (("drift", 1.0), ("quiet", 0.0)):
        now = {"age": rng.normal(by, 1, 600), "plan": rng.choice(["a", "b"], 600)}
        backtest(now, before, rows=200, min_events=50).save(tmp_path / f"{name}.html")
        with tab(browser, (tmp_path / f"{name}.html").as_uri()) as own:
            page = opened(own)
            assert (Axe().run(page).response["violations"], own.complaints) == ([], [])
            text = page.inner_text("main")
            assert ("age rose" in text) == (name == "drift")
            assert "row 600" in text
            assert not re.search(r"undefined|NaN|\[object", text)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_breaks_no_rule_of_accessibility(browser: Any, file: Path, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with tab(browser, file.as_uri(), color_scheme=theme) as own:
        found = Axe().run(opened(own)).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_on_a_phone_nothing_is_wider_than_the_window(browser: Any, file: Path) -> None:
    with tab(browser, file.as_uri(), viewport={"width": 375, "height": 700}) as own:
        assert opened(own).evaluate("document.documentElement.scrollWidth") == 375


def test_on_paper_each_part_begins_a_page_and_nothing_is_left_out(
    browser: Any, tmp_path: Path
) -> None:
    many = view(features=90)
    (tmp_path / "many.html").write_text(report_file(many), encoding="utf-8")
    with tab(browser, (tmp_path / "many.html").as_uri()) as own:
        page = opened(own)
        rows = page.locator("article:first-of-type .features [role=rowheader]")
        assert rows.count() < 90
        printed = page.pdf(prefer_css_page_size=True)
        assert printed.startswith(b"%PDF-")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) > page.locator(".chapter").count() == 5
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 800, "height": 900})
        frames = (
            "const frame = () => new Promise(requestAnimationFrame); await frame(); await frame();"
        )
        page.evaluate(f"async () => {{ {frames} dispatchEvent(new Event('beforeprint')); }}")
        page.wait_for_function(
            "() => document.querySelectorAll('article .features [role=rowheader]').length === 90"
        )
        assert page.locator("article .features .spark").first.is_visible()
        assert not page.locator(".contents").is_visible()


def test_without_scripts_the_summary_is_there(browser: Any, file: Path, report: ReportView) -> None:
    with tab(browser, file.as_uri(), java_script_enabled=False) as own:
        own.page.goto(file.as_uri())
        text = own.page.inner_text("main")
        for alert in report.alerts:
            assert alert.row.summary in text
        assert "3 alerts began under the budget: 1 marked as false alarms, 1 acknowledged" in text
        assert own.page.locator("article").count() == 0


def test_names_do_nothing(browser: Any, tmp_path: Path, report: ReportView) -> None:
    model = report.models[0]
    rows = [msgspec.structs.replace(model.features[0], feature=EVIL), *model.features[1:]]
    alerts = [
        msgspec.structs.replace(
            each, row=msgspec.structs.replace(each.row, summary=EVIL, feature=EVIL)
        )
        for each in report.alerts
    ]
    evil = msgspec.structs.replace(
        report,
        title=EVIL,
        models=[msgspec.structs.replace(model, features=rows)],
        features=[msgspec.structs.replace(each, feature=EVIL) for each in report.features],
        alerts=alerts,
    )
    (tmp_path / "evil.html").write_text(report_file(evil), encoding="utf-8")
    with tab(browser, (tmp_path / "evil.html").as_uri()) as own:
        own.page.on("dialog", lambda dialog: own.complaints.append(dialog.message))
        page = opened(own)
        assert own.complaints == []
        assert page.locator("img").count() == 0
        assert page.locator("article h1", has_text="onerror").count() >= len(report.features)
