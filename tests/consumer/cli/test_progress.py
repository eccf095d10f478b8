"""How far a verb is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.cli.progress import EVERY, LINES, Lines, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when a test says so, and `step` with every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "amount", "prediction"])
        for i in range(3_000):
            writer.writerow([1_600_000_000 + 60 * i, i % 17, (i % 5) / 5])
    return path


def test_a_line_every_ten_seconds_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    with progress("counting rows", None, lines), progress("events", 2_000, lines) as show:
        clock.now = EVERY - 0.1
        show(500)
        assert capsys.readouterr() == ("", "")
        clock.now = EVERY
        show(1_000)
        show(1_500)
    with progress("rows", None, lines) as show:
        clock.now = 2 * EVERY
        show(70_000)
        lines.restart()
        clock.now = 3 * EVERY - 0.1
        show(80_000)
    assert capsys.readouterr() == (
        "", "progress  events: 1,000 of 2,000, 50%\nprogress  rows: 70,000\n"
    )  # fmt: skip


@pytest.mark.parametrize(("total", "shown"), [(10, "5/10"), (None, "0:00:00")])
def test_a_bar_from_the_beginning_on_a_terminal(
    total: int | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress("events", total) as show:
        assert "events" in screen.getvalue()
        show(5)
    assert shown in screen.getvalue()


@contextmanager
def every_look_is_late(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let so much time pass between two looks at the clock that each gives a line."""
    with monkeypatch.context() as changed:
        changed.setattr(LINES, "clock", Clock(step=EVERY))
        yield


def stages(text: str) -> list[str]:
    """What was shown, each stage once where its lines stand one behind the other."""
    lines = [line for line in text.splitlines() if line.startswith("progress  ")]
    found = [line.removeprefix("progress  ").partition(":")[0] for line in lines]
    return [name for i, name in enumerate(found) if [name] != found[i - 1 : i]]


def test_no_stretch_of_a_backtest_is_silent(
    driftline: Driftline, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with every_look_is_late(monkeypatch):
        alone = driftline("backtest", "--input", events)
    assert alone.code == 0
    assert stages(alone.err) == [
        "looking at the columns", "counting rows", "rows looked at", "rows kept for the reference",
        "rows of the reference", "events",
    ]  # fmt: skip
    assert "progress  rows of the reference: 1,500 of 1,500, 100%\n" in alone.err
    assert "progress  events: 1,500 of 1,500, 100%\n" in alone.err


@pytest.mark.parametrize(
    "line", ["reference build --model m --output ref.json --input", "init --from"]
)
def test_no_stretch_of_building_is_silent(
    line: str, driftline: Driftline, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with every_look_is_late(monkeypatch):
        ran = driftline(*line.split(), events)
    assert ran.code == 0
    assert stages(ran.err) == ["looking at the columns", "counting rows", "rows"]
    assert "progress  rows: 3,000 of 3,000, 100%\n" in ran.err


def test_a_configured_backtest_shows_both_readings(
    driftline: Driftline, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert driftline("init", "--from", events, "--model", "m").code == 0
    with every_look_is_late(monkeypatch):
        ran = driftline("backtest", "--input", events, "--config", "driftline.yaml")
    assert ran.code == 0
    assert stages(ran.err) == ["reading the reference", "counting rows", "rows looked at", "events"]


def test_what_is_soon_done_says_nothing(driftline: Driftline, events: Path) -> None:
    assert "progress" not in driftline("backtest", "--input", events).err
