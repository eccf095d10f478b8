"""The package of docs/how-to/own-detector.md: it passes the contract, and both of it fire."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from scipy.stats import chi2_contingency
from tests.docs.pages import PAGES
from tests.installed import install

PACKAGE = Path(__file__).parents[2] / "examples" / "own_detector"
MODULES = {f"own_checks/{p.name}": p.read_text("utf-8") for p in PACKAGE.glob("own_checks/*.py")}
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
SUITE = (PACKAGE / "tests" / "test_contract.py").read_text("utf-8")
PAGE = PAGES["how-to/own-detector.md"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in whose `site` the package is installed."""
    made = tmp_path_factory.mktemp("own")
    install(made / "site", PROJECT["name"], MODULES, PROJECT["entry-points"])
    return made


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=200,
        check=False, env={**os.environ, "PYTHONPATH": str(folder / "site"), "COLUMNS": "200"},
    )  # fmt: skip


def test_the_page_shows_the_package() -> None:
    whole = "\n".join([*MODULES.values(), SUITE])
    for block in PAGE.blocks("python"):
        for part in block.split("\n\n\n"):
            assert part.strip() in whole, part
    (_, points) = PAGE.blocks("text")
    assert tomllib.loads(points)["project"]["entry-points"] == PROJECT["entry-points"]


def test_it_passes_the_contract(folder: Path) -> None:
    (folder / "test_contract.py").write_text(SUITE)
    ran = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_contract.py")
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout


START, HOUR = 1_789_999_200, 600  # a whole hour; events in one
LATER = 2_000  # from here on "card" is rarer, and more negatives are called positive


def write_events(path: Path, rows: int) -> list[tuple[str, int, int]]:
    rng = random.Random(3)
    drawn = []
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "event_id", "method", "prediction", "actual"])
        for i in range(rows):
            changed = i >= LATER
            method = "card" if rng.random() < (0.4 if changed else 0.6) else "cash"
            actual = int(rng.random() < 0.5)
            said = actual if rng.random() < 0.9 else 1 - actual
            said = 1 if changed and not actual and rng.random() < 0.3 else said
            writer.writerow([START + 6 * i, i, method, said, actual])
            drawn.append((method, said, actual))
    return drawn


PROGRAM = """
import sys
from driftline.consumer.cli import main
for line in sys.argv[1:]:
    words = line.split()
    sys.argv = ["driftline", *words]
    try:
        main()
    except SystemExit as end:
        print(f"\\nexit {end.code}\\n---")
"""


def test_both_fire_in_a_backtest(folder: Path) -> None:
    (text,) = PAGE.blocks("yaml")
    (folder / "driftline.yaml").write_text(text)
    write_events(folder / "normal.csv", LATER)
    drawn = write_events(folder / "events.csv", 2 * LATER)
    model = "--config driftline.yaml --model payments --input"
    reference = "references/payments.json.gz"
    ran = run(
        folder, "-c", PROGRAM, f"reference build {model} normal.csv --output {reference}",
        "check --offline", f"backtest {model} events.csv --json --verdicts", "config schema",
        "schema verdict",
    )  # fmt: skip
    built, checked, tested, schema, verdict, _ = ran.stdout.split("---\n")
    assert "exit 0" in built, ran.stderr
    assert "no errors" in checked, checked
    records = [json.loads(line) for line in tested.splitlines() if line.startswith("{")]
    fired = [one for one in records if "revision" in one and one["status"] == "firing"]
    by_limit = {one["feature"]: one for one in fired if "budgeted" not in one}
    assert by_limit["method"]["rule"] == "g_test: critical 60"
    assert by_limit["method"]["detector"] == "g_test"
    assert "specificity fell to" in by_limit["performance.specificity"]["summary"]
    figures = [
        one["detectors"]["g_test"]
        for one in records
        if "verdict_id" in one and one["feature"] == "method" and one["state"] != "insufficient"
    ]
    normal = [sum(method == name for method, *_ in drawn[:LATER]) for name in ("card", "cash")]
    assert len(figures) == len(drawn) // HOUR
    for begin, figure in zip(range(0, len(drawn), HOUR), figures, strict=False):
        window = [method for method, *_ in drawn[begin : begin + HOUR]]
        counts = [window.count(name) for name in ("card", "cash")]
        wanted = chi2_contingency([normal, counts], correction=False, lambda_="log-likelihood")
        assert figure["value"] == pytest.approx(wanted.statistic, rel=1e-5)
    assert '"g_test"' in schema
    assert "how much likelier are two distributions than one?" in verdict
