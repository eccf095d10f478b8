"""Event ids as 64-bit numbers: what a label finds its prediction by."""

from __future__ import annotations

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.sketch.event_ids import NO_ID, hash_ids

IDS = st.one_of(st.none(), st.text(max_size=8), st.integers(-(2**70), 2**70))


@given(st.lists(IDS))
def test_an_id_has_one_hash_whatever_is_beside_it(ids: list[object]) -> None:
    together = hash_ids(ids).tolist()
    assert together == [hash_ids([one])[0] for one in ids]
    assert together == [NO_ID if one in (None, "") else hash_ids([str(one)])[0] for one in ids]


@given(st.lists(st.text(min_size=1), unique=True))
def test_different_ids_have_different_hashes(ids: list[str]) -> None:
    hashes = hash_ids(ids).tolist()
    assert len(set(hashes)) == len(ids)
    assert NO_ID not in hashes


def test_hashes_are_those_of_the_first_release() -> None:
    """They route rows, and are in the log: other hashes would part predictions from labels."""
    assert hash_ids(["a", "größer"]).tolist() == [
        xxhash.xxh3_64_intdigest(b"a"),
        xxhash.xxh3_64_intdigest("größer".encode()),
    ]
    assert hash_ids(["a", 7]).tolist() == [16629034431890738719, 499566431179015674]


@pytest.mark.parametrize("odd", ["\ud800", "x" * 100_000, "\0", " ", "0", "null"])
def test_any_text_is_an_id(odd: str) -> None:
    (alone,) = hash_ids([odd]).tolist()
    assert alone != NO_ID
    assert hash_ids(["a", odd, None]).tolist() == [*hash_ids(["a"]).tolist(), alone, NO_ID]


def test_no_ids() -> None:
    assert hash_ids([]).tolist() == []
