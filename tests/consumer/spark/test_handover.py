"""Workers, then Spark, then workers: what is published is what workers alone publish."""

from __future__ import annotations

import random

import pytest
from tests.consumer.service.drawing import INPUT, draw_input, draw_labelling
from tests.consumer.service.simulation import Run, Schedule
from tests.consumer.service.test_restart import SETTINGS
from tests.consumer.spark.simulated import Engine, SparkRun
from tests.consumer.spark.test_stream_law import difference

from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.memory import MemoryLog, MemoryProducer
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.bodies import require_finished, take_over
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.state import WORKER, SketchState
from driftline.consumer.spark import SparkError
from driftline.consumer.wire.clock import Clock
from driftline.consumer.wire.messages import Horizon, Pane, decode_panes


def started(
    seed: int, partitions: int | None = None, *, labels: bool = False, merged: bool = False
) -> SparkRun:
    rng = random.Random(seed)
    count = partitions or rng.choice([1, 2, 3, 5])
    labelling = draw_labelling(rng, count) if labels else None
    inputs = draw_input(rng, count, rng.choice([0, 4, 12]), gradual=False, labelling=labelling)
    settings = SETTINGS[seed % len(SETTINGS)] | (
        {"output": {"merge_panes": True}} if merged else {}
    )
    still = Schedule("20s", batch=7, settings=settings)
    return SparkRun(inputs, still, random.Random(seed + 1), labelling)


def calm(run: SparkRun) -> Run:
    still = Schedule(run.schedule.stale_after, settings=run.schedule.settings)
    return Run(run.inputs, still, random.Random(1), run.labelling).go()


def work(run: SparkRun, steps: int, *, kill: bool = False) -> None:
    """Let a worker do a few steps of everything, and end it."""
    run.by_workers = True
    run.start_worker()
    run.arrive()
    worker, consumer, producer = run.workers.pop()
    for _ in range(steps):
        run.broker.now += run.rng.choice([200, 1_100])
        worker.step()
    if kill:
        producer.flush()  # sent, and not on record
        run.broker.members.remove(consumer)
    else:
        worker.close()
    run.by_workers = False


def states(run: SparkRun) -> States:
    found = States(MemoryLog(run.broker), "driftline.state", 2, run.plan.config.kafka.group)
    found.refresh()
    return found


def positions(run: SparkRun, topic: str) -> dict[int, int]:
    known = states(run)
    count = run.broker.infos[topic].partitions
    places = [TopicPartition(topic, number) for number in range(count)]
    found = {at.partition: known.find(sketch_key(at), SketchState) for at in places}
    return {number: 0 if state is None else state.position for number, state in found.items()}


def on_spark(run: SparkRun) -> list[Engine]:
    """Queries that take the topics over."""
    run.take_over = True
    engines = run.engines()
    for engine in engines:
        engine.checkpoint.begin = positions(run, engine.topic)
    return engines


def back(run: SparkRun) -> None:
    """Let workers take the topics over."""
    producer = MemoryProducer(run.broker)
    for topic in sorted(run.plan.inputs):
        for message in take_over(states(run), run.broker.infos[topic], WORKER):
            producer.send(message)
    producer.flush()
    run.by_workers = True


def times_of(run: Run, model: str) -> list[int]:
    """The model's clock as judge has it after each horizon; no pane comes behind it."""
    clock, found, seen = Clock([INPUT], {}), [0], set[tuple[str, int, int]]()
    for record in run.broker.records("driftline.panes"):
        message = decode_panes(record.value or b"")
        if isinstance(message, Horizon) and message.model == model:
            clock.advance(message)
            found.append(max(found[-1], clock.now() or 0))
        elif isinstance(message, Pane) and message.model == model:
            part = (message.source, message.partition, message.first)
            assert message.start + message.length > found[-1] or part in seen
            seen.add(part)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_topic_goes_from_workers_to_spark_and_back(seed: int) -> None:
    run = started(seed, labels=seed % 3 == 2, merged=seed % 2 == 1)
    work(run, run.rng.randrange(5, 30), kill=seed % 2 == 1)
    run.start_worker()
    run.deaths = 0.2
    engines = on_spark(run)
    run.read(engines, to_the_end=False)
    for engine in engines:
        while engine.checkpoint.committed < len(engine.checkpoint.ends) or engine.driver is None:
            engine.crash_after = None
            engine.step()
    worker, _, _ = run.workers.pop()
    worker.close()
    back(run)
    Run.go(run)
    assert difference(calm(run), run) is None


@pytest.mark.parametrize("seed", range(20, 26))
def test_spark_goes_on_to_the_end(seed: int) -> None:
    run = started(seed, merged=seed % 2 == 1)
    work(run, run.rng.randrange(5, 40))
    run.start_worker()
    run.read(on_spark(run))
    assert difference(calm(run), run) is None


def test_what_was_open_and_sent_is_replaced_not_added() -> None:
    """Workers have read all, and sent open panes with their idle marks; then Spark begins."""
    run = started(1, partitions=3)
    work(run, 200)
    run.start_worker()
    run.read(on_spark(run))
    found: dict[tuple[str, int, int, int], int] = {}
    for record in run.broker.records("driftline.panes"):
        pane = decode_panes(record.value or b"")
        if isinstance(pane, Pane) and pane.low == 0:
            found[pane.model, pane.start, pane.partition, pane.first] = pane.streams[0].events
    calmly = calm(run)
    expected: dict[tuple[str, int, int, int], int] = {}
    for record in calmly.broker.records("driftline.panes"):
        pane = decode_panes(record.value or b"")
        if isinstance(pane, Pane) and pane.low == 0:
            expected[pane.model, pane.start, pane.partition, pane.first] = pane.streams[0].events
    assert sum(found.values()) == sum(expected.values())


@pytest.mark.parametrize("seed", range(30, 34))
def test_the_clock_neither_hangs_nor_jumps(seed: int) -> None:
    """Of three partitions the first, whose number the merged one has, is far ahead."""
    inputs = dict(draw_input(random.Random(seed), 3, 4, gradual=False))
    still = Schedule("off", batch=7)
    run = SparkRun(inputs, still, random.Random(seed))
    work(run, run.rng.randrange(5, 12))
    run.start_worker()
    (engine,) = on_spark(run)
    run.read([engine], to_the_end=False)
    run.workers.pop()[0].close()
    back(run)
    Run.go(run)
    whole = calm(run)
    for model in ("a", "e"):
        assert times_of(run, model)[-1] == times_of(whole, model)[-1]


def test_without_being_told_to_a_query_takes_nothing_over() -> None:
    run = started(3)
    work(run, 10)
    (engine,) = run.engines()
    with pytest.raises(LogError, match=r"^in is read by driftline run: stop its workers, then "):
        engine.step()


def test_what_a_killed_worker_has_sent_is_not_counted_twice() -> None:
    run = started(1, partitions=2)
    work(run, 8, kill=True)
    (engine,) = on_spark(run)
    with pytest.raises(SparkError, match=r"^driftline run was killed after it had sent counts of"):
        engine.step()
    work(run, 60)
    run.start_worker()
    run.read(on_spark(run))
    assert difference(calm(run), run) is None


def test_workers_wait_until_a_query_that_was_killed_is_finished() -> None:
    run = started(1, partitions=2)
    run.arrive()
    (engine,) = run.engines()
    engine.most = 10
    engine.step()
    driver, number = engine.start(), engine.checkpoint.committed
    assert engine._plan_batch()
    task = driver.task(number)
    counted = engine._counted(task, engine.rows(number))
    assert counted.panes
    for message in map(driver._outputs.message, counted.panes):  # sent, then killed
        run.broker.append(message)
    infos = [run.broker.infos[name] for name in ("driftline.state", "driftline.panes", INPUT)]
    log = MemoryLog(run.broker)
    with pytest.raises(LogError, match=r"^the query that read in was killed after it had sent co"):
        require_finished(log, states(run), *infos)
    engine.driver = None
    while engine.step():
        pass
    require_finished(log, states(run), *infos)
    back(run)
    Run.go(run)
    assert difference(calm(run), run) is None


def test_a_death_while_taking_over_changes_nothing() -> None:
    for after in range(0, 12, 2):
        run = started(5, partitions=3)
        work(run, 12)
        (engine,) = on_spark(run)
        engine.crash_after = after
        with pytest.raises(WorkerLost):
            engine.start()
        run.start_worker()
        run.read(on_spark(run))
        assert difference(calm(run), run) is None
        assert INPUT in run.plan.inputs
