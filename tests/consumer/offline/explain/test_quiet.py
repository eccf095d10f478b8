"""Quiet rows are as long before an alert, at the same hours, where no alert was open."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.cli.alerted import fired
from tests.consumer.cli.records import labels_stopped

from driftline.consumer.offline.explain.quiet import busy, just_before, quiet_spans
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.wire.records import Window

HOUR, DAY = 3_600_000, 86_400_000
TIMES = st.tuples(st.integers(0, 400), st.integers(1, 60)).map(
    lambda each: (each[0] * HOUR, (each[0] + each[1]) * HOUR)
)


@given(st.integers(0, 600), st.integers(1, 400), st.lists(TIMES, max_size=4))
def test_they_are_as_long_at_the_same_hours_before_it_and_quiet(
    begin: int, length: int, alerts: list[tuple[int, int]]
) -> None:
    span = Span("m", None, begin * HOUR, (begin + length) * HOUR)
    found = quiet_spans(span, alerts)
    assert len(found) <= 7
    for each in found:
        assert each.until <= span.since
        assert (each.until - span.until) % DAY == 0
        assert each.since == 0 or each.until - each.since == length * HOUR
        open_then = [(a, b) for a, b in alerts if a < span.since]
        assert not any(a < each.until and each.since < b for a, b in open_then)
    ends = [each.until for each in found]
    assert ends == sorted(ends, reverse=True)


@pytest.mark.parametrize(("length", "stretches"), [(6, 7), (24, 7), (25, 3), (60, 2), (100, 1)])
def test_of_short_ones_there_are_several(length: int, stretches: int) -> None:
    span = Span("m", None, 100 * DAY, 100 * DAY + length * HOUR)
    assert len(quiet_spans(span, [])) == stretches


def test_when_alerts_were_open() -> None:
    one = fired()
    span = Span.of(one)
    ended = fired(status="resolved", until="2026-01-01T08:00:00Z", alert_id="a" * 16)
    other = fired(model="other", alert_id="b" * 16)
    labels = msgspec.structs.replace(labels_stopped(), model="shop")
    window = Window(None, None, 60, (1, 60))
    numbered = fired(since=None, rows=(1, 60), window=window, alert_id="c" * 16)
    known = [one, ended, other, labels, numbered]
    assert busy(known, span) == [
        (span.since, span.until),
        (span.since, span.until - 2 * HOUR),
    ]
    assert busy(known, Span.of(numbered)) == [(0, 60)]


def test_just_before() -> None:
    assert just_before(Span("m", None, 300, 500, numbered=True)).since == 100
    assert just_before(Span("m", None, 100, 500, numbered=True)).since == 0
