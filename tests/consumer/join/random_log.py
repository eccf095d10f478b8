"""Random logs of joins: rows of several source partitions, cut into blocks that come in any order.

A block's rows and words are what `BlockWriter` would write of a partition in which rows come up to
a few seconds late.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tests.consumer.join.oracle import Row, Rules

from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.wire.join_rows import JoinRows, pack_rows
from driftline.consumer.wire.messages import Block, Horizon

GRACE = 1_000
SOURCES = (("p", 0), ("p", 1), ("l", 0))
PARTITIONS = {"p": 2, "l": 1}


@dataclass(frozen=True)
class RandomLog:
    """What is in one partition of the log of joins.

    Attributes:
        blocks: in offset order.
        rows: all that are in them, each once.
    """

    blocks: list[Block]
    rows: list[Row]


@dataclass(frozen=True)
class Kind:
    """What a log is like: the more ids, the less often rows meet.

    Attributes:
        ids: how many different ones.
        rows: of each source.
        gap: largest time between rows, ms; late: how late they may come.
        block: most rows in a block.
        labels: share of labels among the predictions' sources.
        repeats: share of blocks that come a second time.
        words: most blocks without rows that follow, each of a later time.
    """

    ids: int
    rows: int = 150
    gap: int = 1_500
    late: int = 4_000
    block: int = 20
    labels: float = 0.1
    repeats: float = 0.1
    words: int = 0


TINY = Kind(ids=2, rows=6, gap=8_000, block=2, labels=0.3, words=6)
"""Nearly every row meets another, and most blocks have one row: where restarts are hardest."""


def random_rules(rng: random.Random) -> Rules:
    horizon = rng.choice([12_000, 15_000, 40_000, 100_000])
    maturity = rng.choice([m for m in (5_000, 15_000, 20_000, horizon) if m <= horizon])
    return Rules(rng.choice(["arrival", "prediction"]), horizon, maturity)


def random_log(rng: random.Random, kind: Kind) -> RandomLog:
    sources = [_source(rng, kind, topic, partition) for topic, partition in SOURCES]
    blocks = interleave(rng, [blocks for _, blocks in sources], kind.repeats)
    return RandomLog(blocks, [row for rows, _ in sources for row in rows])


def interleave(
    rng: random.Random, queues: Sequence[Sequence[Block]], repeats: float = 0.0
) -> list[Block]:
    """Put the sources' blocks behind one another, each source's in their order."""
    left = [list(queue) for queue in queues]
    blocks: list[Block] = []
    while any(left):
        blocks.append(rng.choice([queue for queue in left if queue]).pop(0))
        if rng.random() < repeats:  # a worker does again what it did before a crash
            blocks.append(rng.choice(blocks[-6:]))
    return blocks


def cut(rng: random.Random, rows: Sequence[Row], most: int) -> list[Block]:
    """Cut the rows of one source into blocks of at most `most` rows."""
    blocks, first, newest = [], 0, None
    while first < len(rows):
        some = rows[first : first + rng.randint(1, most)]
        first += len(some)
        largest = max(row.time for row in some)
        newest = largest if newest is None else max(newest, largest)
        blocks.append(block(some, newest))
    return blocks


def block(rows: Sequence[Row], newest: int) -> Block:
    """Return the block of rows, the newest of its source so far being at `newest`."""
    topic, partition, until = rows[0].topic, rows[0].partition, rows[-1].offset + 1
    labels = np.array([row.label for row in rows])
    values = np.array([row.value for row in rows])
    packed = JoinRows(
        offsets=np.array([row.offset for row in rows]),
        labels=labels,
        times=np.array([row.time for row in rows]),
        ids=hash_ids([row.id for row in rows]),
        values=np.where(labels, values, 0.5),
        predicted=np.where(labels, 0, values),
        versions=np.where(labels, 0, 1),
        segments=np.array([[row.tier for row in rows]]),
    )
    said = horizon(topic, partition, newest, until)
    return Block(said, 0, ["no", "yes"], ["v1"], {"tier": ["gold"]}, pack_rows(packed))


def horizon(topic: str, partition: int, newest: int, until: int) -> Horizon:
    """Return what a source says whose newest row is at `newest`."""
    frontier = newest - GRACE
    return Horizon(topic, partition, PARTITIONS[topic], "m", frontier, newest, until, 0)


def _source(
    rng: random.Random, kind: Kind, topic: str, partition: int
) -> tuple[list[Row], list[Block]]:
    rows: list[Row] = []
    now, offset, newest = 0, 0, 0
    for _ in range(kind.rows):
        now += rng.randrange(kind.gap)
        offset += rng.randint(1, 2)
        time = max(0, now - rng.choice([0, 0, 0, rng.randrange(kind.late)]))
        label = topic == "l" or rng.random() < kind.labels
        row = Row(
            time, topic, partition, offset, label, rng.randint(1, kind.ids), rng.randrange(2),
            rng.randrange(2),
        )  # fmt: skip
        # What comes later than the grace has its effect when its source has left it behind.
        rows.append(replace(row, time=max(time, newest - GRACE)))
        newest = max(newest, time)
    blocks = cut(rng, rows, kind.block)
    for _ in range(rng.randint(0, kind.words)):
        newest += rng.choice([3_000, 9_000, 20_000])
        blocks.append(Block(horizon(topic, partition, newest, offset + 1), 0))
    return rows, blocks
