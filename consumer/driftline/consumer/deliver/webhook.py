"""Post alert records as JSON to a URL.

A URL may hold a secret, so that messages name the host only, never what the client says of the URL.
"""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import msgspec

from driftline.consumer.deliver.dispatcher import Attempts, Counts, Dispatcher, forward
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber
from driftline.consumer.wire.records import Alert

Post = Callable[[Any], None]
"""Posts one JSON document; raises `DeliveryError`."""

_NOT_IN_A_URL = re.compile(r"[^!-~]")
_HOST_NAME = re.compile(r"(?!.{254})[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Webhook:
    """Posts JSON to one URL; follows no redirect.

    Args:
        url: http or https.
        timeout: seconds for connecting, and for each wait for the answer.

    Raises:
        AlertsError: not such a URL.
    """

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._host = _host_of(url)
        self._url = url
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __call__(self, document: Any) -> None:
        """Post one JSON document.

        Raises:
            DeliveryError: not accepted; trying again helps unless the server refuses it as such.
        """
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked
            self._url,
            msgspec.json.encode(document),
            {"Content-Type": "application/json", "User-Agent": "driftline"},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._timeout):
                return
        except urllib.error.HTTPError as error:
            error.close()
            again = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _PASSING
            raise DeliveryError(f"{self._host} answered {error.code}", again) from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            raise DeliveryError(f"{self._host} cannot be reached: {reason}") from None
        except (HTTPException, ValueError):  # their texts may hold the URL, or a proxy's password
            raise DeliveryError(f"{self._host} did not answer as an HTTP server does") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: an alert goes to the named host or nowhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def post_each(
    subscriber: AlertSubscriber,
    url: str,
    stop: threading.Event,
    message: Callable[[Alert], Any],
    attempts: Attempts | None = None,
    follow: bool = True,
) -> Counts:
    """Post a JSON document for each record that a subscriber brings, until stopped; one at a time.

    Args:
        subscriber: which alerts, and where to begin.
        url: the webhook's.
        stop: set to end.
        message: returns the JSON document of a record.
        attempts: how often to try.
        follow: go on when all that is there has been handled.

    Raises:
        AlertsError: not a URL.
        LogError, WorkerLost: the topic cannot be read.
    """
    post = Webhook(url)

    def deliver(record: AlertRecord) -> None:
        post(message(record.alert))

    with ThreadPoolExecutor(1, "driftline-webhook") as executor:
        dispatcher = Dispatcher(
            deliver, executor, 1, attempts or Attempts(), time.monotonic, subscriber.done
        )
        forward(subscriber, dispatcher, stop.wait, stop.is_set, follow)
    return dispatcher.counts


def _host_of(url: str) -> str:
    """Return the host that a URL names.

    Raises:
        AlertsError: nothing can be posted to it; the message holds nothing of the URL.
    """
    if _NOT_IN_A_URL.search(url):
        raise AlertsError(
            "the webhook's URL holds a blank, a line break or another character that no URL has:"
            " copy it again, or write the character as %XX"
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        if "@" in parts.netloc:
            raise AlertsError(
                "the webhook's URL holds a user or password, which is not sent: leave it out"
            )
        if "[" not in parts.netloc and host and not _HOST_NAME.fullmatch(host):
            raise ValueError
    except ValueError:
        raise AlertsError("the webhook's URL cannot be read: check host and port") from None
    if parts.scheme not in ("http", "https") or not host:
        raise AlertsError("the webhook's URL has to be http://host/... or https://host/...")
    return host
