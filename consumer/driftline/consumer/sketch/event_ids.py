"""Event ids as 64-bit hashes, by which labels are matched with predictions in one partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from xxhash import xxh3_64_intdigest

from driftline.producer.records.category import category_text

if TYPE_CHECKING:
    from driftline.consumer.wire.join_rows import IdArray

NO_ID = 0
"""Stands for an event that has no id."""


def id_text(value: object) -> str | None:
    """Return the text of an event's id: of integers all digits, else as of a category.

    >>> id_text(2**64 + 1), id_text(7.0), id_text("7"), id_text([7])
    ('18446744073709551617', '7', '7', None)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return category_text(value)


def hash_ids(ids: Sequence[object]) -> IdArray:
    """Return the hashes (XXH3, 64 bits) of texts and integers; `NO_ID` for None and "".

    Two ids of n have the same hash with a probability of n^2 / 2^65: one in 400,000 for ten
    million that wait at a time. The integer 7 and the text "7" are one id.

    >>> a, b, c = hash_ids(["7", 7, None]).tolist()
    >>> a == b, c
    (True, 0)
    """
    kinds = set(map(type, ids))
    try:  # the usual ones without a step of Python for each
        if kinds not in ({str}, {int}):
            raise TypeError
        encoded = map(str.encode, map(str, ids))
        digests = np.fromiter(map(xxh3_64_intdigest, encoded), np.uint64, len(ids))
    except (TypeError, UnicodeEncodeError):
        texts = [b"" if i is None else str(i).encode(errors="surrogatepass") for i in ids]
        digests = np.fromiter(map(xxh3_64_intdigest, texts), np.uint64, len(ids))
    digests[digests == _EMPTY] = NO_ID
    return digests


_EMPTY = xxh3_64_intdigest(b"")
