"""`driftline check` on topics whose numbers are written as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.consumer.cli.test_check import event, folder, found, one

from driftline.consumer.log.memory import MemoryBroker

__all__ = ["folder", "one"]  # fixtures


def test_numbers_that_come_as_text(folder: Path, one: Callable[..., MemoryBroker]) -> None:
    values = [event("car-loan", amount=amount, channel="web") for amount in ("12", "much", 3, "1")]
    (line, more) = found(folder, one(*values))
    assert line == (
        "warning  car-loan          amount: numbers come as text in 2 of 4 recent events;"
    )
    assert more.strip() == "set sources.ml.predictions.coerce: true"
    assert len(found(folder, one(*values, more=", ignore: [amount]"))) == 1
    broker = one(*values)
    with (folder / "driftline.yaml").open("a") as file:
        file.write("\nsources: {ml.predictions: {coerce: true}}\n")
    (line,) = found(folder, broker)
    assert line.endswith("4 of 4 recent events fit")
