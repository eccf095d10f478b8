"""Embeddings and texts by the command line: proposed, built, checked and watched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.consumer.cli.conftest import Driftline

WORDS = [
    "the",
    "parcel",
    "came",
    "late",
    "again",
    "and",
    "was",
    "broken",
    "but",
    "good",
    "price",
    "very",
    "fine",
]
OTHERS = [
    "das",
    "Paket",
    "kam",
    "wieder",
    "zu",
    "spät",
    "und",
    "war",
    "kaputt",
    "aber",
    "guter",
    "Preis",
]


def events(begin: datetime, words: list[str], native: bool = False) -> list[dict[str, Any]]:
    rng = np.random.default_rng(begin.day)
    found = []
    for number in range(1_200):
        fields = {
            "embedding": (rng.integers(0, 3) + rng.normal(0, 0.1, 4)).round(3).tolist(),
            "comment": " ".join(rng.choice(words, 6).tolist()),
            "age": int(rng.integers(20, 60)),
        }
        time = (begin + timedelta(minutes=number)).isoformat(timespec="seconds")
        found.append({"timestamp": time, **({"features": fields} if native else fields)})
    return found


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "may.ndjson", events(datetime(2026, 5, 1, tzinfo=UTC), WORDS))
    write(tmp_path / "june.ndjson", events(datetime(2026, 6, 1, tzinfo=UTC), OTHERS))
    return tmp_path


DERIVED = "vector: embedding, of which features are derived"


@pytest.mark.parametrize("native", [False, True])
def test_they_are_proposed(native: bool, driftline: Driftline, files: Path) -> None:
    write(files / "may.ndjson", events(datetime(2026, 5, 1, tzinfo=UTC), WORDS, native))
    ran = driftline("init", "--from", "may.ndjson")
    assert ran.code == 0, ran.err
    assert DERIVED in ran.err
    text = (files / "driftline.yaml").read_text()
    assert "      embedding: {type: vector}\n      comment: {type: text}\n" in text
    assert driftline("check", "--offline").code == 0
    built = driftline("reference", "build", "--model", "may", "--input", "may.ndjson",
                      "--config", "driftline.yaml", "--output", "again.json", "--json")  # fmt: skip
    names = [feature["name"] for feature in json.loads(built.out)["features"]]
    assert names[0] == "age"
    assert {"embedding.cluster", "comment.unseen_words"} < {*names}
    assert json.loads(built.out)["reference"] in ran.out


def test_a_reference_says_what_of_a_file_is_watched(driftline: Driftline, files: Path) -> None:
    built = driftline("reference", "build", "--model", "may", "--input", "may.ndjson",
                      "--type", "comment=text", "--output", "may.json")  # fmt: skip
    assert built.code == 0, built.err
    assert "array: column embedding (4 numbers; of type vector it is watched)" in built.err
    ran = driftline("backtest", "--input", "june.ndjson", "--reference", "may.json", "--json")
    assert "text: comment, of which features are derived" in ran.err
    assert DERIVED not in ran.err
    alerts = [json.loads(line) for line in ran.out.splitlines()]
    assert "comment.unseen_words" in {alert.get("feature") for alert in alerts}


@pytest.mark.parametrize(
    ("features", "problem"),
    [
        ("embedding: {type: vector}", "embedding: not in the reference; build it again"),
        (
            "comment: {type: vector}",
            "comment.type: the reference has it as text: build it again with --type comment=vector",
        ),
    ],
)
def test_another_type_than_the_reference_has(
    features: str, problem: str, driftline: Driftline, files: Path
) -> None:
    driftline("reference", "build", "--model", "may", "--input", "may.ndjson",
              "--type", "comment=text", "--output", "may.json")  # fmt: skip
    (files / "driftline.yaml").write_text(
        "kafka: {bootstrap_servers: localhost:9092}\nmodels:\n  may:\n    predictions: t\n"
        f"    reference: may.json\n    features: {{{features}}}\n"
    )
    ran = driftline("check", "--offline")
    assert ran.code == 2
    assert problem in " ".join(ran.out.split())


def test_texts_with_a_clock_are_no_prose(driftline: Driftline, files: Path) -> None:
    rows = [
        {
            "at": i,
            "age": i % 7,
            "line": f"Mon Mar 02 {i // 60:02d}:{i % 60:02d}:00 CET 2026 started",
        }
        for i in range(600)
    ]
    write(files / "log.ndjson", rows)
    ran = driftline("backtest", "--input", "log.ndjson")
    assert ran.code == 0, ran.err
    assert "not watched: line (nearly every row has another text)" in ran.err
    assert "of which features are derived" not in ran.err
