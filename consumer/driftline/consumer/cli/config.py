"""`driftline config`: the effective configuration, and the schema for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer import config as configuration
from driftline.consumer.cli import load_config
from driftline.consumer.cli.options import ConfigFile
from driftline.consumer.cli.schema import schema as print_schema
from driftline.consumer.cli.terminal import out, out_json

config = typer.Typer(
    name="config", help="Show the effective configuration, or its schema.", no_args_is_help=True
)


@config.command()
def show(
    config: ConfigFile = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print what holds: file, environment and defaults worked in, secrets masked."""
    loaded = load_config.read_config(config, offline=True, needs_models=False)
    from driftline.consumer.service.references import known_panes

    panes = known_panes(loaded.config)
    if json:
        out_json(configuration.effective(loaded, panes))
    else:
        out(configuration.show(loaded, panes).rstrip("\n"))


@config.command()
def schema() -> None:
    """Print the JSON Schema of driftline.yaml, for editors."""
    print_schema("config")
