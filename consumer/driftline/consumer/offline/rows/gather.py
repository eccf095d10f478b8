"""All rows of an alert, with the labels that came for them."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.rows.kept import KeptRows
from driftline.consumer.offline.rows.source import RowSource
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.wire.records import Alert
from driftline.consumer.wire.text import counted
from driftline.producer.errors import InputError


def gather(
    source: RowSource,
    alert: Alert,
    span: Span,
    listed: dict[str, Sequence[str]],
    feedback: Feedback,
) -> KeptRows:
    """Return the rows of a span, to be closed; note where the alert's window had more.

    Args:
        source: where they are.
        alert: whose rows they are.
        span: which of them.
        listed: values of tags that are segments of their own.
        feedback: takes the notes.

    Raises:
        InputError: there is none.
        DriftlineError: the source cannot be read.
    """
    rows = KeptRows()
    try:
        for row in source.rows([span], listed):
            rows.add(row)
        if not len(rows):
            stream = alert.stream if span.segment is not None else alert.model
            raise InputError(f"there is no row of {stream} in {span}")
        rows.join(source.labels(span))
    except BaseException:
        rows.close()
        raise
    since, until = alert.window.span
    if span.since <= since and until <= span.until:
        found = rows.count(since, until)
        if found < alert.window.events:
            had = counted(alert.window.events, "event")
            feedback.note(
                "warning", f"the alert's window had {had}, of which {found:,} are still there"
            )
    return rows
