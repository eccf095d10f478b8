"""An alert out of a file: its record, or those that `driftline backtest --json` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.views.alert_index import newest
from driftline.consumer.wire.records import Alert
from driftline.producer.records.names import listed

STDIN = "-"


class _Record(msgspec.Struct):
    schema: str = ""


def is_file(text: str) -> bool:
    """Tell whether ALERT names a file, or standard input, not an id."""
    return text == STDIN or Path(text).exists()


def read_alerts(file: str) -> list[Alert]:
    """Return the newest record of each alert in a file.

    Args:
        file: JSON, one record a line; others than alerts are passed over. `-`: standard input.

    Raises:
        CommandError: the file cannot be read, or has no alert.
    """
    name = _name(file)
    try:
        text = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: cannot be read: {error.strerror}") from None
    found: list[Alert] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            if msgspec.json.decode(line, type=_Record).schema != "driftline.alert.v1":
                continue
            alert = msgspec.json.decode(line, type=Alert)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise CommandError(
                f"{name}: line {number} is no record of an alert: give what"
                "  driftline backtest --alerts  or  driftline alerts show --json  writes"
            ) from None
        found.append(alert)
    if not found:
        raise CommandError(f"{name}: has no alert")
    return newest(found, lambda alert: alert)


def choose(alerts: Sequence[Alert], file: str, alert_id: str = "") -> Alert:
    """Return one of the alerts of a file.

    Args:
        alerts: all of them.
        file: for errors.
        alert_id: of the alert, or enough of its beginning; empty if there is only one.

    Raises:
        CommandError: it is none of them, or may be several.
    """
    found = [alert for alert in alerts if alert.alert_id.startswith(alert_id)]
    if len(found) == 1:
        return found[0]
    ids = listed([alert.alert_id for alert in found or alerts])
    if not found:
        raise CommandError(f"{_name(file)}: has no alert {alert_id}, but {ids}")
    if alert_id:
        raise CommandError(f"{alert_id}: {len(found)} alerts in {_name(file)} begin so: {ids}")
    raise CommandError(
        f"{_name(file)}: has {len(found)} alerts: name one, and the file with --alerts: {ids}"
    )


def _name(file: str) -> str:
    return "standard input" if file == STDIN else file
