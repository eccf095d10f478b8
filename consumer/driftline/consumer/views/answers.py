"""What views answer: the JSON of the API, which the page and the report draw.

Times are RFC 3339 in UTC, as in the records; of a file without times they are the numbers of rows
as text. Shares are 0 to 1. Figures are those of the records, but for `FeatureRow.recent`.
Series are columns over one axis, `Axis.ends`: a value each window, None where there is none.
States of a series are one letter each: `o` ok, `w` warning, `c` critical, `i` insufficient,
`.` no verdict.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.records import Alert, Number, Verdict

Column = list[Number]
Worst = Literal["ok", "warning", "critical", "insufficient", "unknown"]


class Axis(msgspec.Struct, frozen=True):
    """The windows of a series: starts, ends, and the events of the whole stream in each."""

    starts: list[str]
    ends: list[str]
    events: list[int]


class Budget(msgspec.Struct, frozen=True):
    """What was promised, and what was spent.

    Attributes:
        allowed: false alarms that the budget allows in `days`; None where it is off or unknown.
        days: the period; None where windows are of rows.
        windows: the period in windows, where the budget is written so.
        fired: alerts under the budget that began in the last period of the stream's time.
        false: those of them that somebody marked as false alarms.
        since: where that count begins; later than a period ago where less is known.
    """

    allowed: float | None
    days: float | None
    windows: int | None
    fired: int
    false: int
    since: str | None


class Labels(msgspec.Struct, frozen=True):
    """Predictions of the newest window of labels: labelled, still waiting, expired without one.

    `end`: of that window. `judged`: end of the newest window of features, where that is later: by
    so much labels are behind.
    """

    labelled: int
    waiting: int
    expired: int
    end: str
    judged: str | None = None


class AlertRow(msgspec.Struct, frozen=True):
    """One alert in a list: its newest record, less what only one alert in full needs.

    Attributes:
        fired: end of the window in which it first fired, as far back as the topic goes.
        budgeted: whether the rule that fired it is the budget's.
        snoozed: whether it is snoozed now.
        marks: what somebody said of it; None where nobody did.
    """

    alert_id: str
    incident_id: str
    revision: int
    status: str
    severity: str
    kind: str
    model: str
    segment: str | None
    feature: str | None
    features: list[str]
    summary: str
    effect: Number
    since: str | None
    until: str | None
    fired: str
    updated: str
    budgeted: bool
    snoozed: bool
    marks: Marks | None
    owner: str | None


class ModelRow(msgspec.Struct, frozen=True):
    """One model on the home view; models come worst first.

    Attributes:
        state: worst of its open alerts, else of its newest window; `unknown` before the first.
        open: its open alerts, worst first, the snoozed ones last.
        strip: the worst state of any feature in each of the newest windows, a letter each.
        normal_events: events of such a window where that is known.
        labels: None where none are joined.
    """

    model: str
    owner: str | None
    state: Worst
    open: list[AlertRow]
    budget: Budget
    strip: str
    window_start: str | None
    window_end: str | None
    events: int
    normal_events: Number
    labels: Labels | None
    features: int
    drifting: int
    segments: list[str]
    reference: str | None
    versions: dict[str, int]


class Home(msgspec.Struct, frozen=True):
    """All models, worst first; `through`: the end of the newest window of any."""

    through: str | None
    models: list[ModelRow]


class FeatureRow(msgspec.Struct, frozen=True):
    """One feature in a model's table; features come worst first.

    Attributes:
        state, reason: of its newest verdict.
        effect, missing, onset: of its newest verdict; missing is the share without a value.
        evidence, limit: natural logarithms; None where the feature has no sequential evidence.
        alert_id, since: of its open alert.
        recent: its effects in the newest windows, in thousandths, for a sparkline.
        states: its state in each window of the model's axis, a letter each.
        segments: segments in which it has an open alert.
    """

    feature: str
    type: str
    state: str
    reason: str | None
    effect: Number
    missing: Number
    evidence: Number
    limit: Number
    onset: str | None
    alert_id: str | None
    since: str | None
    recent: list[int | None]
    states: str
    segments: list[str]


class VersionStart(msgspec.Struct, frozen=True):
    """The window in which a model version was first seen, for a mark on the axis of time."""

    version: str
    start: str
    end: str


class ModelView(msgspec.Struct, frozen=True):
    """One model, or one segment of it, in full.

    `critical`: the effect from which an alert is critical, which the pictures draw as a line.
    `joint`: whether it is watched how its features go together.
    """

    model: ModelRow
    segment: str | None
    axis: Axis
    volume: Column
    normal_volume: Column
    critical: float
    features: list[FeatureRow]
    alerts: list[AlertRow]
    versions: list[VersionStart]
    joint: bool = False


class SegmentRow(msgspec.Struct, frozen=True):
    """The same feature in one segment, in its newest window."""

    segment: str
    state: str
    effect: Number
    events: int
    missing: Number
    recent: list[int | None]


class FeatureView(msgspec.Struct, frozen=True):
    """One feature of one stream.

    Attributes:
        verdict: of the window asked for, else the newest; its bins are the picture.
        contributions: of each bin of `verdict.bins` its share of the effect, 0 to 1, as in `top`.
        names: of each bin, in words.
        writable: whether its present can be accepted here.
        labels: of the newest window of the stream's labels; None where none are joined.
        joint: as in `ModelView`.
    """

    model: str
    segment: str | None
    feature: str
    type: str
    axis: Axis
    effect: Column
    evidence: Column
    limit: Column
    missing: Column
    states: str
    critical: float
    verdict: Verdict | None
    names: list[str]
    contributions: Column
    segments: list[SegmentRow]
    alerts: list[AlertRow]
    versions: list[VersionStart]
    writable: bool = False
    joint: bool = False
    labels: Labels | None = None


class JointView(msgspec.Struct, frozen=True):
    """How the features of a model go together.

    Attributes:
        effect, evidence, limit: of each window, of the pair with the most evidence.
        verdict: of the window asked for, else the newest; its pairs are the tables.
    """

    model: str
    axis: Axis
    effect: Column
    evidence: Column
    limit: Column
    states: str
    verdict: Verdict | None
    alerts: list[AlertRow]
    versions: list[VersionStart]
    segments: list[str]


class MetricSeries(msgspec.Struct, frozen=True):
    """One metric over time, with its 95 % interval; `estimated` without labels."""

    name: str
    estimated: bool
    unit: str
    higher_is_better: bool | None
    value: Column
    low: Column
    high: Column
    threshold: Column
    normal: Number
    states: str


class ComparisonView(msgspec.Struct, frozen=True):
    """Champion against challenger: the newest verdict of the comparison."""

    name: str
    champion: str
    challenger: str
    decision: str
    verdict: Verdict


class PerformanceView(msgspec.Struct, frozen=True):
    """How a model, or a segment of it, performs.

    `labelled`, `waiting`, `expired`: predictions of each window. `confusion`: as in the newest
    verdict on accuracy. `joint`: as in `ModelView`. `newest_labels`: None where none are joined.
    """

    model: str
    segment: str | None
    axis: Axis
    metrics: list[MetricSeries]
    labelled: Column
    waiting: Column
    expired: Column
    confusion: Verdict | None
    comparisons: list[ComparisonView]
    alerts: list[AlertRow]
    versions: list[VersionStart]
    joint: bool = False
    newest_labels: Labels | None = None


class AlertList(msgspec.Struct, frozen=True):
    """Alerts, newest first; `total` counts those beyond the limit too."""

    alerts: list[AlertRow]
    total: int


class Revision(msgspec.Struct, frozen=True):
    """One published record of an alert."""

    revision: int
    status: str
    severity: str
    summary: str
    window_end: str
    published: str | None


class AlertView(msgspec.Struct, frozen=True):
    """One alert in full.

    Attributes:
        record: its newest record.
        verdict: of the window that it speaks of, or, where that lies from a change to now, of the
            window that holds its end; None where there is none (any more), or it is about many.
        names, contributions: as in `FeatureView`, of that verdict.
        incident: the other alerts of the same incident.
        budget: the model's, spent and allowed.
        writable: whether marks can be set here.
        in_topics: whether it can be found by its id in the topics; not so of a backtest.
    """

    row: AlertRow
    record: Alert
    history: list[Revision]
    verdict: Verdict | None
    names: list[str]
    contributions: Column
    incident: list[AlertRow]
    budget: Budget
    labels: Labels | None
    versions: list[VersionStart]
    writable: bool
    in_topics: bool
