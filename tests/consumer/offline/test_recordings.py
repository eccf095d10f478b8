"""A file with `partition` and `offset` is a recording: the bytes of the service, in any format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.consumer.offline.recorded import (
    FORMATS,
    ORDERS,
    Made,
    Row,
    deployment,
    of_file,
    of_service,
    shuffled,
)
from tests.consumer.service.small import (
    LABELS,
    SECOND,
    START,
    TOPIC,
    labelled_reference,
    reference,
)

from driftline.consumer import backtest, build_reference
from driftline.consumer.config import Loaded
from driftline.consumer.service.plan import Plan
from driftline.producer.errors import InputError

FIELDS = {
    "timestamp": "ts", "event_id": "id", "model": {"value": "m"}, "model_version": "version",
    "tags.tier": "tier", "features": "*",
}  # fmt: skip
MODEL = {
    "window": {"length": "60s", "every": "20s", "grace": "5s", "min_events": 20},
    "thresholds": {"ks": {"warning": 0.4}},
    "budget": "off",
    "segments": ["tier"],
}


def numbered(rows: Sequence[tuple[int, Row]], gap: int = 1) -> list[Row]:
    """Rows, each with its partition, with offsets in their order."""
    ends: dict[int, int] = {}
    found = []
    for partition, row in rows:
        offset = ends.get(partition, 0)
        ends[partition] = offset + gap
        found.append({"partition": partition, "offset": offset, **row})
    return found


def events(seed: int = 11, count: int = 400) -> list[Row]:
    """Three partitions: one stops in the middle, one is quick, and some rows are late."""
    rng = np.random.default_rng(seed)
    found: list[tuple[int, Row]] = []
    for number in range(count):
        partition = int(rng.integers(0, 3))
        if partition == 2 and number > count // 2:
            partition = 0
        late = int(rng.random() < 0.1) * int(rng.integers(0, 60)) + partition
        found.append(
            (
                partition,
                {
                    "ts": START + (number - late) * SECOND,
                    "id": f"e{number}",
                    "version": ["1", "2"][number > 300],
                    "tier": str(rng.choice(["gold", "tin"])),
                    "x": round(float(rng.normal()) + 2.5 * (number > 200), 3),
                    "c": str(rng.choice(["p", "q", "r"])),
                    "b": bool(rng.random() < 0.5),
                },
            )
        )
    return numbered(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def deployed(folder: Path) -> tuple[Loaded, Plan]:
    return deployment(folder, reference(), MODEL, {TOPIC: {"fields": FIELDS}})


@pytest.fixture(scope="module")
def service(deployed: tuple[Loaded, Plan]) -> Made:
    return of_service(deployed[1], {TOPIC: events()})


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", FORMATS)
def test_any_format_and_order_gives_the_bytes_of_the_service(
    name: str, order: str, folder: Path, deployed: tuple[Loaded, Plan], service: Made
) -> None:
    FORMATS[name](ORDERS[order](events()), folder / name)
    made, setup, feedback = of_file(deployed[0], folder / name)
    assert made == service
    assert setup.backtest.totals.late["m"] > 10
    assert made.alerts
    assert all(b'"complete"' not in verdict for verdict in made.verdicts)
    (said,) = [note.sentence for note in feedback.notes if "recording" in note.sentence]
    assert said.startswith("a recording of 3 partitions: ")


@pytest.mark.parametrize("nested", ["a.parquet", "a.ndjson"])
def test_native_events(nested: str, tmp_path: Path) -> None:
    rows = [
        {
            "partition": row["partition"], "offset": row["offset"], "timestamp": row["ts"],
            "features": {name: row[name] for name in "xcb"}, "tags": {"tier": row["tier"]},
        }
        for row in events(5, 200)
    ]  # fmt: skip
    loaded, plan = deployment(tmp_path, reference(), MODEL, {})
    FORMATS[nested](shuffled(rows), tmp_path / nested)
    made, _, feedback = of_file(loaded, tmp_path / nested)
    assert made == of_service(plan, {TOPIC: rows})
    assert made.verdicts
    recording, late = feedback.notes
    assert (recording.kind, late.kind) == ("note", "warning")
    assert late.sentence.endswith("more time for them is models.<name>.window.grace")


def test_records_without_a_time_and_ahead_of_their_own(tmp_path: Path) -> None:
    """With the times of the records a recording has the refusals of the service too."""
    rows = events(7, 200)
    for number, row in enumerate(rows):
        row["record_timestamp"] = row["ts"] + 100
        if number % 10 == 0:
            row["ts"] = None
        elif number % 33 == 0:
            row["ts"] += 400 * SECOND
    loaded, plan = deployment(tmp_path, reference(), MODEL, {TOPIC: {"fields": FIELDS}})
    for name in ("a.csv", "a.parquet"):
        FORMATS[name](shuffled(rows), tmp_path / name)
        made, setup, _ = of_file(loaded, tmp_path / name)
        assert made == of_service(plan, {TOPIC: rows})
        assert setup.backtest.totals.rejected == {"too_far_ahead": 6}
        letter = setup.backtest.examples["too_far_ahead"].record
        (sent,) = [
            row for row in rows
            if (row["partition"], row["offset"]) == (letter.partition, letter.offset)
        ]  # fmt: skip
        assert letter.timestamp == sent["record_timestamp"]


def truths(rows: Sequence[Row], partitions: int = 2) -> list[Row]:
    """Labels of events: some before others that are earlier, some late, some of no event."""
    rng = np.random.default_rng(2)
    return numbered(
        [
            (
                number % partitions,
                {
                    "when": row["ts"] + int(rng.integers(0, 70)) * SECOND,
                    "key": row["id"] if number % 7 else "nobody",
                    "truth": str(rng.choice(["yes", "no"])),
                },
            )
            for number, row in enumerate(rows)
        ],
        gap=1,
    )


def scored(count: int = 300) -> list[Row]:
    rng = np.random.default_rng(4)
    rows = [{k: v for k, v in row.items() if k not in ("b", "version")} for row in events(9, count)]
    for row in rows:
        row["score"] = round(float(rng.random()), 3)
        row["said"] = "yes" if row["score"] > 0.5 else "no"
    return rows


SCORED = {
    "timestamp": "ts", "event_id": "id", "tags.tier": "tier", "prediction.score": "score",
    "prediction.label": "said", "features": "*",
}  # fmt: skip
PERFORMANCE = {**MODEL, "performance": {"accuracy": {"max_drop": 0.1, "for": "2 of 3"}}}


@pytest.mark.parametrize("by", ["arrival", "prediction"])
def test_labels_of_a_recording_of_their_own(by: str, tmp_path: Path) -> None:
    labels = {"topic": LABELS, "horizon": "60s", "by": by}
    truth = {"event_id": "key", "timestamp": "when", "actual": "truth"}
    loaded, plan = deployment(
        tmp_path,
        labelled_reference(),
        {**PERFORMANCE, "labels": labels},
        {TOPIC: {"fields": SCORED}, LABELS: {"fields": truth}},
    )
    rows, answers = scored(), truths(scored())
    service = of_service(plan, {TOPIC: rows, LABELS: answers})
    assert any(
        b'"performance.accuracy"' in each and b'"state":"warning"' in each
        for each in service.verdicts
    )
    for order in ("by partition", "shuffled"):
        FORMATS["a.parquet"](ORDERS[order](rows), tmp_path / "a.parquet")
        FORMATS["a.csv"](ORDERS[order](answers), tmp_path / "labels.csv")
        made, _, _ = of_file(loaded, tmp_path / "a.parquet", tmp_path / "labels.csv")
        assert made == service


def test_labels_that_are_no_recording_stand_in_the_order_of_their_times(tmp_path: Path) -> None:
    labels = {"topic": LABELS, "horizon": "60s", "by": "arrival"}
    truth = {"event_id": "key", "timestamp": "when", "actual": "truth"}
    loaded, plan = deployment(
        tmp_path,
        labelled_reference(),
        {**PERFORMANCE, "labels": labels},
        {TOPIC: {"fields": SCORED}, LABELS: {"fields": truth}},
    )
    rows, answers = scored(), truths(scored())
    in_order = sorted(answers, key=lambda row: int(row["when"]))
    one = numbered([(0, {k: row[k] for k in truth.values()}) for row in in_order])
    FORMATS["a.parquet"](rows, tmp_path / "a.parquet")
    FORMATS["a.csv"]([{k: row[k] for k in truth.values()} for row in answers], tmp_path / "l.csv")
    made, _, _ = of_file(loaded, tmp_path / "a.parquet", tmp_path / "l.csv")
    assert made == of_service(plan, {TOPIC: rows, LABELS: one})


def test_labels_among_the_events(tmp_path: Path) -> None:
    loaded, plan = deployment(
        tmp_path,
        labelled_reference(),
        {**PERFORMANCE, "labels": {"topic": TOPIC, "horizon": "60s"}},
        {TOPIC: {"fields": {**SCORED, "actual": "truth"}}},
    )
    rng = np.random.default_rng(6)
    rows = [{**row, "truth": str(rng.choice(["yes", "no"]))} for row in scored()]
    FORMATS["a.arrow"](shuffled(rows), tmp_path / "a.arrow")
    made, _, _ = of_file(loaded, tmp_path / "a.arrow")
    assert made == of_service(plan, {TOPIC: rows})
    assert any(b'"performance.accuracy"' in each for each in made.verdicts)


def test_several_events_of_one_record_count_as_one(tmp_path: Path) -> None:
    """Their rows have one offset, and stand in the order of the events."""
    rows = events(12, 300)
    loaded, plan = deployment(
        tmp_path, reference(), MODEL, {TOPIC: {"fields": FIELDS, "format": "json"}}
    )
    pairs: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        row["offset"] //= 2
        pairs.setdefault((row["partition"], row["offset"]), []).append(row)
    FORMATS["a.parquet"](rows, tmp_path / "a.parquet")
    made, _, feedback = of_file(loaded, tmp_path / "a.parquet")
    assert made == of_service(plan, {TOPIC: list(pairs.values())})
    more = f"{len(rows) - len(pairs)} rows have the partition and offset of an earlier one"
    assert any(note.sentence.startswith(more) for note in feedback.notes)


def test_a_topic_whose_beginning_and_some_records_are_gone(tmp_path: Path) -> None:
    """Gaps of offsets, as compaction and transactions leave them, change no verdict."""
    loaded, plan = deployment(tmp_path, reference(), MODEL, {TOPIC: {"fields": FIELDS}})
    rows = events()
    service = of_service(plan, {TOPIC: rows})
    gone = [{**row, "offset": 1_000_000 + 3 * row["offset"]} for row in rows]
    FORMATS["a.ndjson"](shuffled(gone), tmp_path / "a.ndjson")
    made, _, _ = of_file(loaded, tmp_path / "a.ndjson")
    assert (made.verdicts, made.alerts) == (service.verdicts, service.alerts)


@pytest.mark.parametrize("name", ["partition", "offset"])
@pytest.mark.parametrize("text", [False, True])
def test_every_other_file_is_a_set_of_rows(name: str, text: bool, tmp_path: Path) -> None:
    loaded, _ = deployment(tmp_path, reference(), MODEL, {TOPIC: {"fields": FIELDS}})
    rows = events(3, 200)
    for row in rows:
        if text:
            row[name] = f"part-{row[name]}"
        else:
            del row[name]
    FORMATS["a.csv"](rows, tmp_path / "a.csv")
    made, setup, feedback = of_file(loaded, tmp_path / "a.csv")
    assert setup.backtest.totals.late["m"] == 0
    assert any(b'"complete":false' in each for each in made.verdicts)
    assert not any("recording" in note.sentence for note in feedback.notes)


def _broken(**values: Any) -> list[Row]:
    rows = events(3, 50)
    rows[17] |= values
    return rows


@pytest.mark.parametrize(
    ("rows", "fields", "sentence"),
    [
        (_broken(offset=None), {}, "row 18 has no whole number as its offset: the file is a reco"),
        (_broken(partition=-1), {}, "row 18 has no whole number as its partition: the file is a"),
        (_broken(offset=0.5), {}, "row 18 has no whole number as its offset: the file is a reco"),
        (_broken(partition=20_190_327), {}, "row 18 is of partition 20190327, and no topic has"),
        (
            _broken(),
            {"features.at": "offset"},
            r"sources\.in\.fields reads offset, but a file",
        ),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_what_is_wrong_with_a_recording_is_said(
    name: str, rows: list[Row], fields: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    loaded, _ = deployment(tmp_path, reference(), MODEL, {TOPIC: {"fields": {**FIELDS, **fields}}})
    FORMATS[name](rows, tmp_path / name)
    with pytest.raises(InputError, match=sentence):
        of_file(loaded, tmp_path / name)


def test_what_says_where_rows_stood_is_no_feature(tmp_path: Path) -> None:
    rows = [{**row, "record_timestamp": row["ts"]} for row in events(3, 600)]
    for name in ("a.csv", "a.ndjson"):
        FORMATS[name](rows, tmp_path / name)
        built = build_reference(tmp_path / name)
        assert {feature.name for feature in built.layout.features} == {
            "x", "c", "b", "tier", "version",
        }  # fmt: skip
        found = backtest(str(tmp_path / name), window="60s", min_events=20)
        said = [note.sentence for note in found.notes]
        assert any(sentence.startswith("a recording of 3 partitions: ") for sentence in said)
        assert any(sentence.startswith("partition, offset: they say wh") for sentence in said)
        assert all(verdict.complete for verdict in found.verdicts)


def test_a_frame_may_be_a_recording(tmp_path: Path) -> None:
    rows = events(3, 600)
    found = backtest(pd.DataFrame(rows), window="60s", min_events=20)
    assert any("recording of 3 partitions" in note.sentence for note in found.notes)
    by_rows = backtest(pd.DataFrame(rows), rows=80)
    assert not any("recording of" in note.sentence for note in by_rows.notes)
    assert {verdict.complete for verdict in by_rows.verdicts} == {True, False}
