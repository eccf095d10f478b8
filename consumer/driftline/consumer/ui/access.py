"""Who may read and who may write: tokens, and pages of other sites.

Reading is open where only this machine, or a reverse proxy, gets here; else it needs the token, and
writing always does. A program sends it as `Authorization: Bearer`. A person types it once and gets
a cookie, which reads only: so no other site can write with it. On this machine a request has to
name this host, so that no foreign name can be made to lead here (DNS rebinding).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "driftline"


@dataclass(frozen=True)
class Access:
    """What a request must bring.

    Attributes:
        token: that writing needs; None: nobody writes.
        guarded: whether reading needs it too.
        hosts: names that a request may have for this host; None: any.
    """

    token: str | None = None
    guarded: bool = False
    hosts: frozenset[str] | None = LOCAL

    def is_here(self, host: str) -> bool:
        """Tell whether a `Host` header names this host.

        >>> [Access().is_here(host) for host in ("localhost:9110", "[::1]:9110", "evil.example")]
        [True, True, False]
        """
        return self.hosts is None or _name(host) in self.hosts

    def is_ours(self, host: str, origin: str | None) -> bool:
        """Tell whether a request that may change something comes from the page itself.

        `origin`: of the page that sends it, which every browser says; None: no browser.

        >>> Access().is_ours("localhost:9110", "http://localhost:9110")
        True
        >>> Access().is_ours("localhost:9110", "http://evil.example")
        False
        """
        if origin is None:
            return True
        where = urlsplit(origin).netloc.lower()
        return where == host.lower() or (self.hosts is not None and _name(where) in self.hosts)

    def has_token(self, authorization: str) -> bool:
        """Tell whether an `Authorization` header brings the token.

        >>> Access("s3cret").has_token("Bearer s3cret"), Access().has_token("Bearer s3cret")
        (True, False)
        """
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip())

    def is_token(self, given: str) -> bool:
        """Tell whether a text is the token, in the same time whatever it is."""
        known = self.token
        return known is not None and hmac.compare_digest(given.encode(), known.encode())

    @property
    def cookie(self) -> str:
        """What a browser keeps once the token was typed; the token cannot be got from it."""
        return hmac.new((self.token or "").encode(), b"driftline page", hashlib.sha256).hexdigest()

    def reads(self, authorization: str, cookies: Mapping[str, str]) -> bool:
        """Tell whether a request may read."""
        if not self.guarded or self.has_token(authorization):
            return True
        kept = cookies.get(COOKIE, "")
        return self.token is not None and hmac.compare_digest(kept.encode(), self.cookie.encode())


def _name(host: str) -> str:
    """Return the name in `name:port`, in lower case.

    >>> _name("Drift.Example:80"), _name("[::1]"), _name("localhost")
    ('drift.example', '::1', 'localhost')
    """
    bare = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return bare.lower().rstrip(".")
