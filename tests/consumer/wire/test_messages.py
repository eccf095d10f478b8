"""What travels on the log of panes, and where a key is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import (
    Horizon,
    Loss,
    Pane,
    PanesMessage,
    StreamCounts,
    decode_panes,
    partition_of,
)
from driftline.errors import RecordError

MESSAGES: list[PanesMessage] = [
    Pane("in", 3, "m", 10, 20, "ref", 5, 9, 0, 7, [StreamCounts(None, 4, {"1": 4}, b"\x01\x02", b"\x01\x04")]),  # noqa: E501
    Pane("in", 3, "m", 10, 20, "ref", 5, 9, 0, 7, []),
    Horizon("in", 3, 6, "m", None, None, 0, -1),
    Horizon("in", 3, 6, "m", 1 << 41, 1 << 41, 1 << 60, 4, idle=True, stale=True),
    Loss("in", 3, "m", 7, 11, 0, 20),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES)
def test_there_and_back(message: PanesMessage) -> None:
    assert decode_panes(encode(message)) == message


def test_what_is_damaged_is_refused() -> None:
    with pytest.raises(RecordError, match="damaged"):
        decode_panes(encode(MESSAGES[0])[:-1])


@given(st.text(), st.integers(1, 64))
def test_a_key_is_in_a_partition_that_there_is(key: str, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def test_where_keys_are_never_changes() -> None:
    """Another place would split what one partition must hold; these are of the first release."""
    keys = ("car-loan", "fraud-scorer", "sketch/ml.predictions/0", "")
    assert [partition_of(key, 6) for key in keys] == [3, 3, 5, 0]


def test_keys_are_spread_evenly() -> None:
    many = Counter(partition_of(f"model-{i}", 6) for i in range(6_000))
    assert min(many.values()) > 800
