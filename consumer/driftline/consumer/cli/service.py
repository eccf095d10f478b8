"""Starting the worker in order, letting it step, stopping it in reverse."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from types import FrameType

import typer

from driftline.consumer.cli.errors import START_ME_AGAIN
from driftline.consumer.cli.logs import Log
from driftline.consumer.cli.service_log import AnnouncingProducer, Reporter, named
from driftline.consumer.cli.topic_checks import (
    all_topics,
    topic_problems,
    wanted_topics,
    worker_topics,
)
from driftline.consumer.config import KafkaConfig, Locations
from driftline.consumer.http import serve
from driftline.consumer.log.broker import connect, wait_for_broker
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.protocol import Broker, TopicInfo
from driftline.consumer.log.protocol import Log as TopicLog
from driftline.consumer.log.topics import missing_topics
from driftline.consumer.service.bodies import require_finished, take_over
from driftline.consumer.service.opening import inputs_read, topics_joined, topics_read
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States
from driftline.consumer.service.status import Status
from driftline.consumer.service.worker import LongLived, Worker, collect_seldom
from driftline.consumer.sketch.state import WORKER

TIME_TO_STOP = 4.5  # seconds; the docs promise supervisors 5
_UNRECORDED = (
    b"stopped before the last checkpoint was through: the broker is away, or there are very many"
    b" models; the next start does again what is not recorded\n"
)


class StopSignal:
    """SIGTERM or Ctrl-C; from then on the process has a few seconds to end by itself.

    What the worker has not recorded by then is done again after the next start.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)
        signal.signal(signal.SIGALRM, self._give_up)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most `seconds`."""
        end = time.monotonic() + seconds
        while self.received is None and time.monotonic() < end:
            time.sleep(0.05)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = signal.Signals(number).name
            signal.setitimer(signal.ITIMER_REAL, TIME_TO_STOP)

    def _give_up(self, number: int, frame: FrameType | None) -> None:
        # Not a logger, which the interrupted code may hold a lock of.
        os.write(sys.stderr.fileno(), _UNRECORDED)
        os._exit(START_ME_AGAIN)


def run_service(
    plan: Plan,
    locations: Locations,
    log: Log,
    wait: float | None = None,
    taken: Sequence[str] = (),
) -> None:
    """Run a worker until a signal comes.

    Args:
        plan: what is watched.
        locations: where its keys stand in the configuration.
        log: gets a line about what happens.
        wait: seconds to wait for a broker that cannot be reached; None: for ever.
        taken: input topics to be taken over from another body.

    Raises:
        LogError: the broker or its topics need an operator.
        WorkerLost: the worker cannot go on, another start can.
    """
    if plan.config.models and not topics_read(plan):
        raise LogError("stages: no model has labels, so nothing is joined: name another stage too")
    stop = StopSignal()
    collect_seldom()
    config = plan.config
    status = Status(plan)
    with ExitStack() as opened, ExitStack() as connections:
        # Before the broker is there: a supervisor that asks for /livez must not end the wait.
        server = serve(config, status, _clock)
        opened.callback(server.close)
        broker = _reach(config.kafka, status, log, stop, wait)
        opened.callback(broker.log.close)
        topics = _topics(plan, locations, broker.log, log)
        _take_over(plan, broker, taken, log)
        producer = broker.producer()
        connections.callback(producer.close)
        announcing = AnnouncingProducer(producer, plan.output("alerts"), log)
        consumer = broker.consumer(topics_joined(plan))
        connections.callback(consumer.close)
        worker = Worker(plan, consumer, announcing, broker.log, topics, _clock, status=status)
        log.info(
            "start",
            **named(models=config.models, inputs=inputs_read(plan)),
            stages=list(config.stages),
            group=config.kafka.group,
            bootstrap_servers=list(config.kafka.bootstrap_servers),
            http=f"{config.http.host}:{server.port}",
        )
        reporter, long_lived = Reporter(log, status), LongLived(status)
        while stop.received is None:
            worker.step()
            long_lived.look()
            reporter.look(_clock())
        worker.close()
        connections.pop_all()  # the worker has closed them
        reporter.look(_clock(), last=True)
    signal.setitimer(signal.ITIMER_REAL, 0)
    log.info("stopped", signal=stop.received)


def _reach(
    config: KafkaConfig, status: Status, log: Log, stop: StopSignal, wait: float | None
) -> Broker:
    """Connect to the broker, waiting for one that cannot be reached.

    Raises:
        LogError: the broker refuses.
        Unreachable: nobody answered for as long as was to be waited.
        typer.Exit: a signal came meanwhile.
    """

    def report(error: Unreachable, waited: float) -> None:
        status.away = str(error)
        log.warning("waiting for the broker", reason=status.away, waited=round(waited))

    def pause(seconds: float) -> None:
        stop.wait(seconds)
        if stop.received is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            log.info("stopped", signal=stop.received)
            raise typer.Exit

    broker = wait_for_broker(lambda: connect(config), wait, report, pause)
    status.away, status.polled = None, _clock()
    return broker


def _take_over(plan: Plan, broker: Broker, topics: Sequence[str], log: Log) -> None:
    """Put on record that workers read topics that another body has read; again changes nothing.

    Raises:
        LogError: there is no such topic.
    """
    if not topics:
        return
    name = plan.output("state")
    panes = plan.output("panes")
    found = broker.log.topics(frozenset([name, panes, *topics]))
    absent = [topic for topic in topics if topic not in found]
    if absent:
        raise LogError(f"--take-over {absent[0]}: there is no such topic, correct the name")
    states = States(broker.log, name, found[name].partitions, plan.config.kafka.group)
    states.refresh()
    with closing(broker.producer()) as producer:
        for topic in topics:
            require_finished(broker.log, states, found[name], found[panes], found[topic])
            for message in (messages := take_over(states, found[topic], WORKER)):
                producer.send(message)
            producer.flush()
            log.info("taken over" if messages else "nothing to take over", topic=topic)


def _topics(
    plan: Plan, locations: Locations, topic_log: TopicLog, log: Log
) -> dict[str, TopicInfo]:
    """Return the topics that a worker needs as they are, after creating all that are missing.

    Only where they are to be created does it ask for others, which it may not be allowed to see.

    Raises:
        LogError: a topic is missing or has the wrong settings; one line for each.
    """
    config = plan.config
    needed, create = worker_topics(config), config.output.create_topics
    found = topic_log.topics(all_topics(config) if create else needed)
    missing = missing_topics(wanted_topics(config), found) if create else []
    to_be_created = {spec.name: TopicInfo(spec.name, "", 0, "") for spec in missing}
    problems = topic_problems(config, locations, {**found, **to_be_created})
    if problems:  # before anything is made: a slip in the configuration leaves no topics behind
        raise LogError("\n".join(problems))
    if missing:
        topic_log.create_topics(missing, config.output.replication_factor)
        log.info("topics created", **named(topics=[spec.name for spec in missing]))
        found = topic_log.topics(needed)
    return {name: info for name, info in found.items() if name in needed}


# The wall clock as it was at the start, carried on by the monotonic one: a clock that is set back
# must not stop the worker's timers.
_STARTED_AT = time.time_ns() - time.monotonic_ns()


def _clock() -> int:
    return (_STARTED_AT + time.monotonic_ns()) // 1_000_000
