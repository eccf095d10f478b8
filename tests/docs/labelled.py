"""The folder that docs/performance.md presupposes: its configuration, events, and labels."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from .pages import PAGES, ROOT
from .shell import Shell

DATA = ROOT / "tests" / "data"
DELAY = timedelta(days=30)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / name, "rt", newline="") as packed:
        yield from csv.DictReader(packed)


def labelled(shell: Shell) -> None:
    """Put the page's configuration there, and the bundled events with labels 30 days later."""
    shell.write("driftline.yaml", PAGES["performance.md"].blocks("yaml")[0])
    for name, bundled in (("last-quarter", "reference"), ("events", "analysis")):
        text = gzip.decompress((DATA / f"car_loan_{bundled}.csv.gz").read_bytes()).decode()
        shell.write(f"{name}.csv", text)
    (shell.folder / "references").mkdir()
    made = {row["id"]: row["timestamp"] for row in _rows("car_loan_analysis.csv.gz")}
    written = io.StringIO()
    writer = csv.DictWriter(written, ["id", "repaid", "known_at"])
    writer.writeheader()
    for row in _rows("car_loan_analysis_target.csv.gz"):
        known = datetime.fromisoformat(made[row["id"]]) + DELAY
        writer.writerow({**row, "known_at": str(known)})
    shell.write("labels.csv", written.getvalue())
