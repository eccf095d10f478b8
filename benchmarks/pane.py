"""What a pane of 3,000 features costs, part by part: CPU time on one core, and bytes.

    python -m benchmarks.pane [--features 3000] [--panes 180]

A model with a score, a label and the ground truth in each event, 100 events a minute, in its
default configuration: panes of a minute, windows of an hour. What is stated is the least of all
panes, and the median.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from driftline.consumer.config import Config
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.messages import OUTPUTS
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Pane, decode_block, decode_panes
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table, Times, column_of
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

MODEL, TOPIC = "m", "in"
EVENTS, MINUTE, START = 100, 60_000, 1_600_041_600_000
REFERENCE = 40  # panes
MAPPING = Mapping(
    {
        "timestamp": "at",
        "features": "*",
        "prediction.label": "label",
        "prediction.score": "score",
        "actual": "truth",
    }
)
SEQUENTIAL, PERFORMANCE = "sequential part: features", "sequential part: performance"


class Spent:
    """CPU time of each part, milliseconds a pane.

    Attributes:
        parts: name to the time of each pane.
    """

    def __init__(self) -> None:
        self.parts: dict[str, list[float]] = defaultdict(list)
        self._now: dict[str, float] = defaultdict(float)

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """Do something; count its time for a part of the present pane."""
        begin = time.process_time()
        done = work()
        self._now[name] += 1e3 * (time.process_time() - begin)
        return done

    def next(self, *, window: bool) -> None:
        """Go on to the next pane; `window`: the present one ended a window."""
        for name, spent in self._now.items():
            self.parts[f"{name}, a window too" if window and name == "judge" else name] += [spent]
        self._now.clear()


class Timed(Backtest):
    """A backtest that notes what each part costs."""

    def __init__(self, plan: Plan, spent: Spent) -> None:
        super().__init__(plan, MODEL, TOPIC)
        self._spent = spent
        self.bytes: dict[str, list[int]] = defaultdict(list)

    def pane(self, rows: Table) -> list[Verdict | Alert]:
        """Count the rows of a pane."""
        made = self._spent.time("sketch", lambda: self._events.feed_table(rows))
        return list(self._taken(made))

    def _taken(self, outputs: Iterable[Any]) -> Iterator[Verdict | Alert]:
        for output in outputs:
            topic, _ = OUTPUTS[type(output)]
            stage, name = self._readers.get(topic), "join" if topic == "joins" else "judge"
            if stage is None:
                yield output
                continue
            record = self._spent.time(f"wire: {topic}, encode", partial(encode, output))
            read: Callable[[bytes], Any] = decode_block if topic == "joins" else decode_panes
            self._spent.time(f"wire: {topic}, decode", partial(read, record))
            if isinstance(output, Pane):
                self.bytes["of outcomes" if output.outcomes else "of events"].append(len(record))
            self._offsets[topic] += 1
            names, offset = stage.names(output), self._offsets[topic]
            batches = self._spent.time(name, partial(_all, stage.take, names, output, offset))
            yield from self._taken(made for batch in batches for _, made in batch)


def _all(take: Callable[..., Iterable[Any]], *of: Any) -> list[Any]:
    return list(take(*of))


def table(rng: np.random.Generator, features: int, pane: int) -> Table:
    """Draw the events of a pane."""
    times = START + pane * MINUTE + np.arange(EVENTS) * (MINUTE // EVENTS)
    score = rng.random(EVENTS)
    columns: dict[str, Any] = {
        "at": Times(times),
        "score": Numbers(score),
        "label": column_of(np.where(score > 0.5, "yes", "no").tolist()),
        "truth": column_of(np.where(rng.random(EVENTS) < score, "yes", "no").tolist()),
    }
    values = rng.standard_normal((features, EVENTS))
    columns |= {f"f{i:05}": Numbers(row) for i, row in enumerate(values)}
    return Table(EVENTS, columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--features", type=int, default=3_000)
    parser.add_argument("--panes", type=int, default=180)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    before = [table(rng, options.features, pane) for pane in range(REFERENCE)]
    settings = ReferenceSettings(MODEL, positive_label="yes")
    reference = reference_from_tables(lambda: iter(before), MAPPING, settings).reference
    model = {"predictions": TOPIC, "reference": "unused.json", "labels": {"topic": TOPIC}}
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {TOPIC: {"fields": MAPPING.fields}},
            "models": {MODEL: model},
        }
    )
    plan, spent = Plan(config, {MODEL: reference}), Spent()
    if plan.pane(MODEL) != MINUTE:
        raise AssertionError("panes are a minute long")
    backtest, add = Timed(plan, spent), StreamEvidence.add

    def adding(self: StreamEvidence, flat: Any, pane: int, frozen: Any, parts: Any = ()) -> Any:
        part = SEQUENTIAL if self.evidence.size > 10 else PERFORMANCE  # metrics are few
        return spent.time(part, lambda: add(self, flat, pane, frozen, parts))

    StreamEvidence.add = adding  # type: ignore[method-assign]  # what is timed
    verdicts = alerts = 0
    for pane in range(REFERENCE, REFERENCE + options.panes):
        made = backtest.pane(table(rng, options.features, pane))
        spent.next(window=bool(made))
        verdicts += sum(isinstance(each, Verdict) for each in made)
        alerts += sum(isinstance(each, Alert) for each in made)
    for failure in backtest.failures.values():
        raise failure
    print(f"{options.features:,} features, {EVENTS} events a pane: milliseconds of CPU")
    for name, each in sorted(spent.parts.items()):
        print(f"| {name} | {min(each):.1f} | {np.median(each):.1f} | {len(each)} |")
    for name, sizes in backtest.bytes.items():
        print(f"pane message {name}: {np.median(sizes):,.0f} bytes, {len(sizes)} of them")
    print(f"{verdicts:,} verdicts, {alerts} alerts")


if __name__ == "__main__":
    main()
