"""What an explanation says, as JSON has it and as text and HTML are made of it."""

from __future__ import annotations

import msgspec

from driftline.consumer.wire.records import Number

SCHEMA = "driftline.explanation.v1"


class Area(msgspec.Struct, frozen=True):
    """How often a row of now looks more like now than a quiet one does, ties half: .5 is chance.

    Attributes:
        value: the area under the ROC curve, of rows that were not learned from.
        low, high: its 95 % interval.
    """

    value: Number
    low: Number
    high: Number


class Side(msgspec.Struct, frozen=True):
    """The rows of now, or the quiet ones.

    Attributes:
        spans: when they are, in words.
        rows: how many there are.
        used: how many of them are looked at.
    """

    spans: tuple[str, ...]
    rows: int
    used: int


class FeatureShare(msgspec.Struct, frozen=True):
    """One column and how well it tells the rows apart.

    Attributes:
        name: of the feature, the prediction or the tag.
        tells: whether it does, beyond chance, among all columns at 1 %.
        by_itself: whether it does without the others; else only together with them.
        alone: how well it does without the others.
        needed: by how much the area falls where its values are shuffled; None where not asked.
        now, quiet: what its rows have, in words.
    """

    name: str
    tells: bool
    by_itself: bool
    alone: Area
    needed: Number
    now: str
    quiet: str


class PairShare(msgspec.Struct, frozen=True):
    """Two columns that go together in another way than before.

    Attributes:
        names: of the two.
        p_value: that chance makes them differ so, whatever each of them does for itself.
        summary: in words, of the cell that differs most.
        levels: what the rows and the columns of the tables are.
        now, quiet: share of the rows in each cell.
        expected: what now would be, had each only changed for itself.
    """

    names: tuple[str, str]
    p_value: Number
    summary: str
    levels: tuple[tuple[str, ...], tuple[str, ...]]
    now: list[list[float]]
    quiet: list[list[float]]
    expected: list[list[float]]


class SegmentShare(msgspec.Struct, frozen=True):
    """The smallest segment without which most of the change is gone.

    Attributes:
        conditions: that its rows fulfil, all of them.
        now, quiet: its share of the rows.
        held: share of the change that is gone without it.
        inside, outside: how well its own rows tell now from quiet, and how well the others do.
    """

    conditions: tuple[str, ...]
    now: Number
    quiet: Number
    held: Number
    inside: Area
    outside: Area


class Example(msgspec.Struct, frozen=True):
    """A row of now that looks least like a quiet one.

    Attributes:
        event_id: of the event, empty for none.
        timestamp: RFC 3339; None for none.
        values: of the columns that tell.
    """

    event_id: str
    timestamp: str | None
    values: dict[str, str | int | float | bool | None]


class LeftOutColumn(msgspec.Struct, frozen=True):
    """A column that is not compared, and why."""

    name: str
    why: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What tells the rows of an alert from quiet ones.

    Attributes:
        schema: `driftline.explanation.v1`.
        alert_id, model, segment, summary: of the alert.
        now, quiet: the two sides.
        apart: whether the rows tell the two apart: the interval of the area lies above .5.
        area: of the classifier.
        features: all columns, those that tell most first.
        pairs, found_segment, examples: nothing where the rows do not tell the two apart.
        left_out: columns that are not compared.
        notes: what to know of how it was found.
    """

    schema: str = SCHEMA
    alert_id: str
    model: str
    segment: str | None
    summary: str
    now: Side
    quiet: Side
    apart: bool
    area: Area
    features: list[FeatureShare]
    pairs: list[PairShare]
    found_segment: SegmentShare | None
    examples: list[Example]
    left_out: list[LeftOutColumn]
    notes: list[str]
