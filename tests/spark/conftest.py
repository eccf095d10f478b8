"""One local session of Spark for all tests of this folder.

Without Java, Maven or pyspark the tests fail in CI (`CI` is set) and are skipped elsewhere.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kafka.conftest import admin, bootstrap, broker, new_topic, prefix, tls_dir

__all__ = ["admin", "bootstrap", "broker", "new_topic", "prefix", "tls_dir"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JARS = ROOT / "deploy" / "spark" / "jars.py"

SETTINGS = {
    "spark.driver.memory": "1g",
    # The first compiler alone: no test runs long enough for the second to pay.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "4",
    "spark.task.maxFailures": "4",
}
"""Of the session, and of each that `spark-submit` is to start."""

MASTER = "local[2,4]"  # two tasks at a time; a task that fails is tried up to four times


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a session, and nothing else in this folder."""
    for item in items:
        if HERE in item.path.parents and "jars" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.filterwarnings("ignore"))  # pyspark's own
            item.add_marker(pytest.mark.timeout(900))  # a busy machine starts a JVM slowly


def lacking() -> str | None:
    """What this machine lacks to run Spark, None when it lacks nothing."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: run  make .venv/.spark"
    if shutil.which("java") is None:
        return "java is not installed: Spark needs Java 17 or newer"
    return None


@pytest.fixture(scope="session")
def jars() -> str:
    """The jars with which Spark reads Kafka, as `spark.jars` names them."""
    reason = lacking()
    if reason is None:
        ran = subprocess.run([sys.executable, JARS], capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return ran.stdout.strip()
        reason = ran.stderr.strip()
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def spark(jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The session. Its workers are this Python, and find the tests beside Driftline."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    builder = SparkSession.builder.master(MASTER).appName("driftline")
    own = {"spark.jars": jars, "spark.local.dir": str(folder / "local")}
    own["spark.sql.warehouse.dir"] = str(folder / "warehouse")
    for name, value in {**SETTINGS, **own}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
