from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.durations import UNITS, format_duration, parse_duration

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", HOUR + 1_800_000),
        ("30d", 720 * HOUR),
        ("2w", 336 * HOUR),
        ("1y", 8760 * HOUR),
        ("500ms", 500),
        ("1w2d3h4m5s6ms", (7 + 2) * 24 * HOUR + 3 * HOUR + 4 * 60_000 + 5_006),
        ("0s", 0),
    ],
)
def test_parse(text: str, duration: int) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (144 * HOUR, "6d"),
        (336 * HOUR, "14d"),
        (HOUR + 1_800_000, "1h30m"),
        (500, "500ms"),
        (0, "0s"),
        (36 * HOUR, "1d12h"),
    ],
)
def test_format(duration: int, text: str) -> None:
    assert format_duration(duration) == text


@given(st.integers(0, 100 * UNITS["y"]))
def test_what_is_written_reads_back(duration: int) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(st.text(alphabet="0123456789ymwdhs .-", max_size=8))
def test_a_text_is_a_duration_or_an_error(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "h", "1.5h", "-1h", "1m1h", "1h1h", " 1h", "1h\n", "٣h"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration; write for example 90s, 5m, 1h30m or 30d"):
        parse_duration(text)


def test_too_long() -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        parse_duration("101y")
