"""Files as people have them: small ones with one thing wrong."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def rows(count: int, hourly: int = 800, km: Callable[[int], str] | None = None) -> str:
    """Lines of a quiet CSV with so many rows an hour; `km` gives another column of numbers."""
    rng = random.Random(1)
    lines = []
    for number in range(count):
        time = _BEGIN + timedelta(seconds=number * 3_600 / hourly)
        distance = km(number) if km is not None else f"{rng.gauss(0, 1):.3f}"
        lines.append(f"{time:%Y-%m-%d %H:%M:%S},{distance},{rng.choice('abc')}\n")
    return "time,km,kind\n" + "".join(lines)


def write_bad_files(folder: Path) -> None:
    """Write all of them."""
    texts = {
        "quiet.csv": rows(8_000),
        "few.csv": rows(800),
        "no_time.csv": "km,kind\n" + "0.5,a\n1.5,b\n" * 1_500,
        "one_time.csv": "time,km\n" + "2026-01-01 00:00:00,1\n" * 2_500,
        "mixed.csv": rows(8_000, km=lambda i: f"{i % 7}" if i % 10 else "none of it"),
        "wide.csv": "time," + ",".join(f"c{i}" for i in range(10_000)) + "\n"
        + ("2026-01-01 00:00:00" + ",1" * 10_000 + "\n") * 3,
        "empty.csv": "",
        "only_header.csv": "time,km\n",
        "blank.csv": "\n\n",
        "list.json": '[[1767225600, 1]]\n',
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "bom.csv").write_bytes(codecs.BOM_UTF8 + rows(8_000).encode())
    (folder / "utf16.csv").write_text(rows(8_000), encoding="utf-16")
