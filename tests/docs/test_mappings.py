"""The mappings of docs/mappings.md read a record of the log that each is for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from driftline.consumer.config import load
from driftline.consumer.sketch.decode import Decoder, ModelRows, ModelSchema
from driftline.detectors import Feature, Layout
from driftline.producer import Mapping, parse_timestamp

from .pages import PAGES, README, sections

RECORDED = 1_795_500_000_000  # when Kafka got the records, ms
NUMBERS = np.array([0.0, 1.0])
# What each event must hold: features, prediction, time.
EXPECTED: dict[str, dict[str, Any]] = {
    "Flat rows": {
        "features": {"age": 41, "income": 32_000.0},
        "prediction": {"score": 0.93, "label": "refuse"},
        "time": "2026-11-23T03:10:15Z",
    },
    "BentoML": {
        "features": {
            "sepal length": 4.9, "sepal width": 3.0, "petal length": 1.4, "petal width": 0.2,
        },
        "prediction": {"label": "setosa"},
        "time": "2026-11-23T03:10:15.070Z",
    },
    "Kafka Connect": {
        "features": {"age": 37, "plan": "free"},
        "prediction": 0.21,
        "time": 1_795_403_415_010,
    },
    "Seldon Core 1": {
        "features": {"amount": 12.5, "country": "DE"},
        "prediction": None,
        "time": RECORDED,
    },
}  # fmt: skip
SECTIONS = sections(PAGES["mappings.md"])


def decode(mapping: Mapping, record: dict[str, Any], features: dict[str, Any]) -> ModelRows:
    """Decode a record as the service would: by a reference that holds its features."""
    layout = Layout.of(
        [
            Feature(name, "categorical", np.empty(0), (value,))
            if isinstance(value, str)
            else Feature(name, "numeric", NUMBERS)
            for name, value in sorted(
                features.items(), key=lambda item: (isinstance(item[1], str), item[0])
            )
        ]
    )
    decoder = Decoder(mapping, [ModelSchema("m", layout, {})], 300_000, 262_144)
    decoded = decoder.decode([json.dumps(record).encode()], [RECORDED])
    assert decoded.rejected == []
    return decoded.models["m"]


def check(rows: ModelRows, features: dict[str, Any], time: str | int) -> None:
    numbers = [value for _, value in sorted(features.items()) if not isinstance(value, str)]
    texts = [value for value in features.values() if isinstance(value, str)]
    assert rows.columns.numeric.tolist() == [numbers]
    assert rows.columns.codes.tolist() == [[0] * len(texts)]  # each text is a listed category
    assert rows.times.tolist() == [parse_timestamp(time)]


def test_every_section_with_a_mapping_is_tested() -> None:
    assert {name for name, section in SECTIONS.items() if section.blocks("yaml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_record_is_decoded(name: str, tmp_path: Path) -> None:
    (text,), (record,) = SECTIONS[name].blocks("yaml"), SECTIONS[name].blocks("json")
    (tmp_path / "driftline.yaml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "driftline.yaml", environ={}, offline=True).config
    (source,) = config.sources.values()
    expected = EXPECTED[name]
    event = source.mapping.to_event(json.loads(record))
    assert event["features"] == expected["features"]
    assert event.get("prediction") == expected["prediction"]
    rows = decode(source.mapping, json.loads(record), expected["features"])
    check(rows, expected["features"], expected["time"])


def test_the_table_of_the_readme_says_the_same() -> None:
    shown = re.findall(r"^\| .* \| `(\{.*\})`", README.text, re.MULTILINE)
    assert len(shown) == len(EXPECTED)
    for fields, name in zip(shown, EXPECTED, strict=True):
        (text,) = SECTIONS[name].blocks("yaml")
        (source,) = yaml.safe_load(text)["sources"].values()
        assert yaml.safe_load(fields).items() <= source["fields"].items()
