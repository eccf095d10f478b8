"""The page and its API as an ASGI application over a source of answers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.ui import api, sign_in, tables
from driftline.consumer.ui.access import Access
from driftline.consumer.ui.body import Body, Kept
from driftline.consumer.ui.files import PageFiles
from driftline.consumer.ui.guard import Guard
from driftline.consumer.ui.listeners import Listeners
from driftline.consumer.ui.openapi import document
from driftline.consumer.ui.problem import failed, refused, unavailable
from driftline.consumer.ui.source import MarkRequest, Source
from driftline.consumer.ui.stream import stream
from driftline.consumer.wire.addresses import VIEWS
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.messages import Acceptance
from driftline.errors import DriftlineError
from driftline.producer.records.names import is_metric

_JSON = "application/json"
_LARGEST_REQUEST = 16_384  # bytes of what is written of an alert

T = TypeVar("T")
Endpoint = Callable[[Request], Any]


def application(
    source: Source, listeners: Listeners, access: Access, files: PageFiles | None = None
) -> Starlette:
    """Return the application.

    Args:
        source: what it shows.
        listeners: open pages, told what changed.
        access: who may read and write.
        files: of the page; None: those of this package.
    """
    files = files or PageFiles()
    kept = Kept()
    paths = [Path(api.PREFIX + each.path, _reading(each, source, kept)) for each in api.ROUTES]
    paths += [
        Path(f"{api.PREFIX}/alerts/{{alert_id}}/marks", _marking(source, access), methods=["POST"]),
        Path(
            f"{api.PREFIX}/models/{{model}}/acceptances",
            _accepting(source, access),
            methods=["POST"],
        ),
        Path(f"{api.PREFIX}/stream", _streaming(listeners)),
        Path(f"{api.PREFIX}/openapi.json", _fixed(Body(msgspec.json.encode(document()), _JSON))),
        Path("/livez", _fixed(Body(b'{"ok":true}\n', _JSON))),
        Path(sign_in.PATH, _signing_in(access), methods=["POST"]),
        Path("/static/{name:path}", _file(files)),
        *(Path(path, _fixed(files.index)) for path in VIEWS.values()),
    ]
    app = Starlette(
        routes=paths,
        exception_handlers={
            HTTPException: _missing(files),
            DriftlineError: unavailable,
            Exception: failed,
        },
    )
    app.add_middleware(Guard, access=access)
    return app


def _reading(route: api.Route, source: Source, kept: Kept) -> Endpoint:
    async def read(request: Request) -> Response:
        names = {name: _named(request, name) for name in route.names}
        asked = api.Asked(names, _parameters(route, request))
        as_csv = route.rows is not None and _is_csv(request)
        # What asks the same gets the same: however names are written, whatever else is given.
        key = (route.path, as_csv, *names.values(), *asked.parameters.items())

        def make() -> Body:
            try:
                found = route.find(source, asked)
            except ValueError as error:
                raise HTTPException(400, str(error)) from None
            if found is None:
                what = " / ".join(names.values())
                raise HTTPException(404, f"{what}: nothing is known of it, or nothing any more")
            if as_csv and route.rows is not None:
                return Body(tables.to_csv(route.rows(found)), tables.MEDIA_TYPE)
            return Body(msgspec.json.encode(found), _JSON)

        def answer() -> Response:  # a large one takes time to compress, too
            body = kept.body(key, lambda: source.version, make) if route.kept else make()
            return body.response(request)

        return await run_in_threadpool(answer)

    return read


def _parameters(route: api.Route, request: Request) -> dict[str, Any]:
    """Return what is asked for, converted; parameters that nobody knows are left alone.

    Raises:
        HTTPException: one is not as it must be.
    """
    found: dict[str, Any] = {}
    for each in route.parameters:
        text = request.query_params.get(each.name)
        if text:
            found[each.name] = _converted(each, text)
    return found


def _converted(parameter: api.Parameter, text: str) -> Any:
    try:
        return msgspec.convert(text, parameter.type, strict=False)
    except msgspec.ValidationError as error:
        raise HTTPException(400, f"{parameter.name}: {error}; {parameter.about}") from None


def _is_csv(request: Request) -> bool:
    text = request.query_params.get(api.FORMAT.name)
    return bool(text) and _converted(api.FORMAT, text or "") == "csv"


def _named(request: Request, name: str) -> str:
    """Return a name of the path, as it is."""
    try:
        return unquote(request.path_params[name], errors="strict")
    except UnicodeDecodeError:
        raise HTTPException(400, f"{name}: percent-encode it as UTF-8") from None


def _marking(source: Source, access: Access) -> Endpoint:
    def write(alert_id: str, asked: MarkRequest) -> Marks:
        if source.alert(alert_id) is None:
            raise HTTPException(404, f"{alert_id}: there is no such alert")
        return source.mark(alert_id, asked)

    return _writing(access, "alert_id", MarkRequest, write, "mark")


def _accepting(source: Source, access: Access) -> Endpoint:
    def write(model: str, asked: AcceptanceRequest) -> Acceptance:
        if source.model(model, None) is None:
            raise HTTPException(404, f"{model}: there is no such model")
        name = asked.feature
        if name and not is_metric(name) and source.feature(model, name, None, None) is None:
            raise HTTPException(404, f"{name}: {model} has no such feature")
        return source.accept(model, asked)

    return _writing(access, "model", AcceptanceRequest, write, "acceptance")


def _writing(
    access: Access, name: str, kind: type[T], write: Callable[[str, T], Any], what: str
) -> Endpoint:
    """Return what writes something of the `name` in the path, `what`, sent as a `kind`."""

    async def answer(request: Request) -> Response:
        if access.token is None:
            why = "are not written here: start the page with --token-file"
            raise HTTPException(403, f"{what}s {why}")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
            raise HTTPException(415, f"send it with Content-Type: {_JSON}")
        try:
            asked = msgspec.json.decode(await _content(request), type=kind)
        except msgspec.DecodeError as error:
            raise HTTPException(400, f"the {what}: {error}") from None
        about = _named(request, name)

        def written() -> Body:
            try:
                return Body(msgspec.json.encode(write(about, asked)), _JSON)
            except AlertsError as error:
                raise HTTPException(400, str(error)) from None

        return (await run_in_threadpool(written)).response(request)

    return answer


async def _content(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST_REQUEST:
            raise HTTPException(413, f"at most {_LARGEST_REQUEST:,} bytes are taken")
    return content


def _streaming(listeners: Listeners) -> Endpoint:
    async def listen(request: Request) -> Response:
        listener = listeners.listen()
        if listener is None:
            raise HTTPException(503, "too many pages are open: close some", {"Retry-After": "30"})
        return stream(listeners, listener)

    return listen


def _signing_in(access: Access) -> Endpoint:
    async def post(request: Request) -> Response:
        return sign_in.sign_in(access, request, await _content(request))

    return post


def _file(files: PageFiles) -> Endpoint:
    async def read(request: Request) -> Response:
        body = files.get(request.path_params["name"])
        if body is None:
            raise HTTPException(404)
        return body.response(request)

    return read


def _fixed(body: Body) -> Endpoint:
    async def answer(request: Request) -> Response:
        return body.response(request)

    return answer


def _missing(files: PageFiles) -> Callable[[Request, Exception], Any]:
    """Return what answers where something is refused: people get the page, programs JSON."""

    async def answer(request: Request, error: Exception) -> Response:
        path = request.scope["path"]
        page = not path.startswith((f"{api.PREFIX}/", "/static/"))
        if page and isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
            return files.index.response(request, 404)
        return await refused(request, error)

    return answer
