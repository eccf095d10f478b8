"""A reference on Spark has the bytes of `driftline reference build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.consumer.spark.lake import Lake, lake
from typer.testing import CliRunner

from driftline.consumer.cli import app
from driftline.consumer.spark import SparkError, build_reference


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake(tmp_path_factory.mktemp("year"), 20_000, 1)


def built(lake: Lake, output: Path, *options: str) -> bytes:
    """What the command writes."""
    command = ["reference", "build", "--input", str(lake.folder), "--output", str(output)]
    ran = CliRunner().invoke(app, [*command, "--model", "m00", *options])
    assert ran.exit_code == 0, ran.output
    return output.read_bytes()


@pytest.mark.parametrize("partitions", [None, 3])
def test_the_bytes(spark: Any, year: Lake, tmp_path: Path, partitions: int | None) -> None:
    """With ground truth, dispersion and segments, whatever the partitions."""
    df = spark.read.parquet(str(year.folder))
    df = df if partitions is None else df.repartition(partitions)
    found = build_reference(df, model="m00", config=year.config)
    assert found.outcome is not None
    assert found.dispersion is not None
    assert found.to_json() == built(year, tmp_path / "r.json", "--config", str(year.config))


def test_what_is_counted_together(spark: Any, year: Lake, tmp_path: Path) -> None:
    """As the configuration says, by panes that lie in several partitions."""
    config = tmp_path / "joint.yaml"
    text = year.config.read_text(encoding="utf-8")
    config.write_text(f"{text}    joint: {{top: 2}}\n", encoding="utf-8")
    df = spark.read.parquet(str(year.folder)).repartition(4)
    found = build_reference(df, model="m00", config=config)
    assert found.joint is not None
    assert found.to_json() == built(year, tmp_path / "r.json", "--config", str(config))


def test_columns_are_guessed(spark: Any, year: Lake, tmp_path: Path) -> None:
    df = spark.read.parquet(str(year.folder))
    found = build_reference(df, model="m00", actual="truth", positive_label="yes")
    options = ("--actual", "truth", "--positive-label", "yes")
    assert found.to_json() == built(year, tmp_path / "r.json", *options)


def test_a_model_that_is_not_configured(spark: Any, year: Lake) -> None:
    with pytest.raises(SparkError, match=r"^the configuration has no model m99; it has m00$"):
        build_reference(spark.range(1), model="m99", config=year.config)
