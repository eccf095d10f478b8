"""References: the car-loan data, what is counted as what, and what cannot be built."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, mean_absolute_error, root_mean_squared_error

from driftline.detectors.counts import EXTRA_CELLS
from driftline.producer.errors import InputError
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_events,
    reference_from_rows,
)

DATA = Path(__file__).parents[2] / "data"
MAPPING = Mapping(
    {
        "timestamp": "timestamp",
        "event_id": "id",
        "prediction.score": "y_pred_proba",
        "prediction.label": "y_pred",
        "actual": "repaid",
        "features": "*",
    }
)


@cache
def car_loan() -> BuiltReference:
    rows = read_rows(DATA / "car_loan_reference.csv.gz")
    return reference_from_rows(rows, MAPPING, ReferenceSettings("car-loan", grid=None))


def build(events: list[dict[str, Any]], **settings: Any) -> BuiltReference:
    return reference_from_events(events, ReferenceSettings("m", **settings))


def cells(built: BuiltReference, name: str, stream: str | None = None) -> list[int]:
    layout = built.reference.layout
    f = layout.position[name]
    counts = built.reference.counts[built.reference.position[stream]]
    return [int(count) for count in counts[layout.starts[f] : layout.starts[f + 1]]]


def summary(built: BuiltReference) -> dict[str, Any]:
    """The outcome without what is counted (`test_outcome.py`)."""
    counted = ("layout", "counts", "error_model")
    return {key: x for key, x in (built.reference.outcome or {}).items() if key not in counted}


def test_car_loan_features() -> None:
    built = car_loan()
    assert {feature.name: feature.type for feature in built.features} == {
        "car_value": "numeric",
        "debt_to_income_ratio": "numeric",
        "driver_tenure": "numeric",
        "loan_length": "numeric",
        "prediction.score": "numeric",
        "prediction.label": "categorical",
        "repaid_loan_on_prev_car": "boolean",
        "salary_range": "categorical",
        "size_of_downpayment": "categorical",
    }
    assert built.reference.events == 50_000
    assert (built.skipped, built.unusable, built.notes) == (0, 0, ())
    assert all(feature.missing == feature.invalid == 0 for feature in built.features)
    distinct = {feature.name: feature.distinct for feature in built.features}
    assert distinct["debt_to_income_ratio"] == 50_000
    assert distinct["salary_range"] == 4


def test_car_loan_counts_are_those_of_the_interface_page() -> None:
    categories = car_loan().reference.layout.features
    (salary,) = (feature for feature in categories if feature.name == "salary_range")
    assert salary.categories == ("0 - 20K €", "20K - 40K €", "40K - 60K €", "60K+ €")
    assert cells(car_loan(), "salary_range") == [19918, 15047, 9977, 5058, 0, 0, 0, 0]


def test_car_loan_outcome() -> None:
    rows = [row for chunk in read_rows(DATA / "car_loan_reference.csv.gz") for row in chunk]
    matrix = confusion_matrix([int(row["repaid"]) for row in rows], [row["y_pred"] for row in rows])
    assert car_loan().reference.positive_label == "1"
    assert summary(car_loan()) == {
        "n": 50_000,
        "accuracy": 0.94364,
        "confusion": {
            "0": {"0": matrix[0, 0], "1": matrix[0, 1]},
            "1": {"0": matrix[1, 0], "1": matrix[1, 1]},
        },
    }


def test_the_order_of_the_events_does_not_matter() -> None:
    rng = random.Random(7)
    events = [
        {
            "features": {"x": rng.gauss(0, 1), "c": rng.choice("abc")},
            "prediction": rng.gauss(5, 1),
            "actual": rng.gauss(5, 1),
            "tags": {"channel": rng.choice(["web", "app"])},
        }
        for _ in range(500)
    ]
    first = build(events, segments=["channel"]).reference
    assert first.outcome is not None
    rng.shuffle(events)
    assert build(events, segments=["channel"]).reference.id == first.id


def test_missing_absent_and_invalid_are_counted_apart() -> None:
    built = build(
        [
            {"features": {"x": 1.0, "c": "a", "b": True}},
            {"features": {"x": None, "c": None, "b": None}},
            {"features": {}},
            {"features": {"x": "NaN", "c": [1], "b": {}}},
            {"features": {"x": 2, "c": "b", "b": "false"}, "prediction": "late"},
        ]
    )
    assert cells(built, "x") == [0, 1, 0, 1, 0, 1, 1, 1]
    assert cells(built, "c") == [1, 1, 0, 1, 1, 1]
    assert cells(built, "b") == [1, 1, 0, 1, 1, 1]
    assert cells(built, "prediction.label") == [1, 0, 0, 4, 0]
    (x,) = (feature for feature in built.features if feature.name == "x")
    assert (x.distinct, x.missing, x.invalid) == (2, 0.4, 0.2)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["x", "y", "z"]),
            st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "b", "NaN"]),
        ),
        min_size=1,
    )
)
def test_every_event_is_in_one_cell_of_every_feature(features: list[dict[str, Any]]) -> None:
    events = [{"features": {"always": 1, **each}} for each in features]
    built = build(events)
    for name in built.reference.layout.position:
        assert sum(cells(built, name)) == len(events)


def test_a_feature_that_appears_after_the_first_chunk() -> None:
    events = [{"features": {"x": 1}}] * 10_001 + [{"features": {"x": 1, "late": "a"}}]
    assert cells(build(events), "late") == [1, 0, 0, 10_001, 0]


def test_a_null_score_is_missing_and_a_null_prediction_absent() -> None:
    built = build(
        [
            {"prediction": {"score": 0.5, "label": "a"}},
            {"prediction": None, "features": {}},
            {"features": {}},
            {"prediction": 0.7},
            {"prediction": {"score": None}},
        ]
    )
    assert cells(built, "prediction.score")[-EXTRA_CELLS:] == [1, 2, 0]
    assert cells(built, "prediction.label")[-EXTRA_CELLS:] == [0, 4, 0]


def test_types_can_be_overridden() -> None:
    events = [{"features": {"code": code, "x": 1}} for code in (3, 3.0, 2.5, "a")]
    assert {f.name: f.type for f in build(events).features}["code"] == "categorical"
    built = build(events, types={"code": "numeric", "x": "categorical"})
    assert {f.name: f.type for f in built.features} == {"code": "numeric", "x": "categorical"}
    assert cells(built, "code")[-EXTRA_CELLS:] == [0, 0, 1]
    categories = build(events).reference.layout.features[-1].categories
    assert categories == ("2.5", "3", "a")


def test_a_label_is_never_numeric_and_a_score_always() -> None:
    built = build([{"prediction": {"label": 1, "score": 0.5}}, {"prediction": {"score": "high"}}])
    assert [f.type for f in built.features] == ["numeric", "categorical"]
    built = build([{"prediction": True}, {"prediction": False}])
    assert [(f.name, f.type) for f in built.features] == [("prediction.label", "boolean")]


def test_segments_have_counts_of_their_own_on_the_common_grid() -> None:
    events = [
        {"features": {"x": i}, "model_version": version, "tags": {"channel": channel}}
        for i, (version, channel) in enumerate(
            [("1", "web"), (2, "web"), (2.0, "app"), (None, None)]
        )
    ]
    events.append({"features": {"x": 4}})
    built = build(events, segments=["channel", "model_version"])
    assert built.reference.segments == {"channel": ("web", "app"), "model_version": ("2", "1")}
    assert built.reference.streams == (
        None,
        "channel=web",
        "channel=app",
        "channel=__other__",
        "model_version=2",
        "model_version=1",
        "model_version=__other__",
    )
    assert built.reference.stream_events.tolist() == [5, 2, 1, 2, 2, 1, 2]
    assert cells(built, "x", "channel=web") == [0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_only_the_20_most_frequent_values_of_a_tag_are_listed() -> None:
    events = [
        {"features": {"x": 1}, "tags": {"city": f"c{i:02}"}}
        for i in range(30)
        for _ in range(i + 1)
    ]
    built = build(events, segments=["city"])
    assert built.reference.segments["city"] == tuple(f"c{i:02}" for i in range(29, 9, -1))
    assert built.reference.stream_events[-1] == sum(range(1, 11))


def test_regression_outcome() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(100, 10, 200)
    guess = truth + rng.normal(1, 2, 200)
    pairs = zip(guess.tolist(), truth.tolist(), strict=True)
    events: list[dict[str, Any]] = [{"prediction": p, "actual": t} for p, t in pairs]
    events += [{"prediction": 5.0}, {"prediction": None, "actual": 3.0}]
    built = build(events)
    assert built.reference.positive_label is None
    assert summary(built) == {
        "n": 200,
        "mae": pytest.approx(mean_absolute_error(truth, guess), rel=1e-9),
        "rmse": pytest.approx(root_mean_squared_error(truth, guess), rel=1e-9),
        "bias": pytest.approx(float(np.mean(guess - truth)), rel=1e-9),
    }


@pytest.mark.parametrize(
    ("predicted", "actual", "positive"),
    [
        (["0", "1"], [0, 1], "1"),
        ([True, False], [{"label": "true"}, {"label": False}], "true"),
        (["ok", "fraud"], ["ok", "ok"], None),
    ],
)
def test_positive_label(predicted: list[Any], actual: list[Any], positive: str | None) -> None:
    events = [
        {"prediction": {"label": p}, "actual": a} for p, a in zip(predicted, actual, strict=True)
    ]
    reference = build(events).reference
    assert reference.positive_label == positive
    assert reference.outcome is not None
    assert reference.outcome["accuracy"] == (0.5 if positive is None else 1.0)
    given_label = "fraud" if positive is None else predicted[1]
    if isinstance(given_label, str):
        assert build(events, positive_label=given_label).reference.positive_label == given_label


def test_an_outcome_that_cannot_be_measured_is_said() -> None:
    built = build([{"prediction": True, "actual": 2}, {"prediction": False, "actual": 1}])
    assert built.reference.outcome is None
    assert built.notes == (
        "no performance measured: prediction.label (false, true) and actual (1, 2) have no class"
        " in common",
    )
    built = build([{"prediction": 0.5, "actual": "ok"}])
    assert built.notes == (
        "no performance measured: prediction.label is not set, and it is not known which class"
        " prediction.score speaks of: give it with --positive-label",
    )


def test_events_of_other_models_and_records_that_are_none() -> None:
    unusable: list[Any] = [
        {},
        {"event_id": "a"},
        {"features": None, "prediction": None},
        {"features": [1]},
        {"prediction": [1]},
        "text",
        None,
    ]
    other = {"model": "other", "features": {"x": 1}}
    built = build([{"model": "m", "features": {"x": 1}}, {"features": {"x": 2}}, other, *unusable])
    assert (built.reference.events, built.skipped, built.unusable) == (2, 1, 7)


def test_features_without_values_are_left_out_and_named() -> None:
    built = build([{"features": {"x": 1, "empty": None, "list": [1]}}])
    assert [feature.name for feature in built.features] == ["x"]
    assert built.notes == (
        "empty is left out: it never has a usable value",
        "list is left out: it never has a usable value",
    )


@pytest.mark.parametrize(
    ("events", "settings", "sentence"),
    [
        ([], {}, "there are no events to build a reference from; check the input"),
        (
            [{"a": 1}] * 1200,
            {},
            "none of 1,200 records has features or a prediction, but a; map them with"
            " sources.<topic>.fields",
        ),
        (
            [{"model": "other", "features": {"x": 1}}],
            {},
            "all 1 events are of other models; check the name m",
        ),
        (
            [{"features": {"x": None}}],
            {},
            "no event has a feature or prediction with values (times, arrays and empty columns are"
            " none); check the mapping of features",
        ),
        (
            [{"features": {"amount": 1}}],
            {"types": {"amout": "numeric"}},
            "type of amout: the events have no such feature, did you mean amount?",
        ),
        (
            [{"features": {"amount": 1}}],
            {"types": {"amount": "word"}},
            "type of amount: not word, use one of numeric, categorical, boolean, vector, text",
        ),
        (
            [{"prediction": {"label": 1}}],
            {"types": {"prediction.label": "numeric"}},
            "type of prediction.label: not numeric, use one of categorical, boolean",
        ),
        (
            [{"features": {"city": "Berlin"}}],
            {"types": {"city": "numeric"}},
            "city: no value is numeric; correct its type or mapping",
        ),
        (
            [{"prediction": {"score": "high"}}],
            {},
            "prediction.score: no value is numeric; correct its type or mapping",
        ),
        (
            [{"features": {"x": 1}}],
            {"segments": ["chanel"]},
            "segment chanel: no event has this tag; check the name or mapping",
        ),
        (
            [{"prediction": "ok", "actual": "fraud"}],
            {"positive_label": "froud"},
            "positive_label froud: never occurs; the classes are fraud, ok",
        ),
    ],
)
def test_what_cannot_be_built(
    events: list[dict[str, Any]], settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        build(events, **settings)
    assert str(caught.value) == sentence
