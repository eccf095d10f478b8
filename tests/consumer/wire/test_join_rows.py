"""Rows of predictions and labels, and how they travel."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftline.consumer.wire.codec import decode, encode, pack_integers
from driftline.consumer.wire.join_rows import JoinRows, pack_rows, unpack_rows
from driftline.consumer.wire.messages import Block, Horizon, Rows, decode_block
from driftline.errors import RecordError

counts = st.integers(0, 2**40)


@st.composite
def join_rows(draw: st.DrawFn) -> JoinRows:
    n, tags = draw(st.integers(0, 20)), draw(st.integers(0, 3))

    def drawn(kind: Any, elements: Any, *shape: int) -> Any:
        return draw(arrays(kind, (*shape, n), elements=elements))

    rows = JoinRows(
        offsets=np.sort(drawn(np.int64, counts)),
        labels=drawn(np.bool_, st.booleans()),
        times=drawn(np.int64, st.integers(-(2**40), 2**45)),
        ids=drawn(np.uint64, st.integers(0, 2**64 - 1)),
        values=drawn(np.float64, st.floats(allow_nan=True)),
        predicted=drawn(np.int64, st.integers(0, 100)),
        versions=drawn(np.int64, counts),
        segments=drawn(np.int64, st.integers(0, 20), tags),
    )
    if draw(st.booleans()):
        rows.expected = drawn(np.float32, st.just(np.nan) | st.floats(-1.0, 1.0, width=32))
    return rows


def assert_same(one: JoinRows, other: JoinRows) -> None:
    for field in fields(JoinRows):
        left, right = getattr(one, field.name), getattr(other, field.name)
        assert left.dtype == right.dtype, field.name
        assert left.shape == right.shape, field.name
        assert left.tobytes() == right.tobytes(), field.name


@given(join_rows())
def test_there_and_back(rows: JoinRows) -> None:
    assert_same(unpack_rows(pack_rows(rows)), rows)


@given(join_rows(), st.data())
def test_rows_are_taken_apart_and_put_together(rows: JoinRows, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    parts = [rows.select(slice(None, cut)), rows.select(slice(cut, None))]
    assert [len(part) for part in parts] == [cut, len(rows) - cut]
    assert_same(JoinRows.concatenate(parts), rows)
    assert_same(JoinRows.concatenate([JoinRows.none(len(rows.segments)), rows]), rows)
    assert_same(rows.select(np.arange(len(rows))[::-1]).select(slice(None, None, -1)), rows)


def some_rows(n: int = 3) -> JoinRows:
    numbers = np.arange(n)
    return JoinRows(
        numbers, numbers > 1, numbers + 1_000, numbers.astype(np.uint64), numbers / 2, numbers,
        numbers, np.array([numbers, numbers]),
    )  # fmt: skip


def test_rows_of_which_no_error_is_expected_are_as_0_1_0_wrote_them() -> None:
    packed = pack_rows(some_rows())
    assert packed.expected == b""
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(msgspec.msgpack.encode(packed))[:-1])
    assert msgspec.msgpack.decode(older, type=Rows) == packed


def test_a_block_there_and_back() -> None:
    horizon = Horizon("in", 3, 6, "m", 1, 2, 3, 4, idle=True)
    block = Block(horizon, 5, ["no", "yes"], ["3.2"], {"tier": ["gold"]}, pack_rows(some_rows()))
    assert decode_block(encode(block)) == block
    assert decode_block(encode(Block(horizon, 0))) == Block(horizon, 0)


def test_rows_are_slim() -> None:
    """Of ten thousand rows each takes what its id and score take, and ten bytes more."""
    rng, n = np.random.default_rng(1), 10_000
    rows = JoinRows(
        offsets=np.arange(n) * 3,
        labels=np.zeros(n, bool),
        times=1_795_403_415_010 + rng.integers(0, 600_000, n),
        ids=rng.integers(0, 2**63, n).astype(np.uint64),
        values=rng.random(n),
        predicted=rng.integers(0, 2, n),
        versions=rng.integers(0, 3, n),
        segments=rng.integers(0, 20, (1, n)),
    )
    assert len(encode(Block(Horizon("in", 0, 1, "m", 0, 0, n, 0), 0, rows=pack_rows(rows)))) < (
        (8 + 8 + 10) * n
    )


@pytest.mark.parametrize("field", ["offsets", "labels", "times", "predicted", "versions"])
def test_columns_that_do_not_fit_are_refused(field: str) -> None:
    packed = msgspec.structs.replace(pack_rows(some_rows()), **{field: pack_integers(np.arange(2))})
    with pytest.raises(RecordError, match="do not fit one another"):
        unpack_rows(packed)


@pytest.mark.parametrize(
    "changes", [{"ids": b"12345678"}, {"values": b""}, {"segments": [b"\1"]}, {"expected": b"1234"}]
)
def test_other_columns_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="do not fit one another"):
        unpack_rows(msgspec.structs.replace(pack_rows(some_rows()), **changes))


@pytest.mark.parametrize(
    "changes", [{"ids": b"123"}, {"values": b"1"}, {"times": b"\2a"}, {"expected": b"1"}]
)
def test_columns_that_are_not_whole_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="no whole number of values"):
        unpack_rows(msgspec.structs.replace(pack_rows(some_rows()), **changes))


def test_what_is_damaged_or_something_else_is_refused() -> None:
    record = encode(Block(Horizon("in", 0, 1, "m", 0, 0, 3, 0), 0, rows=pack_rows(some_rows())))
    for spoiled in (b"", record[:-1], record[:20] + b"\0" + record[21:], b'{"event_id": "a"}'):
        with pytest.raises(RecordError):
            decode_block(spoiled)
    with pytest.raises(RecordError, match="upgrade Driftline"):
        decode_block(record[:2] + b"\6" + record[3:])
    with pytest.raises(RecordError, match="form"):
        decode_block(encode(Horizon("in", 0, 1, "m", 0, 0, 3, 0)))
    assert isinstance(decode(record, Block).rows, Rows)
