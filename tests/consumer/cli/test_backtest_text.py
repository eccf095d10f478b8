"""The text of a backtest, from records alone."""

from __future__ import annotations

import msgspec
import pytest
from tests.consumer.cli.records import alert

from driftline.consumer.cli.backtest_text import table
from driftline.consumer.offline.found import Found


def test_an_alert_counts_as_it_was_when_it_rose_last() -> None:
    found = Found("car-loan", 0)
    fired = msgspec.structs.replace(alert(), revision=1, severity="warning", effect=0.07)
    rose = alert()
    repeated = msgspec.structs.replace(alert(), revision=3, effect=2.0)
    resolved = msgspec.structs.replace(alert(), revision=4, status="resolved")
    for record in (fired, rose, repeated, resolved):
        found.add(record)
    assert found.alerts == [rose]


def test_the_table_grows_with_its_content_and_names_segments() -> None:
    long = msgspec.structs.replace(
        alert(),
        stream="car-loan/channel=web",
        segment="channel=web",
        feature="a_feature_with_a_very_long_name",
        effect=None,
    ).with_change("median 43,485, normally 21,902")
    short = alert().with_change("median 43,485, normally 21,902")
    head, first, second = table([short, long], "car-loan").splitlines()
    assert head.index("effect") == first.index("  1.53") == 29 + 45 + 2
    assert "a_feature_with_a_very_long_name (channel=web)       -  median" in second
    assert first.endswith("  56f29dcfdc4e44e8")


def test_alerts_on_the_whole_model_are_named_by_their_kind() -> None:
    stale = msgspec.structs.replace(
        alert(),
        kind="stale",
        feature=None,
        effect=None,
        summary="car-loan: no events since 2019-03-27 00:00 UTC (1 day); normally 7 an hour.",
    )
    assert "  stale  " in table([stale], "car-loan")


def test_what_a_table_shows_of_a_record_is_not_in_its_bytes() -> None:
    shown = alert().with_change("median 43,485, normally 21,902")
    assert shown == alert()
    read = msgspec.json.decode(msgspec.json.encode(shown), type=type(shown))
    assert read.change == read.summary != shown.change


@pytest.mark.parametrize(("every", "judged"), [(1, 6), (2, 6), (3, 6)])
def test_events_of_final_panes_are_counted_once_however_windows_overlap(
    every: int, judged: int
) -> None:
    """One event a day; windows of 6, 3 or 2 panes; the first ones are not whole yet."""
    found = Found("m", 0)
    for end in range(every, judged + 1, every):
        begin = max(0, end - 6)
        found.windows[begin, end] = end - begin
    assert found.events_judged() == 6
