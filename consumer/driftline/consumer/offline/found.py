"""What a backtest has found so far. Records in, sums out."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from driftline.consumer.judge.records import too_few
from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import Alert, Verdict

_NONE = 1 << 62  # behind every window


@dataclass
class Found:
    """What a backtest has yielded so far.

    Attributes:
        model: the model.
        needed: events, or labelled events, without which a window is not judged.
        records: all records of alerts, in their order.
        rises: per alert, the record of its latest rise: when it fired or its severity rose.
        windows: windows of the whole model: start and end to events.
        of_labels: windows of the whole model's labels; why none of its metrics could be judged,
            empty if one was.
        unjudged: windows of the whole model; why none of its features could be judged, empty if
            one was.
        never: segments; why none of its windows could be judged so far, empty if one was.
        features: features that have verdicts.
        reference: id of the reference.
        largest: the verdict with the largest effect.
        first: earliest event time, ms.
        refused: rows of a file of labels that are none.
        labelled: windows of the whole model's labels to the labelled events in them.
        causes: why labels and predictions did not match, a sentence each.
        metrics: windows of the whole model's performance, estimated or not: start and end to
            events.
        open: windows of the whole model, or of its labels, that are not over where the file ends.
        measured: per metric with labels, the verdict on the newest window of the whole model that
            could be judged; on one that is not over only where no other could.
        unmeasured: the same; why none of its metrics could be judged, empty if one was.
    """

    model: str
    needed: int
    records: list[Alert] = field(init=False, default_factory=list)
    rises: dict[str, Alert] = field(init=False, default_factory=dict)
    windows: dict[tuple[int, int], int] = field(init=False, default_factory=dict)
    of_labels: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    unjudged: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    never: dict[str, str] = field(init=False, default_factory=dict)
    features: set[str] = field(init=False, default_factory=set)
    reference: str = field(init=False, default="")
    largest: Verdict | None = field(init=False, default=None)
    first: int | None = field(init=False, default=None)
    refused: int = field(init=False, default=0)
    labelled: dict[tuple[int, int], int] = field(init=False, default_factory=dict)
    causes: list[str] = field(init=False, default_factory=list)
    metrics: dict[tuple[int, int], int] = field(init=False, default_factory=dict)
    measured: dict[str, Verdict] = field(init=False, default_factory=dict)
    unmeasured: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    open: set[tuple[int, int]] = field(init=False, default_factory=set)

    def add(self, output: Verdict | Alert) -> None:
        """Take in what the backtest yields, in order."""
        if isinstance(output, Alert):
            self.records.append(output)
            known = self.rises.get(output.alert_id)
            rank = SEVERITIES.index
            rose = known is None or rank(output.severity) > rank(known.severity)
            if rose and output.status == "firing":
                self.rises[output.alert_id] = output
            return
        if output.model != self.model:
            return  # of a comparison, whose windows are not the model's
        if not output.complete and output.segment is None:
            self.open.add(output.window.span)
        if output.type == "performance":
            self._add_metric(output)
            return
        if output.feature is None:
            return  # how many events came says nothing of how they were judged
        self.features.add(output.feature)
        self._count_window(output)
        self.reference = output.reference.id
        if output.effect is not None:
            known_effect = self.largest.effect if self.largest is not None else None
            if known_effect is None or output.effect > known_effect:
                self.largest = output

    def _add_metric(self, verdict: Verdict) -> None:
        """Note a metric; what no rule looks at is not said to be quiet."""
        if any(each.state is not None for each in verdict.detectors.values()):
            self.features.add(verdict.subject.field)
        if verdict.segment is not None:
            return
        window = verdict.window.span
        self.metrics[window] = verdict.window.events
        _note(self.unmeasured, window, verdict, verdict.reason or verdict.state)
        if not verdict.subject.estimated:
            name = verdict.subject.name
            if verdict.state != "insufficient" and (verdict.complete or name not in self.measured):
                self.measured[name] = verdict
            self.labelled[window] = _labelled(verdict)
            _note(self.of_labels, window, verdict, why_unjudged(verdict, self.needed))

    def _count_window(self, verdict: Verdict) -> None:
        """Note a window, once for all of its features."""
        reason = why_unjudged(verdict, self.needed)
        if verdict.segment is not None:
            if verdict.state != "insufficient":
                self.never[verdict.segment] = ""
            elif self.never.get(verdict.segment) != "":
                self.never[verdict.segment] = reason
            return
        window = verdict.window.span
        self.windows[window] = verdict.window.events
        _note(self.unjudged, window, verdict, reason)

    @property
    def insufficient(self) -> Counter[str]:
        """Why windows of the whole model could not be judged, and how many of them."""
        return Counter(reason for reason in self.unjudged.values() if reason)

    @property
    def alerts(self) -> list[Alert]:
        """The alerts, oldest first; of one time the largest effect first."""
        return sorted(
            self.rises.values(),
            key=lambda alert: (
                alert.begin,
                -(alert.effect or 0.0),
                alert.stream,
                alert.feature or "",
            ),
        )

    def events_tested(self) -> int:
        """Return the events in windows that could be judged, each once.

        Where no feature is watched, those whose performance was.
        """
        windows, reasons = self.windows, self.unjudged
        if not windows:
            windows, reasons = self.metrics, self.unmeasured
        parts: deque[tuple[int, int]] = deque()  # (end, events) since the window before
        tested: dict[int, int] = {}
        for (start, end), events in sorted(windows.items(), key=lambda w: (w[0][1], w[0][0])):
            while parts and parts[0][0] <= start:
                parts.popleft()
            parts.append((end, events - sum(count for _, count in parts)))
            if not reasons[start, end]:
                tested.update(parts)
        return sum(tested.values())

    def events_judged(self) -> int:
        """Return the events of final panes."""
        return _side_by_side(self.windows)

    def not_over(self, windows: dict[tuple[int, int], int]) -> int:
        """Return how many of what windows hold is after the last one that is over."""
        over = {span: inside for span, inside in windows.items() if span not in self.open}
        return _side_by_side(windows) - _side_by_side(over) if windows.keys() & self.open else 0

    def time_in_windows(self, first: int, last: int) -> int:
        """Return how long (ms) it was from one time to another, but for times without events."""
        within, until = 0, first
        for (start, end), events in sorted((self.windows or self.metrics).items()):
            if events and end > until:
                within += max(min(end, last) - max(start, until), 0)
                until = end
        return within

    def labels_judged(self) -> int:
        """Return the labelled events of final panes."""
        return _side_by_side(self.labelled)


def why_unjudged(verdict: Verdict, needed: int) -> str:
    """Return why a window is not judged, without the number of its own events.

    Args:
        verdict: one that is insufficient.
        needed: events, or labelled events, without which a window is not judged.
    """
    counted, what = verdict.window.events, "events"
    if verdict.subject.is_realised:
        counted, what = _labelled(verdict), "labelled events"
    # There may be another reason: one without events has so few, too.
    if verdict.reason == too_few(counted, needed, what):
        return f"fewer than {needed:,} {what}"
    return verdict.reason or verdict.state


def _labelled(verdict: Verdict) -> int:
    return (verdict.counts or {}).get("labelled", 0)


def _note(
    reasons: dict[tuple[int, int], str], window: tuple[int, int], verdict: Verdict, why: str
) -> None:
    """Note why a window is not judged, nothing if it is: it is if one of its verdicts is."""
    if verdict.state != "insufficient":
        reasons[window] = ""
    else:
        reasons.setdefault(window, why)


def _side_by_side(windows: dict[tuple[int, int], int]) -> int:
    """Return how many are in windows that do not overlap, from the last one back."""
    events, before = 0, _NONE
    for (start, end), inside in sorted(windows.items(), key=lambda w: w[0][1])[::-1]:
        if end <= before:
            events, before = events + inside, start
    return events
