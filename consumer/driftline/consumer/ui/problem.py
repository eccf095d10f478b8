"""How a request is refused: one shape of JSON for all errors, RFC 9457."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """Why there is no answer.

    Attributes:
        title: the status in words.
        status: of HTTP.
        detail: one sentence: what is wrong, and what to do.
    """

    title: str
    status: int
    detail: str


def refusal(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return the answer to a request that is refused.

    Example:
        >>> refusal(HTTPStatus.NOT_FOUND, "there is no such model").body
        b'{"title":"Not Found","status":404,"detail":"there is no such model"}'
    """
    body = msgspec.json.encode(Problem(status.phrase, status.value, detail))
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """Answer what was refused anywhere behind, by its `HTTPException`."""
    if not isinstance(error, HTTPException):
        raise error
    status, path = HTTPStatus(error.status_code), request.scope["path"]
    details = {404: f"there is no {path}", 405: f"{path} does not take {request.method}"}
    known = error.detail if error.detail != status.phrase else details.get(status, error.detail)
    return refusal(status, known, dict(error.headers or {}))


async def unavailable(request: Request, error: Exception) -> Response:
    """Answer where the log cannot be read or written: the error's sentence says why."""
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "5"})


async def failed(request: Request, error: Exception) -> Response:
    """Answer where nobody expected an error; Starlette raises it again, so it is logged."""
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a mistake of the page: see its log")
