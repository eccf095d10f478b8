"""References per version on the command line: built, checked, and refused where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline

CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  rows: {fields: {timestamp: ts, model_version: version, tags.kind: kind, features: "*"}}
models:
  m:
    predictions: rows
    reference: m.json
    references: {"2": m-2.json}
    segments: [kind]
    window: {length: 10m}
"""


def rows(version: int, shift: int) -> str:
    lines = [
        f"{1_600_000_000 + 60 * i},{(i * 7) % 50 + shift},{'ab'[i % 2]},{version}\n"
        for i in range(900)
    ]
    return "ts,km,kind,version\n" + "".join(lines)


@pytest.fixture
def folder(driftline: Driftline, tmp_path: Path) -> Path:
    """Two files of two versions, the model's reference, and the configuration."""
    (tmp_path / "1.csv").write_text(rows(1, 0))
    (tmp_path / "2.csv").write_text(rows(2, 20))
    (tmp_path / "driftline.yaml").write_text(CONFIG)
    build = ("reference", "build", "--model", "m", "-c", "driftline.yaml")
    assert driftline(*build, "-i", "1.csv", "-o", "m.json").code == 0
    assert driftline(*build, "-i", "2.csv", "-o", "m-2.json", "--layout-of", "m.json").code == 0
    return tmp_path


def test_check_says_what_is_compared_with_what(driftline: Driftline, folder: Path) -> None:
    ran = driftline("check", "--offline")
    told = " ".join(ran.out.split())
    assert (ran.code, ran.err) == (0, "")
    assert "2 (900 events) has a reference of its own; all other versions go together" in told
    assert "segments of kind are compared with the model's reference, whatever the versions" in told


def test_a_backtest_judges_each_version(driftline: Driftline, folder: Path) -> None:
    ran = driftline("backtest", "-i", "2.csv", "--verdicts", "--json")
    assert ran.code == 0
    assert '"segment":"model_version=2"' in ran.out
    assert '"alert_id"' not in ran.out  # 20 more is normal for version 2


def test_a_file_of_another_layout_is_refused(driftline: Driftline, folder: Path) -> None:
    build = ("reference", "build", "--model", "m", "-c", "driftline.yaml", "-i", "2.csv")
    assert driftline(*build, "-o", "m-2.json").code == 0
    why = (
        "references.2: m-2.json counts other things than m.json:"
        " build it again with driftline reference build --layout-of m.json"
    )
    for words in (("check", "--offline"), ("backtest", "-i", "2.csv")):
        ran = driftline(*words)
        assert ran.code == 2
        assert why in " ".join(f"{ran.out} {ran.err}".split())


def test_a_file_that_is_not_there(driftline: Driftline, folder: Path) -> None:
    (folder / "m-2.json").unlink()
    ran = driftline("backtest", "-i", "2.csv")
    assert (ran.code, "m-2.json does not exist: build it with" in ran.err) == (2, True)


def test_a_version_without_a_name_is_refused(driftline: Driftline, folder: Path) -> None:
    (folder / "driftline.yaml").write_text(CONFIG.replace('"2"', '""'))
    ran = driftline("check", "--offline")
    assert (ran.code, "a version is named by 1 to 64 bytes" in ran.out + ran.err) == (2, True)
