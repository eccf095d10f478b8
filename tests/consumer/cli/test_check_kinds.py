"""`driftline check` on topics whose records are of several kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.consumer.cli.test_check import OUTCOME, build, event, folder, found, one

from driftline.consumer.log.memory import MemoryBroker

__all__ = ["folder", "one"]  # fixtures

CLICK = json.dumps({"kind": "click", "amount": 2, "channel": "web"}).encode()
PING = json.dumps({"kind": "ping", "host": "h1", "load": 0.5}).encode()
FIELDS = '\nsources: {ml.predictions: {fields: {features: "*"%s}}}\n'


def test_kinds_that_are_judged_as_one(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one(*[CLICK, PING] * 20)
    with (folder / "driftline.yaml").open("a") as file:
        file.write(FIELDS % "")

    lines = found(folder, broker)

    assert lines[0] == (
        "warning  formats           ml.predictions: records of 2 kinds, told by kind: click"
        " (amount, channel); ping (host, load);"
    )
    assert lines[1].strip() == (
        "they are judged as one, so give one kind alone, or map `model` to kind and have a model"
        " of each"
    )


def test_the_advice_works(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one(*[CLICK, PING] * 20)
    config = (folder / "driftline.yaml").read_text().replace("car-loan:", "click:")
    (folder / "driftline.yaml").write_text(config + FIELDS % ", model: kind")

    lines = found(folder, broker)

    assert not any("kinds" in line for line in lines)
    assert any("40 of 40 recent events fit" in line for line in lines)


def test_events_of_one_kind_say_nothing(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    broker = one(*[event("car-loan", amount=1, channel="web")] * 9)

    assert not any("kinds" in line for line in found(folder, broker))


def test_labels_among_the_events_are_no_kind(
    folder: Path, one: Callable[..., MemoryBroker]
) -> None:
    build(folder / "car-loan.json", "car-loan", outcome=OUTCOME)
    broker = one(*[CLICK, PING] * 20, more=", labels: {topic: ml.predictions}")
    with (folder / "driftline.yaml").open("a") as file:
        file.write(FIELDS % ", actual: load")

    lines = found(folder, broker)

    assert any("recent events" in line for line in lines)
    assert not any("kinds" in line for line in lines)
