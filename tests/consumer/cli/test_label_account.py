"""What became of labels: the numbers add up, and a cause is named with what to do."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline, Ran
from tests.consumer.cli.test_backtest_labels import counts

from driftline.consumer.offline.label_causes import Ids, causes, span
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

CONFIG = """\
kafka: {bootstrap_servers: "k:1"}
sources:
  in: {fields: {event_id: id, timestamp: at, prediction.label: said, features.x: x}}
  truth: {fields: {event_id: id, timestamp: known, actual: paid}}
models:
  m:
    predictions: in
    reference: m.json
    window: {length: 1h, min_events: 10}
    labels: {topic: truth, horizon: 2h}
    stale_after: off
"""
START, HOUR, EVENTS = 1_600_000_000, 3_600, 600
Row = dict[str, object]


@pytest.fixture
def truth(tmp_path: Path) -> list[Row]:
    """Ten hours of events with a reference made of them; their labels come an hour later."""
    rng = random.Random(5)
    events: list[Row] = [
        {"id": f"e{n}", "at": START + 60 * n, "said": n % 2, "x": rng.random()}
        for n in range(EVENTS)
    ]
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    write(tmp_path / "in.jsonl", events)
    mapping = Mapping({"prediction.label": "said", "features.x": "x", "actual": "said"})
    built = reference_from_rows([events], mapping, ReferenceSettings("m")).reference
    (tmp_path / "m.json").write_bytes(built.to_json())
    return [{"id": f"e{n}", "known": START + 60 * n + HOUR, "paid": n % 2} for n in range(EVENTS)]


def write(path: Path, rows: Iterable[Row]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def backtest(driftline: Driftline, rows: Iterable[Row], *more: str) -> Ran:
    write(Path("l.jsonl"), rows)
    return driftline("backtest", "--input", "in.jsonl", "--labels", "l.jsonl", *more)


def test_a_horizon_that_is_too_short_is_named(driftline: Driftline, truth: list[Row]) -> None:
    late = [{**row, "known": START + 60 * n + 5 * HOUR} for n, row in enumerate(truth)]
    out = backtest(driftline, late).out
    assert counts(out, "predictions")["got their label"] == 0
    assert counts(out, "labels")["matched"] == 0
    assert (
        "\n600 labels came later than labels.horizon (2h) after their prediction; half of them"
        " after 5h or more: raise it\n"
    ) in out


def test_times_before_the_predictions_are_named(driftline: Driftline, truth: list[Row]) -> None:
    early = [{**row, "known": START + 60 * n - 5 * HOUR} for n, row in enumerate(truth)]
    out = backtest(driftline, early).out
    assert "\n600 labels came more than labels.horizon (2h) before their prediction: check" in out


def test_ids_that_never_meet_are_named(driftline: Driftline, truth: list[Row]) -> None:
    out = backtest(driftline, [{**row, "id": f"x{row['id']}"} for row in truth]).out
    assert counts(out, "labels")["matched"] == 0
    assert (
        "\nno id of l.jsonl occurs in in.jsonl: check event_id in sources.in.fields and"
        " sources.truth.fields\n"
    ) in out


def test_labels_of_another_model_have_other_ids(driftline: Driftline, truth: list[Row]) -> None:
    Path("driftline.yaml").write_text(CONFIG.replace("actual: paid", "actual: paid, model: of"))
    others = [{**row, "id": f"x{row['id']}", "of": "other"} for row in truth]
    out = backtest(driftline, [*truth, *others]).out
    assert counts(out, "labels")[""] == EVENTS
    assert "does not occur" not in out


def test_nothing_is_said_where_nothing_is_wrong(driftline: Driftline, truth: list[Row]) -> None:
    out = backtest(driftline, truth).out
    assert counts(out, "labels") == {
        "": 600, "matched": 600, "without a prediction": 0,
    }  # fmt: skip
    assert "raise it" not in out
    assert "check event_id" not in out


def test_labels_of_the_open_window_are_said(driftline: Driftline, truth: list[Row]) -> None:
    ran = backtest(driftline, truth, "--verdicts", "--json")
    judged = {
        verdict["window"]["start"]: verdict["counts"]["labelled"]
        for verdict in map(json.loads, ran.out.splitlines())
        if verdict.get("feature") == "performance.accuracy"
        and "verdict_id" in verdict
        and verdict.get("complete", True)
    }
    out = backtest(driftline, truth).out
    assert (
        f" {600 - sum(judged.values())} labelled events after 2020-09-13 23:00 are in a window"
        in out
    )


@pytest.mark.parametrize("by", ["arrival", "prediction"])
@pytest.mark.parametrize("seed", range(4))
def test_the_account_adds_up(driftline: Driftline, truth: list[Row], by: str, seed: int) -> None:
    """Labels late, lost, twice, changed, wrong, of nobody; `counts` adds up what is printed."""
    Path("driftline.yaml").write_text(CONFIG.replace("horizon: 2h", f"horizon: 2h, by: {by}"))
    rng, rows = random.Random(seed), []
    for n, row in enumerate(truth):
        known = START + 60 * n + rng.choice([0, HOUR, HOUR, 3 * HOUR, -HOUR])
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            paid = rng.choice([row["paid"], row["paid"], 1 - n % 2, "?", None])
            id_ = rng.choice([row["id"]] * 9 + ["nobody", None])
            rows.append({"id": id_, "known": known + rng.choice([0, 60]), "paid": paid})
    rng.shuffle(rows)
    ran = backtest(driftline, rows)
    assert ran.code == 0
    assert counts(ran.out, "predictions")[""] == EVENTS
    assert counts(ran.out, "labels")[""] == len(rows)


CASES = [
    ({"known": None}, "no label has a time, which tells when it came: column known is empty"),
    ({"known": "soon"}, "column known holds no times that can be read, such as soon; correct"
     " sources.truth.fields.timestamp; the file has id, known, paid"),
    ({"paid": None}, "no label has an actual, the ground truth: column paid is empty; the file"),
    ({"id": None}, "no label has an event_id, by which it finds its prediction: column id is"),
    ({"paid": "maybe"}, 'actual is "maybe"; the reference has 0, 1; write the classes as in the'),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CASES)
def test_labels_that_lack_something(
    driftline: Driftline, truth: list[Row], change: Row, said: str
) -> None:
    ran = backtest(driftline, [{**row, **change} for row in truth])
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err.splitlines()[-1]


@pytest.mark.parametrize("column", ["id", "paid"])
def test_a_column_that_is_not_there(driftline: Driftline, truth: list[Row], column: str) -> None:
    rows = [{name: value for name, value in row.items() if name != column} for row in truth]
    ran = backtest(driftline, rows)
    assert ran.code == 2
    assert f": there is no column {column}, correct sources.truth.fields." in ran.err
    left = ", ".join(rows[0])
    assert ran.err.endswith(f"; the file has {left}\n")


def test_a_field_that_is_not_mapped(driftline: Driftline, truth: list[Row]) -> None:
    Path("driftline.yaml").write_text(CONFIG.replace("timestamp: known, ", ""))
    ran = backtest(driftline, truth)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "l.jsonl: no label has a time, which tells when it came: map it with"
        " sources.truth.fields.timestamp; the file has id, known, paid",
    )


AT_ONCE = "assumed  labels: l.jsonl, known at once\n"


def test_labels_without_times_are_known_at_once(driftline: Driftline, truth: list[Row]) -> None:
    at_once = [{**row, "known": START + 60 * n} for n, row in enumerate(truth)]
    timed = backtest(driftline, at_once)
    without: list[Row] = [{"id": row["id"], "paid": row["paid"]} for row in truth[::-1]]
    ran = backtest(driftline, without)
    assert (ran.code, ran.err) == (0, f"using driftline.yaml\n{AT_ONCE}")
    assert ran.out == timed.out
    assert "\naccuracy " in ran.out
    Path("driftline.yaml").write_text(CONFIG.replace("timestamp: known, ", ""))
    assert backtest(driftline, without).out == timed.out


def test_ground_truth_beside_the_events_gives_way(
    driftline: Driftline, truth: list[Row], tmp_path: Path
) -> None:
    """It is neither used nor taken for a new field."""
    without: list[Row] = [{"id": row["id"], "paid": row["paid"]} for row in truth]
    expected = backtest(driftline, without).out
    text = CONFIG.replace("prediction.label: said", "prediction.label: said, actual: old")
    Path("driftline.yaml").write_text(text.replace("features.x: x", 'features: "*"'))
    events = [json.loads(line) for line in (tmp_path / "in.jsonl").read_text().splitlines()]
    write(tmp_path / "in.jsonl", [{**event, "old": 1 - event["said"]} for event in events])
    assert backtest(driftline, without).out == expected


def test_labels_in_parts_and_of_several_models(driftline: Driftline, truth: list[Row]) -> None:
    text = CONFIG.replace("actual: paid", "actual.label: paid, model: of")
    Path("driftline.yaml").write_text(text.replace("timestamp: known, ", ""))
    rows: list[Row] = [{"id": row["id"], "paid": row["paid"], "of": "m"} for row in truth]
    others: list[Row] = [{**row, "paid": 1, "of": "other"} for row in rows]
    ran = backtest(driftline, [*rows[:400], *others, *rows[300:400]])
    assert "warning  100 of 500 labels in l.jsonl have an id that an earlier one has" in ran.err
    assert counts(ran.out, "labels") == {
        "": 400, "matched": 400, "without a prediction": 0,
    }  # fmt: skip


def test_windows_of_rows_take_labels_too(driftline: Driftline, truth: list[Row]) -> None:
    Path("driftline.yaml").write_text(CONFIG.replace("length: 1h", "rows: 60"))
    ran = backtest(driftline, truth)
    assert (ran.code, ran.err) == (0, f"using driftline.yaml\n{AT_ONCE}")
    assert counts(ran.out, "labels")["matched"] == EVENTS
    assert "rows 541 to 600" in ran.out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [{"id": f"x{n}", "paid": n % 2} for n in range(EVENTS)],
            "--labels: none of 600 events has a label: no id of 600 labels is one of theirs; check"
            " event_id of both",
        ),
        (
            [{"id": f"e{n}", "paid": "maybe"} for n in range(EVENTS)],
            '--labels: none of 600 events has a label: unknown_class, actual is "maybe"; the'
            " reference has 0, 1",
        ),
        (
            [{"id": f"e{n}", "paid": 1, "since": "2026-03-01"} for n in range(EVENTS)],
            "l.jsonl: no label has a time, which tells when it came: there is no column known,"
            " correct sources.truth.fields.timestamp; the file has id, paid, since",
        ),
    ],
)
def test_labels_without_times_that_cannot_be_used(
    driftline: Driftline, truth: list[Row], rows: list[Row], said: str
) -> None:
    assert len(truth) == EVENTS
    ran = backtest(driftline, rows)
    assert (ran.code, ran.err.splitlines()[-1]) == (2, said)


def test_events_need_ids_for_labels(driftline: Driftline, truth: list[Row]) -> None:
    Path("driftline.yaml").write_text(
        CONFIG.replace("event_id: id, timestamp: at", "event_id: i, timestamp: at")
    )
    ran = backtest(driftline, [{"id": row["id"], "paid": row["paid"]} for row in truth])
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "in.jsonl: no event has an event_id, by which labels find it: correct sources.in.fields",
    )


def test_labels_that_the_configuration_does_not_know(
    driftline: Driftline, truth: list[Row]
) -> None:
    Path("driftline.yaml").write_text(
        CONFIG.replace("    labels: {topic: truth, horizon: 2h}\n", "")
    )
    ran = backtest(driftline, [{"id": row["id"], "paid": row["paid"]} for row in truth])
    assert (ran.code, ran.err.splitlines()[-1]) == (
        0,
        "assumed  labels: column paid of l.jsonl, by id, known at once; 600 of 600 events have one",
    )
    assert counts(ran.out, "labels")["matched"] == EVENTS
    built = Reference.from_json(Path("m.json").read_bytes())
    Path("m.json").write_bytes(replace(built, outcome=None).to_json())
    ran = backtest(driftline, truth)
    assert (ran.code, ran.err.splitlines()[-1]) == (
        2,
        "--labels l.jsonl: the reference was built without ground truth: build it again with"
        " --labels",
    )


def test_too_many_ids_are_not_compared() -> None:
    ids = Ids(Mapping({"event_id": "id", "timestamp": "at", "features": "*"}))
    ids.add(Table.of_rows([{"id": 1, "at": START}]))
    assert causes(ids, ids, 1) is not None
    ids._left = 0
    ids.add(Table.of_rows([{"id": 2, "at": START}]))
    assert causes(ids, ids, 1) is None


def test_spans_are_written_as_people_say_them() -> None:
    assert [span(x * 86_400_000) for x in (5.5, 40, 0.25)] == ["5.5d", "40d", "6h"]
