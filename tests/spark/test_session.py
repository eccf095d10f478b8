"""The session of these tests is what users are told to have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftline.consumer.spark import SparkError
from driftline.consumer.spark.versions import SERIES, check_session, check_worker


def test_its_versions_will_do(spark: Any) -> None:
    check_session(spark)
    assert spark.version.startswith(f"{SERIES}.")


def test_the_connector_is_of_the_same_version(spark: Any, jars: str) -> None:
    names = [Path(jar).name for jar in jars.split(",")]
    ours = [name for name in names if name.startswith("spark-")]
    assert len(names) == 4
    assert len(ours) == 2
    assert all(name.endswith(f"_2.13-{spark.version}.jar") for name in ours)


def test_its_workers_find_driftline(spark: Any) -> None:
    def python(batches: Any) -> Any:
        check_worker()
        yield from batches

    assert [row.id for row in spark.range(3).mapInArrow(python, "id long").collect()] == [0, 1, 2]


def test_a_session_of_another_series_is_refused(spark: Any) -> None:
    class Other:
        version = "3.5.4"

    with pytest.raises(SparkError, match=r"^the session runs Spark 3\.5\.4, Driftline was run"):
        check_session(Other())
