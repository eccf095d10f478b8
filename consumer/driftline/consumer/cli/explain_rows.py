"""Reading the two sides of an alert, and saying what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from driftline.consumer.cli.alert_rows import Opened
from driftline.consumer.cli.explain_text import explanation_text
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.cli.whole_file import write_whole
from driftline.consumer.config import ModelConfig
from driftline.consumer.offline.explain.columns import EVERYTHING, Watched
from driftline.consumer.offline.explain.explain import Rows, explain
from driftline.consumer.offline.explain.html_file import html_file
from driftline.consumer.offline.explain.quiet import busy, just_before, quiet_spans
from driftline.consumer.offline.explain.sample import Sample
from driftline.consumer.offline.rows.source import RowSource
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.service.references import configured_reference
from driftline.detectors.derivations import Derivation
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.errors import MissingExtraError

MOST_ROWS = 25_000
"""Rows of a side that are looked at."""
_FEWEST = 100  # quiet rows at the same hours; with fewer, the time just before is taken


def explained(
    found: Opened,
    against: tuple[int, int] | None,
    reference: RowSource | None,
    *,
    examples: int | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Explain an alert, and print it.

    Args:
        found: the alert and its rows.
        against: when the quiet rows are, ms since 1970; None: before the alert.
        reference: what has the quiet rows, all of it; None: what has the alert's rows.
        examples: rows to show; None: three, where the model's values may be shown.
        html: a file to write as well.
        as_json: whether the record is printed, not a text.

    Raises:
        DriftlineError: rows are missing, or cannot be read.
    """
    now, quiet, notes = _read(found, against, reference)
    settings = found.settings
    if examples is None:
        examples = 3 if settings is None or settings.show_values else 0
    explanation = explain(
        found.alert,
        now,
        quiet,
        watched=EVERYTHING if settings is None else _watched(settings),
        examples=examples,
        notes=notes,
    )
    if html is not None:
        write_whole(html, html_file(explanation).encode(), "--html")
        say(f"wrote {html}")
    if as_json:
        out_json(explanation)
    else:
        out(explanation_text(explanation))


def _watched(settings: ModelConfig) -> Watched:
    """Return which features are compared: what is derived of fields, as the reference says."""
    derived: tuple[Derivation, ...] = ()
    with suppress(ReferenceError, MissingExtraError):  # rows can be compared without it
        derived = configured_reference(settings).layout.derived
    return Watched(settings.is_ignored, derived)


def _read(
    found: Opened, against: tuple[int, int] | None, reference: RowSource | None
) -> tuple[Rows, Rows, list[str]]:
    """Return the rows of both sides, and what to know of how they were chosen."""
    if reference is not None:
        now = Sample(MOST_ROWS)
        _fill([now], found.source, [[found.span]], found)
        quiet = Sample(MOST_ROWS)
        everything = Span(found.span.model, found.span.segment, -(2**62), 2**62, numbered=True)
        _fill([quiet], reference, [[everything]], found)
        return Rows([str(found.span)], now), Rows(["all rows of the reference"], quiet), []
    if against is not None:
        spans = [found.span.between(*against)]
    else:
        spans = quiet_spans(found.span, busy(found.others, found.span))
    before = just_before(found.span)
    groups = [[found.span], spans, [] if against is not None else [before]]
    sides = [Sample(MOST_ROWS) for _ in groups]
    _fill(sides, found.source, groups, found)
    now, quiet, last = sides
    rows = Rows([str(found.span)], now)
    if against is None and quiet.seen < min(_FEWEST, last.seen):
        note = "there are too few rows at the same hours before it, so those just before are taken"
        return rows, Rows([str(before)], last), [note]
    return rows, Rows(list(map(str, spans)), quiet), []


def _fill(
    sides: Sequence[Sample], source: RowSource, groups: Sequence[Sequence[Span]], found: Opened
) -> None:
    """Read all rows once, and give each to the sides in whose spans it is."""
    every = [span for spans in groups for span in spans]
    for row in source.rows(every, found.listed):
        for side, spans in zip(sides, groups, strict=True):
            if any(span.holds(row.place) for span in spans):
                side.add(row)
