"""The program for `spark-submit`, as far as it comes without Spark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from driftline.consumer.spark import program
from driftline.consumer.spark.errors import SparkError


def test_where_it_is() -> None:
    command = [sys.executable, "-m", "driftline.consumer.spark"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(ran.stdout.strip()) == Path(program.__file__)


def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise SparkError("pyspark is not installed: run  pip install it")

    monkeypatch.setattr(program, "check_pyspark", missing)
    options = ["--config", "c.yaml", "--input", "lake", "--output", "out"]
    assert program.main(["backtest", *options]) == 2
    said = capsys.readouterr().err
    assert said == "driftline backtest: pyspark is not installed: run  pip install it\n"


@pytest.mark.parametrize(
    "arguments", [[], ["judge"], ["backtest"], ["reference", "--input", "x", "--output", "y"]]
)
def test_what_is_missing_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        program.main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: driftline on Spark")
