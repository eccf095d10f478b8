"""The car-loan data as a deployment: 50,000 reference events, 50,000 to be judged.

The second half of the latter drifts (NannyML's synthetic car loans; see tests/data).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.kafka import deployment
from tests.kafka.worker import driftline

from driftline.consumer.cli.replay_rows import Target, send_rows
from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.replay.replay import Pace

DATA = Path(__file__).parents[1] / "data"
REFERENCE = DATA / "car_loan_reference.csv.gz"
ANALYSIS = DATA / "car_loan_analysis.csv.gz"

MODEL = "car-loan"
PARTITIONS = 6
WINDOW = 6 * 86_400_000  # ms
DRIFTED = {
    "car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car", "prediction.score",
}  # fmt: skip
QUIET = {"debt_to_income_ratio", "size_of_downpayment", "driver_tenure", "prediction.label"}
DRIFT_BEGINS = "2019-03-31T03:00:00Z"  # row 25,000

_FIELDS: dict[str, Any] = {
    "timestamp": "timestamp",
    "event_id": "id",
    "prediction.score": "y_pred_proba",
    "prediction.label": "y_pred",
    "model_version": Constant("1"),
    "features": "*",
}

Row = dict[str, Any]


def rows_by_pane() -> list[list[Row]]:
    """Return the rows to be judged, in the order of the file, a list for each pane of 6 days."""
    rows = [row for chunk in read_rows(ANALYSIS) for row in chunk]
    return [list(pane) for _, pane in groupby(rows, _pane_of)]


def _pane_of(row: Row) -> int:
    time = parse_timestamp(row["timestamp"])
    assert time is not None
    return time // WINDOW


def write_config(path: Path, bootstrap: str, topic: str, prefix: str, **more: Any) -> Path:
    """Write the configuration of the proof: windows of 6 days, else the defaults and `more`."""
    fields = {
        field: {"value": source.value} if isinstance(source, Constant) else source
        for field, source in _FIELDS.items()
    }
    model = {
        "predictions": topic,
        "reference": "car-loan.json.gz",
        "window": {"length": "6d"},
        "owner": "credit",
    }
    return deployment.write_config(
        path, bootstrap, prefix, {MODEL: model}, sources={topic: {"fields": fields}}, **more
    )


def build_reference(directory: Path) -> None:
    """Build the reference as a user does; configurations in `directory` find it."""
    config = write_config(directory / "build.yaml", "localhost:9092", "events", "build")
    code, _, said = driftline(
        "reference", "build", "--config", config, "--model", MODEL, "--input", REFERENCE,
        "--actual", "repaid", "--grid", "exact", "--output", directory / "car-loan.json.gz",
    )  # fmt: skip
    assert code == 0, said


class Replay:
    """Sends rows as `driftline replay` does: the key is the event's id, hashed to a partition.

    Args:
        bootstrap: where the broker answers.
        topic: has `PARTITIONS` partitions.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        config = KafkaConfig(bootstrap_servers=(bootstrap,))
        self._producer = KafkaProducer(start_producer(config))
        self._target = Target(topic, PARTITIONS, Mapping(_FIELDS), mapped=True)

    def send(self, rows: Sequence[Row]) -> None:
        """Send `rows`; return when the broker has all of them."""
        pace = Pace(lambda: 0.0, lambda _: None, None, None)
        send_rows([list(rows)], self._target, None, self._producer, pace, lambda _: None)

    def close(self) -> None:
        """Give up the connection."""
        self._producer.close()
