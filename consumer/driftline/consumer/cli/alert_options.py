"""Options that several verbs of `driftline alerts` have."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.wire import kinds

AlertId = Annotated[str, typer.Argument(help="The alert, or the beginning of its id.")]
Who = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who says it; your login name if not given.")
]
Why = Annotated[str | None, typer.Option(metavar="TEXT", help="The reason.")]
Clear = Annotated[bool, typer.Option("--clear", help="Take it back.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME", help="Only of this model.")
]
Severity = Annotated[kinds.Severity | None, typer.Option(help="This severity or worse.")]
Status = Annotated[kinds.Status | None, typer.Option(help="Only these records.")]
Features = Annotated[
    list[str] | None, typer.Option("--feature", metavar="GLOB", help="Only of these features.")
]
Position = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keeps where it stopped; else begin with what fires now."),
]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more, until Ctrl-C.")]


def login_name() -> str:
    """Return the user's login name.

    Raises:
        CommandError: it is not known.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # ImportError: where there is no such list of users
        raise CommandError("--who: say who you are, your login name is not known") from None
