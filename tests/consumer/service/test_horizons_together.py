"""Of very many models what is said of all of them goes together: nothing published changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.service.drawing import draw_input, draw_labelling
from tests.consumer.service.rig import Rig
from tests.consumer.service.simulation import Run, Schedule
from tests.consumer.service.small import MODEL, START, plan, reference, row
from tests.consumer.service.test_restart import compare

from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.service import opening
from driftline.consumer.service.applying import largest_time
from driftline.consumer.service.states import judge_key
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire import messages
from driftline.consumer.wire.codec import TOGETHER_VERSION, encode
from driftline.consumer.wire.messages import (
    LARGEST_MESSAGE,
    Horizon,
    Horizons,
    decode_horizons,
    partition_of,
    together,
)
from driftline.consumer.wire.records import Alert

OTHER = "n"
NAMES = st.sampled_from(["a", "b", "c", "d" * 249])


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take two models for very many."""
    monkeypatch.setattr(opening, "FLEET", 1)


def calm(seed: int) -> Run:
    rng = random.Random(seed)
    labelling = draw_labelling(rng, 3) if seed % 2 else None
    return Run(
        draw_input(rng, 3, 4, False, labelling), Schedule(), random.Random(1), labelling
    ).go()


def written(run: Run | Rig) -> tuple[list[Horizons], int]:
    """What went together, and how many records with a key there are in the log of panes."""
    topic = run.broker.records("driftline.panes")
    found, keyed = [], 0
    for record in topic:
        if record.key is None:
            found.append(decode_horizons(record.value or b""))
        else:
            keyed += 1
    return found, keyed


def test_runs_publish_what_they_publish_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(2):
        apart = calm(seed)
        with monkeypatch.context() as patch:
            patch.setattr(opening, "FLEET", 1)
            run = calm(seed)
        assert written(run)[0]
        assert not written(apart)[0]
        for topic in ("verdicts", "alerts"):
            assert run.published(topic) == apart.published(topic), f"seed {seed}"


def test_a_run_in_which_nobody_reads_them_is_another(
    fleet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = calm(0).published("verdicts")

    def nothing(self: Horizons) -> Iterator[Horizon]:
        return iter(())

    monkeypatch.setattr(Horizons, "each", nothing)
    assert calm(0).published("verdicts") != expected


@pytest.mark.parametrize("seed", range(8))
def test_any_run_publishes_what_a_calm_run_publishes(fleet: None, seed: int) -> None:
    assert compare(seed) is None


def quiet_rig() -> Rig:
    """Two models, which have come to rest, in three partitions that each have seen."""
    rig = Rig(plan({OTHER: reference(model=OTHER)}, models={OTHER: {}}), partitions=3)
    for second in range(0, 60_000, 1_000):
        for number in range(3):
            rig.write([row(second, model=model) for model in (MODEL, OTHER)], partition=number)
    rig.start()
    rig.settle()
    return rig


def test_marks_are_few_records_and_no_reason_to_write_states(fleet: None) -> None:
    rig = quiet_rig()
    worker, _, _ = rig.workers[0]
    before, keyed = written(rig)
    states = len(rig.states(judge_key(MODEL), JudgeState))
    for _ in range(40):
        rig.broker.now += 1_000
        worker.step()
    found, keyed_now = written(rig)
    marks = found[len(before) :]
    assert keyed_now == keyed
    assert all(one.idle for each in marks for one in each.models)
    # In 40 s each of 3 partitions marks both models every 5 s, in at most 2 records each time.
    assert 3 * 7 <= len(marks) <= 3 * 9 * 2
    assert sum(len(each.models) for each in marks) >= 3 * 7 * 2
    # Once a minute all states are recorded; else they were ten times.
    assert len(rig.states(judge_key(MODEL), JudgeState)) <= states + 1
    for record in rig.records("panes"):
        if record.key is None:
            assert decode_horizons(record.value or b"").target == record.partition


def test_silent_models_are_looked_for_six_times_in_the_silence(
    fleet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    idle = PartitionSketch.idle

    def noted(self: PartitionSketch, now: int, idle_after: int) -> object:
        looked.append(now)
        return idle(self, now, idle_after)

    monkeypatch.setattr(PartitionSketch, "idle", noted)
    rig = Rig(
        plan({OTHER: reference(model=OTHER)}, models={OTHER: {}}, limits={"idle_after": "60s"})
    )
    rig.write([row(0)])
    worker = rig.start()
    for _ in range(180):
        rig.broker.now += 1_000
        worker.step()
    assert 17 <= len(looked) <= 19


def test_the_state_of_a_partition_is_recorded_every_ten_seconds(fleet: None) -> None:
    rig = Rig(plan({OTHER: reference(model=OTHER)}, models={OTHER: {}}))
    worker = rig.start()
    worker.step()
    for second in range(45):
        rig.broker.now += 1_000
        rig.write([row(second * 1_000)])
        worker.step()
    assert 4 <= len(rig.states("sketch/in/0", SketchState)) <= 6
    before = rig.states("sketch/in/0", SketchState)[-1]
    worker.checkpoint()
    assert before.position < rig.states("sketch/in/0", SketchState)[-1].position == 45


def test_how_far_a_model_has_come_is_found_in_them(fleet: None) -> None:
    rig = Rig(plan({OTHER: reference(model=OTHER)}, models={OTHER: {}}))
    rig.write([row(7)])
    rig.start()
    rig.settle()
    log = rig.broker.log
    assert largest_time(log, "driftline.panes", 2, MODEL) == START + 7
    assert largest_time(log, "driftline.panes", 2, OTHER) is None


@given(
    st.lists(st.builds(
        Horizon, st.just("in"), st.just(3), st.just(5), NAMES, st.none() | st.integers(0, 9),
        st.none() | st.integers(0, 9), st.integers(0, 9), st.just(2),
        idle=st.booleans(), stale=st.booleans(), held=st.booleans(),
    )),
    st.integers(1, 4),
    st.sampled_from([1, 2, 1_000]),
)  # fmt: skip
def test_each_judge_hears_the_same_in_the_same_order(
    horizons: list[Horizon], targets: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "MOST_TOGETHER", most)
        found = together(horizons, targets)
    records = [decode_horizons(encode(each, TOGETHER_VERSION)) for each in found]
    for record in records:
        names = [one.model for one in record.models]
        assert len({*names}) == len(names)  # a judge may stop at a record, and another go on
        assert {partition_of(name, targets) for name in names} == {record.target}
    heard = [each for record in records for each in record.each()]
    for name in {each.model for each in horizons}:
        assert [h for h in heard if h.model == name] == [h for h in horizons if h.model == name]
    assert len(heard) == len(horizons)


def test_a_record_is_never_too_large() -> None:
    names = [f"{number:05}{'m' * 244}" for number in range(5_000)]
    horizons = [Horizon("t" * 249, 0, 1, name, 1 << 41, 1 << 41, 1 << 60, 9) for name in names]
    records = together(horizons, 2)
    assert max(len(encode(each, TOGETHER_VERSION)) for each in records) <= LARGEST_MESSAGE
    assert sum(len(each.models) for each in records) == len(names)


def test_each_judge_looks_at_the_clock_in_one_of_ten_looks(
    fleet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, tick = Counter[str](), ModelJudge.tick

    def noted(self: ModelJudge, now: int) -> list[Alert]:
        looks[self.name] += 1
        return tick(self, now)

    monkeypatch.setattr(ModelJudge, "tick", noted)
    rig = Rig(plan({OTHER: reference(model=OTHER)}, models={OTHER: {}}))
    worker = rig.start()
    worker.step()
    for _ in range(20):
        rig.broker.now += 1_000
        worker.step()
    assert looks == {MODEL: 2, OTHER: 2}
