"""A lake of predictions, the configuration of its models, and what `driftline backtest` says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.consumer.config import Loaded, load
from driftline.consumer.offline.configured import configured
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.given_truth import UNKNOWN
from driftline.consumer.offline.run import run
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import read_references
from driftline.consumer.wire.records import Alert
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

HOUR, DAY = 3_600_000, 86_400_000
START = 1_600_041_600_000 // DAY * DAY
TOPIC = "ml.scores"
FIELDS = {
    "event_id": "id",
    "timestamp": "at",
    "model": "model",
    "prediction.score": "score",
    "prediction.label": "said",
    "actual": "truth",
    "features.amount": "amount",
    "features.age": "age",
    "features.plan": "plan",
    "tags.channel": "channel",
}
COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("model", pa.string()),
        ("amount", pa.float64()),
        ("age", pa.int64()),
        ("plan", pa.string()),
        ("channel", pa.string()),
        ("score", pa.float64()),
        ("said", pa.string()),
        ("truth", pa.string()),
    ]
)

Record = tuple[str, str]
"""The kind of a record, and its bytes as text."""


def events(rows: int, models: Sequence[str], seed: int, hours: int, drift: bool) -> pa.Table:
    """Events of some models over some hours, in order; `drift`: in the later half."""
    rng = np.random.default_rng(seed)
    times = START + np.sort(rng.integers(0, hours * HOUR, rows))
    late = drift & (times > START + hours * HOUR // 2)
    score = rng.random(rows).round(3)
    truth = np.where(rng.random(rows) < 0.9 - 0.4 * late, score > 0.5, score <= 0.5)
    columns = {
        "id": [f"{seed}-{i}" for i in range(rows)],
        "at": pa.array(times * 1000, pa.int64()).cast(COLUMNS.field("at").type),
        "model": rng.choice(models, rows),
        "amount": np.exp(rng.normal(3 + 0.8 * late, 1, rows)).round(2),
        "age": rng.integers(18, 80, rows),
        "plan": rng.choice(["free", "paid", "gift"], rows),
        "channel": rng.choice(["web", "app"], rows),
        "score": score,
        "said": np.where(score > 0.5, "yes", "no"),
        "truth": np.where(truth, "yes", "no"),
    }
    columns = {
        name: value
        if isinstance(value, pa.Array)
        else pa.array(value, COLUMNS.field(name).type, from_pandas=True)
        for name, value in columns.items()
    }
    return pa.table(columns, COLUMNS)


def with_bad_rows(table: pa.Table, every: int) -> pa.Table:
    """The same with rows that are no events: every so many has no time."""
    lacks = np.arange(table.num_rows) % every == 0
    at = pa.array(table["at"].to_pylist(), COLUMNS.field("at").type, mask=lacks)
    return table.set_column(1, "at", at)


@dataclass(frozen=True)
class Lake:
    """Files of events, and a configuration beside them.

    Attributes:
        folder: the files.
        config: the configuration.
        models: its models.
    """

    folder: Path
    config: Path
    models: tuple[str, ...]

    @property
    def loaded(self) -> Loaded:
        return load(self.config, environ={}, offline=True)

    def table(self) -> pa.Table:
        """All rows, in the order of the files."""
        return pa.concat_tables([pq.read_table(file) for file in sorted(self.folder.iterdir())])

    def expected(self, model: str) -> list[Record]:
        """What `driftline backtest` makes known of a model over all files."""
        setup = configured(self.loaded, model, self.folder, None, Feedback(), UNKNOWN)
        return [
            (
                "alert" if isinstance(record, Alert) else "verdict",
                msgspec.json.encode(record).decode(),
            )
            for record in run(setup)
        ]

    def compared(self, name: str) -> list[Record]:
        """What the stages of the service make known of a comparison over all files."""
        loaded = self.loaded
        references, _ = read_references(loaded)
        plan = Plan(loaded.config, references, ordered=False)
        models = [side.model for side in loaded.config.comparisons[name].sides]
        stages = Backtest(plan, models[0], TOPIC, sides=models)
        found = [
            record for table in read_tables(self.folder) for record in stages.feed_table(table)
        ]
        found += stages.end()
        assert not stages.failures
        return [
            (
                "alert" if isinstance(record, Alert) else "verdict",
                msgspec.json.encode(record).decode(),
            )
            for record in found
        ]


def lake(
    root: Path, rows: int, models: int, files: int = 8, labels: str | None = TOPIC, bad: int = 0
) -> Lake:
    """Write a lake of `files` files, and references of its models.

    Args:
        root: where.
        rows: of all files.
        models: how many.
        files: their number; each has a stretch of time, and the rows of the next overlap a little.
        labels: the topic of the labels; None: there are none.
        bad: every so many rows one is no event; 0: none.
    """
    names = tuple(f"m{i:02}" for i in range(models))
    folder, config = root / "lake", root / "driftline.yaml"
    folder.mkdir()
    before = root / "before.parquet"
    pq.write_table(events(3_000, names[:1], 1, 24, drift=False), before)
    fields = {name: path for name, path in FIELDS.items() if labels or name != "actual"}
    settings = ReferenceSettings("m00", segments=("channel",), grid=128)
    mapping = Mapping({field: path for field, path in fields.items() if field != "model"})
    built = reference_from_tables(lambda: read_tables(before), mapping, settings).reference
    for name in names:
        (root / f"{name}.json").write_bytes(replace(built, model=name).to_json())
    lines = ["kafka:", "  bootstrap_servers: localhost:9092", "sources:", f"  {TOPIC}:"]
    lines += ["    fields:", *(f"      {name}: {path}" for name, path in fields.items())]
    lines += ["models:"]
    for name in names:
        lines += [
            f"  {name}:",
            f"    predictions: {TOPIC}",
            f"    reference: {root / name}.json",
            "    window: {length: 2h, every: 1h, grace: 1m, min_events: 20}",
            "    segments: [channel]",
        ]
        if labels is not None:
            lines += [f"    labels: {{topic: {labels}, horizon: 3h}}"]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = events(rows, names, 2, 30, drift=True)
    if bad:
        table = with_bad_rows(table, bad)
    size = math.ceil(rows / files)
    for i in range(files):
        pq.write_table(table.slice(i * size, size), folder / f"part-{i}.parquet")
    return Lake(folder, config, names)


def compare(lake: Lake, comparison: str) -> None:
    """Add a comparison to the configuration."""
    text = lake.config.read_text(encoding="utf-8")
    lake.config.write_text(f"{text}comparisons:\n  better: {comparison}\n", encoding="utf-8")
