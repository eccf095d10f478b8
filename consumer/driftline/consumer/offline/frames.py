"""Results as the frames that people have: of pandas, else of polars, else a table of Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from driftline.consumer.wire.records import Alert, Verdict

_OF_VERDICT = ("feature", "segment", "type", "state", "reason", "effect")
_OF_ALERT = (
    "alert_id", "since", "severity", "kind", "feature", "segment", "effect", "change", "summary",
)  # fmt: skip


def verdict_frame(verdicts: Iterable[Verdict]) -> Any:
    """Return verdicts as a frame, a row each: its own fields, not those of its parts.

    Of windows of rows, `start` and `end` are their first and last row.

    Raises:
        ModuleNotFoundError: as `frame`.
    """
    rows = []
    for verdict in verdicts:
        window = verdict.window
        start, end = window.rows or (window.start, window.end)
        own = {name: getattr(verdict, name) for name in _OF_VERDICT}
        rows.append({"start": start, "end": end, "events": window.events, **own})
    return frame(rows)


def alert_frame(alerts: Iterable[Alert]) -> Any:
    """Return alerts as a frame, a row each; of windows of rows, `since` is the first row.

    Raises:
        ModuleNotFoundError: as `frame`.
    """
    rows = []
    for alert in alerts:
        own = {name: getattr(alert, name) for name in _OF_ALERT}
        rows.append(own if alert.rows is None else {**own, "since": alert.rows[0]})
    return frame(rows)


def frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as a frame of the first of pandas, polars and pyarrow that is installed.

    Raises:
        ModuleNotFoundError: none is.
    """
    for library, kind, maker in (
        ("pandas", "DataFrame", None),
        ("polars", "DataFrame", None),
        ("pyarrow", "Table", "from_pylist"),
    ):
        try:
            make = getattr(import_module(library), kind)
        except ModuleNotFoundError:
            continue
        return (getattr(make, maker) if maker else make)(list(rows))
    raise ModuleNotFoundError(
        "a frame needs pandas, polars or pyarrow; install one, such as "
        ' pip install "driftline[files]"'
    )
