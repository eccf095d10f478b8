"""Laws of the sketch: cutting, restarting and sharing the work change nothing."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.small import (
    MODEL,
    SECOND,
    backtest,
    judge_all,
    plan,
    records,
    reference,
    row,
    sketch,
)

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import DeadLetter, Output
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Block, Horizon
from driftline.consumer.wire.records import Alert, Verdict

GRACE = 5 * SECOND
PLAN = plan(
    {"n": reference(model="n")},
    models={"n": {}},
    segments=["tier", "model_version"],
    window={"length": "30s", "every": "10s", "grace": "5s", "min_events": 3},
    thresholds={"ks": {"warning": 0.6, "critical": 0.9}, "missing": {"warning": 0.2}},
)

numbers = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 0.5, 2.5]), st.just("bad"))
timely: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    x=numbers,
    c=st.sampled_from(["p", "q", "new", None]),
    model_version=st.sampled_from(["1", "2"]),
    tags=st.sampled_from([{}, {"tier": "gold"}, {"tier": "odd"}]),
)


@st.composite
def in_order(draw: st.DrawFn, most: int = 40) -> list[dict[str, Any]]:
    """Events of one model, each at most `GRACE` behind the newest before it."""
    gaps = draw(st.lists(st.integers(0, 8 * SECOND), min_size=1, max_size=most))
    events, now = [], 0
    for gap in gaps:
        now += gap
        behind = draw(st.integers(0, GRACE))
        events.append(row(max(0, now - behind), **draw(timely)))
    return events


anything = st.one_of(
    st.builds(
        lambda time, model, values: row(time, model=model, **values),
        st.integers(0, 90 * SECOND),
        st.sampled_from(["m", "m", "n", "stranger"]),
        timely,
    ),
    st.none(),
    st.binary(max_size=8),
)


def sent(outputs: list[Output]) -> dict[str, list[object]]:
    """What goes out, in order per destination: a model's messages as bytes, and dead letters."""
    found: dict[str, list[object]] = defaultdict(list)
    for output in outputs:
        if isinstance(output, DeadLetter):
            found[""].append((output.record.offset, output.reason, output.detail))
        else:
            assert not isinstance(output, Block)
            found[output.model].append(encode(output))
    return found


def feed_cut(one: PartitionSketch, log: list[MemoryRecord], cuts: list[int]) -> list[Output]:
    """Feed `log` cut at the places `cuts`."""
    edges = [0, *sorted(cut % (len(log) + 1) for cut in cuts), len(log)]
    return [output for start, end in pairwise(edges) for output in one.feed(log[start:end], 0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(anything, max_size=40), st.lists(st.integers(0, 1_000), max_size=6))
def test_any_cut_gives_the_same_messages_byte_for_byte(values: list[Any], cuts: list[int]) -> None:
    log = records(values)
    whole, cut = sketch(PLAN), sketch(PLAN)
    expected = sent([*whole.feed(log, 0), *whole.idle(0, 0)])
    assert sent([*feed_cut(cut, log, cuts), *cut.idle(0, 0)]) == expected
    assert cut.totals == whole.totals
    assert cut.state() == whole.state()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(anything, max_size=40), st.integers(0, 40), st.lists(st.integers(0, 99), max_size=3)
)
def test_a_restart_at_any_place_gives_the_same_messages(
    values: list[Any], place: int, cuts: list[int]
) -> None:
    log = records(values)
    whole, first = sketch(PLAN), sketch(PLAN)
    expected = sent([*whole.feed(log, 0), *whole.idle(0, 0)])
    before = first.feed(log[:place], 0)
    state = first.state()
    assert state is not None
    second = sketch(PLAN, state=state)
    after = feed_cut(second, log[state.rewind :], cuts)
    assert sent([*before, *after, *second.idle(0, 0)]) == expected
    assert first.totals.read + second.totals.read == len(log)
    assert first.totals.late + second.totals.late == whole.totals.late


@settings(max_examples=60, deadline=None)
@given(st.lists(anything, max_size=60))
def test_every_record_has_one_fate(values: list[Any]) -> None:
    one = sketch(PLAN)
    one.feed(records(values), 0)
    totals = one.totals
    fates = (totals.counted, totals.late, totals.skipped, totals.rejected)
    assert totals.read == len(values) == sum(fate.total() for fate in fates)


def shared(plan: Plan, events: list[Any], places: list[int], count: int) -> list[Verdict | Alert]:
    """Read `events` as `count` partitions, that of each event by `places`; then all are idle."""
    logs: list[list[Any]] = [[] for _ in range(count)]
    for event, place in zip(events, places, strict=False):
        logs[place % count].append(event)
    parts = [sketch(plan, number, count) for number in range(count)]
    words = [output for part in parts for output in part.claim()]
    for number, part in enumerate(parts):
        words += part.feed(records(logs[number], number), 0)
    for now in (0, 1):  # a partition without events is lifted by what the others said before
        words += [output for part in parts for output in part.idle(now, 0)]
    own = [w for w in words if not isinstance(w, DeadLetter | Block) and w.model == MODEL]
    return judge_all(plan, own)


@settings(max_examples=60, deadline=None)
@given(in_order(), st.lists(st.integers(0, 4), min_size=40, max_size=40), st.integers(1, 5))
def test_partitions_share_the_work_of_one(events: list[Any], places: list[int], count: int) -> None:
    """Where no event is late the verdicts depend on the set of events alone."""
    assert shared(PLAN, events, places, count) == backtest(PLAN, events)


@settings(max_examples=40, deadline=None)
@given(in_order(), st.randoms(use_true_random=False))
def test_order_within_the_grace_changes_nothing(events: list[Any], random: Any) -> None:
    times = sorted(events, key=lambda event: event["timestamp"])
    jittered = sorted(times, key=lambda event: event["timestamp"] + random.uniform(0, GRACE))
    assert backtest(PLAN, jittered) == backtest(PLAN, times)


@settings(max_examples=40, deadline=None)
@given(in_order())
def test_horizons_rise_and_until_names_the_event(events: list[Any]) -> None:
    one = sketch(PLAN)
    words = [w for w in one.feed(records(events), 0) if isinstance(w, Horizon)]
    reached = [w.horizon for w in words if w.horizon is not None]
    assert reached == sorted(set(reached))
    for horizon in words:
        assert horizon.progress == max(event["timestamp"] for event in events[: horizon.until])


def test_a_restart_changes_no_version_however_many_there_are() -> None:
    """A version in every event: which of them are told apart must not depend on who counts."""
    log = records(
        row(n * 10, model_version=f"build-{n if n < 1_500 else n % 7}") for n in range(3_000)
    )
    whole, first = sketch(PLAN), sketch(PLAN)
    expected = sent([*whole.feed(log, 0), *whole.idle(0, 0)])
    before = first.feed(log[:2_000], 0)
    state = first.state()
    assert state is not None
    second = sketch(PLAN, state=state)
    after = second.feed(log[state.rewind :], 0)
    assert sent([*before, *after, *second.idle(0, 0)]) == expected
