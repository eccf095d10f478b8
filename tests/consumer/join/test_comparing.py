"""Two models' answers to the same events: cells as naive Python counts them, whatever happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from tests.consumer.join.oracle import EVERY, PaneCounts, Row, Rules, _Matcher, start
from tests.consumer.join.random_log import Kind, interleave, random_log, random_rules
from tests.consumer.join.running import labels_config

from driftline.consumer.config import Side
from driftline.consumer.join import rounds as rounds
from driftline.consumer.join.cells import EXPIRED
from driftline.consumer.join.comparing import COMPARISON_CELLS, ComparisonJoin, ComparisonModel
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room, WaitingColumns
from driftline.consumer.wire.codec import decode, encode, unpack_integers
from driftline.consumer.wire.join_rows import pack_rows, unpack_rows
from driftline.consumer.wire.messages import Block, Horizon, Pane
from driftline.detectors.outcomes import OutcomeLayout

CLASSES = OutcomeLayout.classification(["no", "yes"], None, True)
NUMBERS = OutcomeLayout.regression(np.arange(50.0), np.arange(50.0) + np.resize([0, 1, -1], 50))
MODELS = (Side("a"), Side("b"))
VERSIONS = (Side("m", "v1"), Side("m", "v2"))
# So few rows that often nothing else holds back the time from which is read again.
KIND = Kind(ids=25, rows=100, gap=6_000, labels=0.2)


def model(rules: Rules, sides: tuple[Side, Side], layout: OutcomeLayout) -> ComparisonModel:
    labels = labels_config(rules)
    return ComparisonModel("compare:x", "subject", layout, (None,), {}, EVERY, labels, sides)


def new_join(compared: ComparisonModel, state: JoinState) -> ComparisonJoin:
    topics = [f"{name}/{topic}" for name in compared.models for topic in ("p", "l")]
    return ComparisonJoin(compared, topics, Room(10**6, 10**6), 0, 1, state, JoinTotals())


class Oracle(_Matcher):
    """What should become of rows: `tier` of a prediction is its side."""

    def __init__(self, rules: Rules, layout: OutcomeLayout = CLASSES) -> None:
        super().__init__(rules)
        self.layout = layout
        self.answers: dict[int, dict[int, int]] = {}

    def predict(self, row: Row) -> None:
        one = self.known.get(row.id)
        if one is None or one.state == "early":
            self.answers[row.id] = {row.tier: row.value}
            super().predict(row)
        elif row.tier not in self.answers[row.id]:
            self.answers[row.id][row.tier] = row.value
            self.panes[start(row.time)]["predicted", row.tier] += 1

    def end(self, number: int) -> None:
        one, rules = self.known.pop(number), self.rules
        maturity = 0 if rules.by == "arrival" else rules.maturity
        if one.state == "matched":
            cell = self.cell(self.answers[number], one.actual)
            self.panes[one.until - EVERY - maturity]["cell", cell] += 1
        elif one.state == "waiting":
            counted = one.until if rules.by == "arrival" else one.time
            if rules.by == "arrival" or one.until <= start(counted) + EVERY + maturity:
                self.panes[start(counted)]["expired",] += 1

    def cell(self, answers: dict[int, int], actual: int) -> int:
        if self.layout is NUMBERS:
            far = {side: abs(value - actual) for side, value in answers.items()}
            right = {side: len(far) == 2 and far[side] < far[1 - side] for side in far}
        else:
            right = {side: value == actual for side, value in answers.items()}
        if len(right) == 2:
            return {(1, 1): 4, (1, 0): 5, (0, 1): 6, (0, 0): 7}[right[0], right[1]]
        ((side, was_right),) = right.items()
        return 2 * side + (not was_right)


def two_models(rng: random.Random) -> tuple[list[Block], list[Row]]:
    """The log of models a and b, whose labels are not the same."""
    logs = [random_log(rng, KIND) for _ in MODELS]
    queues, rows = [], []
    for side, log in enumerate(logs):
        name = MODELS[side].model
        queues.append([
            msgspec.structs.replace(b, horizon=msgspec.structs.replace(b.horizon, model=name))
            for b in log.blocks
        ])  # fmt: skip
        rows += [replace(row, topic=f"{name}/{row.topic}", tier=side) for row in log.rows]
    return interleave(rng, queues), rows


def two_versions(rng: random.Random) -> tuple[list[Block], list[Row]]:
    """The log of model m, whose events of version v3 and of no version are of neither side."""
    log = random_log(rng, replace(KIND, rows=200))
    blocks, others = [], set[tuple[str, int, int]]()
    for block in log.blocks:
        assert block.rows is not None
        rows = unpack_rows(block.rows)
        rows.versions = np.where(rows.labels, 0, 1 + rows.segments[0])
        other = ~rows.labels & (rows.ids % np.uint64(7) == 0)
        rows.versions[other] = 3 * (rows.offsets[other] % 2)
        others |= {(block.horizon.source, block.horizon.partition, o) for o in rows.offsets[other]}
        horizon = msgspec.structs.replace(block.horizon, model="m")
        versions = ["v1", "v2", "v3"]
        blocks.append(Block(horizon, 0, ["no", "yes"], versions, block.segments, pack_rows(rows)))
    kept = [row for row in log.rows if (row.topic, row.partition, row.offset) not in others]
    return blocks, [replace(row, topic=f"m/{row.topic}") for row in kept]


def run(
    blocks: Sequence[Block], compared: ComparisonModel, kills: random.Random | None = None
) -> tuple[dict[int, bytes], ComparisonJoin]:
    """Return the panes that a join, killed now and then, sends; repeats have the same bytes."""
    state = JoinState(0, 0, "id", 1)
    join, panes, records = new_join(compared, state), dict[int, bytes](), [encode(state)]
    offset, left = 0, 10
    while offset < len(blocks):
        for output in join.feed(blocks[offset], offset):
            assert output.model == "compare:x"
            if isinstance(output, Pane):
                record = encode(output)
                assert panes.setdefault(output.start, record) == record
            else:
                assert isinstance(output, Horizon)
        offset += 1
        if kills is not None:
            if kills.random() < 0.2 and (written := join.state()) is not None:
                records.append(encode(written))
            if left and kills.random() < 0.08:
                left -= 1
                state = decode(records[-1], JoinState)
                join, offset = new_join(compared, state), state.rewind
    return panes, join


def counts(record: bytes) -> PaneCounts:
    pane, found = decode(record, Pane), PaneCounts()
    for stream in pane.streams:
        flat = np.zeros(pane.high, np.int64)
        flat[np.cumsum(unpack_integers(stream.indexes))] = unpack_integers(stream.counts)
        found["expired",] = int(flat[COMPARISON_CELLS + EXPIRED])
        for cell in range(COMPARISON_CELLS):
            found["cell", cell] = int(flat[cell])
        for name, many in stream.versions.items():
            found["predicted", int(name in ("b", "m@v2"))] += many
        assert sum(stream.versions.values()) == stream.events
    return +found


@pytest.mark.parametrize("layout", [CLASSES, NUMBERS], ids=["classes", "numbers"])
@pytest.mark.parametrize("sides", [MODELS, VERSIONS], ids=["models", "versions"])
def test_cells_are_those_of_naive_python_with_and_without_kills(
    sides: tuple[Side, Side], layout: OutcomeLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: PaneCounts = PaneCounts()
    for seed in range(10):
        # So many rows of an id before it is looked which of them change nothing.
        monkeypatch.setattr(rounds, "_MANY", 1 if seed % 2 else 16)
        rng = random.Random(seed)
        rules = random_rules(rng)
        blocks, rows = two_models(rng) if sides is MODELS else two_versions(rng)
        if layout is NUMBERS:
            blocks, rows = as_numbers(blocks, rows)
        compared = model(rules, sides, layout)
        panes, join = run(blocks, compared)
        clock, closed = join._clock.now(), join._matching.closed
        assert clock is not None
        wanted = Oracle(rules, layout).run(sorted(r for r in rows if r.time < clock), clock)
        found = {at: counts(record) for at, record in panes.items()}
        expected = {at: +pane for at, pane in wanted.items() if at + EVERY <= closed and +pane}
        assert {at: pane for at, pane in found.items() if pane} == expected
        met = sum(found.values(), met)
        for number in range(3):
            assert run(blocks, compared, random.Random(number))[0] == panes
    alone = {1, 3} if layout is NUMBERS else {0, 1, 2, 3}
    both = {5, 6, 7} if layout is NUMBERS else {4, 5, 6, 7}
    assert all(met["cell", cell] > 20 for cell in alone | both), met


def as_numbers(blocks: list[Block], rows: list[Row]) -> tuple[list[Block], list[Row]]:
    """Turn classes into numbers: ids and offsets say by how much an answer is off."""
    changed = []
    for block in blocks:
        assert block.rows is not None
        packed = unpack_rows(block.rows)
        packed.values = np.where(packed.labels, packed.values, packed.offsets % 5).astype(float)
        packed.predicted[:] = 0
        changed.append(msgspec.structs.replace(block, classes=[], rows=pack_rows(packed)))
    return changed, [row if row.label else replace(row, value=row.offset % 5) for row in rows]


def test_a_side_that_names_a_version_goes_before_one_that_names_none() -> None:
    compared = model(Rules("arrival", 10, 10), (Side("m"), Side("m", "2")), CLASSES)
    assert [compared.side("m", v) for v in (None, "1", "2")] == [1, 1, 2]
    assert compared.side("other", "2") == 0
    assert compared.models == ("m",)


def test_a_tie_of_numbers_is_nobodys() -> None:
    compared = model(Rules("arrival", 10, 10), MODELS, NUMBERS)
    none = np.zeros(4, np.int64)
    rows = WaitingColumns(
        none.astype(np.uint64), none.astype(np.uint8), none, none,
        np.array([[1.0, 3.0, np.nan, 5.0], [3.0, 2.5, 2.0, np.nan]]), np.full(4, 2.0),
        none.astype(np.uint8), np.zeros((2, 4), np.int16),
    )  # fmt: skip
    assert compared.count(rows).tolist() == [0, 1, 0, 1, 0, 0, 1, 1]
