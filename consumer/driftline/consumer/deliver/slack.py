"""Slack's form of a message, one for each update of an incident.

https://api.slack.com/messaging/webhooks. Mattermost, Rocket.Chat and Zulip accept the same. Such a
webhook cannot answer in a thread: that needs a token, which the scheme `slack://` of apprise takes.
"""

from __future__ import annotations

from driftline.consumer.deliver.incidents import Update
from driftline.consumer.deliver.message_text import message_text
from driftline.consumer.deliver.target import Access, MessageTarget
from driftline.consumer.deliver.webhook import Webhook


def slack_message(update: Update) -> dict[str, str]:
    """Return an update as a message for Slack."""
    text = message_text(update)
    links = [
        f"<{_escaped(url).replace('|', '%7C')}|{_escaped(name)}>"
        for name, url in text.links.items()
    ]
    return {"text": "\n".join([f"*{_escaped(text.title)}*", *map(_escaped, text.lines), *links])}


def open_target(url: str, access: Access) -> MessageTarget:
    """Return what posts messages to a URL.

    Raises:
        AlertsError: not a URL.
    """
    webhook = Webhook(url, access.headers)
    return MessageTarget(webhook.host, lambda update: webhook(slack_message(update)))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
