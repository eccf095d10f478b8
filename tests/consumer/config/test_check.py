"""What the reference of a model says of its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftline.consumer.config import check_against

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Read

TEXT = """\
kafka: {bootstrap_servers: localhost:9092}
defaults:
  features: {tenure: {weight: 2}}
models:
  m:
    predictions: t
    reference: r.json
    ignore: [debug_*, contry, trace_id]
    segments:
      - model_version
      - chanel
    features:
      amout: {weight: 2}
      amount: {weight: 2}
      prediction.score: {weight: 2}
      zzz: {type: boolean}
      place: {type: vector}
  other: {predictions: t, reference: r.json, segments: [x]}
"""
FEATURES = ["amount", "country", "debug_a", "prediction.score"]


def test_check_against(read: Read) -> None:
    loaded = read(TEXT)
    found = check_against(
        loaded.config, "m", FEATURES, ["channel", "model_version"], loaded.locations
    )
    assert [(str(problem), problem.severity) for problem in found] == [
        (
            "driftline.yaml:13: models.m.features.amout:"
            " not in the reference; did you mean amount?",
            "error",
        ),
        (
            "driftline.yaml:16: models.m.features.zzz: not in the reference;"
            " known are amount, country, debug_a, prediction.score",
            "error",
        ),
        (
            "driftline.yaml:17: models.m.features.place: not in the reference; build it again",
            "error",
        ),
        (
            "driftline.yaml:8: models.m.ignore[1]: contry matches no feature of the reference;"
            " did you mean country?",
            "warning",
        ),
        (
            "driftline.yaml:11: models.m.segments[1]:"
            " the reference has no segments of chanel; did you mean channel?",
            "error",
        ),
    ]


def test_a_field_that_the_reference_was_built_without_is_no_slip(read: Read) -> None:
    loaded = read(TEXT)
    found = check_against(
        loaded.config, "m", FEATURES, ["channel", "chanel"], loaded.locations, ("contry",)
    )
    assert not [problem for problem in found if "ignore" in str(problem)]


def test_a_reference_without_segments(read: Read) -> None:
    loaded = read(TEXT)
    assert [
        str(problem)
        for problem in check_against(loaded.config, "other", FEATURES, [], loaded.locations)
    ] == [
        "driftline.yaml:18: models.other.segments[0]:"
        " the reference has no segments of x; build it with x among the segments"
    ]


def test_defaults_may_name_features_that_a_model_lacks(read: Read) -> None:
    text = TEXT.replace("defaults:\n", "defaults:\n  ignore: [none*]\n")
    loaded = read(text.replace("segments: [x]", "owner: me"))
    assert loaded.config.models["other"].ignore == ("none*",)
    assert loaded.config.models["other"].weight_for("tenure") == 2
    assert check_against(loaded.config, "other", FEATURES, [], loaded.locations) == []
