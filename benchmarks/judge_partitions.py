"""What a model of many partitions costs judge: a horizon, a part, a window, memory and state.

Beside each figure stands that of the plain form, which keeps every message and walks all
partitions (the oracle of the tests). Panes hold 30,000 events, however many partitions they lie in;
times are CPU times.

Run: python -m benchmarks.judge_partitions [--partitions 1 10 100 1000] [--numeric 75]
"""

from __future__ import annotations

import argparse
import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from unittest import mock

import msgspec
import numpy as np
from benchmarks.workload import Workload
from tests.consumer.judge.windows.plain_store import PlainStore
from tests.consumer.wire.walking_clock import WalkingClock

from driftline.consumer.config import Config
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States
from driftline.consumer.wire.codec import encode, pack_integers
from driftline.consumer.wire.messages import Horizon, Pane, StreamCounts, decode_panes
from driftline.detectors.reference import Reference

EVERY = 300_000
PANES = 12  # of a window
EVENTS = 30_000  # of a pane
WINDOWS = 4  # that are timed
SAY = 7  # partitions that say something in 2 s, of 1,000 with panes of 5 min


@contextmanager
def plain_form() -> Iterator[None]:
    """Let judges be built on the plain store and the plain clock."""
    with (
        mock.patch("driftline.consumer.judge.windows.track.PaneStore", PlainStore),
        mock.patch("driftline.consumer.judge.model.Clock", WalkingClock),
    ):
        yield


def plan_of(reference: Reference) -> Plan:
    """Return a plan with one model: windows of an hour, every five minutes, 12 panes."""
    seconds = EVERY // 1_000
    window = {"length": f"{PANES * seconds}s", "every": f"{seconds}s", "pane": f"{seconds}s"}
    section = {"predictions": "t", "reference": "-", "window": window | {"min_events": 1}}
    document = {"kafka": {"bootstrap_servers": "localhost:1"}, "models": {"m": section}}
    return Plan(Config.model_validate(document), {"m": reference})


def pane_of(reference: Reference, events: int, seed: int) -> Pane:
    """Return a quiet pane: each feature's values are drawn as they are in the reference."""
    rng, starts = np.random.default_rng(seed), reference.layout.starts
    counts = np.zeros(reference.layout.size, np.int64)
    for first, end in pairwise(starts.tolist()):
        usual = reference.counts[0][first:end]
        counts[first:end] = rng.multinomial(events, usual / usual.sum())
    where = np.flatnonzero(counts)
    packed = pack_integers(np.diff(where, prepend=0)), pack_integers(counts[where])
    stream = StreamCounts(None, events, {"3.2": events}, *packed)
    return Pane("t", 0, "m", 0, EVERY, reference.layout_id, 0, events, 0, counts.size, [stream])


class Fed:
    """A judge, and the log of panes that it reads."""

    def __init__(self, plan: Plan, partitions: int, pool: list[Pane]) -> None:
        self.judge: ModelJudge = plan.judge("m", JudgeState(0, 0))
        self.partitions, self._pool = partitions, pool
        self.offsets = count()

    def read(self, message: Pane | Horizon) -> int:
        """Let the judge read a message from its bytes; return how many verdicts it gives."""
        return len(self.judge.feed(decode_panes(encode(message)), next(self.offsets)))

    def horizon(self, partition: int, until: int) -> Horizon:
        """Return that the panes before a time (ms) are final in a partition."""
        progress = until + EVERY  # past the grace: events closed them
        return Horizon("t", partition, self.partitions, "m", until, progress, until, 1)

    def pane(self, number: int) -> tuple[float, float]:
        """Let a pane come from all partitions; return what it and its last horizon took, s."""
        messages: list[bytes] = []
        start = number * EVERY
        for partition in range(self.partitions):
            pane = self._pool[(partition + number) % len(self._pool)]
            placed = msgspec.structs.replace(pane, start=start, partition=partition)
            messages += [encode(placed), encode(self.horizon(partition, start + EVERY))]
        begin = time.process_time()
        for record in messages[:-1]:
            self.judge.feed(decode_panes(record), next(self.offsets))
        came = time.process_time()
        if not self.judge.feed(decode_panes(messages[-1]), next(self.offsets)) and number:
            raise AssertionError("a window should have been due")
        return came - begin, time.process_time() - came


def timed(work: Callable[[], object], least: float = 0.1) -> float:
    """Return the CPU time of a call, s."""
    calls, begin = 0, time.process_time()
    while not calls or time.process_time() - begin < least:
        work()
        calls += 1
    return (time.process_time() - begin) / calls


def checkpoint(fed: Fed) -> tuple[int, float]:
    """Return the bytes that a checkpoint writes once a few partitions have moved, and its s."""
    broker = MemoryBroker()
    broker.create("states", 1, "compact")
    states = States(MemoryLog(broker), "states", 1, "g")
    states.own("judge/m", 1)
    states.messages("judge/m", fed.judge.state())
    until, sizes, begin = count((PANES + WINDOWS + 9) * EVERY), list[int](), time.process_time()
    rounds = 5
    for number in range(rounds):
        for each in range(min(SAY, fed.partitions)):  # another one says it each time
            place = (number * SAY + each) * 131 % fed.partitions
            moved = Horizon("t", place, fed.partitions, "m", None, None, next(until), 1)
            fed.read(moved)
        written = states.messages("judge/m", fed.judge.state())
        sizes.append(sum(len(m.key or b"") + len(m.value or b"") for m in written))
    return sum(sizes) // rounds, (time.process_time() - begin) / rounds


def measure(plan: Plan, partitions: int, pool: list[Pane]) -> tuple[float, ...]:
    """Return us a horizon, us a part of a pane, ms a window, B kept, B written and ms of that."""
    fed = Fed(plan, partitions, pool)
    fed.pane(0)
    gc.collect()
    tracemalloc.start()
    held = tracemalloc.get_traced_memory()[0]
    for number in range(1, PANES + 1):
        fed.pane(number)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    took = [fed.pane(number) for number in range(PANES + 1, PANES + 1 + WINDOWS)]
    parts = 1e6 * float(np.median([came for came, _ in took])) / max(partitions - 1, 1)
    window = 1e3 * float(np.median([judged for _, judged in took]))
    last = fed.horizon(0, (PANES + 1 + WINDOWS) * EVERY)
    words = count(last.until)
    moved = [msgspec.structs.replace(last, until=next(words)) for _ in range(100)]
    judge, offsets = fed.judge, fed.offsets
    horizon = 1e6 * timed(lambda: [judge.feed(m, next(offsets)) for m in moved]) / len(moved)
    written, seconds = checkpoint(fed)
    return horizon, parts, window, kept, written, 1e3 * seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 10, 100, 1_000])
    parser.add_argument("--numeric", type=int, default=75)
    parser.add_argument("--forms", nargs="+", default=["plain", "kept"])
    args = parser.parse_args()
    reference = Workload("m", args.numeric, args.numeric // 3).reference()
    plan = plan_of(reference)
    layout = reference.layout
    print(
        f"{len(layout.features)} features, {layout.size:,} cells; {PANES} panes a window, "
        f"{EVENTS:,} events a pane"
    )
    head = ("us/horizon", "us/part", "ms/window", "MB kept", "kB written", "ms of it")
    print(f"{'partitions':>10}  {'form':6}" + "".join(f"{name:>12}" for name in head))
    for partitions in args.partitions:
        seeds = range(max(8, partitions))
        pool = [pane_of(reference, EVENTS // partitions, seed) for seed in seeds]
        for form in args.forms:
            if form == "plain":
                with plain_form():
                    found = measure(plan, partitions, pool)
            else:
                found = measure(plan, partitions, pool)
            horizon, parts, window, kept, written, seconds = found
            print(
                f"{partitions:>10}  {form:6}{horizon:12.1f}{parts:12.1f}{window:12.2f}"
                f"{kept / 1e6:12.2f}{written / 1e3:12.2f}{seconds:12.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
