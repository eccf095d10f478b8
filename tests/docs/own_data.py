"""The files that a reader of README and docs has, as the pages presuppose them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from .pages import PAGES, ROOT
from .shell import Shell

ROWS = 6_000


def _write(shell: Shell, name: str, rows: Iterable[Sequence[object]]) -> None:
    with (shell.folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def last_quarter(shell: Shell) -> None:
    """Put the beginning of the bundled events there, without times too, and a folder."""
    with gzip.open(ROOT / "tests" / "data" / "car_loan_reference.csv.gz", "rt") as packed:
        lines = list(islice(packed, ROWS + 1))
    shell.write("last-quarter.csv", "".join(lines))
    times = lines[0].strip().split(",").index("timestamp")
    without = ([cell for i, cell in enumerate(row) if i != times] for row in csv.reader(lines))
    _write(shell, "measurements.csv", without)
    (shell.folder / "references").mkdir()


def two_versions(shell: Shell) -> None:
    """Put the events of two versions of a model there, and the page's configuration."""
    last_quarter(shell)
    head, *rows = (shell.folder / "last-quarter.csv").read_text("utf-8").splitlines(keepends=True)
    shell.write("events-3.1.csv", "".join([head, *rows[:4_000]]))
    shell.write("events-3.2.csv", "".join([head, *rows[4_000:]]))
    (text,) = PAGES["how-to/versions.md"].blocks("yaml")[:1]
    shell.write("driftline.yaml", text)


def without_times(shell: Shell) -> None:
    """Put the same there, and once more with day and time of day in two columns."""
    last_quarter(shell)
    head, *rows = csv.reader((shell.folder / "last-quarter.csv").read_text("utf-8").splitlines())
    place = head.index("timestamp")
    split = [["day", "clock", *head[:place], *head[place + 1 :]]]
    for row in rows:
        time = datetime.fromisoformat(row[place])
        split.append([f"{time:%d/%m/%Y}", f"{time:%H:%M:%S}", *row[:place], *row[place + 1 :]])
    _write(shell, "exported.csv", split)


def visits(shell: Shell) -> None:
    """Put six days there in which amounts and devices follow the hour, 100 events an hour."""
    rng, begin = np.random.default_rng(5), datetime(2026, 3, 2, tzinfo=UTC)
    rows: list[Sequence[object]] = [("time", "amount", "device", "age")]
    for hour in range(6 * 24):
        of_day = hour % 24
        size = int(rng.poisson(100))
        level = 3 + 0.4 * np.sin((of_day - 9) / 24 * 2 * np.pi)
        at_desk = rng.random(size) < (0.5 if 8 <= of_day < 18 else 0.3)
        rows += [
            (
                (begin + timedelta(hours=hour, seconds=second)).isoformat(timespec="seconds"),
                round(amount, 2),
                "desk" if desk else "phone",
                age,
            )
            for second, amount, desk, age in zip(
                np.sort(rng.uniform(0, 3_600, size)).tolist(),
                rng.lognormal(level, 0.5, size).tolist(),
                at_desk.tolist(),
                rng.integers(18, 80, size).tolist(),
                strict=True,
            )
        ]
    _write(shell, "visits.csv", rows)
    (shell.folder / "references").mkdir()


def orders(shell: Shell) -> None:
    """Put ten days of orders there; from the eighth on those of the app have larger amounts.

    Each fifth order has been returned or kept by now, which stands in a file of its own.
    """
    rng, begin = np.random.default_rng(11), datetime(2026, 3, 2, tzinfo=UTC)
    rows: list[Sequence[object]] = [
        ("id", "ordered_at", "amount", "items", "distance", "country", "device", "score")
    ]
    for number in range(4_000):
        country, device = rng.choice(["DE", "FR", "NL"]), rng.choice(["app", "desk", "web"])
        changed = number >= 2_800 and device == "app"
        rows.append(
            (
                f"o-{number}",
                (begin + timedelta(seconds=216 * number)).isoformat(timespec="seconds"),
                round(float(rng.lognormal(4.5 if changed else 3.5, 0.5)), 2),
                int(rng.integers(1, 7)),
                round(float(rng.gamma(2, 40)), 1),
                country,
                device,
                round(float(rng.beta(2, 5)), 3),
            )
        )
    _write(shell, "orders.csv", rows)
    returned = ((f"o-{n}", int(rng.random() < 0.3)) for n in range(0, 4_000, 5))
    _write(shell, "returned.csv", [("id", "returned"), *returned])


def truths(shell: Shell) -> None:
    """Put events there without their truth, which is in a file of its own: of some it is missing.

    Every tenth event has none, and every twentieth has one under an id that is written otherwise.
    """
    last_quarter(shell)
    head, *rows = csv.reader((shell.folder / "last-quarter.csv").read_text("utf-8").splitlines())
    name, actual = head.index("id"), head.index("repaid")
    _write(shell, "events.csv", (row[:actual] + row[actual + 1 :] for row in [head, *rows]))
    known = (
        (row[name] if number % 20 else f"app-{row[name]}", row[actual])
        for number, row in enumerate(rows)
        if number % 10 != 3
    )
    _write(shell, "truth.csv", [("id", "repaid"), *known])


def reviews(shell: Shell) -> None:
    """Put reviews there with an embedding and a text each; in July some are in another language."""
    english = "good bad the a was late and slow very fine parcel colour broken price again"
    german = "gut schlecht das ein war spät und langsam sehr schön Paket Farbe kaputt"
    rng = np.random.default_rng(11)
    topics = rng.normal(0, 1, (6, 8))

    def write(name: str, begin: datetime, size: int, other: float, new: float) -> None:
        lines = []
        for number in range(size):
            topic = topics[rng.choice(6)] if rng.random() >= new else np.full(8, 1.5)
            words = german if rng.random() < other else english
            text = " ".join(rng.choice(words.split(), rng.integers(4, 12)).tolist())
            event = {
                "time": (begin + timedelta(minutes=number)).isoformat(timespec="seconds"),
                "embedding": (topic + rng.normal(0, 0.3, 8)).round(4).tolist(),
                "comment": f"{text}, {rng.integers(1, 6)}/5!",
                "score": round(float(rng.beta(5, 2)), 3),
            }
            lines.append(json.dumps(event, ensure_ascii=False))
        shell.write(name, "\n".join([*lines, ""]))

    write("june.ndjson", datetime(2026, 6, 1, tzinfo=UTC), 6_000, 0.0, 0.0)
    write("july.ndjson", datetime(2026, 7, 1, tzinfo=UTC), 4_000, 0.1, 0.06)
    (shell.folder / "references").mkdir()
