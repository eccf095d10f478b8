"""`driftline apply`: models to a running service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.options import BootstrapServers, Json

Who = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who applies it.  [default: user@host]")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would change; write nothing.")]


def apply(
    file: Annotated[
        Path,
        typer.Option(
            "--file", "-f", metavar="FILE", help="The configuration whose models are applied."
        ),
    ],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what was applied and is not in the file.")
    ] = False,
    dry_run: DryRun = False,
    who: Who = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Apply the models of a file to workers whose own file names none.

    Sources and comparisons too. What is not in the file stays, unless it is pruned. Workers take
    changes up from the next pane on, without a restart.
    """
    loaded = load_config.read_config(file, bootstrap_servers=bootstrap_servers)
    load_config.require_service(loaded)
    from driftline.consumer.cli import apply_actions

    apply_actions.apply(loaded, who, prune=prune, dry_run=dry_run, as_json=json)
