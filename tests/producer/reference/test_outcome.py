"""The outcome that a reference holds: what is taken for what, and the counts of each stream."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftline.detectors import Reference
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import OutcomeLayout, Outcomes, measure
from driftline.detectors.outcomes.error_model import estimate_errors
from driftline.producer.errors import InputError
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    reference_from_events,
)


def build(events: list[dict[str, Any]], **settings: Any) -> BuiltReference:
    return reference_from_events(events, ReferenceSettings("m", **settings))


def outcome(built: BuiltReference) -> tuple[OutcomeLayout, list[IntArray]]:
    """The layout and every stream's flat counts, as read back from the file."""
    found = Outcomes.of(Reference.from_json(built.reference.to_json()))
    assert found is not None
    return found.layout, list(found.counts)


def event(label: Any, score: Any, actual: Any, channel: str | None = None) -> dict[str, Any]:
    return {
        "features": {"x": 1},
        "prediction": {"label": label, "score": score},
        "actual": actual,
        "tags": {"channel": channel},
    }


def test_streams_add_up_to_the_whole_model() -> None:
    rng = np.random.default_rng(1)
    events = [
        event(int(p > 0.5), p, int(rng.random() < p), channel)
        for p, channel in zip(
            rng.random(600).tolist(), rng.choice(["web", "app", "shop"], 600).tolist(), strict=True
        )
    ]
    events += [event(1, 0.9, None, "web"), event(1, 0.4, 0)]
    built = build(events, segments=["channel"])
    layout, streams = outcome(built)
    assert len(streams) == len(built.reference.streams) == 5
    assert np.array_equal(streams[0], np.sum(streams[1:], axis=0))
    web = built.reference.position["channel=web"]
    own = [e for e in events if e["tags"]["channel"] == "web" and e["actual"] is not None]
    truth = [e["actual"] for e in own]
    matrix = metrics.confusion_matrix(truth, [e["prediction"]["label"] for e in own])
    assert np.array_equal(layout.view(streams[web], "confusion")[:, :2], matrix)
    auc = metrics.roc_auc_score(truth, [e["prediction"]["score"] for e in own])
    assert measure(layout, streams[web])["roc_auc"].value == pytest.approx(auc, abs=1e-3)
    other = built.reference.position["channel=__other__"]
    assert measure(layout, streams[other])["accuracy"].n == 1


def test_summary_and_counts_tell_the_same() -> None:
    rng = np.random.default_rng(2)
    guesses, truth = rng.choice(["a", "b", "c"], 50).tolist(), rng.choice(["a", "b"], 50).tolist()
    events = [event(guess, None, actual) for guess, actual in zip(guesses, truth, strict=True)]
    events += [event(None, 0.4, "a"), event("c", 0.5, None)]
    built = build(events)
    layout, (counts,) = outcome(built)
    assert built.reference.outcome is not None
    figures = measure(layout, counts)
    assert built.reference.outcome["n"] == figures["accuracy"].n == 50
    assert built.reference.outcome["accuracy"] == figures["accuracy"].value
    assert layout.classes == ("a", "b", "c")
    assert built.reference.outcome["error_model"] is None


def test_a_score_and_zeros_and_ones_are_a_classifier_without_classes() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(400).tolist()
    truth = [int(rng.random() < p) for p in scores]
    events = [{"prediction": p, "actual": y} for p, y in zip(scores, truth, strict=True)]
    built = build(events)
    layout, (counts,) = outcome(built)
    assert (layout.kind, layout.labelled, layout.classes, layout.positive) == (
        "classification",
        False,
        ("0", "1"),
        1,
    )
    assert built.reference.positive_label == "1"
    assert built.reference.outcome is not None
    summary = built.reference.outcome
    assert (summary["n"], "accuracy" in summary) == (400, False)
    assert summary["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, scores), abs=1e-3)
    assert summary["brier"] == pytest.approx(metrics.brier_score_loss(truth, scores), abs=1e-6)
    assert measure(layout, counts)["roc_auc"].value == summary["roc_auc"]


@pytest.mark.parametrize(
    ("actual", "positive", "classes"),
    [
        (["fraud", "ok"], "fraud", ("fraud", "ok")),
        ([True, False], None, ("false", "true")),
        ([False, False], None, ("false", "true")),
        ([0, 0], None, ("0", "1")),
        ([{"label": "1"}, {"label": "0"}], None, ("0", "1")),
    ],
)
def test_ground_truth_that_names_classes(
    actual: list[Any], positive: str | None, classes: tuple[str, ...]
) -> None:
    events = [{"prediction": 0.25 * i, "actual": each} for i, each in enumerate(actual)]
    built = build(events, positive_label=positive)
    layout, (counts,) = outcome(built)
    assert (layout.labelled, layout.classes) == (False, classes)
    assert layout.classes[layout.positive or 0] == built.reference.positive_label
    assert layout.view(counts, "joint").sum() == 2


@pytest.mark.parametrize(
    ("scores", "actual"),
    [([0.5, 1.5], [0, 1]), ([0.5, 0.7], [0, 2]), ([0.5, 0.7], [0.1, 1])],
    ids=["a score beyond 1", "an actual of 2", "an actual of 0.1"],
)
def test_all_else_is_a_regression(scores: list[float], actual: list[float]) -> None:
    events = [{"prediction": p, "actual": y} for p, y in zip(scores, actual, strict=True)]
    layout, (counts,) = outcome(build(events))
    assert layout.kind == "regression"
    assert measure(layout, counts)["mae"].n == 2


@pytest.mark.parametrize("scores", [[0.2, 0.8, 0.6], [-1.4, 2.5, 0.3], [20.0, 80.0, 60.0]])
@pytest.mark.parametrize(("actual", "positive"), [([-1, 1, -1], "1"), ([1, 2, 1], "2")])
def test_a_named_class_makes_a_classifier_of_two_numbers(
    scores: list[float], actual: list[int], positive: str
) -> None:
    """Scores that are no probabilities are ranked, but not measured as probabilities."""
    events = [{"prediction": p, "actual": y} for p, y in zip(scores, actual, strict=True)]
    built = build(events, positive_label=positive)
    layout, (counts,) = outcome(built)
    assert (layout.kind, layout.labelled) == ("classification", False)
    assert layout.classes == tuple(sorted(map(str, set(actual))))
    assert built.reference.positive_label == positive
    assert layout.probability == (max(scores) <= 1)
    figures = measure(layout, counts)
    assert figures["roc_auc"].value == 1.0
    assert ("brier" in figures) == layout.probability


def test_a_named_class_of_zeros_and_ones_makes_a_classifier_of_any_scores() -> None:
    events = [{"prediction": p, "actual": y} for p, y in [(-3.0, 0), (2.0, 1), (4.0, 1)]]
    layout, _ = outcome(build(events, positive_label="0"))
    assert (layout.kind, layout.positive, layout.probability) == ("classification", 0, False)


def test_a_named_class_of_a_regression_is_refused() -> None:
    events = [{"prediction": float(y), "actual": y / 4} for y in range(1, 4)]
    with pytest.raises(InputError, match="one of 3 numbers, not of two classes"):
        build(events, positive_label="1")
    with pytest.raises(InputError, match="never occurs; the classes are -1, 1"):
        build([{"prediction": 0.5, "actual": y} for y in (-1, 1)], positive_label="2")


@pytest.mark.parametrize(
    ("guesses", "truth", "classes", "right"),
    [
        ([0, 1, 1], [False, True, False], ("0", "1"), 2),
        (["0", "1", "1"], ["False", "True", "False"], ("0", "1"), 2),
        (["0", "1", "1"], ["no", "yes", "yes"], ("0", "1"), 3),
        (["false", "true", "true"], ["F", "T", "F"], ("false", "true"), 2),
        (["0", "1", "1"], ["N", "Y", "N"], ("0", "1"), 2),
        ([0, 0, 0], [False, True, True], ("0", "1"), 1),
        ([False, True, True], [0, 1, 0], ("false", "true"), 2),
        ([False, True, True], [{"label": "FALSE"}, {"label": "TRUE"}, 0], ("false", "true"), 2),
        (["false", "true", "true"], ["0", "1", "0"], ("false", "true"), 2),
    ],
)
def test_booleans_and_zeros_and_ones_are_the_same_classes(
    guesses: list[Any], truth: list[Any], classes: tuple[str, ...], right: int
) -> None:
    pairs = list(zip(guesses, truth, strict=True))
    built = build([event(guess, 0.5, actual) for guess, actual in pairs])
    layout, (counts,) = outcome(built)
    assert (layout.classes, built.notes) == (classes, ())
    assert built.reference.positive_label == classes[1]
    assert measure(layout, counts)["accuracy"].value == pytest.approx(right / 3)


def test_other_classes_are_not_booleans() -> None:
    built = build([event(2, 0.5, True), event(1, 0.5, False)])
    assert built.notes == (
        "no performance measured: prediction.label (1, 2) and actual (false, true) have no class"
        " in common",
    )


def test_a_bare_number_is_a_classifiers_class() -> None:
    events = [event("1", 0.8, 1), event("0", 0.1, 0), event("1", 0.7, {"label": "0"})]
    layout, (counts,) = outcome(build(events))
    assert layout.view(counts, "confusion").tolist() == [[1, 1, 0], [0, 1, 0]]
    assert layout.view(counts, "joint").sum() == 3


def test_a_score_that_speaks_of_no_known_class_is_not_counted() -> None:
    events = [event("ok", 0.8, "ok"), event("fraud", 0.1, "ok")]
    layout, (counts,) = outcome(build(events))
    assert tuple(measure(layout, counts)) == ("accuracy", "precision", "recall", "f1")
    layout, (counts,) = outcome(build(events, positive_label="fraud"))
    assert "roc_auc" in measure(layout, counts)
    with pytest.raises(InputError, match="never occurs; the classes are fraud, ok"):
        build(events, positive_label="spam")


def test_a_regression_has_an_error_model_of_its_inputs() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=5_000)
    size = np.where(x > 0, 4.0, 1.0)
    error = rng.normal(size=5_000) * size
    events = [
        {"features": {"x": a, "c": "k"}, "prediction": 10.0 + e, "actual": 10.0}
        for a, e in zip(x.tolist(), error.tolist(), strict=True)
    ]
    events += [{"features": {"x": 0.1}, "prediction": None, "actual": 3.0}]
    reference = build(events).reference
    assert reference.outcome is not None
    found = Outcomes.of(Reference.from_json(reference.to_json()))
    assert found is not None
    model = found.error_model
    assert model is not None
    assert model.events == 5_000
    same = estimate_errors(reference.layout, model, reference.counts[0])
    assert same["mae"].value == pytest.approx(reference.outcome["mae"], rel=1e-3)
    layout, (counts,) = outcome(build(events))
    assert measure(layout, counts)["rmse"].value == pytest.approx(reference.outcome["rmse"])


def test_numbers_too_large_to_measure_are_left_out() -> None:
    pairs = [(1.0, 2.0), (1e308, -1e308), (5.0, 1e200), (3.0, 3.5)]
    built = build([{"prediction": p, "actual": y} for p, y in pairs])
    assert built.reference.outcome is not None
    assert (built.reference.outcome["n"], built.reference.outcome["mae"]) == (2, 0.75)
    built.reference.to_json()


VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from("ab")


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=12))
def test_any_values_give_a_reference_that_can_be_read(rows: list[tuple[Any, Any, Any]]) -> None:
    built = build([event(None, 0.5, None), *(event(*row) for row in rows)])
    if built.reference.outcome is None:
        Reference.from_json(built.reference.to_json())
    else:
        layout, (counts,) = outcome(built)
        measure(layout, counts)


def test_a_reference_stays_small() -> None:
    """All of 256 score bins for 21 streams."""
    rng = np.random.default_rng(5)
    channels = [f"c{i:02}" for i in range(20)]
    scores = rng.random(20_000).tolist()
    events = [
        event(int(p > 0.5), p, int(rng.random() < p), channels[i % 20])
        for i, p in enumerate(scores)
    ]
    built = build(events, segments=["channel"], grid=11)
    assert len(json.dumps(built.reference.outcome)) < 400_000
