"""`driftline config`: the effective configuration, and the schema for editors."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli.options import ConfigFile

config = typer.Typer(
    name="config", help="Show the effective configuration, or its schema.", no_args_is_help=True
)


@config.command()
def show(
    config: ConfigFile = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print what holds: file, environment and defaults worked in, secrets masked."""
    from driftline.consumer.cli.load_models import read_config
    from driftline.consumer.cli.terminal import out, out_json
    from driftline.consumer.config import show as as_yaml

    text = as_yaml(read_config(config, offline=True))
    if json:
        import yaml

        out_json(yaml.safe_load(text))
    else:
        out(text.rstrip("\n"))


@config.command()
def schema() -> None:
    """Print the JSON Schema of driftline.yaml, for editors."""
    import msgspec

    from driftline.consumer.cli.terminal import out
    from driftline.consumer.config import schema as json_schema

    out(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2).decode())
