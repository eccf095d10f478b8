"""A metric that nobody has is a line and a figure of an installed package, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.metrics import recall_score
from tests.installed import install

MODULE = """
from driftline.detectors.outcomes import Figure, Metric
from driftline.detectors.outcomes.figure import share_interval
from driftline.detectors.outcomes.metrics import MetricScale

METRIC = Metric(
    "miss_rate", "share of positives missed", "classes", MetricScale("share", 0.0, 1.0, 1),
    "Wilson", ("fnr",),
)

def figure(layout, counts):
    matrix, positive = layout.view(counts, "confusion"), layout.positive
    n = int(matrix[positive].sum())
    share = 1.0 - int(matrix[positive, positive]) / n if n else 0.0
    return Figure.of(share, *share_interval(share, n), n) if n else Figure.none()
"""
PROGRAM = "from driftline.consumer.cli import main; main()"
CONFIG = """\
kafka: {bootstrap_servers: "k:1"}
sources:
  in: {fields: {timestamp: time, event_id: id, prediction.label: said, actual: truth,
                features: "*"}}
models:
  m: {predictions: in, labels: in, reference: m.json, window: {length: 1000m}, budget: off,
      performance: {LIMIT}}
"""
EVENTS = 4_000


def rows(first: int, missed: int) -> list[tuple[int, int]]:
    """What was said, and the truth; of ten positives so many are missed from `first` on."""
    every = range(EVENTS)
    return [(int(i % 2 and (i < first or i // 2 % 10 >= missed)), i % 2) for i in every]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, first in (("quiet", EVENTS), ("bad", 2_000)):
        lines = ["time,id,km,said,truth"]
        lines += [
            f"{1_600_020_000 + 60 * i},{i},{i % 9},{said},{truth}"
            for i, (said, truth) in enumerate(rows(first, missed=3))
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    install(
        tmp_path / "site",
        "acme",
        {"missed.py": MODULE},
        {"driftline.metrics": {"miss_rate": "missed"}},
    )
    return tmp_path


def run(folder: Path, limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "driftline.yaml").write_text(CONFIG.replace("LIMIT", limit))
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
    )


def test_it_is_configured_checked_judged_and_told(folder: Path) -> None:
    limit = "miss_rate: {max: 0.1}"
    document = json.loads(run(folder, limit, "config", "schema").stdout)
    names = document["$defs"]["ModelConfig"]["properties"]["performance"]["propertyNames"]["enum"]
    assert names[-1] == "miss_rate"

    build = "reference build --config driftline.yaml --model m --input quiet.csv --output m.json"
    built = run(folder, limit, *build.split())
    assert built.returncode == 0, built.stderr
    assert built.stdout.splitlines()[-1].endswith("recall 1, f1 1")  # no limit

    ran = run(folder, limit, "backtest", "--input", "bad.csv", "--json", "--verdicts")
    assert ran.returncode == 0, ran.stderr
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    (alert,) = (one for one in records if "revision" in one)
    assert alert["feature"] == "performance.miss_rate"
    assert "m: share of positives missed rose to 0.3 (95 % interval" in alert["summary"]
    found = [
        one["detectors"]["miss_rate"]["value"]
        for one in records
        if "verdict_id" in one and one["feature"] == "performance.miss_rate"
    ]
    said, truth = zip(*rows(2_000, missed=3), strict=True)
    windows = [slice(first, first + 1_000) for first in (0, 1_000, 2_000, 3_000)]
    assert found == pytest.approx([1.0 - recall_score(truth[w], said[w]) for w in windows])


def test_mistakes_in_it_are_told(folder: Path) -> None:
    for limit, told in (
        ("fnr: {max: 0.1}", "unknown metric, did you mean miss_rate?"),
        ("miss_rate: {max: 10}", "miss_rate is 0 to 1, write 10%"),
    ):
        ran = run(folder, limit, "check", "--offline")
        assert (ran.returncode, told in ran.stdout) == (2, True)
