"""A comparison on files goes through join and judge: it says what the service says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service.rig import Rig

from driftline.consumer.cli.backtest_compare import too_little_compared
from driftline.consumer.cli.backtest_compare_text import render
from driftline.consumer.config import Config, KafkaConfig, Side, SourceConfig
from driftline.consumer.offline.compare import Compared, compare, run
from driftline.consumer.offline.comparison import NAME, SIDES, TOPIC, Comparison, pane_of, set_up
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.predictions import joined
from driftline.consumer.offline.sides import TruthOptions, Wanted, read_sides
from driftline.consumer.service.backtest import Backtest
from driftline.detectors.outcomes import PairedTest
from driftline.producer.errors import InputError
from driftline.producer.files.given import Given
from driftline.producer.records.table import Coded, Numbers, Struct, Table

Row = dict[str, Any]
START = 1_600_000_000


def answers(right: float, seed: int, events: Sequence[int]) -> list[Row]:
    rng = random.Random(seed)
    rows = []
    for number in events:
        truth = number * 7919 % 13 % 2
        said = truth if rng.random() < right else 1 - truth
        rows.append(
            {"id": f"e{number}", "ts": START + 60 * number, "prediction": said, "actual": truth}
        )
    return rows


def given(name: str, rows: Sequence[Row]) -> Given:
    return Given(name, lambda: iter([Table.of_rows(rows)]))


def wanted(first: Sequence[Row], second: Sequence[Row], **more: Any) -> Wanted:
    names = ("actual", "labels", "positive_label")
    truth = TruthOptions(**{name: more.pop(name) for name in names if name in more})
    return Wanted(("a", "b"), (given("a", first), given("b", second)), truth=truth, **more)


def found(first: Sequence[Row], second: Sequence[Row], **more: Any) -> Compared:
    return compare(wanted(first, second, **more), Feedback())


def ready(first: Sequence[Row], second: Sequence[Row]) -> Comparison:
    sides = wanted(first, second)
    return set_up(sides, read_sides(sides, Feedback()))


SPLIT = answers(0.8, 1, range(0, 5_000, 2)), answers(0.95, 2, range(1, 5_000, 2))
SAME = answers(0.8, 1, range(2_500)), answers(0.9, 2, range(2_500))


@pytest.mark.parametrize("sides", [SPLIT, SAME], ids=["split", "same"])
def test_the_service_says_the_same_of_the_same_events(
    sides: tuple[list[Row], list[Row]],
) -> None:
    comparison = ready(*sides)
    whole = run(comparison, ("a", "b"), Feedback())
    events = comparison.events.to_rows()
    # A later event of each side, so that all panes before it are final.
    late = {"event_id": "?", "timestamp": "2001-01-01T00:00:00Z", "prediction": "0"}
    later = [{**late, "model": side} for side in SIDES]
    plan = comparison.plan
    kafka = KafkaConfig.model_validate({"bootstrap_servers": "k:9092", "start": "earliest"})
    config = plan.config.model_copy(update={"kafka": kafka})
    rig = Rig(replace(plan, config=config, ordered=True), 2)
    for partition in range(2):
        rig.write([*events[partition::2], *later], partition, topic=TOPIC)
    rig.start()
    rig.settle()
    published = {record.value for record in rig.records("verdicts")}
    own = {value for value in published if msgspec.json.decode(value or b"")["stream"] == NAME}
    assert whole.decision == "better"
    assert len(whole.verdicts) == len(own) == -(-len(events) // pane_of(len(events)))
    # What a file ends in is marked so; the service waits for what never comes.
    assert {
        msgspec.json.encode(msgspec.structs.replace(verdict, complete=True))
        for verdict in whole.verdicts
    } == own


def test_the_evidence_of_pairs_is_that_of_their_counts() -> None:
    first, second = (np.array([r["prediction"] == r["actual"] for r in rows]) for rows in SAME)
    evidence = PairedTest(int((first & ~second).sum()), int((second & ~first).sum())).evidence
    outcome = found(*SAME)
    assert outcome.events == 2_500
    assert outcome.decided is not None
    assert outcome.decided.p_value == pytest.approx(2 * np.exp(-max(evidence)))
    assert outcome.decided.after is not None
    assert 0 < outcome.decided.after < 2_500


@pytest.mark.parametrize("sides", [SPLIT, SAME], ids=["split", "same"])
def test_the_order_of_rows_changes_nothing(sides: tuple[list[Row], list[Row]]) -> None:
    mixed = [random.Random(3).sample(rows, len(rows)) for rows in sides]
    assert found(*mixed) == found(*sides)


def test_pairs_may_be_of_any_times_and_of_none() -> None:
    late = [{**row, "ts": row["ts"] + 10**7} for row in SAME[1]]
    untimed = [{k: v for k, v in row.items() if k != "ts"} for row in SAME[1][::-1]]
    expected = found(*SAME)
    for other in (late, untimed):
        outcome = found(SAME[0], other)
        assert (outcome.paired, outcome.events) == (True, 2_500)
        assert outcome.decided is not None
        assert expected.decided is not None
        assert outcome.decided.decision == expected.decided.decision
        assert outcome.sides == expected.sides
        # In another order other pairs share a pane, and panes tell how much they vary.
        same = outcome.decided.p_value == expected.decided.p_value
        assert same == (other is late)


def test_the_truth_of_an_event_counts_for_both_whoever_has_it() -> None:
    first = [{**row, "actual": None} if n % 2 else row for n, row in enumerate(SAME[0])]
    second = [row if n % 2 else {**row, "actual": None} for n, row in enumerate(SAME[1])]
    assert found(first, second) == found(*SAME)


def test_labels_need_a_mapping_where_there_is_a_configuration() -> None:
    known = config()
    model = known.models["m"].model_copy(update={"labels": None})
    silent = known.model_copy(update={"models": {"m": model}})
    labels = given("labels", [{"id": "e1", "paid": 1}])
    with pytest.raises(InputError, match=r"--labels: set models\.m\.labels to a topic"):
        found(*SAME, config=silent, model="m", labels=labels)


def test_without_labels_of_one_side_nothing_is_decided() -> None:
    outcome = found(SPLIT[0], bare(SPLIT[1]))
    assert outcome.reason == "no labelled events of both sides"
    assert render(outcome).splitlines()[-1] == f"not decided: {outcome.reason}"
    assert "none" in render(outcome)
    assert too_little_compared(outcome) == f"nothing was compared: {outcome.reason}"


def test_ground_truth_in_another_form_is_the_same() -> None:
    other = [{**row, "actual": ("no", "yes")[row["actual"]]} for row in SAME[1]]
    assert found(SAME[0], other, actual="actual") == found(*SAME)
    with pytest.raises(InputError, match=r"1 of 2,500 paired events .* event e0 has 0 and yes"):
        found(SAME[0], [{**other[0], "actual": "yes"}, *other[1:]], actual="actual")


def bare(rows: Sequence[Row]) -> list[Row]:
    return [{k: v for k, v in row.items() if k != "actual"} for row in rows]


def test_labels_of_a_file_need_no_configuration() -> None:
    labels = [{"id": row["id"], "paid": row["actual"]} for row in SAME[0]][::-1]
    outcome = found(bare(SAME[0]), bare(SAME[1]), labels=given("labels", labels), actual="paid")
    expected = found(*SAME)
    assert outcome == expected
    with pytest.raises(InputError, match="has ground truth beside"):
        found(*SAME, labels=given("labels", labels), actual="paid")


def test_the_class_of_the_scores_may_be_named() -> None:
    def scores(rows: Sequence[Row]) -> list[Row]:
        return [
            {
                "id": row["id"],
                "y_pred_proba": 3 * row["prediction"] - 1 + n / 10_000,
                "actual": ("good", "bad")[row["actual"]],
            }
            for n, row in enumerate(rows)
        ]

    outcome = found(*map(scores, SAME), positive_label="bad", actual="actual")
    assert outcome.reason.startswith("there is no prediction.label")
    assert outcome.sides[0].metrics["roc_auc"].value > 0.7
    with pytest.raises(InputError, match="give it with --positive-label"):
        found(*map(scores, SAME), actual="actual")


def test_texts_are_read_as_the_source_says() -> None:
    fields = {"event_id": "id", "prediction.label": "said", "actual": "truth"}
    source = {"fields": fields, "missing": ["unknown"]}
    both = config().model_copy(update={"sources": {"in": SourceConfig.model_validate(source)}})
    rows = [
        [
            {"id": row["id"], "said": f"c{row['prediction']}", "truth": f"c{row['actual']}"}
            for row in side
        ]
        for side in SAME
    ]
    rows[0][0]["said"] = rows[0][1]["truth"] = rows[1][1]["truth"] = "unknown"
    outcome = found(*rows, config=both, model="m")
    assert outcome.sides[0].predictions == len(SAME[0]) - 1
    assert outcome.sides[1].labelled == len(SAME[1]) - 1
    assert outcome.events == len(SAME[0]) - 2


def config(**comparison: str) -> Config:
    fields = {"event_id": "id", "timestamp": "ts", "prediction.label": "prediction",
              "actual": "actual", "model_version": "version"}  # fmt: skip
    sides = {"champion": "m@1", "challenger": "m@2"}
    return Config.model_validate({
        "kafka": {"bootstrap_servers": "localhost:9092"},
        "sources": {"in": {"fields": fields}},
        "models": {"m": {"predictions": "in", "labels": "in", "reference": "unused.json",
                         "window": {"length": "2h", "every": "1h"}}},
        "comparisons": {"new": {**sides, **comparison}} if comparison else {},
    })  # fmt: skip


def versions(rows: tuple[list[Row], list[Row]], **comparison: str) -> Compared:
    both = [{**row, "version": str(n + 1)} for n, each in enumerate(rows) for row in each]
    sides = (Side("m", "1"), Side("m", "2"))
    return compare(
        Wanted(("m@1", "m@2"), (given("all", both),), sides, config(**comparison), "m"), Feedback()
    )


def test_a_configuration_says_which_panes_traffic_and_alpha() -> None:
    guessed = versions(SAME)
    assert guessed.paired
    assert [v.window.end for v in guessed.verdicts[:2]] == [
        "2020-09-13T13:00:00Z", "2020-09-13T14:00:00Z",
    ]  # fmt: skip
    named = versions(SAME, traffic="split", alpha="0.001")
    assert (named.paired, named.alpha, named.events) == (False, 0.001, 0)
    assert named.reason == "no labelled events of both sides"


def test_the_versions_of_a_model_are_compared_as_its_service_would() -> None:
    """Side by side with a backtest of the model itself, whose comparison it is."""
    both = [{**row, "version": str(n + 1)} for n, each in enumerate(SAME) for row in each]
    table = Table.of_rows(both)
    outcome = versions(SAME, traffic="same")
    comparison = set_up(
        w := Wanted(
            ("m@1", "m@2"), (given("all", both),), (Side("m", "1"), Side("m", "2")),
            config(traffic="same"), "m",
        ),
        read_sides(w, Feedback()),
    )  # fmt: skip
    (reference, _) = comparison.plan.references.values()
    own = config(traffic="same")
    plan = replace(comparison.plan, config=own, references={"m": reference})
    judge = Backtest(plan, "m", "in")
    outputs = [*judge.feed_table(table), *judge.end()]
    assert not judge.failures
    mine = [
        each.detectors for each in outputs if each.stream == "new" and hasattr(each, "detectors")
    ]
    assert mine == [verdict.detectors for verdict in outcome.verdicts]


def test_of_files_that_share_few_events_the_others_tell() -> None:
    """These are of other times, so each side goes by its own progress."""
    first, second = answers(0.8, 1, range(3_000)), answers(0.95, 2, range(2_000, 5_000))
    outcome = found(first, second)
    assert (outcome.paired, outcome.events, outcome.decision) == (False, 4_000, "better")
    own = found(first[:2_000], second[1_000:])
    assert own.decided is not None
    assert own.decision == "better"
    assert outcome.sides[0].labelled == 3_000


def test_a_decision_stands_until_the_opposite_can_be_said() -> None:
    good = answers(0.97, 2, range(1_200))
    worse = answers(0.55, 2, range(1_200, 1_800))
    outcome = found(answers(0.8, 1, range(1_800)), [*good, *worse])
    assert outcome.decided is not None
    assert outcome.decided.decision == "better"
    assert outcome.decided.p_value > outcome.alpha
    assert outcome.decided.after == 600
    assert (
        render(outcome)
        .splitlines()[-1]
        .startswith("b is better than a (decided after 600 labelled events; of all p-value ")
    )


def test_columns_of_any_form_are_put_behind_one_another() -> None:
    numbers, texts = Numbers(np.array([1, 2])), Coded(np.array([1, 0]), ["a", [1]])
    assert joined([(numbers, 2), (texts, 2), (None, 1)]).values() == [1, 2, [1], "a", None]
    inner = Struct(1, {"a": Numbers(np.array([1.5]), np.array([True]))})
    assert joined([(inner, 1), (Numbers(np.array([0.5])), 1)]).values() == [{"a": None}, 0.5]


def test_a_defect_of_a_stage_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("driftline.consumer.join.comparing.ComparisonJoin.feed", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found(*SAME)
