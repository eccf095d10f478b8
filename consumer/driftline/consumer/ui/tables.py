"""Answers as CSV: lists a row each, series a row for each window."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from driftline.consumer.views.answers import (
    AlertList,
    Axis,
    FeatureView,
    Home,
    JointView,
    ModelView,
    PerformanceView,
)

Rows = Iterable[Sequence[Any]]
MEDIA_TYPE = "text/csv; charset=utf-8"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Rows) -> bytes:
    r"""Return rows as CSV (RFC 4180).

    A text that a spreadsheet would take for a formula gets an apostrophe before it.

    Example:
        >>> to_csv([["feature", "effect"], ["=1+1", -0.5], ["a,b", None]])
        b'feature,effect\r\n\'=1+1,-0.5\r\n"a,b",\r\n'
    """
    written = io.StringIO()
    csv.writer(written).writerows([_cell(cell) for cell in row] for row in rows)
    return written.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def models(home: Home) -> Rows:
    """Return a row for each model, its budget and labels beside it."""
    yield (
        "model", "owner", "state", "open", "allowed", "days", "fired", "false", "window_start",
        "window_end", "events", "normal_events", "labelled", "waiting", "expired", "features",
        "drifting", "reference",
    )  # fmt: skip
    for row in home.models:
        labels = row.labels
        counts = (labels.labelled, labels.waiting, labels.expired) if labels else (None,) * 3
        budget = row.budget
        yield (
            row.model, row.owner, row.state, len(row.open), budget.allowed, budget.days,
            budget.fired, budget.false, row.window_start, row.window_end, row.events,
            row.normal_events, *counts, row.features, row.drifting, row.reference,
        )  # fmt: skip


def features(view: ModelView) -> Rows:
    """Return a row for each feature."""
    return _structs(view.features, ("recent", "states", "segments"))


def alerts(found: AlertList) -> Rows:
    """Return a row for each alert, with what was said of it."""
    rows = list(_structs(found.alerts, ("features", "marks")))
    marked = [each.marks for each in found.alerts]
    yield (*rows[0], "acknowledged", "false_alarm")
    for row, marks in zip(rows[1:], marked, strict=True):
        acknowledged, false = (marks.acknowledge, marks.false_alarm) if marks else (None, None)
        yield (*row, acknowledged and acknowledged.who, false and false.who)


def feature(view: FeatureView) -> Rows:
    """Return a row for each window of a feature."""
    columns = {name: getattr(view, name) for name in ("effect", "evidence", "limit", "missing")}
    return _windows(view.axis, {**columns, "state": [*view.states]})


def joint(view: JointView) -> Rows:
    """Return a row for each window of how features go together."""
    columns = {name: getattr(view, name) for name in ("effect", "evidence", "limit")}
    return _windows(view.axis, {**columns, "state": [*view.states]})


def performance(view: PerformanceView) -> Rows:
    """Return a row for each window, with the columns of each metric."""
    columns: dict[str, Sequence[Any]] = {
        name: getattr(view, name) for name in ("labelled", "waiting", "expired")
    }
    for each in view.metrics:
        name = f"estimated_{each.name}" if each.estimated else each.name
        columns[name] = each.value
        for part in ("low", "high", "threshold"):
            columns[f"{name}_{part}"] = getattr(each, part)
    return _windows(view.axis, columns)


def _windows(axis: Axis, columns: dict[str, Sequence[Any]]) -> Rows:
    yield ("start", "end", "events", *columns)
    yield from zip(axis.starts, axis.ends, axis.events, *columns.values(), strict=True)


def _structs(rows: Sequence[msgspec.Struct], without: Sequence[str]) -> Rows:
    """Return the fields of structs that hold one value."""
    if not rows:
        yield ()
        return
    names = [name for name in rows[0].__struct_fields__ if name not in without]
    yield names
    for row in rows:
        yield [getattr(row, name) for name in names]
