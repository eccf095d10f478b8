"""URLs in the configuration: those that anybody may see hold no login."""

from __future__ import annotations

from urllib.parse import urlsplit


def web_address(value: str, example: str) -> str:
    """Return a URL of http or https.

    Args:
        value: as it was written.
        example: how one may look, for the error.

    Raises:
        ValueError: it is none, or holds a login.

    >>> web_address("https://wiki.example/m", "https://wiki.example/runbook")
    'https://wiki.example/m'
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not a URL, write for example {example}")
    if parts.username or parts.password:
        raise ValueError("a URL that others see must not hold a login: remove the part before @")
    return value
