"""What the pages of questions say of the program, beside their commands, is so."""

from __future__ import annotations

import re

from .pages import PAGES, ROOT, sections

CONSUMER = ROOT / "consumer" / "driftline" / "consumer"
JUDGE = CONSUMER / "judge"


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables' rows, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    split = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [cells for cells in split if cells[0].startswith("`")]


def test_reasons_are_those_that_verdicts_have() -> None:
    code = " ".join(path.read_text(encoding="utf-8") for path in sorted(JUDGE.rglob("*.py")))
    code = re.sub(r'"\s*f?"', "", code)
    named = [
        re.findall(r"`([^`]+)`", cells[0])[0]
        for cells in rows(PAGES["how-to/insufficient.md"].text)
    ]
    assert len(named) > 8
    for reason in named:
        assert reason in code, reason


def test_delays_are_those_of_the_statistics() -> None:
    measured = PAGES["statistics.md"].text
    names = {
        "a mean moves by 0.2 standard deviations": "independent, shift of .2 sd",
        "a mean moves by 0.5": "independent, shift of .5 sd",
        "the spread falls to 0.8": "independent, scale .8",
        "1 % of the values become outliers": "independent, 1 % outliers",
        "heavier tails of the same spread, t(3)": "independent, t(3)",
        "neighbours correlate by 0.5, a mean moves by 0.2": "AR(1) 0.5, shift of .2 sd",
        "neighbours correlate by 0.5, a mean moves by 0.5": "AR(1) 0.5, shift of .5 sd",
    }
    text = sections(PAGES["how-to/not-seen.md"])["How small a change is seen?"].text
    shown = dict(re.findall(r"^\| ([^|]+) \| ([\d,]+) \|$", text, re.MULTILINE))
    assert shown.keys() == names.keys()
    for change, events in shown.items():
        assert re.search(
            rf"^\| {re.escape(names[change])} \|.*; {events} \|", measured, re.MULTILINE
        )


def test_what_an_alert_on_the_page_is_said_to_show_stands_there() -> None:
    code = (CONSUMER / "ui" / "static" / "views" / "alerts.js").read_text(encoding="utf-8")
    text = PAGES["how-to/real-alarm.md"].text
    for label in (
        "since",
        "lasting",
        "a deploy?",
        "What moved with it",
        "rule",
        "Normally and now",
    ):
        assert f"*{label}*" in text
        assert f'"{label}"' in code, label
