"""The lines of `driftline alerts tail`."""

from __future__ import annotations

import time

from driftline.consumer.cli.alert_marking import change_line, marks_text, now_text, with_marks
from driftline.consumer.cli.alert_text import alert_line
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.subscriber import AlertSubscriber, in_order
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.records import Alert

_PAUSE = 1.0  # seconds between two looks at the topic


def print_all(
    subscriber: AlertSubscriber,
    marks: MarkReader,
    *,
    quiet: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the alerts that are there, then those that come, until Ctrl-C.

    Args:
        subscriber: reads them.
        marks: what people say of them, which is printed too, as it changes.
        quiet: do not say that nothing fires.
        follow: wait for more.
        as_json: one document a line, for each record of an alert.
    """
    marks.look()
    records = in_order(subscriber.poll())
    if not records and not quiet:
        say("nothing fires now")
    firing: dict[str, Alert] = {}
    while True:
        for record in records:
            _print(record.alert, marks.newest.get(record.alert.alert_id), as_json=as_json)
            subscriber.done(record)
            firing[record.alert.alert_id] = record.alert
            if record.alert.status != "firing":
                del firing[record.alert.alert_id]
        if not follow:
            return
        time.sleep(_PAUSE)
        for changed in marks.look():
            alert = firing.get(changed.alert_id)
            if alert is not None and not as_json:
                out(change_line(alert, marks_text(changed, now_text())))
        records = in_order(subscriber.poll())


def _print(alert: Alert, marks: Marks | None, *, as_json: bool) -> None:
    if as_json:
        out_json(with_marks(alert, marks))
    else:
        out(alert_line(alert, marks_text(marks, now_text())))
