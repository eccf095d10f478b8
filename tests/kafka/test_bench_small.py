"""`make bench` in small: that it runs and says what it should, not how fast anything is."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.kafka.broker import ROOT

RATE = r" +[\d,]+ events/s +[\d,]+ events/CPU s +peak memory +\d+ MB\n"


def said(program: str, *options: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{program}", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_throughput(bootstrap: str) -> None:
    out = said("throughput", "--events", "1200", "--rounds", "1", "--bootstrap", bootstrap)
    assert re.search("^poll" + RATE, out, re.M), out
    assert re.search(r"^poll \+ typed decode" + RATE, out, re.M), out
    assert re.search("^the whole monitor" + RATE, out, re.M), out
    assert re.search(r"^the whole monitor / poll \+ typed decode: \d", out, re.M), out
    # 23 windows are over, of 22 features each, and of how many events came.
    assert "published 529 verdicts" in out
    assert re.search(r"peak memory: \d+ MB after 1,200 events, \d+ MB after 3,600", out), out


def test_pace(bootstrap: str) -> None:
    out = said("pace", "--rates", "400", "--seconds", "8", "--bootstrap", bootstrap)
    assert re.search(r"events/s: \d+% of a core, \d+ us an event, [\d,]+ records a poll", out), out
    assert len(re.findall(r"to the verdict read: p50 \d+\.\d+ s, p99 \d+\.\d+ s", out)) == 2, out


def test_memory() -> None:
    small = {"--models": "2", "--features": "4", "--partitions": "2", "--panes": "2"}
    out = said(
        "memory", *(horizon for option in small.items() for horizon in option), "--events", "300"
    )
    assert re.search(r"^peak memory \d+ MB, \d+ MB of it before the first event", out, re.M), out


def test_judging() -> None:
    out = said("judging", "--features", "40")
    assert len(re.findall(r"\d+\.\d ms, median +\d+\.\d ms", out)) == 3, out


def test_joins() -> None:
    out = said("joins", "--pending", "20000", "--labels", "5000", "--events", "2000")
    assert len(re.findall(r" +[\d,]+ (predictions|labels|events)/CPU s", out)) == 8, out
    assert len(re.findall("^6 models share it, a label ", out, re.M)) == 3, out
    waits = r"^20,000 predictions wait in \d+ MB, at most \d+ MB on the way; 5,000 labels joined$"
    assert re.search(waits, out, re.M), out
