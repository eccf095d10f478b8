"""An alert explained: its rows against quiet ones, as a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.consumer.offline.explain.columns import EVERYTHING, Watched
from driftline.consumer.offline.explain.compare import MOST_ASKED, Comparison, Told, compare
from driftline.consumer.offline.explain.differences import difference, pair_sentence
from driftline.consumer.offline.explain.records import (
    Area,
    Example,
    Explanation,
    FeatureShare,
    LeftOutColumn,
    PairShare,
    SegmentShare,
    Side,
)
from driftline.consumer.offline.explain.sample import Sample
from driftline.consumer.offline.explain.segments import FoundSegment
from driftline.consumer.offline.rows.event_row import EventRow
from driftline.consumer.wire.records import Alert, number
from driftline.detectors.outcomes.figure import Figure
from driftline.producer.records.timestamp import format_time

_DIGITS = 4


@dataclass(frozen=True)
class Rows:
    """The rows of one side.

    Attributes:
        spans: when they are, in words.
        sample: that is looked at.
    """

    spans: Sequence[str]
    sample: Sample

    @property
    def side(self) -> Side:
        """When they are, and how many."""
        return Side(tuple(self.spans), self.sample.seen, len(self.sample.rows()))


def explain(
    alert: Alert,
    now: Rows,
    quiet: Rows,
    *,
    watched: Watched = EVERYTHING,
    examples: int = 0,
    notes: Sequence[str] = (),
) -> Explanation:
    """Explain an alert.

    Args:
        alert: the alert.
        now: its rows.
        quiet: those to compare with.
        watched: which features.
        examples: rows of now to show; none where the two are not told apart.
        notes: what to know beforehand.

    Raises:
        InputError: a side has too few rows, or there is nothing to compare.
    """
    rows = now.sample.rows()
    found = compare(rows, quiet.sample.rows(), watched)
    return Explanation(
        alert_id=alert.alert_id,
        model=alert.model,
        segment=alert.segment,
        summary=alert.summary,
        now=now.side,
        quiet=quiet.side,
        apart=found.apart,
        area=_area(found.area),
        features=[_feature(told, found) for told in found.told],
        pairs=[
            PairShare(
                pair.names,
                number(pair.p_value),
                pair_sentence(pair),
                pair.levels,
                pair.now.round(_DIGITS).tolist(),
                pair.quiet.round(_DIGITS).tolist(),
                pair.expected.round(_DIGITS).tolist(),
            )
            for pair in found.pairs
        ],
        found_segment=None if found.segment is None else _segment(found.segment),
        examples=[
            _example(rows[place], found)
            for place in found.surest[: examples * found.apart].tolist()
        ],
        left_out=[LeftOutColumn(each.name, each.why) for each in found.left_out],
        notes=[*notes, *_notes(now, quiet, found)],
    )


def _area(figure: Figure) -> Area:
    return Area(number(figure.value), number(figure.low), number(figure.high))


def _feature(told: Told, found: Comparison) -> FeatureShare:
    now, quiet = difference(told.column, found.now)
    return FeatureShare(
        told.column.name,
        told.tells and found.apart,
        told.by_itself and found.apart,
        _area(told.alone.figure()),
        None if told.needed is None else number(told.needed.area),
        now,
        quiet,
    )


def _segment(found: FoundSegment) -> SegmentShare:
    return SegmentShare(
        tuple(map(str, found.conditions)),
        number(found.now),
        number(found.quiet),
        number(found.held),
        _area(found.inside),
        _area(found.outside),
    )


def _example(row: EventRow, found: Comparison) -> Example:
    names = [each.column.name for each in found.told if each.tells]
    every = {
        **row.tags,
        "prediction.score": row.score,
        "prediction.label": row.label,
        **row.features,
    }
    return Example(
        row.event_id,
        None if row.time is None else format_time(row.time),
        {name: every.get(name) for name in names},
    )


def _notes(now: Rows, quiet: Rows, found: Comparison) -> list[str]:
    notes = []
    for rows, what in ((now, "the alert"), (quiet, "the quiet time")):
        if rows.sample.seen > rows.side.used:
            notes.append(
                f"of {rows.sample.seen:,} rows of {what} {rows.side.used:,} are looked at, those"
                " whose event ids have the smallest hashes"
            )
    if len(found.told) > MOST_ASKED:
        notes.append(
            f"what the others tell without a column was asked of the {MOST_ASKED} that alone tell"
            " most"
        )
    return notes
