"""Messages to what apprise knows: chats, pagers, mail; it comes with the extra `notify` only.

https://github.com/caronc/apprise: the scheme of a URL names the service. Where a service keeps
messages together by a key of the sender's, the key is the incident's id, unless the URL has one.
"""

from __future__ import annotations

import logging
import warnings
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.incidents import Update
from driftline.consumer.deliver.message_text import message_text, severity
from driftline.consumer.deliver.target import Access, MessageTarget

_THREADS = {
    "pagerduty": {"dedup": "{incident}", "action": "map"},
    "opsgenie": {"alias": "{incident}"},
}
"""By scheme: parameters of a URL that keep the messages of one incident together."""


class Service:
    """One service that apprise knows.

    Args:
        url: its URL, which may hold secrets.

    Raises:
        AlertsError: apprise is not installed, or knows no such URL.
    """

    def __init__(self, url: str) -> None:
        scheme = url.partition("://")[0].lower()
        try:
            self._apprise: Any = import_module("apprise")
        except ImportError:
            raise AlertsError(
                f'{scheme}:// needs the extra notify: pip install "driftline[notify]"'
            ) from None
        self._logger = logging.getLogger("apprise")
        self._url = url
        self._threads = _THREADS.get(scheme, {})
        self._open: dict[str, Any] = {}  # by incident: what was sent last may have to be closed
        with warnings.catch_warnings():
            # Its plugins, which are imported now, use what later versions of Python drop.
            warnings.simplefilter("ignore", DeprecationWarning)
            found = self._instance(url)
        if found is None:
            raise AlertsError(
                f"a URL with {scheme}:// is none that apprise knows: see"
                " https://github.com/caronc/apprise/wiki, or post to a webhook with https://"
            )
        self.name: str = str(found.service_name)

    def send(self, update: Update) -> None:
        """Send one message.

        Raises:
            DeliveryError: it was not accepted, or nobody answers.
        """
        kinds = self._apprise.NotifyType
        kind = kinds.FAILURE if severity(update) == "critical" else kinds.WARNING
        incident = update.incident_id
        target = self._open.get(incident) or self._instance(self._of(incident))
        if self._threads:
            self._open[incident] = target
        text = message_text(update)
        sent = target.notify(
            body=text.body,
            title=text.title,
            notify_type=kinds.SUCCESS if update.over else kind,
            body_format=self._apprise.NotifyFormat.TEXT,
        )
        if not sent:
            raise DeliveryError(f"{self.name} did not take it")
        if update.over:
            self._open.pop(incident, None)

    def _of(self, incident: str) -> str:
        """Return the URL with the parameters that keep an incident's messages together."""
        known = parse_qs(urlsplit(self._url).query, keep_blank_values=True)
        more = {
            name: value.format(incident=incident)
            for name, value in self._threads.items()
            if name not in known
        }
        if not more:
            return self._url
        return f"{self._url}{'&' if '?' in self._url else '?'}{urlencode(more)}"

    def _instance(self, url: str) -> Any:
        """Return what sends to a URL, None if there is none."""
        self._logger.disabled = True  # it would write the URL with its secrets
        try:
            return self._apprise.Apprise.instantiate(url, suppress_exceptions=True)
        finally:
            self._logger.disabled = False


def open_target(url: str, access: Access) -> MessageTarget:
    """Return what sends messages to a service.

    Raises:
        AlertsError: as `Service`.
    """
    service = Service(url)
    return MessageTarget(service.name, service.send)
