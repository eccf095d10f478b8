"""Every sink of the table has a file that opens its targets, and a scheme of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftline.consumer import deliver
from driftline.consumer.deliver.alertmanager import Alertmanager
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.sinks import SINKS, Sink, sink_of
from driftline.consumer.deliver.target import Access


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_it_opens_what_its_scheme_names(sink: Sink) -> None:
    assert (Path(deliver.__file__ or "").parent / f"{sink.name}.py").exists()
    assert sink_of(sink.example) is sink
    assert sink_of(sink.example.replace("http", "HTTP")) is sink
    opened = sink.open(sink.example, Access())
    assert opened.name
    assert "XXXX" not in opened.name
    assert "password" not in opened.name


def test_what_is_said_of_them_differs() -> None:
    for texts in ([s.name for s in SINKS], [s.receiver for s in SINKS], [s.gets for s in SINKS]):
        assert all(texts)
        assert len(set(texts)) == len(texts)
    schemes = [scheme for sink in SINKS for scheme in sink.schemes]
    assert len(set(schemes)) == len(schemes)
    assert [sink.name for sink in SINKS if not sink.schemes] == ["apprise"]


def test_what_stands_before_a_plus_only_chooses() -> None:
    url = "Alertmanager+HTTP://127.0.0.1:9093/a+b"
    assert isinstance(sink_of(url).open(url, Access()), Alertmanager)


@pytest.mark.parametrize("url", ["", "hooks.example/s3cret", "://s3cret", "a b://s3cret"])
def test_a_target_without_a_scheme_is_none(url: str) -> None:
    with pytest.raises(AlertsError) as error:
        sink_of(url)
    assert str(error.value) == (
        "a target is a URL, and its scheme says what it is: https://, alertmanager+https://,"
        " slack+https://, or one that apprise knows, such as mailto://"
    )
