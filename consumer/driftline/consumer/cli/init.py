"""`driftline init`: a configuration and a reference made of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli.options import DEFAULT_CONFIG


def init(
    file: Annotated[
        Path,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Events of a time when all was well: CSV, Parquet, NDJSON.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The configuration to write.")
    ] = DEFAULT_CONFIG,
    model: Annotated[
        str | None, typer.Option(help="The model's name; else of the events, or of the file.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option(help="The topic with its events; else <model>.predictions.")
    ] = None,
    actual: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column with the ground truth; else a guess."),
    ] = None,
    bootstrap_servers: Annotated[
        str, typer.Option(metavar="HOST:PORT,...", help="Your brokers.")
    ] = "localhost:9092",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a configuration for your own data.

    The columns are guessed, all rows become the reference, and a window holds about 1,000 events.
    What was guessed is said, and stands in the file to be corrected.
    """
    from driftline.consumer.cli import init_text
    from driftline.consumer.cli import reference_build as building
    from driftline.consumer.cli.init_files import Wanted, make, write
    from driftline.consumer.cli.terminal import out, say

    servers = tuple(server.strip() for server in bootstrap_servers.split(","))
    wanted = Wanted(file, output, model, topic, actual, servers, force)
    wanted.check()
    draft = make(wanted)
    size = write(draft, init_text.configuration(draft))
    for note in (*building.notes(draft.built), *init_text.notes(draft)):
        say(f"note  {note}")
    out(f"{init_text.summary(draft, size)}\n\n{init_text.next_steps(draft)}")
