"""Guessed mappings: the car-loan files, native events, and names that could mean two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftline.producer.files.rows import read_rows
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.reference.guess import guess_mapping

DATA = Path(__file__).parents[2] / "data"
FEATURES = {
    "car_value": "numeric",
    "salary_range": "categorical",
    "debt_to_income_ratio": "numeric",
    "loan_length": "numeric",
    "repaid_loan_on_prev_car": "boolean",
    "size_of_downpayment": "categorical",
    "driver_tenure": "numeric",
}


@pytest.mark.parametrize(("name", "more"), [("analysis", {}), ("reference", {"repaid": "numeric"})])
def test_the_car_loan_files(name: str, more: dict[str, str]) -> None:
    sample = next(read_rows(DATA / f"car_loan_{name}.csv.gz"))
    guess = guess_mapping(list(sample[0]), sample)
    assert guess.mapping.fields == {
        "timestamp": "timestamp",
        "event_id": "id",
        "prediction.score": "y_pred_proba",
        "prediction.label": "y_pred",
        "features": "*",
    }
    assert guess.features == FEATURES | more
    assert guess.said[:4] == (
        "timestamp: column timestamp (text, read as UTC)",
        "event_id: column id",
        "prediction.score: column y_pred_proba",
        "prediction.label: column y_pred",
    )
    assert guess.said[4].startswith("features: car_value (numeric), salary_range (categorical), ")
    assert set(guess.mapping.to_event(sample[0])["features"]) == set(guess.features)


def test_a_ground_truth_that_is_known_is_not_guessed() -> None:
    rows = [{"score": 0.1, "label": 0, "paid": True}, {"score": 0.2, "label": 1, "paid": False}]
    guess = guess_mapping(list(rows[0]), rows, "paid")
    assert guess.mapping.fields == {
        "prediction.score": "score", "actual": "paid", "features": "*",
    }  # fmt: skip
    assert guess.features == {"label": "numeric"}
    assert not any("actual" in sentence for sentence in guess.said)


def guessed(**columns: list[Any]) -> dict[str, Any]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return dict(guess_mapping(list(columns), rows).mapping.fields)


def test_label_is_the_prediction_unless_there_is_another() -> None:
    assert guessed(label=["a", "b"])["prediction.label"] == "label"
    fields = guessed(score=[0.1, 0.2], label=[0, 1])
    assert fields["prediction.score"] == "score"
    assert fields["actual"] == "label"
    fields = guessed(predicted=["a", "b"], label=["a", "a"])
    assert fields["prediction.label"] == "predicted"
    assert fields["actual"] == "label"


def test_a_prediction_column_is_a_score_or_a_label_by_its_values() -> None:
    assert guessed(prediction=[101.5, 99.0])["prediction.score"] == "prediction"
    assert guessed(prediction=[0, 1])["prediction.label"] == "prediction"
    assert guessed(prediction=list(range(30)))["prediction.score"] == "prediction"
    assert guessed(prediction=[True, False])["prediction.label"] == "prediction"


def test_names_are_compared_without_case_and_separators() -> None:
    columns: dict[str, list[Any]] = {
        "Event Time": [1553644800],
        "Request-ID": ["a"],
        "y.score": [0.5],
    }
    fields = guessed(**columns)
    assert fields["timestamp"] == "Event Time"
    assert fields["event_id"] == "Request-ID"
    assert fields["prediction.score"] == "y\\.score"


def test_a_time_has_to_be_readable() -> None:
    rows: list[dict[str, Any]] = [{"time": 12.5, "date": "2019-03-27"}, {"time": 3.0, "date": None}]
    guess = guess_mapping(["time", "date"], rows)
    assert guess.mapping.fields["timestamp"] == "date"
    assert guess.features == {"time": "numeric"}
    without = guess_mapping(["time"], rows)
    assert "timestamp" not in without.mapping.fields
    assert without.said == ("features: time (numeric)",)
    assert without.no_time == (
        "column time holds no times that can be read: 12.5 is the first value; if it is one, give"
        " --time-format"
    )


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1553644800, "number, unit by its magnitude"),
        ("2019-03-27T00:00:00Z", "text"),
        ("2019-03-27T00:00:00+01:00", "text"),
        ("2019-03-27T00:00:00", "text, read as UTC"),
        ("2019-03-27", "text, read as UTC"),
    ],
)
def test_how_times_are_read_is_said(value: object, form: str) -> None:
    guess = guess_mapping(["ts"], [{"ts": value}])
    assert guess.said == (f"timestamp: column ts ({form})", "features: none")


def test_more_roles() -> None:
    fields = guessed(uuid=["a"], target=[1.5], model_version=["3"], x=[1])
    assert fields == {
        "event_id": "uuid",
        "actual": "target",
        "model_version": "model_version",
        "features": "*",
    }


def test_ids_that_repeat_name_no_events() -> None:
    rows = [{"id": row % 3, "x": row % 7} for row in range(20)]
    guess = guess_mapping(["id", "x"], rows)
    assert guess.mapping.fields == {"tags.id": "id", "features": "*"}
    assert guess.said[0] == (
        "no event_id: column id repeats, 17 of 20 rows have the id of an earlier one; it is a tag"
    )
    rows = [{"id": max(1, row), "x": row % 7} for row in range(20)]
    guess = guess_mapping(["id", "x"], rows)
    assert guess.mapping.fields["event_id"] == "id"
    assert guess.said[0] == "event_id: column id (1 of 20 rows have the id of an earlier one)"


def test_native_events_are_recognised() -> None:
    rows: list[dict[str, Any]] = [
        {"event_id": "a", "inputs": {"x": 1}, "outputs": 0.5},
        {"event_id": "b", "inputs": {"x": 2, "y": "t"}, "outputs": 0.5},
    ]
    guess = guess_mapping(["event_id", "inputs", "outputs"], rows)
    assert guess.mapping.is_native
    assert guess.features == {"x": "numeric", "y": "categorical"}
    assert guess.said == ("the records are events already",)


def test_values_that_fit_no_role_leave_the_column_a_feature() -> None:
    rows: list[dict[str, Any]] = [{"id": [1], "score": "high", "pred": {}, "time": {}, "label": []}]
    guess = guess_mapping(list(rows[0]), rows)
    assert guess.mapping.fields == {"features": "*"}
    assert guess.features == {"score": "categorical"}
    assert guess.said[1:] == ("not read: id (an array)", "not read: label (an array)")


def test_fields_of_objects_are_columns() -> None:
    """Roles too, but the id of a customer is not that of an event, and a plain name comes first."""
    rows = [
        {
            "meta": {"id": f"r{i}", "at": {"time": f"2026-03-0{i + 1} 00:00"}},
            "user": {"id": i // 2, "geo": {"country": "DE"}, "score": 700 + i, "x.y": 1},
            "out": {"probs": [0.1, 0.7, 0.2], "score": 0.5, "all": [1, "a"]},
            "score": i / 7,
            "user.id": 5.5,
            "by_name": {f"k{i}{j}": j for j in range(150)},
            "": {"": 1},
        }
        for i in range(4)
    ]
    guess = guess_mapping(list(rows[0]), rows)
    assert guess.mapping.fields == {
        "timestamp": "meta.at.time",
        "event_id": "meta.id",
        "prediction.score": "score",
        "features": "*",
        "features.user.geo.country": "user.geo.country",
        "features.user.score": "user.score",
        "features.user.x.y": "user.x\\.y",
        "features.out.score": "out.score",
    }
    assert guess.said[-3:] == (
        "not read: out.probs (an array of probabilities, not one score or class)",
        "not read: out.all (an array)",
        "not read: by_name (objects of more than 200 fields)",
    )
    assert guess.mapping.to_event(rows[1])["features"]["user.x.y"] == 1
    assert guess.features["user.id"] == "numeric"


def test_objects_as_text_are_read_as_objects() -> None:
    rows = [{"km": 1, "payload": '{"score": 0.5, "user": {"age": 7}, "tags": [1]}'}]
    guess = guess_mapping(list(rows[0]), rows)
    assert guess.features == {"km": "numeric", "payload.user.age": "numeric"}
    assert guess.mapping.to_event(rows[0])["features"]["payload.user.age"] == 7
    assert guess.mapping.fields["prediction.score"] == "payload.score"
    assert "not read: payload.tags (an array)" in guess.said


def test_arrays_as_text_are_no_class() -> None:
    assert "prediction.label" not in guessed(prediction=["[0.4, 0.6]"], target=[1])


def test_single_values_beside_objects_are_read() -> None:
    guess = guess_mapping(["a", "b"], [{"a": 1, "b": {"c": 1}}, {"a": {"c": 2}, "b": None}])
    assert guess.mapping.fields == {"features": "*", "features.b.c": "b.c"}
    assert guess.features == {"a": "numeric", "b.c": "numeric"}


def test_a_prediction_and_its_truth_that_are_called_after_what_they_are() -> None:
    fields = guessed(predicted_temp=[1.5, 2.0], actual_temp=[1.0, 2.0], actual_wind=[1.0, 2.0])
    assert (fields["prediction.score"], fields["actual"]) == ("predicted_temp", "actual_temp")
    fields = guessed(predicted_class=["a", "b"], true_class=["a", "a"], km=[1, 2])
    assert (fields["prediction.label"], fields["actual"]) == ("predicted_class", "true_class")


def test_of_two_such_columns_none_is_taken() -> None:
    fields = guessed(predicted_temp=[1.5, 2.0], predicted_wind=[1.5, 2.0], actual_temp=[1.0, 2.0])
    assert "prediction.score" not in fields
    assert "actual" not in fields
    fields = guessed(score=[0.5, 0.2], actual_arrival=[1.5, 2.0])  # of what else?
    assert "actual" not in fields


def test_columns_that_may_be_the_ground_truth_are_named() -> None:
    def named(**columns: list[Any]) -> tuple[str, ...]:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return guess_mapping(list(columns), rows).perhaps_actual

    truth = {"y_pred": [0, 1, 1], "repaid": [1, 0, 0], "rooms": [1, 2, 3]}
    assert named(**truth, is_target=[5, 6, 7]) == ("repaid", "is_target")
    assert named(score=[0.1, 0.2], actual_arrival=[1.5, 2.0]) == ("actual_arrival",)
    assert named(y_pred=[0, 1], y_true=[0, 1], repaid=[1, 0]) == ()  # it is known
    assert named(repaid=[1, 0], km=[1, 0]) == ()  # and of what?


@pytest.mark.parametrize(
    ("prediction", "field", "path"),
    [
        ({"score": 0.25, "label": "a"}, "prediction.score", "prediction.score"),
        ({"score": 0.25, "label": "a"}, "prediction.label", "prediction.label"),
        ({"class": "a", "probability": 0.25}, "prediction.score", "prediction.probability"),
    ],
)
def test_an_object_of_a_prediction_beside_columns_is_no_event(
    prediction: dict[str, Any], field: str, path: str
) -> None:
    """Of an event the columns would not be read: neither the time nor any input."""
    rows = [
        {"ts": f"2026-03-02 10:{i:02d}:00", "km": i * 7 % 11 + 0.5, "prediction": prediction}
        for i in range(60)
    ]
    guess = guess_mapping(["ts", "km", "prediction"], rows)
    assert guess.mapping.fields["timestamp"] == "ts"
    assert guess.mapping.fields[field] == path
    assert "km" in guess.features
    assert not any("already" in said for said in guess.said)
    events = [{"timestamp": row["ts"], "prediction": {"score": 0.5}} for row in rows]
    assert (
        "the records are events already" in guess_mapping(["timestamp", "prediction"], events).said
    )


def test_a_nested_score_that_is_none_is_named() -> None:
    rows = [{"km": i * 0.5, "prediction": {"score": "x", "label": i + 0.5}} for i in range(60)]
    guess = guess_mapping(["km", "prediction"], rows)
    assert "not read: prediction.label (no score or class)" in guess.said


@pytest.mark.parametrize(
    ("time", "column"),
    [
        ({"seconds": 1_764_547_200, "nanos": 5}, "ts.seconds"),
        ({"seconds": "1764547200"}, "ts.seconds"),
        ({"_seconds": 1_764_547_200, "_nanoseconds": 5}, "ts._seconds"),
        ({"$numberLong": "1764547200000"}, "ts.$numberLong"),
        ({"$date": "2025-12-01T00:00:00Z"}, "ts.$date"),
        ({"$date": {"$numberLong": "1764547200000"}}, "ts.$date.$numberLong"),
        ("/Date(1764547200000)/", "ts"),
    ],
)
def test_times_in_objects(time: object, column: str) -> None:
    rows = [{"ts": time, "km": i, "wait": {"seconds": i}} for i in range(3)]
    found = guess_mapping(["ts", "km", "wait"], rows)
    assert found.said[0].startswith(f"timestamp: column {column} (")
    assert [*found.features] == ["km", "wait.seconds"]
    event = found.mapping.to_event(rows[0])
    assert parse_timestamp(event["timestamp"], found.mapping.times) == 1_764_547_200_000


def test_columns_without_a_finite_number_are_told() -> None:
    rows = [{"ts": f"2025-12-01 00:00:0{i}", "km": i, "huge": float("inf")} for i in range(3)]
    found = guess_mapping(["ts", "km", "huge"], rows)
    assert [*found.features] == ["km"]
    assert found.said[-1] == "not watched: huge (none of its values is a finite number)"


def test_records_that_a_preset_opens_are_told() -> None:
    rows = [{"time": "2025-12-01T00:00:00Z", "inputs": [{"name": "km", "data": [i]}]} for i in "ab"]
    said = guess_mapping(["time", "inputs"], rows).said[-1]
    assert said.startswith("the records look like kserve-v2, which hold events: to read these, ")
    assert said.endswith("give a configuration with preset: kserve-v2 in sources.<topic>")
    plain = [{"time": "2025-12-01T00:00:00Z", "inputs": 3, "predictions": 0.5}]
    assert "look like" not in guess_mapping(["time", "inputs", "predictions"], plain).said[-1]
