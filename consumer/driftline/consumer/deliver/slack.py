"""Slack's form of a message: one for each record.

https://api.slack.com/messaging/webhooks. Mattermost, Rocket.Chat and Zulip accept the same.
"""

from __future__ import annotations

import threading

from driftline.consumer.deliver.dispatcher import Attempts, Counts
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.deliver.webhook import post_each
from driftline.consumer.wire.records import Alert


def slack_message(alert: Alert) -> dict[str, str]:
    """Return one record as a message for Slack.

    The text has the status and severity, the sentence, and links to the page and the runbook.
    """
    head = "RESOLVED" if alert.status == "resolved" else f"FIRING {alert.severity}"
    text = f"*{head}*  {_escaped(alert.summary)}"
    if alert.owner is not None:
        text += f"\nowner {_escaped(alert.owner)}"
    for name, url in {**(alert.links or {}), "runbook": alert.runbook}.items():
        if url is not None:
            text += f"\n<{_escaped(url).replace('|', '%7C')}|{_escaped(name)}>"
    return {"text": text}


def send(
    subscriber: AlertSubscriber,
    url: str,
    stop: threading.Event,
    attempts: Attempts | None = None,
    follow: bool = True,
) -> Counts:
    """Post a message for each record, see `post_each`.

    Raises:
        AlertsError: not a URL.
        LogError, WorkerLost: the topic cannot be read.
    """
    return post_each(subscriber, url, stop, slack_message, attempts, follow)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
