"""Try the installed wheel without its extras: `python tests/wheel/check.py EVENTS.csv`.

CSV and NDJSON are read, packed or not, and give the same backtest; others name the extra. A report
has the page's files, which the wheel holds.
"""

from __future__ import annotations

import gzip
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import msgspec

from driftline.producer.files.rows import read_rows

ROWS = 5_000


def backtest(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    driftline = Path(sysconfig.get_path("scripts"), "driftline")
    command = [str(driftline), "backtest", "--input", str(file), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main(events: Path, folder: Path) -> None:
    assert importlib.util.find_spec("pyarrow") is None, "pyarrow is here without the extra"
    unpack = gzip.open if events.suffix == ".gz" else open
    with unpack(events, "rt", encoding="utf-8") as stream:
        csv = "".join(line for line, _ in zip(stream, range(ROWS + 1), strict=False))
    (folder / "events.csv").write_text(csv, encoding="utf-8")
    rows = [row for chunk in read_rows(folder / "events.csv") for row in chunk]
    ndjson = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    (folder / "events.ndjson").write_bytes(ndjson)
    (folder / "events.csv.gz").write_bytes(gzip.compress(csv.encode()))
    (folder / "events.ndjson.gz").write_bytes(gzip.compress(ndjson))
    found = {path.name: backtest(path) for path in sorted(folder.iterdir())}
    for name, ran in found.items():
        assert ran.returncode == 0, f"{name}: {ran.stderr}"
        assert ran.stdout == found["events.csv"].stdout, name
    assert f"{ROWS // 2:,} events" in found["events.csv"].stdout

    assert importlib.util.find_spec("starlette") is None, "starlette is here without the extra"
    reported = backtest(folder / "events.csv", "--report", str(folder / "report.html"))
    assert reported.returncode == 0, reported.stderr
    assert "driftline/report.js" in (folder / "report.html").read_text(encoding="utf-8")

    for name, content in (("events.parquet", b"PAR1"), ("events.arrow", b"ARROW1")):
        (folder / name).write_bytes(content)
        refused = backtest(folder / name)
        assert refused.returncode == 2, refused
        assert 'pip install "driftline[files]"' in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr, refused.stderr


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(sys.argv[1]), Path(made))
