"""Whatever order the sources' blocks come in, however they are cut: the same counts."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.join.oracle import Row, Rules, expected
from tests.consumer.join.random_log import GRACE, SOURCES, cut, interleave
from tests.consumer.join.running import run

rules = st.builds(
    Rules,
    st.sampled_from(["arrival", "prediction"]),
    st.sampled_from([12_000, 40_000]),
    st.sampled_from([5_000, 12_000]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Row]]:
    """Rows of each source in the order of their offsets: duplicates, early and late labels."""
    drawn = st.tuples(
        st.integers(0, 8_000),
        st.integers(0, 2 * GRACE),
        st.booleans(),
        st.integers(1, 3),
        st.integers(0, 1),
        st.integers(0, 1),
    )
    histories = []
    for topic, partition in SOURCES:
        rows: list[Row] = []
        now = newest = 0
        for offset, (gap, late, odd, number, value, tier) in enumerate(
            draw(st.lists(drawn, min_size=1, max_size=10))
        ):
            now += gap
            time = max(now - late, 0, newest - GRACE)
            newest = max(newest, time)
            label = (topic == "l") ^ (odd and value == 0)
            rows.append(Row(time, topic, partition, offset, label, number, value, tier))
        histories.append(rows)
    return histories


def counted(histories: list[list[Row]], rules: Rules, rng: random.Random) -> dict[int, Any]:
    """Return the counts of all panes, of the rows in some order, cut somehow."""
    end = max(row.time for rows in histories for row in rows) + 200_000
    queues: list[Any] = []
    for rows, (topic, partition) in zip(histories, SOURCES, strict=True):
        last = Row(end, topic, partition, len(rows), topic == "l", 1_000 + len(queues), 0, 0)
        queues.append(cut(rng, [*rows, replace(last, time=end)], rng.choice([1, 3, 50])))
    found = run(interleave(rng, queues, repeats=0.2), rules)
    assert found.closed > end - 50_000
    return found.counts()


@settings(max_examples=80, deadline=None)
@given(histories(), rules, st.integers(0, 1_000))
def test_any_order_and_cut_gives_what_plain_python_gives(
    histories: list[list[Row]], rules: Rules, seed: int
) -> None:
    found = counted(histories, rules, random.Random(seed))
    assert counted(histories, rules, random.Random(seed + 1)) == found
    rows = [row for rows in histories for row in rows]
    end = max(row.time for row in rows) + 200_000 - GRACE
    wanted = expected(rows, rules, end)
    assert found == {start: counts for start, counts in wanted.items() if counts}
