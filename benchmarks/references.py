"""What `driftline reference build` costs on a Parquet file of 22 features, with its truth.

Run: python -m benchmarks.references [--rows N]

CPU seconds and peak memory are those of the verb's whole process, its start included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.wide_file import FEATURES, FIELDS, write_wide_file

ROWS = 1_000_000
_MODEL = "wide"


def main() -> None:
    """Write the file, build its reference, and print what that cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        write_wide_file(where / "wide.parquet", rows)
        (where / "driftline.yaml").write_text(json.dumps(_config()))
        build(where)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(
        f"reference build: {rows:,} rows x {FEATURES} features in {cpu:.1f} CPU s, {peak:,.0f} MB;"
        f" {rows / cpu:,.0f} rows per CPU second"
    )


def build(where: Path) -> None:
    """Run the verb in a folder that holds the file and the configuration."""
    wanted = "reference build --input wide.parquet --model wide --config driftline.yaml"
    command = [
        str(Path(sys.executable).with_name("driftline")),
        *wanted.split(),
        "--output",
        "wide.json",
    ]
    subprocess.run(command, cwd=where, check=True, stdout=subprocess.DEVNULL)


def _config() -> dict[str, object]:
    topic = "wide.predictions"
    model = {"predictions": topic, "reference": "wide.json", "segments": ["channel"]}
    return {
        "kafka": {"bootstrap_servers": ["localhost:9092"]},
        "models": {_MODEL: model},
        "sources": {topic: {"fields": FIELDS}},
    }


if __name__ == "__main__":
    main()
