"""Test results and summaries of backtests: valid, escaped, and no other than what is printed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.test_backtest_exit import QUIET, rows, verdict, write

from driftline.consumer.cli.backtest_junit import JUDGED, junit
from driftline.consumer.cli.backtest_summary import escaped, summary
from driftline.consumer.offline.cases import Case, Cases
from driftline.consumer.wire.records import (
    EVENTS,
    JOINT,
    Alert,
    DetectorValue,
    FeatureEffect,
    ReferenceName,
    Verdict,
    Window,
)

DATA = Path(__file__).parents[2] / "data"
SCHEMA = etree.XMLSchema(etree.parse(DATA / "junit" / "junit-10.xsd"))


def parsed(written: bytes) -> etree._Element:
    root = etree.fromstring(written)
    SCHEMA.assertValid(root)
    return root


def outcomes(written: bytes) -> dict[tuple[str, str], str]:
    """Stream and name of each case, and how it came out."""
    cases = parsed(written).iterfind("testsuite/testcase")
    return {
        (case.get("classname"), case.get("name")): case[0].tag if len(case) else "passed"
        for case in cases
    }


def alert(**changes: object) -> Alert:
    one = Alert(
        schema="driftline.alert.v1", alert_id="a1", revision=1, status="firing",
        severity="warning", kind="feature_drift", summary="m: x rose", stream="m", model="m",
        segment=None, feature="x", type="numeric", since="2026-03-04T00:00:00Z", until=None,
        rule="budget", detector="ks", value=0.5, p_value=None, threshold=0.1, effect=0.4,
        breaches=(1, 1), window=Window("2026-03-04", "2026-03-05", 9),
        reference=ReferenceName("r", 9), versions={}, counts=None, top=[], incident_id="i",
        also_firing=[], owner=None, runbook=None,
    )  # fmt: skip
    return msgspec.structs.replace(one, **changes)


def cases_of(outputs: Iterable[Verdict | Alert]) -> dict[tuple[str, str], Case]:
    cases = Cases(500)
    for output in outputs:
        cases.take(output)
    return {(case.stream, case.name): case for case in cases.asked()}


def test_a_file_that_drifts_fails_in_its_feature(driftline: Driftline) -> None:
    file = write("events.csv", [*QUIET[:3_000], *rows(3_000, start=3_000, shift=2.0)])
    ran = driftline(
        "backtest", "--input", file, "--junit", "out/j.xml", "--summary", "s.md", "--fail-on-drift"
    )
    assert ran.code == 1
    written = Path("out/j.xml").read_bytes()
    assert outcomes(written) == {
        ("events", JUDGED): "passed", ("events", EVENTS): "skipped",
        ("events", "amount"): "failure",
        ("events", "prediction.score"): "passed",
    }  # fmt: skip
    (failure,) = parsed(written).iterfind("testsuite/testcase/failure")
    assert failure.get("message").startswith("events: amount rose: median ")
    assert failure.get("type") == "feature_drift"
    assert [parsed(written).get(x) for x in ("tests", "failures", "errors")] == ["4", "1", "0"]
    text = Path("s.md").read_text("utf-8")
    assert text.startswith("### 1 alert in events\n\nJudged: events   3,000 events")
    assert "| **critical** | amount | " in text
    assert "| amount rose: median " in text
    assert "- 1 alert, 1 incident; quiet: prediction.score\n" in text


def test_what_says_nothing_of_drift_is_an_error(driftline: Driftline) -> None:
    file = write("events.csv", QUIET)
    few = ["--window", "1h", "--min-events", "500", "--junit", "j.xml", "--summary", "s.md"]
    assert driftline("backtest", "--input", file, *few).code == 0
    written = Path("j.xml").read_bytes()
    assert outcomes(written)["events", JUDGED] == "error"
    assert outcomes(written)["events", "amount"] == "skipped"
    skipped = parsed(written).find("testsuite/testcase[@name='amount']/skipped")
    assert skipped.get("message").startswith("fewer than 500 events (")
    text = Path("s.md").read_text("utf-8")
    assert text.startswith("### No result for events\n\n> **no window was judged (")


def test_the_summary_of_a_job_is_appended_to(
    driftline: Driftline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = write("events.csv", QUIET)
    shared = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(shared))
    shared.write_text("Earlier step\n\n", "utf-8")
    for name in ("summary.md", "own.md", "summary.md"):
        ran = driftline("backtest", "--input", file, "--summary", name)
        assert ran.code == 0
        assert ("appended to" in ran.err) == (name == "summary.md")
    own = Path("own.md").read_text("utf-8")
    assert own.startswith("### No drift in events\n")
    assert shared.read_text("utf-8") == f"Earlier step\n\n{own}\n{own}\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    ran = driftline("backtest", "--input", file, "--summary", tmp_path)
    assert (ran.code, "cannot be written: Is a directory" in ran.err) == (2, True)


def test_a_comparison_takes_neither(driftline: Driftline) -> None:
    for option in ("--junit", "--summary"):
        ran = driftline("backtest", "--compare", "a.csv", "b.csv", option, "f")
        assert (ran.code, "leave out" in ran.err) == (2, True)


def test_a_case_passes_where_a_rule_looked() -> None:
    shown, ruled = DetectorValue.of(0.9), DetectorValue.of(0.9, state="ok")
    found = cases_of(
        [
            msgspec.structs.replace(verdict(10, 1, 9, "ok"), detectors={"ks": ruled}),
            msgspec.structs.replace(
                verdict(10, 1, 9, "ok", "performance"),
                feature="performance.mae", detectors={"mae": shown},
            ),
            verdict(11, 1, 9, "insufficient"),
        ]
    )  # fmt: skip
    assert [(key, case.judged) for key, case in found.items()] == [(("m", "x"), 1)]


def test_each_alert_fails_what_it_names() -> None:
    many = [FeatureEffect("a", 1.0), FeatureEffect("b", 0.5)]
    found = cases_of(
        [
            alert(),
            alert(status="resolved", alert_id="a9", feature="y"),
            alert(severity="critical", summary="m: x rose more"),
            alert(alert_id="a2", stream="m/channel=web", segment="channel=web"),
            alert(alert_id="a3", feature=None, detector=EVENTS, kind="data_quality"),
            alert(alert_id="a4", feature=None, kind="stale", detector=None),
            alert(alert_id="a6", feature=None, kind="joint_drift", summary="m: a and b"),
            msgspec.structs.replace(verdict(10, 1, 9, "insufficient", JOINT), feature=None),
            alert(alert_id="a5", feature=None, features=many, summary="m: 2 features changed"),
        ]
    )
    assert found["m", JOINT].reasons == {"few": 1}
    assert {key: [one.summary for one in case.failures] for key, case in found.items()} == {
        ("m", JOINT): ["m: a and b"],
        ("m", "x"): ["m: x rose more"], ("m/channel=web", "x"): ["m: x rose"],
        ("m", EVENTS): ["m: x rose"], ("m", "stale"): ["m: x rose"],
        ("m", "a"): ["m: 2 features changed"], ("m", "b"): ["m: 2 features changed"],
    }  # fmt: skip


def test_a_defect_is_an_error() -> None:
    written = junit("m", [], "", {"m": ValueError("x < 0")}, {})
    assert outcomes(written) == {("m", JUDGED): "passed", ("m", "m"): "error"}
    assert "> **m failed: x &lt; 0**" in summary("m", [], "9 events", [], ["m failed: x < 0"])


def test_links_and_owner_stand_beside_the_sentence() -> None:
    one = alert(owner="risk", runbook="https://wiki/a b>", links={"page": "https://p/a?x=1|2"})
    case = Case("m", "x")
    case.alerts.update({one.alert_id: one, "a2": alert(alert_id="a2", rows=(12, 90), since=None)})
    (failure,) = parsed(junit("m", [case], "", {}, {})).iterfind("testsuite/testcase/failure")
    assert failure.get("message") == "m: x rose (and 1 more alert)"
    assert "owner: risk\nrunbook: https://wiki/a b>\npage: https://p/a?x=1|2" in failure.text
    assert "since row: 12" in failure.text
    text = summary("m", [one], "", [], [])
    assert "[page](<https://p/a?x=1%7C2>), [runbook](<https://wiki/a%20b%3E>) |" in text
    assert "and 1 more alert" in summary("m", [alert()] * 201, "", [], [])


TEXTS = st.text(st.characters(codec=None), max_size=12)


@settings(max_examples=200, deadline=None)
@given(name=TEXTS, sentence=TEXTS, model=TEXTS)
def test_any_text_of_a_stream_is_a_cell_and_an_attribute(
    name: str, sentence: str, model: str
) -> None:
    one = alert(feature=name, summary=sentence, stream=model, model=model)
    case = Case(model, name)
    case.alerts["a1"] = one
    (failure,) = parsed(junit(model, [case], sentence, {}, {"k": name})).iterfind(".//failure")
    if sentence.isprintable():
        assert failure.get("message") == sentence
    text = summary(model, [one], name, [sentence], [sentence])
    assert sum(line.startswith("| ") for line in text.split("\n")) == 2
    (row,) = (line for line in text.split("\n") if line.startswith("| warning"))
    assert row.replace(r"\\", "").replace(r"\|", "").count("|") == 7


def test_markup_is_shown_as_it_is() -> None:
    assert escaped("<b>`a`_b_\n") == r"&lt;b&gt;\`a\`\_b\_\\n"
