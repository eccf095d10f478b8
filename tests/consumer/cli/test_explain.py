"""`driftline explain`: what tells the rows of an alert from quiet ones, as text, JSON and HTML."""

from __future__ import annotations

import csv
import gzip
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from tests.consumer.cli.alerted import BEGIN, CONFIG, EVENTS, events, fired, topics
from tests.consumer.cli.conftest import ANALYSIS_ROWS, Driftline
from tests.consumer.cli.records import alert
from tests.consumer.offline.explain.populations import sides, together
from tests.docs.own_data import orders
from tests.docs.shell import Shell

from driftline.consumer.cli.explain_text import explanation_text
from driftline.consumer.judge.sentence import clean
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.consumer.offline.explain.explain import Rows, explain
from driftline.consumer.offline.explain.html_file import html_file
from driftline.consumer.offline.explain.records import Explanation
from driftline.consumer.offline.explain.sample import Sample
from driftline.consumer.wire.records import Window

FIVE = [
    "car_value",
    "prediction.score",
    "loan_length",
    "repaid_loan_on_prev_car",
    "salary_range",
]
ROWS = ("alert.json", "--input", "events.jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the events, the alert and a configuration."""
    (tmp_path / "events.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(events()))
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(fired()))
    (tmp_path / "shop.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = topics(fired())
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    return made


def explained(text: str) -> Explanation:
    return msgspec.json.decode(text, type=Explanation)


def test_the_car_loans_name_the_five_features_that_drift_first(
    driftline: Driftline, tmp_path: Path
) -> None:
    """Three weeks from where the drift begins, against the three before it."""
    with gzip.open(ANALYSIS_ROWS, "rt", encoding="utf-8", newline="") as packed:
        rows = [
            row for row in csv.DictReader(packed) if "2019-03-10" <= row["timestamp"] < "2019-04-21"
        ]
    with (tmp_path / "cars.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    window = Window("2019-04-15T00:00:00Z", "2019-04-21T00:00:00Z", 991)
    record = msgspec.structs.replace(alert(), since="2019-03-31T00:00:00Z", window=window)
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(record))
    ran = driftline("explain", "alert.json", "--input", "cars.csv", "--json")
    found = explained(ran.out)
    assert found.apart
    assert [each.name for each in found.features if each.by_itself] == FIVE
    assert [each.name for each in found.features[:5]] == FIVE
    assert found.area.low is not None
    assert found.area.low > 0.85
    assert (found.now.rows, found.quiet.rows) == (3_468, 3_468)


def test_a_planted_segment_is_named_and_how_it_reads(driftline: Driftline, tmp_path: Path) -> None:
    orders(Shell(tmp_path))
    driftline("backtest", "--input", "orders.csv", "--alerts", "alerts.jsonl")
    rows = ("alerts.jsonl", "--input", "orders.csv", "--until", "2026-03-12T00:00:00Z")
    ran = driftline("explain", *rows, "--html", "changed.html", "--examples", "1")
    lines = ran.out.splitlines()
    assert lines[0].startswith("orders: amount rose: median 47.6, normally 32.6, since 2026-03-09")
    assert lines[1] == (
        "Now: 1,200 rows, 2026-03-09 00:00 UTC to 2026-03-12 00:00 UTC. Quiet: 2,400 rows,"
        " 2026-03-06 00:00 UTC to 2026-03-09 00:00 UTC and 2026-03-03 00:00 UTC to 2026-03-06"
        " 00:00 UTC."
    )
    assert lines[2].startswith("The rows tell the two apart: AUC 0.")
    assert "Only together with others: device." in lines
    assert any(line.startswith("device=app holds ") for line in lines)
    assert any(line.startswith("amount high and device app: in 30.8 % of the") for line in lines)
    assert any(line.startswith("o-") for line in lines)
    text = (tmp_path / "changed.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "https:" not in text
    page = Text()
    page.feed(text)
    for line in (lines[1], lines[2], "Only together with others: device."):
        assert line in page.words()
    assert "device=app holds" in page.words()


class Text(HTMLParser):
    """The text of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def words(self) -> str:
        return " ".join(" ".join(self.parts).split())


def test_topics_and_a_file_say_the_same(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    """Ten hours are less than a day: the quiet rows are those just before."""
    of_file = driftline("explain", *ROWS, "--config", "shop.yaml", "--json")
    of_topic = driftline("explain", "56f2", "--config", "shop.yaml", "--json")
    assert of_topic.out == of_file.out
    found = explained(of_topic.out)
    assert found.apart
    assert found.notes == [
        "there are too few rows at the same hours before it, so those just before are taken"
    ]
    assert found.features[0].name == "km"
    assert found.found_segment is not None
    assert found.found_segment.conditions == ("shop=b",)
    assert found.examples == []  # the configuration does not let values be shown
    assert broker.members == []


def test_values_are_shown_where_that_is_allowed(driftline: Driftline, folder: Path) -> None:
    shown = CONFIG.replace("labels: {topic", "show_values: true, ignore: [km], labels: {topic")
    (folder / "shop.yaml").write_text(shown)
    found = explained(driftline("explain", *ROWS, "--config", "shop.yaml", "--json").out)
    assert "km" not in {each.name for each in found.features}
    found = explained(driftline("explain", *ROWS, "--json").out)  # a file alone is one's own
    assert len(found.examples) == 3
    assert {*found.examples[0].values} == {e.name for e in found.features if e.tells}
    found = explained(driftline("explain", *ROWS, "--json", "--examples", "0").out)
    assert found.examples == []


def test_a_quiet_time_of_ones_own_may_be_no_different(driftline: Driftline, folder: Path) -> None:
    quiet = ("2026-01-01T00:00:00Z", "2026-01-01T02:30:00Z", "2026-01-01T05:00:00Z")
    times = ("--since", quiet[1], "--until", quiet[2], "--against", f"{quiet[0]}..{quiet[1]}")
    ran = driftline("explain", *ROWS, *times)
    lines = ran.out.splitlines()
    assert lines[1] == (
        "Now: 150 rows, 2026-01-01 02:30 UTC to 2026-01-01 05:00 UTC. Quiet: 150 rows,"
        " 2026-01-01 00:00 UTC to 2026-01-01 02:30 UTC."
    )
    assert lines[2].startswith("The rows do not tell the two apart: AUC 0.")
    assert len(lines) == 3
    found = explained(driftline("explain", *ROWS, *times, "--json").out)
    assert (found.apart, found.pairs, found.found_segment, found.examples) == (False, [], None, [])
    assert not any(each.tells for each in found.features)


def test_a_quiet_time_may_be_after_the_alert(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    """What came when the alert was long published is read, too."""
    window = Window("2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z", 60)
    early = fired(since="2026-01-01T01:00:00Z", window=window, alert_id="e" * 16)
    value = msgspec.json.encode(early)
    broker.append(Message("driftline.alerts", 0, b"", value, timestamp=BEGIN + 3 * 3_600_000))
    later = ("--against", "2026-01-01T07:00:00Z..2026-01-01T09:00:00Z")
    ran = driftline("explain", "eeee", "--config", "shop.yaml", "--json", *later)
    found = explained(ran.out)
    assert (found.now.rows, found.quiet.rows) == (120, 120)
    assert found.features[0].name == "km"


def test_the_rows_of_the_reference(driftline: Driftline, folder: Path) -> None:
    half = msgspec.json.Encoder().encode_lines(events()[: EVENTS // 2])
    (folder / "reference.jsonl").write_bytes(half)
    ran = driftline("explain", *ROWS, "--reference-input", "reference.jsonl", "--json")
    found = explained(ran.out)
    assert (found.quiet.spans, found.quiet.rows) == (("all rows of the reference",), EVENTS // 2)
    assert found.features[0].name == "km"


def test_a_page_has_the_pairs_the_examples_and_what_to_know(tmp_path: Path) -> None:
    """Names and values of others are text in it, whatever they hold."""
    now, quiet = sides(400, 3, together)
    for number, row in enumerate([*quiet, *now]):
        row.features["<b>x0</b>"] = row.features.pop("x0")
        row.features["running"] = number
    samples = Sample(300), Sample(300)
    for sample, rows in zip(samples, (now, quiet), strict=True):
        for row in rows:
            sample.add(row)
    spans = ["one", "two", "three"]
    found = explain(fired(), Rows(spans, samples[0]), Rows(spans, samples[1]), examples=2)
    assert found.notes[0] == (
        "of 400 rows of the alert 300 are looked at, those whose event ids have the smallest hashes"
    )
    text = html_file(found)
    assert "<b>" not in text.partition("<main")[2]
    page = Text()
    page.feed(text)
    words = page.words()
    assert "one and two and 1 more span" in words
    assert "&lt;b&gt;x0&lt;/b&gt; low" in text
    assert found.pairs[0].summary in words
    assert "not compared: running (it runs with the time)" in words
    assert "No segment holds most of the change" in words
    assert found.examples[0].event_id in words
    assert clean(found.summary) in words
    printed = explanation_text(found)
    assert "not compared: running (it runs with the time)" in printed.splitlines()


def test_an_alert_of_a_segment_is_of_its_rows(driftline: Driftline, folder: Path) -> None:
    (folder / "alert.json").write_bytes(msgspec.json.encode(fired("shop=b")))
    found = explained(driftline("explain", *ROWS, "--json").out)
    shops = [event["tags"]["shop"] for event in events()]
    assert (found.segment, found.now.rows) == ("shop=b", shops[EVENTS // 2 :].count("b"))
    assert found.quiet.rows == shops[: EVENTS // 2].count("b")
    assert [each.name for each in found.features if each.by_itself] == ["km"]
    assert "shop" not in {each.name for each in found.features}


def test_rows_by_their_numbers(driftline: Driftline, folder: Path) -> None:
    window = Window(None, None, 100, (401, 500))
    numbered = fired(since=None, rows=(301, 500), window=window)
    (folder / "alert.json").write_bytes(msgspec.json.encode(numbered))
    found = explained(driftline("explain", *ROWS, "--json").out)
    assert (found.now.spans, found.quiet.spans) == (("rows 301 to 500",), ("rows 101 to 300",))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--against", "yesterday"), "--against yesterday: write two times, such as 2026-11-01T"),
        (("--against", "2026-01-02..2026-01-01"), "--against 2026-01-02..2026-01-01: write two"),
        (("--against", "2026-01-01.."), "--against 2026-01-01..: write two times, such as"),
        (
            ("--against", "2026-01-01..2026-01-02", "--reference-input", "events.jsonl"),
            "--against and --reference-input: give one of them",
        ),
        (("--reference-input", "none.csv"), "none.csv: no such file; check the path"),
        (
            ("--against", "2025-01-01..2025-01-02"),
            "there are 0 rows of a quiet time, at least 50 are needed: choose more with --since,",
        ),
    ],
)
def test_mistakes(driftline: Driftline, folder: Path, options: tuple[str, ...], says: str) -> None:
    ran = driftline("explain", *ROWS, *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith(says), ran.err
