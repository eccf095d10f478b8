"""Which stretches before an alert are compared with it: as long, at the same hours, without one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from driftline.consumer.offline.rows.span import Span
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import parse_timestamp

_DAY = 86_400_000
_MOST = 7  # stretches, of those that are shorter than a day
_TRIED = 400


def busy(alerts: Iterable[Alert], span: Span) -> list[tuple[int, int]]:
    """Return when alerts of a span's model were open, from where each began to where it ended.

    Those on how labels or a run went say nothing of the events.
    """
    found = []
    for alert in alerts:
        if alert.model != span.model or (alert.subject.sort == "model" and alert.features is None):
            continue
        if (alert.rows is not None) != span.numbered:
            continue
        ended = alert.window.span[1]
        if alert.status == "resolved":
            ended = Span.of(alert).until
        elif alert.rows is None:
            ended = max(ended, parse_timestamp(alert.until) or span.until)
        found.append((alert.begin, ended))
    return found


def quiet_spans(span: Span, open_times: Iterable[tuple[int, int]]) -> list[Span]:
    """Return stretches as long as a span, before it, in which no alert was open.

    They lie whole days before it, so that the hours of the day are the same; of a span that is
    shorter than a week there are several. They need not hold any rows.

    Args:
        span: of the alert.
        open_times: when alerts were open.

    >>> hour, day = 3_600_000, 86_400_000
    >>> span = Span("m", None, 9 * day, 9 * day + 6 * hour)
    >>> [each.since // day for each in quiet_spans(span, [(7 * day, 8 * day)])][:3]
    [8, 6, 5]
    >>> quiet_spans(Span("m", None, 500, 700, numbered=True), [])
    [Span(model='m', segment=None, since=300, until=500, numbered=True)]
    """
    times = [each for each in open_times if each[0] < span.since]
    length = span.until - span.since
    step, most = max(length, 1), 1
    if not span.numbered:
        step = max(-(-length // _DAY), 1) * _DAY
        most = max(_MOST * _DAY // step, 1)
    found: list[Span] = []
    for number in range(1, _TRIED):
        since = span.since - number * step
        until = since + length
        if until <= 0 or len(found) == most:
            break
        if not any(begin < until and since < end for begin, end in times):
            found.append(replace(span, since=max(since, 0), until=until))
    return found


def just_before(span: Span) -> Span:
    """Return the stretch before a span that is as long, whatever hours it has."""
    return replace(span, since=max(2 * span.since - span.until, 0), until=span.since)
