"""The form that asks a person for the token, where reading needs it; it runs no script."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftline.consumer.ui.access import COOKIE, Access
from driftline.consumer.ui.files import content_policy

PATH = "/sign-in"
_SECONDS = 30 * 86_400
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in · Driftline</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<main>
<h1>Driftline</h1>
<form method="post" action="{path}">
<p>{note}</p>
<p><label>Token <input name="token" type="password" required autofocus
 autocomplete="current-password"></label> <button>Sign in</button></p>
</form>
</main>
</html>
"""


def form(*, refused: bool = False) -> Response:
    """Return the form; `refused`: whether another token was typed before."""
    note = "This is not the token. " if refused else ""
    note += "The token stands in the file that driftline ui was given as --token-file."
    page = _PAGE.format(path=PATH, note=note)
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": content_policy(b"")}
    return HTMLResponse(page, 401, headers)


def sign_in(access: Access, request: Request, body: bytes) -> Response:
    """Answer the form: a cookie and the way back to the page, or the form again."""
    given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
    if not access.is_token(given.strip()):
        return form(refused=True)
    answer = RedirectResponse("/", 303)
    secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    answer.set_cookie(
        COOKIE, access.cookie, _SECONDS, httponly=True, samesite="strict", secure=secure
    )
    return answer
