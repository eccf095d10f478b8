"""Addresses of the page: whatever a name holds, it is one part of a path."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.wire.addresses import alert_links, view_path


@given(st.text(), st.text())
def test_names_come_back(model: str, feature: str) -> None:
    path = view_path("feature", model=model, feature=feature)
    _, first, found, second, name = path.split("/")
    assert (first, second) == ("models", "features")
    assert (unquote(found), unquote(name)) == (model, feature)


def test_without_a_page_there_is_no_link() -> None:
    assert alert_links(None, "a") is None
