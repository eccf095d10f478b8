"""`driftline export`: the rows of an alert, out of a file and out of topics."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.consumer.cli.alerted import (
    BEGIN,
    CONFIG,
    EVENTS,
    EVERY,
    HOUR,
    events,
    fired,
    labels,
    topics,
)
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message, TopicPartition, UnreadBatch
from driftline.consumer.wire.records import Alert
from driftline.detectors.reference import Reference
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import format_time
from driftline.producer.reference.build import ReferenceSettings, reference_from_events

HALF = EVENTS // 2
SPAN = "2026-01-01 05:00 UTC to 2026-01-01 10:00 UTC"


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the events, their labels, the alert and a configuration."""
    write(tmp_path / "events.jsonl", events())
    write(tmp_path / "labels.jsonl", labels())
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(fired()))
    (tmp_path / "shop.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = topics(fired(), fired("shop=b", alert_id="b" * 16))
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    return made


def exported(path: Path) -> list[dict[str, Any]]:
    return [row for chunk in read_rows(path) for row in chunk]


def expected(first: int = HALF) -> list[dict[str, Any]]:
    """The rows that the file should have."""
    truth = {row["id"]: row["truth"] for row in labels()}
    return [
        {
            "event_id": event["event_id"],
            "timestamp": event["timestamp"],
            "model_version": event["model_version"],
            **{f"features.{name}": value for name, value in event["features"].items()},
            "prediction.score": event["prediction"]["score"],
            "actual": truth.get(event["event_id"]),
            "tags.shop": event["tags"]["shop"],
        }
        for event in events()[first:]
    ]


def built(rows: list[dict[str, Any]]) -> Reference:
    settings = ReferenceSettings("shop", segments=("shop", "model_version"), timezone="UTC")
    return reference_from_events(rows, settings).reference


@pytest.mark.parametrize("name", ["d.parquet", "d.arrow", "d.csv", "d.csv.gz", "d.ndjson"])
def test_a_file_has_the_rows_and_a_reference_is_built_of_them(
    driftline: Driftline, folder: Path, name: str
) -> None:
    ran = driftline(
        "export", "alert.json", "--input", "events.jsonl", "--labels", "labels.jsonl", "-o", name
    )
    assert (ran.code, ran.out) == (
        0,
        f"{name}   {HALF} rows, 100 with labels: shop, {SPAN}\n",
    )
    assert exported(Path(name)) == expected()
    truth = {row["id"]: row["truth"] for row in labels()}
    with_truth = [{**event, "actual": truth.get(event["event_id"])} for event in events()[HALF:]]
    build = ("reference", "build", "--model", "shop", "--segment", "shop", "--output", "r.json")
    for more in ((), ("--config", "shop.yaml", "--timezone", "UTC")):
        ran = driftline(*build, "--segment", "model_version", "--input", name, *more)
        assert (ran.code, ran.err.count("warning")) == (0, 0), ran.err
        found = Reference.from_json(Path("r.json").read_bytes())
        assert found.id == built(with_truth).id


def test_topics_have_the_same_rows(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "new/d.parquet", "--json")
    assert (ran.code, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert document["columns"]["features.age"] == "integer"
    assert {name: document[name] for name in ("rows", "labelled", "span")} == {
        "rows": HALF,
        "labelled": 100,
        "span": {
            "start": format_time(BEGIN + HALF * EVERY),
            "end": format_time(BEGIN + EVENTS * EVERY),
            "rows": None,
        },
    }
    assert exported(Path("new/d.parquet")) == expected()
    assert broker.members == []  # no group was joined


def test_of_several_labels_the_latest_holds(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    for time, truth in ((9 * HOUR, 7), (8 * HOUR, 5)):
        label = {"id": "e300", "truth": truth, "known_at": format_time(BEGIN + time)}
        broker.append(Message("labels", 0, b"", msgspec.json.encode(label)))
    driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert exported(Path("d.csv"))[0]["actual"] == 7


def test_a_segment_has_only_its_rows(
    driftline: Driftline, folder: Path, broker: MemoryBroker, tmp_path: Path
) -> None:
    (tmp_path / "shop.json.gz").write_bytes(gzip.compress(built(events()).to_json()))
    wanted = [row for row in expected() if row["tags.shop"] == "b"]
    driftline("export", "bbbb", "--config", "shop.yaml", "-o", "d.csv")
    assert exported(Path("d.csv")) == wanted
    # What is not listed is one segment: the reference says what is.
    only_a = [event for event in events() if event["tags"]["shop"] == "a"]
    (tmp_path / "shop.json.gz").write_bytes(gzip.compress(built(only_a).to_json()))
    other = fired("shop=__other__")
    (tmp_path / "alert.json").write_bytes(msgspec.json.encode(other))
    driftline("export", "alert.json", "--config", "shop.yaml", "-o", "d.csv")
    assert exported(Path("d.csv")) == wanted


@pytest.mark.parametrize(("named", "rows"), [("v9", HALF), ("v2", 0)])
def test_versions_without_a_reference_of_their_own_are_one_segment(
    driftline: Driftline, folder: Path, broker: MemoryBroker, named: str, rows: int
) -> None:
    (folder / "shop.json.gz").write_bytes(gzip.compress(built(events()).to_json()))
    file = "reference: shop.json.gz"
    text = CONFIG.replace(file, f"{file}, references: {{{named}: shop.json.gz}}")
    (folder / "shop.yaml").write_text(text)
    (folder / "alert.json").write_bytes(msgspec.json.encode(fired("model_version=__other__")))
    ran = driftline("export", "alert.json", "--config", "shop.yaml", "-o", "d.csv")
    assert f"{rows} rows" in ran.out if rows else ran.code == 2


def test_a_span_of_ones_own(driftline: Driftline, folder: Path, broker: MemoryBroker) -> None:
    times = ("--since", "2026-01-01T02:00:00Z", "--until", "2026-01-01T03:00:00Z")
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.ndjson", *times)
    assert (ran.code, ran.err) == (0, "")
    assert exported(Path("d.ndjson")) == expected(120)[:60]


def test_what_retention_has_deleted_is_said(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    broker.delete_before(TopicPartition("events", 0), 290)
    broker.delete_before(TopicPartition("events", 1), EVENTS // 2)
    broker.append(Message("events", 0, b"", b"no JSON"))
    broker.append(Message("events", 0, b"", None))
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert ran.out == f"d.csv   10 rows, 3 with labels: shop, {SPAN}\n"
    assert ran.err.splitlines() == [
        "warning  events[1]: retention has deleted all of its records, so rows are missing",
        "warning  events[0]: retention has deleted what came before 2026-01-01 09:40 UTC, so rows"
        " are missing",
        "note  1 record is left out: the value is not JSON: Expecting value at character 0 of 7",
        "warning  the alert's window had 60 events, of which 10 are still there",
    ]


def test_rows_that_were_no_events_of_the_model_are_left_out(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    event = events()[HALF]
    for changed in (
        {"model": "other"},
        {"timestamp": format_time(BEGIN + 9 * HOUR)},  # an hour ahead of its record
        {"timestamp": "soon"},
        {"features": None, "prediction": None},
    ):
        value = msgspec.json.encode({**event, **changed})
        broker.append(Message("events", 0, b"", value, timestamp=BEGIN + 8 * HOUR))
    driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert exported(Path("d.csv")) == expected()


def test_labels_may_stand_among_the_events(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    """One topic holds both: what has ground truth and an id alone is a label."""
    text = CONFIG.replace("labels: {topic: labels, horizon: 1d}", "labels: events")
    (folder / "shop.yaml").write_text(text)
    late = BEGIN + EVENTS * EVERY
    for label in ({"event_id": "e300", "actual": 1}, {"event_id": "none", "actual": 1}):
        broker.append(Message("events", 1, b"", msgspec.json.encode(label), timestamp=late))
    own = {**events()[301], "actual": {"label": "kept"}}
    broker.append(Message("events", 1, b"", msgspec.json.encode(own), timestamp=late))
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.ndjson")
    assert ran.out == f"d.ndjson   {HALF + 1} rows, 3 with labels: shop, {SPAN}\n"
    known = [(row["event_id"], row["actual"]) for row in exported(Path("d.ndjson"))[:3]]
    assert known == [("e300", "1"), ("e301", "kept"), ("e301", "kept")]


def test_a_topic_without_labels_and_events_without_a_time(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    """They have the time of their records; a batch that cannot be unpacked is said."""
    text = CONFIG.replace(", labels: {topic: labels, horizon: 1d}", "")
    (folder / "shop.yaml").write_text(text)
    time = BEGIN + 9 * HOUR
    bare = {"event_id": "bare", "features": {"km": 1.0}, "tags": "none"}
    broker.append(Message("events", 0, b"", msgspec.json.encode(bare), timestamp=time))
    batch = UnreadBatch(b"x", first=0, last=9, reason="too_large", detail="a batch of 9 GB")
    broker.append(Message("events", 0, b"", batch, timestamp=time))
    broker.append(Message("events", 0, b"", b"[1]", timestamp=time))
    broker.append(Message("events", 0, b"", b"7", timestamp=time))
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert ran.out == f"d.csv   {HALF + 1} rows, none with a label: shop, {SPAN}\n"
    lines = ran.err.splitlines()[1:]  # behind the warning that nobody reads the labels
    assert lines[0] == "note  events[0]: a batch of 9 GB; left out", lines
    assert all(line.startswith("note  1 record is left out: ") for line in lines[1:]), lines
    assert len(lines) == 3, lines
    found = {row["event_id"]: row for row in exported(Path("d.csv"))}
    assert found["bare"]["timestamp"] == "2026-01-01T09:00:00Z"


def test_numbers_of_rows(driftline: Driftline, folder: Path) -> None:
    window = msgspec.structs.replace(fired().window, start=None, end=None, rows=(401, 500))
    numbered = fired(since=None, rows=(301, 500), window=window)
    (folder / "alert.json").write_bytes(msgspec.json.encode(numbered))
    ran = driftline("export", "alert.json", "--input", "events.jsonl", "-o", "d.csv")
    assert ran.out == "d.csv   200 rows, none with a label: shop, rows 301 to 500\n"
    wanted = [{**row, "actual": None} for row in expected()[:200]]
    assert [{**row, "actual": None} for row in exported(Path("d.csv"))] == wanted
    ran = driftline(
        "export", "alert.json", "--input", "events.jsonl", "-o", "d.csv", "--since", "1h"
    )
    assert (ran.code, ran.err) == (
        2,
        "--since and --until: the alert is of a file without times\n",
    )
    ran = driftline("export", "alert.json", "--input", "events.jsonl", "-o", "d.csv", "--json")
    assert json.loads(ran.out)["span"] == {"start": None, "end": None, "rows": [301, 500]}


def test_it_ends_where_the_alert_did(driftline: Driftline, folder: Path) -> None:
    ended = fired(status="resolved", until=format_time(BEGIN + 8 * HOUR))
    (folder / "alert.json").write_bytes(msgspec.json.encode(ended))
    driftline("export", "alert.json", "--input", "events.jsonl", "-o", "d.csv")
    assert exported(Path("d.csv"))[-1]["timestamp"] == "2026-01-01T07:59:00Z"


def test_one_of_many_alerts_and_standard_input(
    driftline: Driftline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records: list[Alert] = [fired(revision=1, since="2026-01-01T00:00:00Z"), fired()]
    other = fired("shop=b", alert_id="b" * 16)
    lines = [msgspec.json.encode(each) for each in (*records, other)]
    verdict = b'{"schema":"driftline.verdict.v1"}\n\n'
    (folder / "many.jsonl").write_bytes(verdict + b"\n".join(lines))
    rows = ("--input", "events.jsonl", "-o", "d.csv")
    ran = driftline("export", "many.jsonl", *rows)
    assert ran.err == (
        "many.jsonl: has 2 alerts: name one, and the file with --alerts: 56f29dcfdc4e44e8,"
        f" {'b' * 16}\n"
    )
    ran = driftline("export", "56f2", "--alerts", "many.jsonl", *rows)
    assert ran.out == f"d.csv   {HALF} rows, none with a label: shop, {SPAN}\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines[-1])))
    assert driftline("export", "-", *rows).out.endswith(f" shop/shop=b, {SPAN}\n")


def test_values_of_several_types_are_text(driftline: Driftline, folder: Path) -> None:
    rows = events()
    rows[400]["features"]["age"] = "unknown"
    rows[401]["features"]["age"] = 2**70
    rows[402]["features"] |= {"empty": None, "list": [1, 0.5]}
    write(folder / "events.jsonl", rows)
    ran = driftline("export", "alert.json", "--input", "events.jsonl", "-o", "d.csv")
    assert ran.err.splitlines()[1:] == [
        "assumed  array: column list (2 numbers; of type vector it is watched)",
        "note  values of several types are written as text: features.age",
    ]
    found = exported(Path("d.csv"))
    assert found[100]["features.age"] == "unknown"
    assert float(found[101]["features.age"]) == 2.0**70
    assert found[102]["features.list"] == "[1.0, 0.5]"
    assert found[102]["features.empty"] is None


OUTPUT = ("-o", "d.csv")
ROWS = ("--input", "events.jsonl", *OUTPUT)
CONFIGURED = ("--config", "shop.yaml", *OUTPUT)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("alert.json",), "where to? give --output drifted.parquet"),
        (("alert.json", "-o", "d.xls"), "d.xls: unknown ending; use .csv, "),
        (("alert.json", *OUTPUT), "where is the broker? give --config or --bootstrap-servers"),
        (("12ab", *ROWS, "--alerts", "alert.json"), "alert.json: has no alert 12ab"),
        (("labels.jsonl", *ROWS), "labels.jsonl: has no alert"),
        (("shop.yaml", *ROWS), "shop.yaml: line 1 is no record of an alert: give what"),
        (("alert.json", *OUTPUT, "--input", "absent.csv"), "absent.csv: no such file"),
        (("12ab", *OUTPUT, "--alerts", "absent"), "absent: cannot be read: No such file"),
        (
            ("alert.json", "--input", "events.jsonl", "-o", "alert.json/d.csv"),
            "--output alert.json/d.csv: cannot be written: ",
        ),
        (
            ("alert.json", *ROWS, "--until", "2026-01-01T04:00:00Z"),
            "there is no row of shop in 2026-01-01 05:00 UTC to 2026-01-01 04:00 UTC",
        ),
        (("alert.json", *ROWS, "--actual", "y"), "--actual y: not in events.jsonl, which has "),
        (("12ab", *CONFIGURED), "12ab: no such alert in driftline.alerts"),
        (
            ("56f2", *OUTPUT, "--bootstrap-servers", "localhost:1"),
            "where are the rows? give --config FILE, or --input FILE",
        ),
        (
            ("56f2", *CONFIGURED, "--labels", "labels.jsonl"),
            "--labels: is of the events of --input FILE, which is missing",
        ),
    ],
)
def test_mistakes(
    driftline: Driftline, folder: Path, broker: MemoryBroker, options: tuple[str, ...], says: str
) -> None:
    ran = driftline("export", *options)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith(says), ran.err
    assert not list(folder.glob("*.part")) + list(folder.glob("d.*"))


def test_a_model_and_a_topic_that_are_not_there(
    driftline: Driftline, folder: Path, broker: MemoryBroker
) -> None:
    (folder / "shop.yaml").write_text(CONFIG.replace("shop:", "car:"))
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert ran.err == "shop: the alert is of this model, the configuration has car\n"
    (folder / "shop.yaml").write_text(CONFIG.replace("predictions: events", "predictions: others"))
    ran = driftline("export", "56f2", "--config", "shop.yaml", "-o", "d.csv")
    assert ran.err == "others does not exist; check the configuration\n"


def test_a_mapped_file_by_its_configuration(driftline: Driftline, folder: Path) -> None:
    """Rows as the topic's records are, and labels as those of its topic."""
    mapping = {"event_id": "key", "timestamp": "at", "prediction.score": "p", "features": "in"}
    rows = [
        {
            "key": event["event_id"],
            "at": event["timestamp"],
            "p": event["prediction"]["score"],
            "in": event["features"],
        }
        for event in events()
    ]
    write(folder / "records.jsonl", rows)
    assert Mapping({**mapping}).to_event(rows[0])["features"] == events()[0]["features"]
    fields = ", ".join(f"{name}: {path}" for name, path in mapping.items())
    (folder / "driftline.yaml").write_text(
        CONFIG.replace("sources:", f"sources:\n  events: {{fields: {{{fields}}}}}")
    )
    ran = driftline(
        "export",
        "alert.json",
        "--input",
        "records.jsonl",
        "--labels",
        "labels.jsonl",
        "-o",
        "d.csv",
    )
    assert ran.err == "using driftline.yaml\n"
    wanted = [{**row, "model_version": None} for row in expected() for _ in (row.pop("tags.shop"),)]
    assert exported(Path("d.csv")) == wanted
