"""References that move: false alarms on quiet streams, and what becomes of a step that stays.

    python -m benchmarks.moving [PART ...] [--streams 40] [--seed 5]

Parts: quiet, step; both unless given. A stream is a model of ten numbers with 100 events an hour,
in panes of an hour and windows of six, under the usual budget of one alarm in 30 days. It is judged
by the judge of the service from its first pane on; what is counted are the 30 days after its past
is long enough to be normal. Everything is seeded. About ten minutes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.rows import HEAD, Row
from benchmarks.simulated import reference_of
from benchmarks.streams import Stream

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.timeline import Timeline
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Horizon, Pane, StreamCounts
from driftline.consumer.wire.records import Alert
from driftline.detectors import Columns, count_columns
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference
from driftline.producer.records.timestamp import parse_timestamp

HOUR, DAY = 3_600_000, 86_400_000
FEATURES, EVENTS = 10, 100
REFERENCE_DAYS, PERIOD = 14, 30
BEGIN = 20_454 * DAY
REFERENCES: dict[str, dict[str, str]] = {
    "file": {},
    "rolling 28d": {"rolling": "28d"},
    "rolling 7d": {"rolling": "7d"},
    "previous 1 window": {"previous": "1 window"},
}
KINDS = {
    "independent": Stream(np.random.default_rng(0), 0),
    "neighbours correlate by .5": Stream(np.random.default_rng(0), 0, correlation=0.5),
    "panes differ by .1 sd": Stream(np.random.default_rng(0), 0, effect=0.1),
}


def model(name: str) -> ModelConfig:
    """Return a model with one of the references."""
    moves: dict[str, Any] = REFERENCES[name]
    return ModelConfig.model_validate(
        {
            "predictions": "t",
            "reference": {"layout": "-", **moves},
            "window": {"length": "6h", "pane": "1h", "grace": "0s"},
        }
    )


def warm(name: str) -> int:
    """Return the day of a stream on which its past is normal, at the latest."""
    return {"rolling 28d": 30, "rolling 7d": 9, "previous 1 window": 2}.get(name, 0)


def hourly(reference: Reference) -> Reference:
    """Return a reference of panes of a minute as one of panes of an hour."""
    found = reference.dispersion
    if found is None:
        raise AssertionError("it has times")
    dispersion = Dispersion(HOUR, found.panes, found.events, found.phi)
    return replace(reference, dispersion=dispersion)


def messages(reference: Reference, panes: Iterator[FloatArray]) -> Iterator[Pane | Horizon]:
    """Yield what the judge reads of some panes of values."""
    for number, values in enumerate(panes):
        start = BEGIN + number * HOUR
        flat = count_columns(
            reference.layout, Columns(values, np.zeros((values.shape[0], 0), np.int32))
        )
        yield _pane(reference, start, number, flat)
        yield Horizon("t", 0, 1, "m", start + HOUR, start + HOUR, number + 1, 1)


def _pane(reference: Reference, start: int, number: int, flat: IntArray) -> Pane:
    places = np.flatnonzero(flat)
    counts = StreamCounts(
        None, EVENTS, {}, pack_integers(np.diff(places, prepend=0)), pack_integers(flat[places])
    )
    layout = reference.layout
    return Pane(
        "t", 0, "m", start, HOUR, reference.layout_id, number, number + 1, 0, layout.size, [counts]
    )


def judged(name: str, reference: Reference, panes: Iterator[FloatArray]) -> list[Alert]:
    """Return the alerts of a stream."""
    config, passed_over = model(name), Counter[str]()
    judge = ModelJudge("m", config, Timeline(reference), HOUR, JudgeState(0, 0), passed_over)
    found: list[Alert] = []
    for offset, message in enumerate(messages(reference, panes)):
        found += [each for each in judge.feed(message, offset) if isinstance(each, Alert)]
    return found


def drawn(stream: Stream, days: int, step: tuple[int, float] | None = None) -> Iterator[FloatArray]:
    """Yield panes; one feature is another from a day on, by so many standard deviations."""
    for pane in range(days * 24):
        values = stream.draw(1)
        if step is not None and pane >= step[0] * 24:
            values[:, 0] += step[1]
        yield values


def day_of(alert: Alert) -> float:
    """Return on which day of its stream an alert was written."""
    end = parse_timestamp(alert.window.end)
    if end is None:
        raise AssertionError("it has a time")
    return (end - BEGIN) / DAY


def quiet(name: str, kind: str, streams: int, seed: int) -> Row:
    """Count the false alarms of quiet streams in a period."""
    begin, alarms = warm(name), []
    for number in range(streams):
        rng = np.random.default_rng([seed, number])
        stream = replace(KINDS[kind], rng=rng, features=FEATURES, events=EVENTS)
        reference = hourly(reference_of(stream.draw(REFERENCE_DAYS * 24), EVENTS))
        found = judged(name, reference, drawn(stream, begin + PERIOD))
        alarms.append(
            sum(each.status == "firing" and each.revision == 1 and day_of(each) > begin
                for each in found)
        )  # fmt: skip
    mean, most = float(np.mean(alarms)), max(alarms)
    reached = f"{mean:.2f}, at most {most}, {sum(alarms)} in {streams} streams"
    return Row(f"{kind}, {name}", "mean <= 1", reached, mean <= 1)


def stepped(name: str, by: float, streams: int, seed: int) -> Row:
    """Say when a step that stays is found, how long its alert is open, and how often it comes."""
    at, delays, opens, again = warm(name) + 3, [], [], 0
    for number in range(streams):
        rng = np.random.default_rng([seed, number, 1])
        stream = Stream(rng, FEATURES, EVENTS)
        reference = hourly(reference_of(stream.draw(REFERENCE_DAYS * 24), EVENTS))
        found = judged(name, reference, drawn(stream, at + PERIOD, (at, by)))
        own = [each for each in found if each.feature == "f00000" and day_of(each) > at]
        fired = [day_of(each) - at for each in own if each.revision == 1]
        over = [day_of(each) - at for each in own if each.status == "resolved"]
        delays.append(fired[0] * 24 * EVENTS if fired else np.inf)
        opens.append(over[0] if over else np.inf)
        again += max(len(fired) - 1, 0)
    reached = (
        f"found after {np.median(delays):,.0f} events, over on day {np.median(opens):.1f},"
        f" {again} more alarms in {streams} streams"
    )
    once = bool(np.isfinite(delays).all()) and again <= streams
    ends = name == "file" or bool(np.isfinite(opens).all())
    return Row(f"a step of {by:g} sd, {name}", "found in all, then normal", reached, once and ends)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--streams", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    print(HEAD)
    if not given.parts or "quiet" in given.parts:
        for kind in KINDS:
            for name in REFERENCES:
                print(quiet(name, kind, given.streams, given.seed), flush=True)
    if not given.parts or "step" in given.parts:
        for by in (0.2, 0.5):
            for name in REFERENCES:
                print(stepped(name, by, max(given.streams // 4, 1), given.seed), flush=True)


if __name__ == "__main__":
    main()
