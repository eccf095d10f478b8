"""`driftline check` of models whose performance is watched: references, mappings, recent labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline
from tests.consumer.cli.test_check import OUTCOME, build

from driftline.consumer.cli.check_all import inspect
from driftline.consumer.cli.check_findings import render
from driftline.consumer.cli.topic_checks import wanted_topics
from driftline.consumer.config import load
from driftline.consumer.judge.dispersed import NO_TIMES
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Message
from driftline.producer.reference.build import ReferenceSettings, reference_from_events

NOW = 1_700_000_000_000
Check = Callable[..., list[str]]


def event(number: int, **more: object) -> dict[str, object]:
    return {"event_id": f"e{number}", "features": {"amount": 1.5, "channel": "web"}, **more}


def label(number: int, actual: object = "yes") -> dict[str, object]:
    return {"event_id": f"e{number}", "actual": actual}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check a model by what its topics hold; return the rows about it."""
    monkeypatch.chdir(tmp_path)

    def run(
        keys: str, events: Sequence[object] = (), labels: Sequence[object] = (), rest: str = ""
    ) -> list[str]:
        Path("driftline.yaml").write_text(
            "kafka: {bootstrap_servers: 'k:1'}\n"
            f"models:\n  m: {{predictions: in, reference: m.json, {keys}}}\n{rest}"
        )
        if not Path("m.json").exists():
            build(Path("m.json"), "m", events=1_000, outcome=OUTCOME)
        loaded = load("driftline.yaml", environ={}, offline=True)
        broker = MemoryBroker(now=NOW)
        broker.create("in", 2)
        broker.create("truth", 3)
        for spec in wanted_topics(loaded.config):
            broker.create(spec.name, 6, spec.cleanup_policy)
        for topic, partitions, records in (("in", 2, events), ("truth", 3, labels)):
            for number, record in enumerate(records):
                value = json.dumps(record).encode()
                broker.append(Message(topic, number % partitions, None, value))
        lines = render(inspect(loaded, MemoryLog(broker)), "").splitlines()[:-2]
        return [line for line in lines if line.split()[1] not in ("kafka", "topics")]

    return run


def test_labels_that_fit(check: Check) -> None:
    own, of_labels = check("labels: truth", [event(i) for i in range(9)], [label(1), label(7)])
    assert own.endswith(f"2 features, {NO_TIMES}); 9 of 9 recent events fit")
    assert of_labels == "ok       m                 2 of 2 recent labels of truth fit"


def test_the_topic_of_labels_is_listed(check: Check) -> None:
    check("labels: truth")
    loaded = load("driftline.yaml", environ={}, offline=True)
    broker = MemoryBroker(now=NOW)
    broker.create("in", 2)
    lines = render(inspect(loaded, MemoryLog(broker)), "").splitlines()
    assert "ok       topics            in 2 partitions" in lines
    missing = "error    m                 labels: the topic truth does not exist: correct the name,"
    assert any(line.startswith(missing) for line in lines)


def test_no_labels_yet(check: Check) -> None:
    assert len(check("labels: truth", [event(1)])) == 1


def test_labels_that_do_not_fit(check: Check) -> None:
    events = [event(1), event(2)]
    bad = [label(1), label(2, "perhaps"), {"event_id": "e1"}, {"actual": "yes"}]
    rows = check("labels: truth", events, bad)
    assert [" ".join(row.split()) for row in rows[1:]] == [
        "warning m 2 of 4 recent labels of truth are refused: schema, the label has no event_id;",
        "they will be dead letters",
        "warning m 1 of 4 recent labels of truth are refused: unknown_class, actual is a class that"
        " the reference does not have;",
        "they will be dead letters",
        "ok m 1 of 4 recent labels of truth fit",
    ]
    rows = check("labels: truth", events, [{"id": "e1", "repaid": 1}])
    assert rows[2].strip() == "map them with sources.truth.fields"


def test_labels_of_other_models(check: Check) -> None:
    rows = check("labels: truth", [event(1)], [{**label(1), "model": "other"}])
    assert rows[1].endswith("none of 1 recent records of truth is or has a label of this model")


def test_labels_that_find_nothing(check: Check) -> None:
    rows = check("labels: truth", [event(1), event(2)], [label(3)])
    assert rows[2:] == [
        "warning  m                 none of 1 recent labels has the event_id of one of 2 recent"
        " events:",
        "                           if they should come that soon, compare the ids",
    ]


def test_events_without_an_id(check: Check) -> None:
    nameless = {"features": {"amount": 1.0, "channel": "web"}}
    rows = check("labels: truth", [event(1), nameless], [label(1)])
    assert rows[2].endswith("1 of 2 recent events have no event_id, by which labels find them")
    rows = check("labels: truth", [nameless], [label(1)])
    assert len(rows) == 3  # that the ids do not meet goes without saying


def test_labels_among_the_events(check: Check) -> None:
    """Beside the prediction, without an id, and as a record of its own: none is refused."""
    records = [event(1, actual="no"), {**event(2, actual="yes"), "event_id": None}, label(1, "yes")]
    own, of_labels = check("labels: in", records)
    assert own.endswith("3 of 3 recent events fit")
    assert of_labels == "ok       m                 3 recent labels of in fit"
    rows = check("labels: in", [event(1)])
    assert rows[1].endswith("none of 1 recent records of in is or has a label of this model")


def test_bad_labels_among_the_events_are_told_once(check: Check) -> None:
    rows = check("labels: in", [event(1, actual="no"), label(1, "perhaps"), {"actual": "no"}])
    refused = [row for row in rows if "refused" in row]
    assert len(refused) == 2
    assert any("unknown_class, actual is a class that" in row for row in refused)


NO_TRUTH = (
    "labels: the reference of m was built without ground truth, so there is nothing to compare"
    " with: map actual and build it again with driftline reference build   driftline.yaml:3"
)


def test_a_reference_without_ground_truth(
    check: Check, driftline: Driftline, tmp_path: Path
) -> None:
    build(tmp_path / "m.json", "m", events=1_000)
    assert check("labels: truth") == [f"error    m                 {NO_TRUTH}"]
    (tmp_path / "none.csv").write_text("a\n1\n")
    for verb in (("run",), ("backtest", "--input", "none.csv"), ("check", "--offline")):
        ran = driftline(*verb)
        assert ran.code == 2
        assert "the reference of m was built without ground truth, so there is" in ran.err + ran.out
        assert "Traceback" not in ran.err
    (row,) = check("performance: {accuracy: {min: 0.9}}")
    assert "performance: the reference of m was built without ground truth" in row


def test_limits_of_all_models_are_no_error_for_one_without_ground_truth(
    check: Check, tmp_path: Path
) -> None:
    build(tmp_path / "m.json", "m", events=1_000)
    rows = check("", rest="defaults: {performance: {accuracy: {min: 0.9}}}\n")
    assert [row.split()[:2] for row in rows] == [["warning", "defaults"], ["ok", "m"]]


def test_a_reference_of_an_older_version(check: Check, tmp_path: Path) -> None:
    build(tmp_path / "m.json", "m", events=1_000, outcome={"n": 1_000, "accuracy": 0.9})
    (row,) = check("labels: truth")
    assert row.startswith("error    m                 reference: the reference's outcome lacks the")
    assert "build it again with driftline reference build   driftline.yaml:3" in row
    (fine,) = check("owner: me")  # performance is not watched
    assert fine.startswith("ok       m ")


def test_metrics_that_the_reference_does_not_have(check: Check) -> None:
    has = "the reference of m does not have it; it has "
    has += "accuracy, precision, recall, f1, balanced_accuracy"
    assert check("labels: truth, performance: {mae: {max_drop: 1}}") == [
        f"error    m                 performance.mae: {has}   driftline.yaml:3"
    ]
    assert check("labels: truth, performance: {roc_auc: {max_drop: 1%}}") == [
        f"error    m                 performance.roc_auc: {has}, and the others with"
        " prediction.score and --positive-label   driftline.yaml:3"
    ]
    rows = check("labels: truth", rest="defaults: {performance: {mae: {max_drop: 1}}}\n")
    assert [row.split()[:2] for row in rows] == [["warning", "defaults"], ["ok", "m"]]


def test_a_metric_that_has_no_value_in_the_reference(check: Check, tmp_path: Path) -> None:
    nobody = {**OUTCOME, "counts": [{"cell": [], "count": []}]}
    build(tmp_path / "m.json", "m", events=1_000, outcome=nobody)
    (row,) = check("labels: truth, performance: {accuracy: {max_drop: 1%}}")
    assert (
        "performance.accuracy: has no value in the reference of m to drop from: use min or max"
        in row
    )
    assert len(check("labels: truth, performance: {accuracy: {min: 90%}}")) == 1


def test_another_positive_label(check: Check) -> None:
    (row,) = check("positive_label: yes")
    assert row == (
        "error    m                 positive_label: the reference of m was built without one:"
        " build it again with --positive-label yes   driftline.yaml:3"
    )


def test_mappings_that_leave_out_what_labels_need(check: Check) -> None:
    sources = "sources: {in: {fields: {features: '*'}}, truth: {fields: {timestamp: ts}}}\n"
    rows = check("labels: truth", rest=sources)
    need = "which the labels of m need   driftline.yaml:4"
    assert rows[:3] == [
        f"error    sources           {topic}.fields: no field is mapped to {field}, {need}"
        for topic, field in (("in", "event_id"), ("truth", "actual"), ("truth", "event_id"))
    ]
    # Beside its event a label needs no id.
    sources = "sources: {in: {fields: {features: '*', prediction: z, actual.label: y}}}\n"
    assert all(not row.startswith("error") for row in check("labels: in", rest=sources))


def scored(folder: Path) -> None:
    """Write a reference of scores and classes: accuracy is 0.9."""
    events: list[dict[str, object]] = [
        {
            "features": {"amount": float(number)},
            "prediction": {"label": number % 2, "score": 0.7 if number % 2 else 0.2},
            "actual": {"label": number % 2 if number % 10 else 1},
        }
        for number in range(1_000)
    ]
    built = reference_from_events(events, ReferenceSettings("m")).reference
    (folder / "m.json").write_bytes(built.to_json())


def test_a_limit_that_nothing_can_ever_judge(check: Check, tmp_path: Path) -> None:
    scored(tmp_path)
    limits = "performance: {accuracy: {min: 0.5}, calibration_error: {max: 1}, pr_auc: {min: 0.1}}"
    assert check(limits) == [
        f"error    m                 performance.{metric}: {metric} is not estimated, so without"
        " labels it is never judged: set labels   driftline.yaml:3"
        for metric in ("calibration_error", "pr_auc")
    ]
    (row,) = check(f"labels: truth, {limits}")
    assert row.startswith("ok ")
    rows = check("", rest="defaults: {performance: {pr_auc: {min: 0.1}}}\n")
    assert [row.split()[:2] for row in rows] == [["warning", "defaults"], ["ok", "m"]]


def test_a_limit_on_classes_that_no_field_is_mapped_to(check: Check, tmp_path: Path) -> None:
    scored(tmp_path)
    fields = "{event_id: id, prediction.score: score, features: '*'}"
    rest = f"sources: {{in: {{fields: {fields}}}}}\n"
    row = check("labels: truth, performance: {accuracy: {min: 0.5}, f1: {min: 0.1}}", rest=rest)[0]
    assert row == (
        "error    sources           in.fields: no field is mapped to prediction.label, so accuracy,"
        " f1 of m are never judged: map it   driftline.yaml:4"
    )
    (row, _) = check("labels: truth", rest=rest)  # the budget watches accuracy
    assert "no field is mapped to prediction.label, so accuracy of m is never judged" in row
    rest = rest.replace("prediction.score", "prediction.label")
    row = check("labels: truth, performance: {roc_auc: {min: 0.5}}", rest=rest)[0]
    assert "no field is mapped to prediction.score, so roc_auc of m is never judged" in row
    assert len(check("labels: truth, performance: {accuracy: {min: 0.5}}", rest=rest)) == 1


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("accuracy: {min: 0.96}", "accuracy.min: the reference itself, with 0.9, lies below it: it"
         " fires on quiet data"),
        ("accuracy: {max: 0.8}", "accuracy.max: the reference itself, with 0.9, lies above it:"
         " higher accuracy is better, so write min: 0.8"),
        ("brier: {min: 0.5}", "lies below it: lower brier is better, so write max: 0.5"),
        ("brier: {max: 0.01}", "lies above it: it fires on quiet data"),
        ("accuracy: {min: 0.85, max: 0.96}", None),
        ("brier: {max: 0.5}", None),
    ],
)  # fmt: skip
def test_limits_that_the_reference_breaks_itself(
    check: Check, tmp_path: Path, limit: str, said: str | None
) -> None:
    scored(tmp_path)
    rows = check(f"labels: truth, performance: {{{limit}}}")
    assert rows[0].startswith("ok ")
    assert len(rows) == 1 + (said is not None)
    assert said is None or (rows[1].startswith("warning ") and said in rows[1])
