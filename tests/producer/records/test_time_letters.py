"""Letters that a pattern takes for others: no text makes the reading of times fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.time_form import TimeForm
from driftline.producer.records.time_text import _MONTH
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps

LOOKALIKES = {"i": "iIıİ", "s": "sSſ", "k": "kK\u212a", "û": "ûÛ"}
MONTH = st.sampled_from([*_MONTH]).flatmap(
    lambda name: st.tuples(
        *(st.sampled_from(LOOKALIKES.get(char, char + char.upper())) for char in name)
    ).map("".join)
)
DATE = st.sampled_from(["1 {} 2019", "{} 1, 2019 10:15", "2019-{}-01", "{} 2019", "{}"])


@given(
    st.lists(
        st.builds(str.format, DATE, MONTH)
        | st.text(st.characters(categories=["L", "N"]) | st.sampled_from(" -:/.,"))
    ),
    st.sampled_from([TimeForm(), TimeForm(format="%d %B %Y"), TimeForm(format="%b %Y")]),
)
def test_no_text_raises(texts: list[str], form: TimeForm) -> None:
    one_by_one = [parse_timestamp(text, form) for text in texts]
    read = [UNREADABLE if time is None else time for time in one_by_one]
    assert parse_timestamps(texts, form).tolist() == read
