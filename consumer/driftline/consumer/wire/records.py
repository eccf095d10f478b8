"""What judge publishes: verdicts and alerts, as users read them.

Field order is the order in the JSON. A record holds no wall-clock time and nothing that depends on
batching, so the service and the backtest write the same bytes.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

import msgspec

from driftline.consumer.wire.kinds import KINDS, Kind, Severity, Status
from driftline.consumer.wire.meaning import means
from driftline.consumer.wire.record_fields import (
    AlertedType,
    Bins,
    Confusion,
    Counts,
    Effect,
    Feature,
    Interval,
    Model,
    Normal,
    PValue,
    Rows,
    Segment,
    Stream,
    Threshold,
    ValueType,
    Versions,
)
from driftline.consumer.wire.record_fields import (
    Number as Number,
)
from driftline.consumer.wire.subject import Subject
from driftline.producer.records.timestamp import parse_timestamp

State = Literal["ok", "warning", "critical"]
STATES: tuple[State, ...] = get_args(State)


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """A window: RFC 3339 times, `end` exclusive, and its events.

    Of a file without times it has the numbers of its first and last row instead, and both times are
    None; no record of the service is so.
    """

    start: Annotated[str | None, means("Null of a file without times.", "RFC 3339")]
    end: Annotated[str | None, means("Exclusive; null of a file without times.", "RFC 3339")]
    events: Annotated[int, means("Events of the stream in it.", "events")]
    rows: Rows = None

    @property
    def times(self) -> tuple[str, str]:
        """Its two times, for records that have them; of rows both are empty."""
        return self.start or "", self.end or ""

    @property
    def span(self) -> tuple[int, int]:
        """Where it begins, and where the next one does: ms since 1970, or rows before it."""
        if self.rows is not None:
            return self.rows[0] - 1, self.rows[1]
        return parse_timestamp(self.start) or 0, parse_timestamp(self.end) or 0


class ReferenceName(msgspec.Struct, frozen=True):
    """The reference a window was compared with, and its events in the stream."""

    id: Annotated[str, means("Hash of its content.")]
    events: Annotated[int, means("Of the stream.", "events")]


class DetectorValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One detector's figures, or those of a metric of performance."""

    value: Annotated[Number, means("The figure; null where there is none.")]
    p_value: PValue
    threshold: Threshold
    state: Annotated[State | None, means("Null where no rule looks at it.")]
    interval: Interval = None
    reference: Normal = None

    @classmethod
    def of(
        cls,
        value: float,
        p_value: float = math.nan,
        threshold: float = math.nan,
        state: State | None = None,
        interval: tuple[float, float] | None = None,
        reference: float | None = None,
    ) -> DetectorValue:
        """Return figures as records have them: rounded, None where there is none.

        Example:
            >>> found = DetectorValue.of(0.4305514, interval=(math.nan, math.nan))
            >>> found.value, found.p_value, found.interval
            (0.430551, None, None)
        """
        ends = None if interval is None else (number(interval[0]), number(interval[1]))
        return cls(
            number(value),
            number(p_value),
            number(threshold),
            state,
            None if ends == (None, None) else ends,
            None if reference is None else number(reference),
        )


class Sequential(msgspec.Struct, frozen=True):
    """Evidence that a feature changed, added up pane by pane until the window's end."""

    evidence: Annotated[
        Number, means("For a change, against what was normal.", "natural logarithm")
    ]
    limit: Annotated[Number, means("At which an alarm is due.", "natural logarithm")]
    onset: Annotated[
        str | None,
        means("Start of the pane with which it would have begun; null of rows.", "RFC 3339"),
    ]


class Sides(msgspec.Struct, frozen=True):
    """Who is compared, and what is decided."""

    models: Annotated[tuple[str, ...], means("Those that the two are of: one, or two.")]
    champion: Annotated[str, means("As configured.")]
    challenger: Annotated[str, means("As configured.")]
    decision: Annotated[
        Literal["worse", "undecided", "better"], means("Of the challenger, against the champion.")
    ]


class Accepted(msgspec.Struct, frozen=True):
    """Who made what came then the new normal. Of a file without times places are row numbers."""

    id: Annotated[str, means("Of the acceptance.")]
    who: Annotated[str, means("Who accepted it.")]
    why: Annotated[str, means("Why.")]
    since: Annotated[str, means("From when on events are the new normal.", "RFC 3339")]
    start: Annotated[str, means("From when on events are compared with them.", "RFC 3339")]


EVENTS = "events"
"""What a verdict on the number of events is about: its type, and the detector in it."""
JOINT = "joint"
"""The same of features that belong together."""

Table = list[list[Number]]


class Pair(msgspec.Struct, frozen=True):
    """Two features, and how they go together.

    Rows are of the first feature, columns of the second: low, middle and high values of each.
    """

    features: Annotated[tuple[str, str], means("Their names.")]
    cuts: Annotated[
        tuple[tuple[Number, Number], tuple[Number, Number]],
        means("Of each, the largest value that is low, and that is not high.", "as values"),
    ]
    reference: Annotated[
        Table,
        means(
            "Normal shares of the events, by thirds, at as many low, middle and high values of each"
            " as the window has.",
            "share",
        ),
    ]
    window: Annotated[Table, means("Shares of the window's events that have both.", "share")]
    effect: Effect
    sequential: Annotated[Sequential | None, means("Evidence; null before the first pane.")]


class Extremes(msgspec.Struct, frozen=True):
    """How many features of an event are extreme at once: in the outer 5 % of either end."""

    features: Annotated[int, means("How many are counted together.", "features")]
    reference: Annotated[
        list[Number], means("Shares of the reference's events with 0, 1, 2 ... of them.", "share")
    ]
    window: Annotated[list[Number], means("The same of the window.", "share")]
    effect: Effect
    sequential: Annotated[Sequential | None, means("Evidence; null before the first pane.")]


Pairs = Annotated[
    list[Pair] | None,
    means("Of features that belong together: the pairs that changed most, worst first."),
]
Extremely = Annotated[
    Extremes | None, means("Of features that belong together: how often they are extreme at once.")
]


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the detectors said of one feature of one stream in one window.

    `feature` is null where it is about how many events the model had; then `type` is `events`; and
    about features that belong together: then it is `joint`.
    What is left out has its default.
    """

    schema: Annotated[Literal["driftline.verdict.v1"], means("The version of this schema.")]
    verdict_id: Annotated[str, means("Hash of stream, feature, window, reference.")]
    stream: Stream
    model: Model
    segment: Segment
    feature: Feature
    type: ValueType
    state: Annotated[State | Literal["insufficient"], means("The worst of its detectors.")]
    reason: Annotated[str | None, means("Why it is `insufficient`, else null.")]
    window: Annotated[Window, means("What was judged.")]
    reference: Annotated[ReferenceName, means("What it was compared with.")]
    versions: Versions
    counts: Counts
    effect: Effect
    detectors: Annotated[dict[str, DetectorValue], means("Figures by detector or metric.")]
    bins: Bins
    confusion: Confusion = None
    complete: Annotated[bool, means("False where a file ends before its window.")] = True
    sequential: Annotated[Sequential | None, means("Left out where there is none.")] = None
    note: Annotated[str | None, means("What to know of how it was judged.")] = None
    sides: Annotated[Sides | None, means("Of a comparison: whom it compares.")] = None
    accepted: Annotated[
        Accepted | None, means("Where what it was compared with was accepted as normal.")
    ] = None
    pairs: Pairs = None
    extremes: Extremely = None

    @property
    def subject(self) -> Subject:
        """What it speaks of."""
        measured = self.type == "performance"
        return Subject.read(self.feature, "performance" if measured else "distribution")


class Contribution(msgspec.Struct, frozen=True):
    """One bin or category: its shares, and its part of the PSI."""

    what: Annotated[str, means("The bin, or the category.")]
    reference: Annotated[Number, means("Of the events in the reference.", "share")]
    window: Annotated[Number, means("Of the events in the window.", "share")]
    contribution: Annotated[Number, means("Of the effect.", "share")]


class FeatureEffect(msgspec.Struct, frozen=True):
    """One of several features that changed, and its effect in the window of the record."""

    name: Annotated[str, means("The feature.")]
    effect: Effect


class TypeChange(msgspec.Struct, frozen=True):
    """What the values of a feature are, in words: `text`, `a number`, `a boolean`."""

    now: Annotated[str, means("What most values are.")]
    normally: Annotated[str, means("What they are in the reference.")]


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One record of one alert; (alert_id, revision) is its identity.

    Of a file without times `rows` stand for `since` and `until`. Where many features changed at
    once, or some are missing in the same events, `features` names them all, and `feature` is null.
    What is left out has its default.
    """

    schema: Annotated[Literal["driftline.alert.v1"], means("The version of this schema.")]
    alert_id: Annotated[str, means("The same in all records of one alert.")]
    revision: Annotated[int, means("1, 2, 3 ...: the highest one holds.")]
    status: Annotated[Status, means("Whether it still holds.")]
    severity: Annotated[Severity, means("The worst it has been.")]
    kind: Annotated[Kind, means("What it is about.")]
    summary: Annotated[str, means("What happened, in words.")]
    stream: Stream
    model: Model
    segment: Segment
    feature: Feature
    type: AlertedType
    since: Annotated[str | None, means("When it began; null of a file without times.", "RFC 3339")]
    until: Annotated[str | None, means("When it ended; null while it fires.", "RFC 3339")]
    rows: Rows = None
    rule: Annotated[str, means("Which rule fired, in words.")]
    budgeted: Annotated[bool, means("Whether the rule that fired is the budget's.")] = False
    detector: Annotated[str | None, means("Whose value the rule looked at.")]
    value: Annotated[Number, means("The detector's; null where there is none.")]
    p_value: PValue
    threshold: Threshold
    interval: Interval = None
    normal: Normal = None
    effect: Effect
    breaches: Annotated[
        tuple[int, int] | None, means("In breach, of the last looked at.", "windows")
    ]
    window: Annotated[Window, means("The last one looked at.")]
    reference: Annotated[ReferenceName, means("What it was compared with.")]
    versions: Versions
    counts: Counts
    top: Annotated[list[Contribution], means("What contributed most to the effect.")]
    about: Annotated[bool, means("Whether shares are those of a sample.")] = False
    types: Annotated[TypeChange | None, means("How the type changed.")] = None
    segments: Annotated[str | None, means("In which it is, in words.")] = None
    features: Annotated[list[FeatureEffect] | None, means("All that changed, worst first.")] = None
    began_with: Annotated[
        dict[str, str] | None, means("What was released: tag to its new value.")
    ] = None
    incident_id: Annotated[str, means("The same for what fires together.")]
    also_firing: Annotated[list[str], means("Other features, worst first.")]
    owner: Annotated[str | None, means("As configured.")]
    runbook: Annotated[str | None, means("As configured, a URL.")]
    links: Annotated[dict[str, str] | None, means("URL of the `page` that shows it.")] = None
    accepted: Annotated[
        Accepted | None, means("Where it ended because what it tells was accepted as normal.")
    ] = None
    pairs: Pairs = None
    extremes: Extremely = None

    @property
    def subject(self) -> Subject:
        """What it speaks of."""
        return Subject.read(self.feature, KINDS[self.kind].about)

    @property
    def names(self) -> tuple[str, ...]:
        """The features and metrics that it is about: none, one or many."""
        if self.features is not None:
            return tuple(each.name for each in self.features)
        return () if self.feature is None else (self.feature,)

    @property
    def together(self) -> frozenset[str]:
        """The features of which it says how they go together."""
        return frozenset(name for pair in self.pairs or () for name in pair.features)

    @property
    def begin(self) -> int:
        """Where it began: ms since 1970, or the number of rows before it."""
        return self.rows[0] - 1 if self.rows is not None else parse_timestamp(self.since) or 0

    @property
    def change(self) -> str:
        """What changed, as a row of a table shows it.

        It is no field: of a record that was read back it is the whole summary.
        """
        change: str = self.__dict__.get("change", self.summary)
        return change

    def with_change(self, change: str) -> Alert:
        """Return the same record, of which a row of a table shows `change`."""
        alert = msgspec.structs.replace(self)
        alert.__dict__["change"] = change
        return alert


def number(value: float) -> Number:
    """Return `value` with 6 significant digits, None where there is no value.

    Example:
        >>> number(0.4305514), number(float("nan")), number(18323.649)
        (0.430551, None, 18323.6)
    """
    if not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def missing_share(counts: dict[str, int] | None, events: int) -> float | None:
    """Return the share of events without a value, as the detector `missing` counts.

    That is null, or no such key. None where that is not known.

    >>> missing_share({"missing": 1, "absent": 1}, 8), missing_share(None, 8)
    (0.25, None)
    """
    if counts is None or not events:
        return None
    return (counts.get("missing", 0) + counts.get("absent", 0)) / events


def most_frequent(versions: dict[str, int], keep: int = 5) -> dict[str, int]:
    """Return the `keep` most frequent versions with their events, the rest as ``__other__``.

    Example:
        >>> most_frequent({"1": 5, "2": 9, "3": 1}, keep=2)
        {'2': 9, '1': 5, '__other__': 1}
    """
    ranked = sorted(versions.items(), key=lambda item: (-item[1], item[0]))
    top = dict(ranked[:keep])
    rest = sum(events for _, events in ranked[keep:])
    if rest:
        top["__other__"] = top.get("__other__", 0) + rest
    return top
