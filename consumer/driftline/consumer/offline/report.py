"""What was found in a batch of data, a row a feature: for a notebook, a script, or a plain page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from driftline.consumer.html.report_file import report_file
from driftline.consumer.html.summary import paragraph, table
from driftline.consumer.judge.sentence import amount, clean
from driftline.consumer.offline.feedback import Note
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.frames import alert_frame, frame, verdict_frame
from driftline.consumer.offline.published import Run
from driftline.consumer.views.report import ReportView
from driftline.consumer.wire.records import Alert, Number, Verdict
from driftline.consumer.wire.samples import NEW_FIELD

_HEAD = ("feature", "type", "", "effect", "p-value", "what changed")
_LONGEST = 20
_WIDTHS = (11, 7, 9, 8)


@dataclass(frozen=True)
class FeatureRow:
    """One feature, prediction or metric, in the window in which it differed most; or a new field.

    Attributes:
        feature: its name.
        type: numeric, categorical, boolean or performance; `new field` of a field that the
            reference does not list.
        drifted: whether it fired an alert.
        effect: how far it is from the reference (bias-corrected PSI); None where nothing was
            tested, and for a metric.
        p_value: the smallest of the tests that the budget looks at; None where nothing was tested.
        change: what changed, in words; why it could not be judged; empty where nothing changed.
        since: RFC 3339, when it began; None without an alert, and where there are no times.
        verdict: the whole record of that window; None of a new field.
    """

    feature: str
    type: str
    drifted: bool
    effect: Number
    p_value: Number
    change: str
    since: str | None
    verdict: Verdict | None = field(repr=False)


@dataclass(frozen=True)
class Report:
    """What was found: `features` in the order of their effects, the drifted ones first.

    The budget is shared by all features: with 40 of them each is tested at a fortieth of the level.

    Attributes:
        features: a row each, metrics too.
        windows: windows that were judged.
        events: events in them.
        alerts: the alerts, oldest first, each as of its latest rise.
        verdicts: all verdicts, also of segments.
        notes: what was assumed, and what to know.
        budget: the promise about false alarms, in words.
        run: what the report over time needs beside.
    """

    features: tuple[FeatureRow, ...]
    windows: int
    events: int
    alerts: tuple[Alert, ...] = field(repr=False)
    verdicts: tuple[Verdict, ...] = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False)
    budget: str
    run: Run = field(repr=False)

    @classmethod
    def of(
        cls, found: Found, verdicts: Sequence[Verdict], notes: Iterable[Note], run: Run
    ) -> Report:
        """Sum up verdicts and what `found` has of the alerts about them."""
        rows = sorted(
            _rows(found, verdicts),
            key=lambda row: (not row.drifted, -(row.effect or 0.0), row.feature),
        )
        judged = sum(1 for reason in found.unjudged.values() if not reason)
        budget = "off" if run.config.budget is None else str(run.config.budget)
        return cls(
            tuple(rows), judged, found.events_tested(), tuple(found.alerts), tuple(verdicts),
            tuple(notes), budget, run,
        )  # fmt: skip

    @property
    def drifted(self) -> list[str]:
        """The names of what drifted, metrics too; the largest effect first."""
        return [row.feature for row in self.features if row.drifted]

    def __getitem__(self, feature: str) -> FeatureRow:
        """Return the row of a feature.

        Raises:
            KeyError: there is none.
        """
        for row in self.features:
            if row.feature == feature:
                return row
        raise KeyError(feature)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries, without the verdicts."""
        names = [each.name for each in fields(FeatureRow) if each.name != "verdict"]
        return [{name: getattr(row, name) for name in names} for row in self.features]

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold of the report: its sums, rows, notes."""
        return {
            "drifted": self.drifted,
            "windows": self.windows,
            "events": self.events,
            "budget": self.budget,
            "features": self.rows(),
            "notes": [str(note) for note in self.notes],
        }

    def to_json(self) -> str:
        """Return `to_dict` as a JSON document."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def to_frame(self) -> Any:
        """Return the rows as a frame: of pandas, else of polars, else a table of Arrow.

        Raises:
            ModuleNotFoundError: none of them is installed.
        """
        return frame(self.rows())

    def verdict_frame(self) -> Any:
        """Return the verdicts as a frame, a row each: its own fields, not those of its parts.

        Raises:
            ModuleNotFoundError: as `to_frame`.
        """
        return verdict_frame(self.verdicts)

    def alert_frame(self) -> Any:
        """Return the alerts as a frame, a row each.

        Raises:
            ModuleNotFoundError: as `to_frame`.
        """
        return alert_frame(self.alerts)

    def view(self) -> ReportView:
        """Return what was found over time, as the file shows it and the API answers."""
        return self.run.report(self.verdicts, self.notes)

    def save(self, path: str | Path) -> None:
        """Write the report as one HTML file, which needs nothing else."""
        Path(path).write_text(report_file(self.view()), encoding="utf-8")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the rows as a table."""
        rows = table("What drifted first, then by the effect", _HEAD, map(_cells, self.features))
        return "".join([paragraph(self.headline), rows, *map(paragraph, map(str, self.notes))])

    def __str__(self) -> str:
        """Return the report as text."""
        longest = max([_LONGEST, *(len(clean(row.feature)) for row in self.features)])
        lines = [self.headline, "", _line(_HEAD, longest)]
        lines += [_line(list(map(clean, _cells(row))), longest) for row in self.features]
        return "\n".join([*lines, *(["", *map(str, self.notes)] if self.notes else [])])

    @property
    def headline(self) -> str:
        """How many features drifted, over what, and how often that would be wrong."""
        features = [row for row in self.features if row.verdict and row.type != "performance"]
        drifted = sum(row.drifted for row in features)
        new = sum(row.verdict is None for row in self.features)
        more = f", {new} new field{'' if new == 1 else 's'}" if new else ""
        windows = f"{self.windows:,} window" + ("" if self.windows == 1 else "s")
        return (
            f"{drifted} of {len(features)} features drifted{more}: {windows} judged,"
            f" {self.events:,} events; budget of false alarms: {self.budget}"
        )


def _rows(found: Found, verdicts: Sequence[Verdict]) -> Iterator[FeatureRow]:
    fired = {
        name: alert
        for alert in reversed(found.alerts)
        if alert.segment is None
        for name in alert.names
    }
    most: dict[str, Verdict] = {}
    for verdict in verdicts:
        name = verdict.feature
        if verdict.segment is not None or verdict.model != found.model or name is None:
            continue
        known = most.get(name)
        if known is None or _rank(verdict) > _rank(known):
            most[name] = verdict
    for name, verdict in most.items():
        alert = fired.get(name)
        yield FeatureRow(
            feature=name,
            type=verdict.type,
            drifted=alert is not None,
            effect=verdict.effect if alert is None or alert.feature is None else alert.effect,
            p_value=_p_value(verdict),
            change=alert.change if alert is not None else verdict.reason or _measured(verdict),
            since=None if alert is None else alert.since,
            verdict=verdict,
        )
    for new in fired.values():
        if new.detector == NEW_FIELD:
            yield FeatureRow(
                feature=new.feature or "",
                type="new field",
                drifted=True,
                effect=None,
                p_value=None,
                change=new.change,
                since=new.since,
                verdict=None,
            )


def _rank(verdict: Verdict) -> tuple[bool, float]:
    """Return which of two windows shows more: one that was judged, then the larger effect."""
    judged = verdict.state != "insufficient"
    effect = verdict.effect
    return judged, -1.0 if effect is None else float(effect)


def _p_value(verdict: Verdict) -> Number:
    """Return the smallest p-value of the tests that a rule looks at."""
    tested = [found for found in verdict.detectors.values() if found.state is not None]
    found = [value for each in tested if (value := each.p_value) is not None]
    return min(found, default=None)


def _measured(verdict: Verdict) -> str:
    """Return the value of a metric, with its interval and what is normal; empty for a feature."""
    if verdict.type != "performance":
        return ""
    found = next(iter(verdict.detectors.values()))  # behind it stand those of its parts
    text = written(found.value)
    if found.interval is not None:
        text += f" ({written(found.interval[0])} to {written(found.interval[1])})"
    return text if found.reference is None else f"{text}, normally {written(found.reference)}"


def _cells(row: FeatureRow) -> list[str]:
    """Return a row as a table shows it."""
    # A p-value of 0 is one too small for a double.
    p_value = "<1e-300" if row.p_value == 0 else written(row.p_value)
    drifted = "drifted" if row.drifted else ""
    return [row.feature, row.type, drifted, written(row.effect), p_value, row.change]


def written(value: Number) -> str:
    """Return a figure as a table shows it.

    >>> written(0.43051), written(1.2e-30), written(None)
    ('0.431', '1.2e-30', '')
    """
    if value is None:
        return ""
    return amount(float(value), 3 if abs(value) >= 1e-4 or value == 0 else 2)


def _line(cells: Sequence[str], longest: int) -> str:
    *most, last = cells
    widths = (longest, *_WIDTHS)
    padded = [f"{cell:<{width}}" for cell, width in zip(most, widths, strict=True)]
    return "  ".join([*padded, last]).rstrip()
