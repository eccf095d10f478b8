"""Two real streams: which alerts come, and whether every number in their sentences is true.

Car loans change abruptly at row 25,000 of 50,000; flights out of New York have seasons, weather,
and a model that is at times worse. Both go through `driftline init` and `driftline backtest`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from benchmarks.rows import Row
from benchmarks.sentences import Array, Rows, alerts_of, check, ms

DATA = Path(__file__).parents[1] / "tests" / "data"
FLIGHTS = DATA / "nycflights13_small.csv.gz"
"""One flight of fifteen, in the order of time."""

CHANGED = {
    "car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car", "prediction.score",
}  # fmt: skip
SILENT = {"debt_to_income_ratio", "size_of_downpayment", "driver_tenure"}
MANY = 100_000
CHANGES_AT, SOON = 25_000, 300
TRUTH = ("prediction.label", "actual", "prediction.score")


def loans(_: int) -> Iterator[Row]:
    """Yield what becomes of the car loans."""
    normal, now, truth = (
        DATA / f"car_loan_{name}.csv.gz" for name in ("reference", "analysis", "analysis_target")
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _driftline(folder, "init", "--from", normal, "--model", "loans", "--topic", "loans",
                   "--actual", "repaid")  # fmt: skip
        alerts = alerts_of(
            _driftline(folder, "backtest", "--input", now, "--labels", truth, "--json")
        )
    renamed = {"y_pred": TRUTH[0], "repaid": TRUTH[1], "y_pred_proba": TRUTH[2]}
    watched = _read(now).append_column("repaid", _read(truth)["repaid"])
    rows = Rows(
        _columns(_read(normal), renamed, {"id", "timestamp"}),
        _columns(watched, renamed, {"id", "timestamp"}),
        _times(watched["timestamp"]),
        _times(_read(normal)["timestamp"]),
        TRUTH,
    )
    begins, first = rows.times[CHANGES_AT], [each for each in alerts if each["revision"] == 1]
    after = {
        each["feature"]: int(
            ((rows.times >= begins) & (rows.times < ms(each["window"]["end"]))).sum()
        )
        for each in first
    }
    told = sorted(after[name] for name in CHANGED & set(after))
    often = [each["feature"] for each in first]
    once = sum(often.count(name) == 1 for name in CHANGED)
    yield Row(
        "car loans, guessed panes: the five features that change",
        f"5, once each, within {SOON} events",
        f"{once} once each, after {', '.join(map(str, told))} events",
        once == len(CHANGED) and max(told) <= SOON,
    )
    loud = sorted(SILENT & set(often))
    yield Row("car loans: the three that do not", "silent", f"{len(loud)} alerts", not loud)
    yield _recomputed("car loans", rows, alerts)


def flights(file: Path, _: int) -> Iterator[Row]:
    """Yield what becomes of a year of flights, in panes of a day; the first months are normal."""
    every = pq.read_table(file) if file.suffix == ".parquet" else _read(file)
    parts = {
        name: every.filter(pc.equal(every["period"], name)).drop_columns(["period"])
        for name in ("reference", "stream")
    }
    what = f"flights ({parts['stream'].num_rows:,} in ten months)"
    renamed = {"prediction": TRUTH[0], "label": TRUTH[1], "score": TRUTH[2]}
    columns = {
        name: _columns(part, renamed, {"event_time", "label_time"}) for name, part in parts.items()
    }
    times = {name: _times(part["event_time"]) for name, part in parts.items()}
    rows = Rows(columns["reference"], columns["stream"], times["stream"], times["reference"], TRUTH)
    # Windows of the file with few flights are long, so that they hold enough events.
    for days in (1, 3, 14) if parts["stream"].num_rows > MANY else (14,):
        alerts, flagged = _flights(parts, days)
        first = [each for each in alerts if each["revision"] == 1]
        named = [each for each in first if each["kind"] != "performance"]
        unflagged = [each for each in named if each["feature"] not in {None, *flagged}]
        performance = len(first) - len(named)
        windows = f"windows of {days} d"
        yield Row(
            f"{what}, {windows}: alerts on features that are not flagged",
            "<= 3",
            f"{len(unflagged)}",
            len(unflagged) <= 3,
        )
        yield Row(
            f"{what}, {windows}: alerts on features",
            "<= 10",
            f"{len(named)}, and {performance} on performance",
            len(named) <= 10,
        )
        yield _recomputed(f"{what}, {windows}", rows, alerts)


def _flights(parts: dict[str, pa.Table], days: int) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the alerts of windows of so many days, and the features that are flagged."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, table in parts.items():
            pq.write_table(table, folder / f"{part}.parquet")
        _driftline(folder, "init", "--from", "reference.parquet", "--model", "flights",
                   "--topic", "flights")  # fmt: skip
        file = folder / "driftline.yaml"
        lines = [
            f"    window: {{length: {days}d, pane: 1d}}" if "    window:" in line else line
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        file.write_text("\n".join(lines), encoding="utf-8")
        _driftline(folder, "reference", "build", "--model", "flights", "--input",
                   "reference.parquet", "--config", file, "--output",
                   "references/flights.json.gz")  # fmt: skip
        found = _driftline(folder, "backtest", "--input", "stream.parquet", "--json", "--verdicts")
    noted = (each for each in map(json.loads, found.splitlines()) if each.get("note"))
    flagged = {each["feature"] for each in noted if "resemble each other" in each["note"]}
    return alerts_of(found), flagged


def _recomputed(what: str, rows: Rows, alerts: list[dict[str, Any]]) -> Row:
    rows.errors.clear()
    numbers, sentences = check(rows, alerts)
    for error in rows.errors:
        print(f"wrong: {error}", file=sys.stderr)
    return Row(
        f"{what}: numbers in sentences, computed again from the rows",
        "none wrong",
        f"{len(rows.errors)} of {numbers:,} in {sentences} sentences",
        not rows.errors,
    )


def _driftline(folder: Path, *words: object) -> str:
    command = [str(Path(sys.executable).with_name("driftline")), *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def _read(file: Path) -> pa.Table:
    return pa.csv.read_csv(file)


def _times(column: pa.ChunkedArray) -> Array:
    return np.asarray(pc.cast(column, pa.timestamp("ms")).cast(pa.int64()))


def _columns(table: pa.Table, renamed: dict[str, str], without: set[str]) -> dict[str, Array]:
    """Return columns of numbers and of texts; the classes are texts."""
    found: dict[str, Array] = {}
    for name in table.column_names:
        if name in without:
            continue
        column, new = table[name], renamed.get(name, name)
        if pa.types.is_boolean(column.type) or new in TRUTH[:2]:
            column = pc.cast(column, pa.string())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found[new] = np.array(column.to_pylist(), object)
        else:
            found[new] = np.asarray(pc.cast(column, pa.float64()).to_numpy())
    return found
