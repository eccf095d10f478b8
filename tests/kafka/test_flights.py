"""Late labels over a real Kafka: every one within the horizon is joined, whoever is killed.

Predictions and labels come on two topics with different keys and partition counts. What is
published is compared with the backtest over the same rows, byte for byte; how many were joined and
the AUC of each month with the file. `make nycflights` does the same with all 277,337 flights and
five kills.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from tests.kafka import flights
from tests.kafka.conftest import NewTopic
from tests.kafka.flight_figures import Month, joined_by_verdicts, months_in_panes, months_of_file
from tests.kafka.flights import DAY, HOUR, MODEL, Record, Replay
from tests.kafka.published import Published, finish, same
from tests.kafka.reader import Grown, TopicReader, wait_until
from tests.kafka.worker import Worker

from driftline.consumer.service.plan import Plan
from driftline.producer.records.timestamp import parse_timestamp

FULL = os.environ.get("DRIFTLINE_FLIGHTS", "")
KILLS = 5 if FULL else 2


@pytest.fixture
def topics(new_topic: NewTopic) -> tuple[str, str]:
    """Of predictions, and of labels."""
    return new_topic("departures", flights.PREDICTIONS), new_topic("arrivals", flights.LABELS)


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """Closes in the end what was started."""
    with ExitStack() as stack:
        yield stack


def start_workers(config: Path, count: int, started: ExitStack) -> list[Worker]:
    """Start workers, which share the partitions when it returns."""
    workers = [Worker(config, config.with_suffix(f".{number}.log")) for number in range(count)]
    for worker in workers:
        started.callback(worker.close)
        worker.start()
    for worker in workers:
        worker.wait_until_ready()
    return workers


def replay_and_kill(
    replay: Replay,
    sent: Sequence[Record],
    workers: Sequence[Worker],
    verdicts: TopicReader,
    expected: Published,
) -> None:
    """Send the records; on the way kill workers, and start them again."""
    rng = random.Random(20260301)
    steps = flights.steps(sent)
    begins = [len(steps) * part // (KILLS + 1) for part in range(KILLS + 2)]
    for begin, end in pairwise(begins[:-1]):
        when = rng.randrange(begin, end)
        for step in steps[begin:when]:
            replay.send(step)
        victim = rng.choice(workers)
        victim.kill()
        victim.start()
        for step in steps[when:end]:
            replay.send(step)
        victim.wait_until_ready()
        many = _over(expected, steps[end][0].arrives - 2 * DAY)
        wait_until(Grown(verdicts, many), f"{many} verdicts", 180)
    for step in steps[begins[-2] :]:
        replay.send(step)


def _over(expected: Published, time: int) -> int:
    """Return how many verdicts are about windows that end at `time` (ms) or before."""
    ends = (parse_timestamp(one["window"]["end"]) for one in expected.verdict_records())
    return sum(end is not None and end <= time for end in ends)


def check_figures(
    panes: TopicReader, published: Published, plan: Plan, of_file: dict[str, Month]
) -> dict[str, Month]:
    """Every label within the horizon is joined, once; the AUC of every month is the file's."""
    found = months_in_panes(panes.read(), plan.outcome_layout(MODEL))
    assert {m: one.joined for m, one in found.items()} == {m: o.joined for m, o in of_file.items()}
    joined = sum(one.joined for one in of_file.values())
    assert joined_by_verdicts(published) == plan.join_tallies[MODEL].joined == joined
    for month, one in of_file.items():
        assert found[month].roc_auc == pytest.approx(one.roc_auc, abs=1e-3), month
    return found


def test_workers_that_are_killed_join_every_label_within_the_horizon(
    bootstrap: str, topics: tuple[str, str], prefix: str, tmp_path: Path, started: ExitStack
) -> None:
    rng = random.Random(13)
    reference, undisturbed = flights.read(flights.SMALL)
    some = [one for one in flights.disturbed(undisturbed, rng) if one.departed < flights.MAY]
    sent = flights.records(some, rng)
    config = tmp_path / f"{prefix}.yaml"
    flights.write_config(config, bootstrap, topics, prefix, "6h")
    flights.build_reference(reference, tmp_path)
    expected, plan = flights.backtest(config, sent, topics[0])

    workers = start_workers(config, 2, started)
    verdicts = started.enter_context(TopicReader(bootstrap, f"{prefix}.verdicts"))
    replay = Replay(bootstrap, topics)
    started.callback(replay.close)
    replay_and_kill(replay, sent, workers, verdicts, expected)
    published = finish(bootstrap, topics, prefix, workers, expected)
    same(published, expected)
    with TopicReader(bootstrap, f"{prefix}.panes") as panes:
        check_figures(panes, published, plan, months_of_file(some, 6 * HOUR))
    assert {alert["kind"] for alert in published.alert_records()} > {"performance"}
    compared = [one for one in published.verdict_records() if one["stream"] == "versions"]
    assert max(one["counts"]["labelled"] for one in compared) == plan.join_tallies[MODEL].joined
    # How much panes vary is known when 20 of them hold labelled flights of both.
    states = [one["state"] for one in sorted(compared, key=lambda one: one["window"]["end"])]
    assert states == sorted(states)
    assert {*states} == {"insufficient", "ok"}


@pytest.mark.skipif(not FULL, reason="make nycflights FLIGHTS=replay.parquet runs it")
@pytest.mark.timeout(1_800)
def test_every_flight_of_2013(
    bootstrap: str, topics: tuple[str, str], prefix: str, tmp_path: Path, started: ExitStack
) -> None:
    began = time.monotonic()
    reference, stream = flights.read(Path(FULL))
    sent = flights.records(stream)
    of_file = months_of_file(stream, DAY)
    flights.build_reference(reference, tmp_path)
    names = [f"{prefix}-{name}" for name in ("killed", "calm")]
    configs = [tmp_path / f"{name}.yaml" for name in names]
    for name, config in zip(names, configs, strict=True):
        flights.write_config(config, bootstrap, topics, name, "1d")
    expected, plan = flights.backtest(configs[0], sent, topics[0])
    print(f"\n{time.monotonic() - began:6.1f} s: {len(stream):,} flights read, and backtested")

    workers = start_workers(configs[0], 2, started)
    replay = Replay(bootstrap, topics)
    started.callback(replay.close)
    verdicts = started.enter_context(TopicReader(bootstrap, f"{names[0]}.verdicts"))
    replay_and_kill(replay, sent, workers, verdicts, expected)
    for name, config in zip(names, configs, strict=True):
        if config != configs[0]:
            workers = start_workers(config, 1, started)
        published = finish(bootstrap, topics, name, workers, expected, 300)
        same(published, expected)
        with TopicReader(bootstrap, f"{name}.panes") as panes:
            found = check_figures(panes, published, plan, of_file)
        print(f"{time.monotonic() - began:6.1f} s: {_told(name, found, of_file)}")


def _told(name: str, found: dict[str, Month], of_file: dict[str, Month]) -> str:
    joined = sum(one.joined for one in found.values())
    months = "\n".join(
        f"  {month}: {found[month].joined:,} joined, AUC {found[month].roc_auc:.6f}, "
        f"by the file {one.roc_auc:.6f}"
        for month, one in of_file.items()
    )
    return f"{name}: {joined:,} joined, {KILLS if 'killed' in name else 0} kills\n{months}"
