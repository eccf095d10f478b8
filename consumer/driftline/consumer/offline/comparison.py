"""A comparison on files that can begin: both sides' predictions as the events of one topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from driftline.consumer.config import (
    ComparisonConfig,
    Config,
    KafkaConfig,
    LabelsConfig,
    ModelConfig,
    ReferenceConfig,
    Side,
    SourceConfig,
    WindowConfig,
)
from driftline.consumer.config.settings import LimitsConfig
from driftline.consumer.offline.predictions import Bools, Predictions, joined
from driftline.consumer.offline.sides import Wanted
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.event_rows import event_times
from driftline.consumer.wire.axis import RowAxis
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.outcomes.comparison import LEAST_PANES
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Coded, Column, Numbers, Struct, Table, Times
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

ALPHA = 0.05
SIDES = ("champion", "challenger")
"""The models whose events the two sides become, and what is compared of them."""
TOPIC = NAME = "compared"
_PANE, _LEAST, _PANES = 1_000, 10, 60

_CHUNK = 20_000
_PER_ROW = 1_000  # bytes that a waiting row may take: more than it does


@dataclass(frozen=True)
class Comparison:
    """A comparison that can begin.

    Attributes:
        plan: both sides as models of one topic, and what is compared of them.
        events: of both, native, in the order of their times.
        layout: what is counted of both sides' predictions with their ground truth.
        paired: both predicted the same events, so each event is compared by itself.
        rows: predictions of champion and challenger.
        maturity: ms behind a pane's end that its second answers may come.
        reason: why nothing is decided; empty where it is.
    """

    plan: Plan
    events: Table
    layout: OutcomeLayout
    paired: bool
    rows: tuple[int, int]
    maturity: int
    reason: str

    @property
    def alpha(self) -> float:
        """Chance of ever saying better or worse wrongly."""
        compared = self.plan.config.comparisons
        return compared[NAME].alpha if compared else ALPHA

    def chunks(self) -> Iterator[tuple[Table, int]]:
        """Yield the events in parts, each with the time (ms) before which no later one is."""
        return _chunks(self.events)


def set_up(wanted: Wanted, sides: Sequence[Predictions]) -> Comparison:
    """Set up the comparison of two sides.

    Events are paired by their id where more than half of either side's have one that the other has
    too; a second prediction of an id by the same side is left out. Else each side is judged by its
    own. A configuration's comparison of the same sides says it instead.

    Raises:
        InputError: no prediction has its ground truth, or no performance can be measured.
    """
    config = _configured(wanted)
    paired = _are_same(sides) if config is None else config.traffic == "same"
    times, every = _times(wanted, sides, _counted(sides, paired=paired))
    side = np.repeat([0, 1], [len(each) for each in sides])
    order = np.argsort(times, kind="stable")
    events = _events(sides, side, times).take(order)
    texts = next((each.texts for each in sides if each.texts != AS_WRITTEN), AS_WRITTEN)
    reference, layout = _reference(events, wanted.truth.positive_label, texts)
    reason = ""
    if not (layout.labelled or layout.grid is not None):
        reason = "there is no prediction.label, so nobody knows which predictions are right"
    elif layout.grid is not None and not paired:
        reason = "regressions are compared event by event, and these are not of the same events"
    maturity = int(times.max() - times.min()) + every
    settings = ModelConfig(
        predictions=(TOPIC,),
        reference=ReferenceConfig(layout="-"),
        window=WindowConfig(length=every, every=every),
        # All is known at once, and an answer of one side waits for the other's to the end.
        labels=LabelsConfig(topic=TOPIC, horizon=maturity, by="prediction"),
        budget=None,
        stale_after=None,
    )
    rows = sum(map(len, sides))
    plan = Plan(
        Config(
            kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)),
            models=dict.fromkeys(SIDES, settings),
            sources={TOPIC: SourceConfig.of(Mapping(texts=texts))},
            comparisons={} if reason else {NAME: _comparison(config, paired=paired)},
            limits=LimitsConfig(max_waiting=4 * rows, max_waiting_bytes=_PER_ROW * rows),
        ),
        dict.fromkeys(SIDES, reference),
        ordered=False,
    )
    many = len(sides[0]), len(sides[1])
    return Comparison(plan, events, layout, paired, many, maturity, reason)


def _configured(wanted: Wanted) -> ComparisonConfig | None:
    """Return the comparison of the same sides that the configuration has, if it has one."""
    known = () if wanted.config is None else wanted.config.comparisons.values()
    return next((each for each in known if wanted.sides == each.sides), None)


def _comparison(config: ComparisonConfig | None, *, paired: bool) -> ComparisonConfig:
    traffic: Literal["same", "split"] = "same" if paired else "split"
    alpha = ALPHA if config is None else config.alpha
    champion, challenger = map(Side, SIDES)
    return ComparisonConfig(champion=champion, challenger=challenger, traffic=traffic, alpha=alpha)


def _are_same(sides: Sequence[Predictions]) -> bool:
    first, second = (np.unique(side.ids[side.ids != NO_ID]) for side in sides)
    common = np.intersect1d(first, second, assume_unique=True)
    return 2 * len(common) > max(map(len, sides))


def _counted(sides: Sequence[Predictions], *, paired: bool) -> list[Bools]:
    """Return which predictions of each side tell; of split traffic not those of shared events."""
    if paired:
        return [np.ones(len(side), bool) for side in sides]
    return [
        (side.ids == NO_ID) | ~np.isin(side.ids, other.ids)
        for side, other in zip(sides, sides[::-1], strict=True)
    ]


def _times(
    wanted: Wanted, sides: Sequence[Predictions], counted: Sequence[Bools]
) -> tuple[IntArray, int]:
    """Return the time (ms) of each prediction, of both sides behind one another, and of a pane.

    With a configuration they are the events' own and the panes the model's. Else, or where these
    are too few panes to decide, or do not tell which predictions of both sides are of one time,
    places: in the order of the times, or of each side's own progress, in which only those that are
    `counted` count.
    """
    side = np.repeat([0, 1], [len(each) for each in sides])
    times = np.concatenate([each.times for each in sides])
    known = bool((times != UNREADABLE).all()) and _overlap(
        *(each.times[own] for each, own in zip(sides, counted, strict=True))
    )
    window = None
    if wanted.config is not None and wanted.model is not None:
        window = wanted.config.models[wanted.model].window
    if known and window is not None and window.rows is None:
        panes = np.unique(times // window.every).size
        if panes >= LEAST_PANES:
            return times, window.every
    if not known:
        progress = [(np.cumsum(own) - own) / max(int(own.sum()), 1) for own in counted]
        order = np.lexsort((side, np.concatenate(progress)))
    else:
        order = np.lexsort((side, times))
    places = np.empty(len(order), np.int64)
    pane = pane_of(len(order))
    places[order] = RowAxis.of(pane).origin + np.arange(len(order))
    return places, pane


def pane_of(rows: int) -> int:
    """Return the predictions of both sides in a pane, after each of which the test looks.

    Of a small file they are few, so that there are enough panes to tell how much they vary.

    >>> pane_of(200), pane_of(5_000), pane_of(1_000_000)
    (10, 83, 1000)
    """
    return min(max(rows // _PANES, _LEAST), _PANE)


def _overlap(first: IntArray, second: IntArray) -> bool:
    """Return whether both sides were at work at the same time."""
    if not (first.size and second.size):
        return False
    return bool(first.min() <= second.max() and second.min() <= first.max())


def _events(sides: Sequence[Predictions], side: IntArray, times: IntArray) -> Table:
    """Return the predictions of both sides as native events."""
    ids = np.concatenate([each.ids for each in sides])
    columns: dict[str, Column] = {
        "event_id": Numbers(ids, ids == NO_ID),
        "timestamp": Times(times),
        "model": Coded(side, SIDES),
    }
    for part in ("prediction", "actual"):
        names = dict.fromkeys(name for each in sides for name in each.outcomes)
        fields = {
            name.removeprefix(f"{part}."): joined(
                [(each.outcomes.get(name), len(each)) for each in sides]
            )
            for name in names
            if name.startswith(f"{part}.")
        }
        there = np.concatenate([each.having(f"{part}.{name}" for name in fields) for each in sides])
        if fields:
            columns[part] = Struct(len(ids), fields, ~there)
    return Table(len(ids), columns)


def _chunks(events: Table) -> Iterator[tuple[Table, int]]:
    times = event_times(events, Mapping.native())
    for start in range(0, events.rows, _CHUNK):
        end = min(start + _CHUNK, events.rows)
        yield events.take(slice(start, end)), int(times[min(end, events.rows - 1)])


def _reference(
    events: Table, positive: str | None, texts: TextForm
) -> tuple[Reference, OutcomeLayout]:
    """Return what both sides did, as the reference of each, and what is counted of outcomes.

    Raises:
        InputError: no prediction has its ground truth, or no performance can be measured.
    """
    own = {name: column for name, column in events.columns.items() if name != "model"}
    bare = Table(events.rows, own)
    settings = ReferenceSettings(SIDES[0], positive_label=positive)
    built = reference_from_tables(
        lambda: (table for table, _ in _chunks(bare)), Mapping(texts=texts), settings
    )
    outcomes = Outcomes.of(built.reference)
    if outcomes is None:
        raise InputError(
            f"no performance measured: {built.unmeasured}"
            if built.unmeasured is not None
            else "no prediction has its ground truth: map actual, or give --actual COLUMN or"
            " --labels"
        )
    return built.reference, outcomes.layout
