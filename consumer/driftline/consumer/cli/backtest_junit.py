"""What a backtest found, as the XML that CI systems read test results from. Cases in, bytes out.

The format is JUnit's as Jenkins has it (`junit-10.xsd` of its xUnit plugin), which GitLab, GitHub
actions, Azure and others read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree

from driftline.consumer.cli.backtest_text import begin_text
from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.cases import Case
from driftline.consumer.wire.records import Alert
from driftline.consumer.wire.text import counted

JUDGED = "enough events were judged"
"""The case of a model that fails where a backtest without alerts shows nothing."""


def junit(
    model: str,
    cases: Sequence[Case],
    doubt: str,
    failures: Mapping[str, Exception],
    properties: Mapping[str, str],
) -> bytes:
    """Return test results: a suite a stream, a case a feature or metric.

    Args:
        model: the model.
        cases: what was asked, and how it came out.
        doubt: why too little was judged to say that there is no drift, empty if enough was.
        failures: models and comparisons that failed by a defect, with the error.
        properties: what was judged, name to value.

    Example:
        >>> print(junit("m", [], "", {}, {"reference": "12d6"}).decode())
        <?xml version='1.0' encoding='utf-8'?>
        <testsuites name="driftline backtest" tests="1" failures="0" errors="0">
          <testsuite name="m" tests="1" failures="0" errors="0" skipped="0">
            <properties>
              <property name="reference" value="12d6" />
            </properties>
            <testcase classname="m" name="enough events were judged" />
          </testsuite>
        </testsuites>
        <BLANKLINE>
    """
    root = ElementTree.Element("testsuites", name="driftline backtest")
    whole = _suite(root, model, properties)
    judged = _case(whole, model, JUDGED)
    if doubt:
        _outcome(judged, "error", "too_little_judged", doubt)
    for name, error in failures.items():
        _outcome(_case(whole, model, name), "error", type(error).__name__, f"{name}: {error}")
    for stream, own in groupby(cases, lambda case: case.stream):
        suite = whole if stream == model else _suite(root, stream, {})
        for case in own:
            _add(suite, case)
    _sum_up(root)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return written + b"\n"


def _add(suite: ElementTree.Element, case: Case) -> None:
    element, failures = _case(suite, case.stream, case.name), case.failures
    if failures:
        worst, more = failures[0], len(failures) - 1
        message = worst.summary + (f" (and {counted(more, 'more alert')})" if more else "")
        texts = "\n\n".join(map(_text, failures))
        _outcome(element, "failure", worst.kind, message, texts)
    elif not case.judged:
        ((reason, windows),) = case.reasons.most_common(1)
        why = f"{reason} ({counted(case.reasons.total(), 'window')}, {windows:,} for this reason)"
        _outcome(element, "skipped", "insufficient", why)


def _text(alert: Alert) -> str:
    """Return what a failure says of an alert beside its sentence."""
    since = "since row" if alert.rows else "since"
    lines = [
        alert.summary,
        f"severity: {alert.severity}",
        f"{since}: {begin_text(alert)}",
        f"rule: {alert.rule}",
        f"alert: {alert.alert_id}",
        *([f"owner: {alert.owner}"] if alert.owner else []),
        *([f"runbook: {alert.runbook}"] if alert.runbook else []),
        *(f"{name}: {url}" for name, url in (alert.links or {}).items()),
    ]
    return "\n".join(map(clean, lines))


def _suite(
    root: ElementTree.Element, name: str, properties: Mapping[str, str]
) -> ElementTree.Element:
    suite = ElementTree.SubElement(root, "testsuite", name=clean(name))
    if properties:
        held = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            ElementTree.SubElement(held, "property", name=key, value=clean(value))
    return suite


def _case(suite: ElementTree.Element, stream: str, name: str) -> ElementTree.Element:
    found = {"classname": clean(stream), "name": clean(name)}
    return ElementTree.SubElement(suite, "testcase", found)


def _outcome(case: ElementTree.Element, what: str, kind: str, message: str, text: str = "") -> None:
    found = {"type": kind, "message": clean(message)}
    ElementTree.SubElement(case, what, found).text = text or clean(message)


def _sum_up(root: ElementTree.Element) -> None:
    """Write how many cases there are, and how they came out."""
    suites = root.findall("testsuite")
    for suite in suites:
        _write(suite, [suite], ("failure", "error", "skipped"))
    _write(root, suites, ("failure", "error"))


_PLURAL = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def _write(
    element: ElementTree.Element, suites: Sequence[ElementTree.Element], kinds: Iterable[str]
) -> None:
    element.set("tests", str(sum(len(each.findall("testcase")) for each in suites)))
    for kind in kinds:
        found = sum(len(each.findall(f"testcase/{kind}")) for each in suites)
        element.set(_PLURAL[kind], str(found))
