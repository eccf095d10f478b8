"""Every sink of the table has a file that sends, and says who gets what."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from driftline.consumer import deliver
from driftline.consumer.deliver.sinks import SINKS, Sink, sinks_of


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_it_sends_what_a_subscriber_brings_until_stopped(sink: Sink) -> None:
    assert (Path(deliver.__file__ or "").parent / f"{sink.name}.py").exists()
    names = list(inspect.signature(sink.send).parameters)
    assert names[:3] == ["subscriber", sink.target, "stop"]
    assert "follow" in names
    assert sink.send.__doc__


def test_what_is_said_of_them_differs() -> None:
    for texts in ([s.name for s in SINKS], [s.receiver for s in SINKS], [s.gets for s in SINKS]):
        assert all(texts)
        assert len(set(texts)) == len(texts)
    assert {**sinks_of("command"), **sinks_of("url")} == {sink.name: sink for sink in SINKS}
