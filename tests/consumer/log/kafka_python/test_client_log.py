"""What the Kafka client writes reaches the log in few lines, without what helps nobody."""

from __future__ import annotations

import logging
import selectors
import socket
import sys

import pytest

from driftline.consumer.log.kafka_python.client_log import EVERY, ClientLog


def record(error: Exception | None = None, at: float = 0.0) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            raise error
        except Exception:
            exc_info = sys.exc_info()
    made = logging.LogRecord("kafka.net", logging.ERROR, "net.py", 7, "lost %s", ("it",), exc_info)
    made.created = at
    return made


def test_a_lost_connection_has_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    ClientLog().emit(record(ConnectionResetError(104, "reset by peer")))
    assert caplog.records[0].exc_info is None
    assert caplog.messages == ["lost it (ConnectionResetError: [Errno 104] reset by peer)"]


def test_a_connection_that_is_closed_while_it_is_read_has_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = AttributeError("'NoneType' object has no attribute 'recv'", name="recv", obj=None)
    ClientLog().emit(record(gone))
    assert caplog.records[0].exc_info is None


def test_a_closed_connection_that_is_waited_for_has_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    with pytest.raises(ValueError, match="descriptor") as caught:
        selectors.DefaultSelector().register(ours, selectors.EVENT_READ)
    ClientLog().emit(record(caught.value))
    assert caplog.records[0].exc_info is None


def test_a_fault_of_the_client_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    ClientLog().emit(record(AttributeError("no such thing")))
    assert caplog.records[0].exc_info is not None
    assert caplog.messages == ["lost it"]


def test_a_place_speaks_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    log = ClientLog()
    for second in range(int(EVERY) + 1):
        log.emit(record(at=float(second)))
    assert caplog.messages == ["lost it", "lost it (59 more like this before)"]
