"""`spark-submit $(python -m driftline.consumer.spark) ...`: prints where the program is."""

from __future__ import annotations

from pathlib import Path

if __name__ == "__main__":
    print(Path(__file__).with_name("program.py"))  # noqa: T201 (it is the answer)
