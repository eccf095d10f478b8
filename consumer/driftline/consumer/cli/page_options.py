"""Options of the verbs that serve the page, and what they say of who may read and write."""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config.secret_file import read_password
from driftline.consumer.ui.access import LOCAL, Access
from driftline.producer.errors import MissingExtraError

Host = Annotated[
    str | None, typer.Option(metavar="HOST", help="Where to listen.  [default: 127.0.0.1]")
]
PagePort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="0: any free one.  [default: 9110]"),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Holds a token: with it alerts can be marked on the page; where others than this "
        "machine get there, reading needs it too.",
    ),
]
NoToken = Annotated[
    bool,
    typer.Option(
        "--no-token", help="Let everybody read who gets there: a reverse proxy asks who it is."
    ),
]
DEFAULT_PORT = 9110
"""Of the page, where no configuration has another."""
_EXTRA = ("starlette", "uvicorn", "sse_starlette")
_SHORTEST = 16


def require_page() -> None:
    """Refuse to serve the page where what serves it is not installed.

    Raises:
        MissingExtraError: it is not.
    """
    if any(find_spec(name) is None for name in _EXTRA):
        raise MissingExtraError('the page needs the extra ui: pip install "driftline[ui]"')


def read_access(
    host: str, token_file: Path | None, *, no_token: bool = False, url: str | None = None
) -> Access:
    """Return who may read and write.

    Args:
        host: where the page listens.
        token_file: holds the token, None: nobody writes.
        no_token: whether a reverse proxy guards the page.
        url: the page as people reach it.

    Raises:
        CommandError: the token cannot be read, or everybody could read the page.
    """
    token = None if token_file is None else _token(token_file)
    names = {urlsplit(url).hostname or ""} if url else set()
    if is_local(host):
        return Access(token, False, LOCAL | names)
    if no_token:
        return Access(token, False, LOCAL | names if names else None)
    if token is None:
        raise CommandError(
            f"everybody who gets to {host} could read the page: give --token-file FILE, or "
            "--no-token where a reverse proxy asks who it is"
        )
    return Access(token, True, None)


def is_local(host: str) -> bool:
    """Tell whether only this machine gets to a host.

    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("::1"), is_local("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(file: Path) -> str:
    try:
        token = read_password(file).strip()
    except OSError as error:
        raise CommandError(f"--token-file: {file} cannot be read: {error.strerror}") from None
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable():
        raise CommandError(
            f"--token-file: {file} must hold at least {_SHORTEST} printable characters of ASCII:"
            f" openssl rand -hex 32 > {file}"
        )
    return token
