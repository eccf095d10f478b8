"""Post JSON to a URL.

A URL may hold a secret, so that messages name the host only, never what the client says of the URL.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import msgspec

from driftline.consumer.deliver.errors import AlertsError, DeliveryError

Post = Callable[[Any], None]
"""Posts one JSON document; raises `DeliveryError`."""

_NOT_IN_A_URL = re.compile(r"[^!-~]")
_HOST_NAME = re.compile(r"(?!.{254})[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t -~]*")
_SET_HERE = {"content-length", "content-type", "host", "transfer-encoding"}
_LONGEST_PAUSE = 3_600.0  # seconds that a Retry-After may ask for
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Webhook:
    """Posts JSON to one URL; follows no redirect.

    Args:
        url: http or https.
        headers: sent with each post; may hold a token.
        timeout: seconds for connecting, and for each wait for the answer.

    Raises:
        AlertsError: not such a URL.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, timeout: float = 10.0
    ) -> None:
        self.host = _host_of(url)
        self._url = url
        self._headers = headers or {}
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __call__(self, document: Any) -> None:
        """Post one JSON document, see `post`."""
        self.post(msgspec.json.encode(document))

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Post a body that is JSON, with more headers.

        Raises:
            DeliveryError: not accepted; trying again helps unless the server refuses it as such.
        """
        own = {"Content-Type": "application/json", "User-Agent": "driftline"}
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked
            self._url, body, {**own, **(headers or {}), **self._headers}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._timeout):
                return
        except urllib.error.HTTPError as error:
            error.close()
            again = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _PASSING
            after = _seconds_after(error.headers.get("Retry-After"), time.time) if again else 0.0
            raise DeliveryError(f"{self.host} answered {error.code}", again, after) from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            raise DeliveryError(f"{self.host} cannot be reached: {reason}") from None
        except (HTTPException, ValueError):  # their texts may hold the URL, or a proxy's password
            raise DeliveryError(f"{self.host} did not answer as an HTTP server does") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: an alert goes to the named host or nowhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def read_header(text: str) -> tuple[str, str]:
    """Return the name and the value of a header that is written `Name: value`.

    Raises:
        AlertsError: it is none, or one that the sender sets; the message holds no value.

    >>> read_header("X-Api-Key: 1 2")
    ('X-Api-Key', '1 2')
    """
    name, colon, value = text.partition(":")
    if not colon or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        raise AlertsError("a header is written 'Name: value', in ASCII and on one line")
    if name.lower() in _SET_HERE:
        raise AlertsError(f"the header {name} is set by what sends: leave it out")
    return name, value.strip()


def _seconds_after(given: str | None, now: Callable[[], float]) -> float:
    """Return the seconds of a Retry-After, which is a number or a date; 0 if there is none.

    >>> _seconds_after("120", lambda: 0.0), _seconds_after("soon", lambda: 0.0)
    (120.0, 0.0)
    >>> _seconds_after("Thu, 01 Jan 1970 00:01:00 GMT", lambda: 30.0)
    30.0
    """
    if given is None:
        return 0.0
    if re.fullmatch(r"[0-9]{1,9}", given.strip()):
        return min(float(given), _LONGEST_PAUSE)
    try:
        due = parsedate_to_datetime(given).timestamp()
    except ValueError:
        return 0.0
    return max(0.0, min(due - now(), _LONGEST_PAUSE))


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
