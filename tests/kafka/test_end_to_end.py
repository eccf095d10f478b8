"""The promise, proven on the car-loan data: whoever judges the events, the same bytes come out.

Real workers over a real Kafka, undisturbed, shared among several and killed, against the backtest
over the file; read by a client that shares no code with Driftline's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.docs.pages import PAGES
from tests.kafka import car_loan
from tests.kafka.car_loan import Replay, Row
from tests.kafka.conftest import CLIENTS, NewTopic
from tests.kafka.published import Published, finish, same
from tests.kafka.reader import Grown, TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker, driftline

from driftline.consumer.wire.codec import MERGED_VERSION


@pytest.fixture(scope="module")
def panes() -> list[list[Row]]:
    """The rows to be judged, by pane."""
    return car_loan.rows_by_pane()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the reference."""
    directory = tmp_path_factory.mktemp("car-loan")
    car_loan.build_reference(directory)
    return directory


@pytest.fixture(scope="module")
def backtest(directory: Path) -> Published:
    """What the backtest over the file finds, but for the window that the file ends in."""
    config = car_loan.write_config(directory / "backtest.yaml", "localhost:9092", "events", "none")
    code, printed, said = driftline(
        "backtest", "--config", config, "--input", car_loan.ANALYSIS, "--json", "--verdicts"
    )
    assert code == 0, said
    records = [
        (line, msgspec.json.decode(line, type=dict[str, Any]))
        for line in printed.encode().splitlines()
    ]
    (last,) = {each["window"]["end"] for _, each in records if not each.get("complete", True)}
    return published([line for line, each in records if each["window"]["end"] != last])


def published(lines: list[bytes]) -> Published:
    """The records in what a backtest prints, all of them different."""
    alerts = [line for line in lines if b'"driftline.alert.v1"' in line]
    verdicts = [line for line in lines if b'"driftline.verdict.v1"' in line]
    assert len(alerts) + len(verdicts) == len(lines)
    found = Published(by_identity(verdicts), by_identity(alerts))
    assert len(found.verdicts) == len(verdicts)
    assert len(found.alerts) == len(alerts)
    return found


StartWorkers = Callable[..., list[Worker]]
PLAIN, FAST = CLIENTS


@pytest.fixture
def start_workers(bootstrap: str, directory: Path, tmp_path: Path) -> Iterator[StartWorkers]:
    """`start_workers(topic, prefix, *clients)`: a worker for each, in one group."""
    with ExitStack() as started:

        def start(
            topic: str,
            prefix: str,
            *clients: str,
            stages: Sequence[str] = (),
            merged: bool = False,
        ) -> list[Worker]:
            workers = []
            for number, client in enumerate(clients):
                config = directory / f"{prefix}-{client}.yaml"
                more: dict[str, Any] = {"kafka": {"client": client}}
                more |= {"output": {"merge_panes": True}} if merged else {}
                car_loan.write_config(config, bootstrap, topic, prefix, **more)
                options = ["--stages", stages[number]] if stages else []
                workers.append(Worker(config, tmp_path / f"{prefix}-{number}.log", *options))
                started.callback(workers[-1].close)
                workers[-1].start()
            return workers

        yield start


def test_the_drift_is_found_and_nothing_else(backtest: Published) -> None:
    alerts = backtest.alert_records()
    assert {alert["feature"] for alert in alerts} == car_loan.DRIFTED
    assert {alert["status"] for alert in alerts} == {"firing"}
    assert min(alert["window"]["end"] for alert in alerts) >= car_loan.DRIFT_BEGINS
    assert len({alert["incident_id"] for alert in alerts}) == 1
    states: dict[str, set[str]] = {}
    for value in backtest.verdicts.values():
        verdict = msgspec.json.decode(value, type=dict[str, Any])
        if verdict["feature"] is None:  # of how many events came
            continue
        states.setdefault(verdict["feature"], set()).add(verdict["state"])
        if verdict["window"]["end"] < car_loan.DRIFT_BEGINS:
            assert verdict["state"] == "ok"
    assert states.keys() == car_loan.DRIFTED | car_loan.QUIET
    assert all(states[feature] == {"ok"} for feature in car_loan.QUIET)


def test_one_worker_and_three_find_what_the_backtest_finds(
    bootstrap: str,
    new_topic: NewTopic,
    prefix: str,
    panes: list[list[Row]],
    backtest: Published,
    start_workers: StartWorkers,
    directory: Path,
) -> None:
    topic = new_topic("events", car_loan.PARTITIONS)
    replay = Replay(bootstrap, topic)
    for rows in panes:
        replay.send(rows)
    replay.close()
    # Two deployments on one topic at the same time: each has its own group and output topics.
    alone, shared = f"{prefix}-alone", f"{prefix}-shared"
    workers = {
        alone: start_workers(topic, alone, PLAIN),
        shared: start_workers(topic, shared, PLAIN, FAST, PLAIN),
    }
    for worker in workers[shared]:
        worker.wait_until_ready()
    assert sum(bool(worker.owned()["partitions"]) for worker in workers[shared]) >= 2
    for name, some in workers.items():
        same(finish(bootstrap, [topic], name, some, backtest), backtest)
    same(of_a_recording(bootstrap, topic, directory), backtest)


def test_workers_of_some_stages_find_what_the_backtest_finds(
    bootstrap: str,
    new_topic: NewTopic,
    prefix: str,
    panes: list[list[Row]],
    backtest: Published,
    start_workers: StartWorkers,
) -> None:
    topic = new_topic("events", car_loan.PARTITIONS)
    replay = Replay(bootstrap, topic)
    for rows in panes:
        replay.send(rows)
    replay.close()
    stages = ["sketch", "join,judge"]
    sketch, judge = start_workers(topic, prefix, PLAIN, PLAIN, stages=stages)
    for worker in (sketch, judge):
        worker.wait_until_ready()
    wait_until(lambda: len(sketch.owned()["partitions"]) == car_loan.PARTITIONS, "it counts")
    wait_until(lambda: judge.owned()["models"] == [car_loan.MODEL], "it judges")
    assert sketch.owned()["models"] == []
    names = {name.partition("[")[0] for name in judge.owned()["partitions"]}
    assert topic not in names
    same(finish(bootstrap, [topic], prefix, [sketch, judge], backtest), backtest)


def of_a_recording(bootstrap: str, topic: str, directory: Path) -> Published:
    """What a backtest of the topic's recording finds, made by the program of docs/files.md."""
    (program,) = PAGES["files.md"].blocks("python")
    file = directory / "recording.ndjson"
    for known, own in (
        ("localhost:9092", bootstrap), ("ml.predictions", topic), ("recording.ndjson", str(file)),
    ):  # fmt: skip
        program = program.replace(known, own)
    exec(compile(program, "files.md", "exec"), {})
    config = car_loan.write_config(directory / "recorded.yaml", bootstrap, topic, "none")
    code, printed, said = driftline(
        "backtest", "--config", config, "--input", file, "--json", "--verdicts"
    )
    assert code == 0, said
    assert f"a recording of {car_loan.PARTITIONS} partitions: " in said
    return published(printed.encode().splitlines())


@pytest.mark.parametrize(
    ("client", "merged"),
    [(PLAIN, False), (FAST, False), (PLAIN, True)],
    ids=[PLAIN, FAST, "panes added up"],
)
def test_workers_killed_three_times_find_what_the_backtest_finds(
    bootstrap: str,
    new_topic: NewTopic,
    prefix: str,
    panes: list[list[Row]],
    backtest: Published,
    start_workers: StartWorkers,
    client: str,
    merged: bool,
) -> None:
    topic = new_topic("events", car_loan.PARTITIONS)
    workers = start_workers(topic, prefix, client, client, client, merged=merged)
    for worker in workers:
        worker.wait_until_ready()
    rng = random.Random(20260301)
    replay = Replay(bootstrap, topic)
    kills = 3
    # An event belongs to the same pane in every run only if it is in the log before an idle mark
    # lets the clock pass it. So panes are sent one after the other, each acknowledged as a whole:
    # however slow this machine is, no idle mark can close a pane that is still being sent.
    stretch = len(panes) // (kills + 1)
    with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
        for kill in range(kills):
            begin, end = kill * stretch, (kill + 1) * stretch
            when = rng.randrange(begin + 1, end)
            for rows in panes[begin:when]:
                replay.send(rows)
            # First the one that judges, then any: a verdict may be sent and not yet recorded.
            judging = [worker for worker in workers if worker.owned()["models"]]
            victim = judging[0] if kill == 0 else rng.choice(workers)
            victim.kill()
            victim.start()
            for rows in panes[when:end]:
                replay.send(rows)
            victim.wait_until_ready()
            # Of the panes sent so far the last one is open.
            many = (end - 1) * len(car_loan.DRIFTED | car_loan.QUIET)
            wait_until(Grown(verdicts, many), f"{many} verdicts after kill {kill + 1}")
    for rows in panes[kills * stretch :]:
        replay.send(rows)
    replay.close()
    same(finish(bootstrap, [topic], prefix, workers, backtest), backtest)
    with TopicReader(bootstrap, f"{prefix}.panes") as counts:
        sums = [each for each in counts.read() if each.value and each.value[2] == MERGED_VERSION]
    assert bool(sums) is merged
