"""The lines of `driftline alerts tail`."""

from __future__ import annotations

import time

from driftline.consumer.cli.alert_text import alert_line
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.deliver.subscriber import AlertSubscriber, in_order

_PAUSE = 1.0  # seconds between two looks at the topic


def print_all(subscriber: AlertSubscriber, *, quiet: bool, follow: bool, as_json: bool) -> None:
    """Print the alerts that are there, then those that come, until Ctrl-C.

    Args:
        subscriber: reads them.
        quiet: do not say that nothing fires.
        follow: wait for more.
        as_json: one document a line.
    """
    records = in_order(subscriber.poll())
    if not records and not quiet:
        say("nothing fires now")
    while True:
        for record in records:
            if as_json:
                out_json(record.alert)
            else:
                out(alert_line(record.alert))
            subscriber.done(record)
        if not follow:
            return
        time.sleep(_PAUSE)
        records = in_order(subscriber.poll())
