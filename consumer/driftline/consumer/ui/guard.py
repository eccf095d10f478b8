"""What every request passes: this host, this site, the token; and headers of every answer."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from driftline.consumer.ui import sign_in
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.api import PREFIX
from driftline.consumer.ui.files import HEADERS
from driftline.consumer.ui.problem import refusal

_OPEN = ("/livez", sign_in.PATH)  # to everybody: they show nothing


class Guard:
    """Refuses what may not come through.

    Paths go on as they were sent: names in them stay percent-encoded until they are told apart.

    Args:
        app: what is behind it.
        access: who may read and write.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": scope["raw_path"].partition(b"?")[0].decode("latin-1")}
        refused = self._refused(Request(scope))
        await (refused or self._app)(scope, receive, _adding(HEADERS.items(), send))

    def _refused(self, request: Request) -> Response | None:
        path, host = request.scope["path"], request.headers.get("host", "")
        authorization = request.headers.get("authorization", "")
        if path == "/livez":
            return None
        if not self._access.is_here(host):
            return refusal(
                HTTPStatus.FORBIDDEN,
                f"{host} is no name of this page: set ui.url to the address that people use",
            )
        if request.method not in ("GET", "HEAD"):
            if not self._access.is_ours(host, request.headers.get("origin")):
                return refusal(HTTPStatus.FORBIDDEN, "pages of other sites may not write here")
            if path != sign_in.PATH and self._access.token is not None:
                return None if self._access.has_token(authorization) else _unknown()
        if path in _OPEN or self._access.reads(authorization, request.cookies):
            return None
        return _unknown() if path.startswith((f"{PREFIX}/", "/static/")) else sign_in.form()


def _unknown() -> Response:
    return refusal(
        HTTPStatus.UNAUTHORIZED,
        "send the token: Authorization: Bearer TOKEN",
        {"WWW-Authenticate": 'Bearer realm="driftline"'},
    )


def _adding(headers: Iterable[tuple[str, str]], send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            for name, value in headers:
                found[name] = value
        await send(message)

    return add
