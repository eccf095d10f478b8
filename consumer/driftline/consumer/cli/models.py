"""`driftline models`: what was applied to a running service."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.apply import DryRun, Who
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json

models = typer.Typer(
    name="models", help="Look at the models that were applied, or remove one.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model.")]


@models.command("list")
def list_models(
    config: ConfigFile = None, bootstrap_servers: BootstrapServers = None, json: Json = False
) -> None:
    """List them: since when each version holds, by whom and when it was applied."""
    deployment = load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import apply_actions

    apply_actions.show_all(deployment, as_json=json)


@models.command()
def show(
    model: Name,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print the keys of one model as they hold, defaults worked in."""
    deployment = load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import apply_actions

    apply_actions.show_one(deployment, model, as_json=json)


@models.command()
def remove(
    model: Name,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    who: Who = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Remove one: its alerts are resolved, and its events are counted no more."""
    deployment = load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import apply_actions

    apply_actions.remove(deployment, model, who, dry_run=dry_run)
