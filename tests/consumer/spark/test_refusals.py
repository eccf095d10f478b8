"""What a table or its configuration lacks for a backtest on Spark, in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.consumer.spark.lake import TOPIC, lake

from driftline.consumer.config import Loaded, load
from driftline.consumer.spark.batch import compared_in, mapped, topic_of
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.probe import reason_of
from driftline.consumer.spark.shipped import Shipped

TWO = """\
kafka: {bootstrap_servers: "localhost:9092"}
models:
  a: {predictions: in.a, reference: a.json}
  b: {predictions: [in.b, in.c], reference: b.json}
"""


def loaded(folder: Path, text: str) -> Loaded:
    file = folder / "driftline.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ={}, offline=True)


class Frame:
    """The names of a table's columns, which is all that is looked at."""

    def __init__(self, *columns: str) -> None:
        self.columns = [*columns]


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        (None, r"^the configuration reads in\.a, in\.b, in\.c: give topic, one of them$"),
        ("in.d", r"^no model reads in\.d: give topic, one of in\.a, in\.b, in\.c$"),
        ("in.c", r"^models\.b\.predictions: .* first topic, in\.b: give topic='in\.b'$"),
    ],
)
def test_which_topic_it_is(tmp_path: Path, topic: str | None, text: str) -> None:
    with pytest.raises(SparkError, match=text):
        topic_of(loaded(tmp_path, TWO), topic)


def test_the_only_topic_need_not_be_named(tmp_path: Path) -> None:
    assert topic_of(loaded(tmp_path, TWO), "in.a") == "in.a"
    one = "\n".join(TWO.splitlines()[:3]) + "\n"
    assert topic_of(loaded(tmp_path, one), None) == "in.a"


def test_windows_of_rows(tmp_path: Path) -> None:
    text = TWO.replace("a.json}", "a.json, window: {rows: 100}}")
    with pytest.raises(SparkError, match=r"^models\.a\.window\.rows: the rows of a table have no"):
        topic_of(loaded(tmp_path, text), "in.a")


def test_a_recording(tmp_path: Path) -> None:
    frame: Any = Frame("partition", "offset", "amount")
    with pytest.raises(SparkError, match=r"^a table with columns partition and offset is a reco"):
        mapped(frame, loaded(tmp_path, TWO), "in.a")


def test_references_that_executors_cannot_read(tmp_path: Path) -> None:
    own = lake(tmp_path, 200, 1)
    shipped = Shipped.of(own.loaded, TOPIC, by_path=True)
    (tmp_path / "m00.json").unlink()
    with pytest.raises(SparkError, match=r"^an executor cannot read a reference \(.*m00\.json doe"):
        shipped.reference("m00")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("[PYTHON_VERSION_MISMATCH] Python in worker has", "the executors run another Python"),
        ("ModuleNotFoundError: No module named 'driftline'", "the executors lack Driftline"),
    ],
)
def test_workers_that_cannot_run_it(error: str, text: str) -> None:
    assert (reason_of(error) or "").startswith(text)
    assert reason_of("java.lang.OutOfMemoryError") is None


def test_comparisons_of_several_topics(tmp_path: Path) -> None:
    text = TWO.replace(".json}", ".json, labels: {topic: truth}}")
    both = loaded(tmp_path, f"{text}comparisons:\n  better: {{champion: a, challenger: b}}\n")
    said = r"^comparisons\.better: its models read in\.a and in\.b, and the rows are of in\.a: give"
    with pytest.raises(SparkError, match=said):
        compared_in(both, "in.a", judged=True)
    assert compared_in(both, "in.a", judged=False).config.comparisons == {}
    alone = compared_in(loaded(tmp_path, TWO), "in.a", judged=True)
    assert alone.config.comparisons == {}
