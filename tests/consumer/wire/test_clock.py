"""Judge's clock: the smallest horizon over all partitions of the model's topics."""

from __future__ import annotations

import msgspec
import pytest

from driftline.consumer.wire.clock import Clock, SourceProgress
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Horizon


def horizon(
    partition: int = 0,
    horizon: int | None = None,
    *,
    until: int = 10,
    generation: int = 1,
    partitions: int = 2,
    progress: int | None = None,
    idle: bool = False,
    stale: bool = False,
    source: str = "in",
) -> Horizon:
    return Horizon(
        source, partition, partitions, "m", horizon, progress, until, generation,
        idle=idle, stale=stale,
    )  # fmt: skip


def clock(*words: Horizon, topics: tuple[str, ...] = ("in",)) -> Clock:
    sources = Clock(topics, {})
    for one in words:
        sources.advance(one)
    return sources


def test_the_partition_that_is_behind_holds_the_clock() -> None:
    assert clock().now() is None
    assert clock(horizon(0, 50)).now() is None  # partition 1 has not been heard of
    assert clock(horizon(0, 50), horizon(1)).now() is None  # nor has it had an event
    assert clock(horizon(0, 50), horizon(1, 20)).now() == 20
    assert clock(horizon(0, 50), horizon(1, 20), horizon(1, 70)).now() == 50


def test_a_partition_that_is_added_holds_the_clock_where_it_is() -> None:
    sources = clock(horizon(0, 50), horizon(1, 20))
    sources.advance(horizon(0, 60, partitions=3))
    assert sources.now() == 20
    sources.advance(horizon(1, 70, partitions=3))
    assert sources.now() == 20  # the third has not been heard of
    sources.advance(horizon(2, None, partitions=3))
    sources.advance(horizon(2, 10, partitions=3))
    assert sources.now() == 20
    sources.advance(horizon(2, 65, partitions=3))
    assert sources.now() == 60


def test_all_topics_of_the_model_count() -> None:
    two = ("in", "also")
    assert clock(horizon(0, 50, partitions=1), topics=two).now() is None
    sources = clock(
        horizon(0, 50, partitions=1), horizon(0, 30, partitions=1, source="also"), topics=two
    )
    assert sources.now() == 30


def test_an_idle_mark_lifts_its_partition_to_the_largest_horizon_heard() -> None:
    sources = clock(horizon(0, 50), horizon(1, 20), horizon(1, 20, idle=True))
    assert sources.now() == 50
    # It is a value, not a flag: when others go on, the partition holds the clock again ...
    sources.advance(horizon(0, 90))
    assert sources.now() == 50
    # ... until the mark is repeated.
    sources.advance(horizon(1, 20, idle=True))
    assert sources.now() == 90
    # What the partition says later of its own does not pull the clock back.
    sources.advance(horizon(1, 30, until=12))
    assert sources.now() == 90


def test_a_partition_that_never_had_an_event_is_lifted_too() -> None:
    sources = clock(horizon(0, 50), horizon(1, None, idle=True))
    assert sources.now() == 50


@pytest.mark.parametrize(
    ("late", "now"),
    [
        ({"generation": 1}, 20),  # an older owner woke up
        ({"generation": 2, "until": 9}, 20),  # it had read less than is known
        ({"generation": 2, "until": 10}, 50),
        ({"generation": 3, "until": 11}, 50),
    ],
)
def test_a_mark_of_a_lower_generation_or_offset_is_ignored(late: dict[str, int], now: int) -> None:
    sources = clock(horizon(0, 50, generation=2), horizon(1, 20, generation=2, until=10))
    sources.advance(horizon(1, 20, idle=True, **late))  # type: ignore[arg-type]  # of integer fields
    assert sources.now() == now


def test_a_claim_voids_the_marks_of_the_owner_before() -> None:
    sources = clock(horizon(0, 50), horizon(1, 20, generation=1), horizon(1, 20, generation=2))
    sources.advance(horizon(1, 20, generation=1, idle=True))
    assert sources.now() == 20
    sources.advance(horizon(1, 20, generation=2, idle=True))
    assert sources.now() == 50


def test_horizons_never_fall() -> None:
    sources = clock(
        horizon(0, 50, progress=60, partitions=1), horizon(0, 40, progress=45, partitions=1)
    )
    assert (sources.now(), sources.progress()) == (50, 60)


def test_stale_is_said_of_a_model_that_is_silent_everywhere() -> None:
    sources = clock(horizon(0, 50), horizon(1, 50, stale=True))
    assert not sources.stale()
    sources.advance(horizon(0, 50, stale=True))
    assert sources.stale()
    sources.advance(horizon(1, 60))
    assert not sources.stale()
    assert not clock(horizon(0, 50, stale=True)).stale()  # partition 1 is not heard of
    assert not clock().stale()


@pytest.mark.parametrize(
    ("words", "holder"),
    [
        ([], None),
        ([horizon(0, 50, partitions=1)], None),  # the only one is nobody's fault
        ([horizon(0, 50), horizon(1, 50)], None),
        ([horizon(0, 50), horizon(1, 20)], ("in", 1)),
        ([horizon(0, 50), horizon(1)], ("in", 1)),
        ([horizon(0, 50)], ("in", 1)),  # not heard of
        (
            [horizon(0, 50, partitions=4), horizon(1, 20, partitions=4)],
            None,
        ),  # two are not heard of
    ],
)
def test_who_alone_holds_the_clock(words: list[Horizon], holder: tuple[str, int] | None) -> None:
    assert clock(*words).holding() == holder


def test_what_was_heard_survives_in_the_state() -> None:
    sources = clock(horizon(0, 50, progress=55), horizon(1, 20, idle=True, generation=7, until=3))
    again = {
        key: msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=SourceProgress)
        for key, value in sources.sources.items()
    }
    restored = Clock(("in",), again)
    assert restored.now() == sources.now() == 50
    restored.advance(horizon(1, 20, idle=True, generation=6, until=3))
    restored.advance(horizon(0, 90))
    assert restored.now() == 50


def test_words_survive_the_log() -> None:
    one = horizon(1, 20, idle=True, stale=True)
    assert decode(encode(one), Horizon) == one
