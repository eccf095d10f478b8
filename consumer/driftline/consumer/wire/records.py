"""What judge publishes: verdicts and alerts, as users read them.

Field order is the order in the JSON. A record holds no wall-clock time and nothing that depends on
batching, so the service and the backtest write the same bytes.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import msgspec

from driftline.consumer.wire.kinds import KINDS, Kind, Severity, Status
from driftline.consumer.wire.subject import Subject
from driftline.producer.records.timestamp import parse_timestamp

Number = float | int | None
State = Literal["ok", "warning", "critical"]
STATES: tuple[State, ...] = get_args(State)


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """A window: RFC 3339 times, `end` exclusive, and its events.

    Of a file without times it has the numbers of its first and last row instead, and both times are
    None; no record of the service is so.
    """

    start: str | None
    end: str | None
    events: int
    rows: tuple[int, int] | None = None

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

    id: str
    events: int


class DetectorValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One detector's figures; `state` is None where no rule looks at it.

    Of a performance metric also its 95 % `interval`, and its value in the `reference`.
    """

    value: Number
    p_value: Number
    threshold: Number
    state: State | None
    interval: tuple[Number, Number] | None = None
    reference: Number = None

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
    """Evidence that a feature changed, added up pane by pane until the window's end.

    Attributes:
        evidence: natural logarithm; `limit`: at which an alarm is due.
        onset: start of the pane with which the change would have begun; None of a file of rows.
    """

    evidence: Number
    limit: Number
    onset: str | None


class Sides(msgspec.Struct, frozen=True):
    """Who is compared, and what is decided of the challenger.

    Attributes:
        models: those that the two are of: one, or two.
        champion, challenger: as the configuration names them.
    """

    models: tuple[str, ...]
    champion: str
    challenger: str
    decision: Literal["worse", "undecided", "better"]


EVENTS = "events"
"""What a verdict on the number of events is about: its type, and the detector in it."""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the detectors said of one feature of one stream in one window.

    `feature` is None where it is about how many events the model had; then `type` is `events`.
    Of accuracy only: the `confusion` matrix, see `driftline.consumer.judge.performance.details`.
    Of a comparison only: its `sides`.
    `complete` is left out where it is true; it is false where a file ends before its window.
    `note`: what a reader should know of how it was judged, such as that few of its events count.
    """

    schema: Literal["driftline.verdict.v1"]
    verdict_id: str
    stream: str
    model: str
    segment: str | None
    feature: str | None
    type: str
    state: State | Literal["insufficient"]
    reason: str | None
    window: Window
    reference: ReferenceName
    versions: dict[str, int]
    counts: dict[str, int] | None
    effect: Number
    detectors: dict[str, DetectorValue]
    bins: dict[str, Any] | None
    confusion: dict[str, Any] | None = None
    complete: bool = True
    sequential: Sequential | None = None
    note: str | None = None
    sides: Sides | None = None

    @property
    def subject(self) -> Subject:
        """What it speaks of."""
        measured = self.type == "performance"
        return Subject.read(self.feature, "performance" if measured else "distribution")


class Contribution(msgspec.Struct, frozen=True):
    """One bin or category: its shares, and its part of the PSI."""

    what: str
    reference: Number
    window: Number
    contribution: Number


class FeatureEffect(msgspec.Struct, frozen=True):
    """One of many features that changed, and its effect in the window of the record."""

    name: str
    effect: Number


class TypeChange(msgspec.Struct, frozen=True):
    """What the values of a feature are, in words: `text`, `a number`, `a boolean`."""

    now: str
    normally: str


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One record of one alert; (alert_id, revision) is its identity.

    Of performance only: the 95 % `interval` of the value, and what is `normal`. Of a file without
    times `rows`, the first and the last of what it is about, stands for `since` and `until`, and
    these are None, as the times of its window are.
    `budgeted`: whether the rule that fired is the budget's.
    `about`: the shares of new fields and values are those of a sample of the events. `types`: how
    the type changed. `segments`: in which segments it is, in words, where that is known.
    `features`: where many features changed at once, all of them, worst first; `feature` is None.
    `links`: where it is shown, `page`; left out where the configuration names no page.
    """

    schema: Literal["driftline.alert.v1"]
    alert_id: str
    revision: int
    status: Status
    severity: Severity
    kind: Kind
    summary: str
    stream: str
    model: str
    segment: str | None
    feature: str | None
    type: str | None
    since: str | None
    until: str | None
    rows: tuple[int, int] | None = None
    rule: str
    budgeted: bool = False
    detector: str | None
    value: Number
    p_value: Number
    threshold: Number
    interval: tuple[Number, Number] | None = None
    normal: Number = None
    effect: Number
    breaches: tuple[int, int] | None
    window: Window
    reference: ReferenceName
    versions: dict[str, int]
    counts: dict[str, int] | None
    top: list[Contribution]
    about: bool = False
    types: TypeChange | None = None
    segments: str | None = None
    features: list[FeatureEffect] | None = None
    incident_id: str
    also_firing: list[str]
    owner: str | None
    runbook: str | None
    links: dict[str, str] | None = None

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
