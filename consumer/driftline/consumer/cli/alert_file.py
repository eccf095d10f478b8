"""An alert out of a file: its record, or those that `driftline backtest --json` prints."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.wire.records import Alert
from driftline.producer.records.names import listed

STDIN = "-"


class _Record(msgspec.Struct):
    schema: str = ""


def is_file(text: str) -> bool:
    """Tell whether ALERT names a file, or standard input, not an id."""
    return text == STDIN or Path(text).exists()


def read_alert(file: str, alert_id: str = "") -> Alert:
    """Return the newest record of the alert in a file.

    Args:
        file: JSON, one record a line; others than alerts are passed over. `-`: standard input.
        alert_id: of the alert, or enough of its beginning; empty if the file has only one.

    Raises:
        CommandError: the file cannot be read, or does not have exactly one such alert.
    """
    name = "standard input" if file == STDIN else file
    try:
        text = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: cannot be read: {error.strerror}") from None
    newest: dict[str, Alert] = {}
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
                "  driftline backtest --json  or  driftline alerts show --json  prints"
            ) from None
        known = newest.get(alert.alert_id)
        if alert.alert_id.startswith(alert_id) and (not known or known.revision <= alert.revision):
            newest[alert.alert_id] = alert
    if not newest:
        raise CommandError(f"{name}: has no {f'alert {alert_id}' if alert_id else 'alert'}")
    if len(newest) > 1:
        ids = listed(list(newest))
        if alert_id:
            raise CommandError(f"{alert_id}: {len(newest)} alerts in {name} begin so: {ids}")
        raise CommandError(
            f"{name}: has {len(newest)} alerts: name one, and the file with --alerts: {ids}"
        )
    return next(iter(newest.values()))
