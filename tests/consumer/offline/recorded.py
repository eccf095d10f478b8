"""A topic of the in-memory log, what the service made of it, and files that record it."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, TOPIC

from driftline.consumer.config import Loaded, load
from driftline.consumer.offline.configured import configured
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.run import run
from driftline.consumer.offline.setup import Setup
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.messages import Pane, decode_panes
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference

Row = dict[str, Any]
PLACES = ("partition", "offset", "record_timestamp")


def parquet(rows: Sequence[Row], path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100)


def arrow(rows: Sequence[Row], path: Path) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=77)


def ndjson(rows: Sequence[Row], path: Path) -> None:
    body = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)


def csv(rows: Sequence[Row], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = [["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]
    path.write_text("\n".join(map(",".join, [names, *texts])) + "\n")


FORMATS: dict[str, Callable[[Sequence[Row], Path], None]] = {
    "a.parquet": parquet,
    "a.arrow": arrow,
    "a.ndjson": ndjson,
    "a.ndjson.gz": ndjson,
    "a.csv": csv,
}


def shuffled(rows: Sequence[Row]) -> list[Row]:
    return random.Random(3).sample(rows, len(rows))


ORDERS: dict[str, Callable[[Sequence[Row]], list[Row]]] = {
    "as they came": list,
    "by partition": lambda rows: sorted(rows, key=lambda row: row["partition"]),  # stable
    "backwards": lambda rows: list(rows[::-1]),
    "shuffled": shuffled,
}


@dataclass(frozen=True)
class Made:
    """What came of a topic, or of its recording: bytes."""

    verdicts: set[bytes]
    alerts: list[bytes]
    panes: set[bytes]


def of_service(
    plan: Plan, topics: dict[str, Sequence[Row | list[Row]]], partitions: int = 3
) -> Made:
    """What the service makes of rows, each a record with its place; of a list one record."""
    rig = Rig(plan, partitions)
    for topic, rows in topics.items():
        for row in rows:
            several = row if isinstance(row, list) else [row]
            found = [{k: v for k, v in each.items() if k not in PLACES} for each in several]
            value = msgspec.json.encode(found if isinstance(row, list) else found[0])
            written = several[0].get("record_timestamp", -1)
            rig.write([value], several[0]["partition"], topic=topic, timestamp=written)
    rig.start()
    rig.settle()
    panes = (decode_panes(record.value or b"") for record in rig.records("panes"))
    return Made(
        {record.value or b"" for record in rig.records("verdicts")},
        [msgspec.json.encode(alert) for alert in rig.alerts()],
        _counts(panes),
    )


def deployment(
    folder: Path, reference: Reference, model: dict[str, Any], sources: dict[str, Any], **more: Any
) -> tuple[Loaded, Plan]:
    """A configuration of the model `m` on the topic `in`, as it is loaded, and its plan."""
    (folder / "m.json").write_bytes(reference.to_json())
    sections = {
        "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
        "sources": sources,
        "models": {MODEL: {"predictions": TOPIC, "reference": "m.json", **model}},
        "limits": {"idle_after": "5s"},
        **more,
    }
    (folder / "driftline.yaml").write_bytes(msgspec.json.encode(sections))
    loaded = load(folder / "driftline.yaml", environ={}, offline=True)
    return loaded, Plan(loaded.config, {MODEL: reference})


def of_file(loaded: Loaded, file: Path, labels: Path | None = None) -> tuple[Made, Setup, Feedback]:
    """What a backtest of a file makes."""
    feedback = Feedback()
    setup = configured(loaded, MODEL, file, None, feedback, GivenTruth(labels=labels))
    kept: list[Any] = []

    def keep(topic: str, offset: int, message: Any) -> None:
        if topic == "panes":
            kept.append(message)

    with patch.object(setup.backtest, "_keep", keep):
        found = list(run(setup))
    bodies = (msgspec.json.encode(each) for each in found if isinstance(each, Alert))
    alerts = sorted(
        map(msgspec.json.decode, bodies),
        key=lambda a: (a["window"]["end"], a["alert_id"], a["revision"]),
    )
    verdicts = {msgspec.json.encode(each) for each in found if isinstance(each, Verdict)}
    made = Made(verdicts, list(map(msgspec.json.encode, alerts)), _counts(kept))
    return made, setup, feedback


def _counts(messages: Iterable[Any]) -> set[bytes]:
    """The panes of input partitions, each as it was sent last."""
    last: dict[Any, Pane] = {}
    for pane in messages:
        if isinstance(pane, Pane) and not pane.outcomes:
            key = (pane.source, pane.partition, pane.start, pane.first, pane.low)
            known = last.get(key)
            last[key] = pane if known is None or pane.until >= known.until else known
    return {msgspec.json.encode(pane) for pane in last.values()}
