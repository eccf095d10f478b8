"""`driftline topics`: the topics that Driftline writes."""

from __future__ import annotations

import typer

from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json

topics = typer.Typer(
    name="topics", help="Create or check the topics that Driftline writes.", no_args_is_help=True
)


@topics.command()
def create(
    config: ConfigFile = None, bootstrap_servers: BootstrapServers = None, json: Json = False
) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    from driftline.consumer.cli import topic_actions

    topic_actions.create(config, bootstrap_servers, as_json=json)


@topics.command()
def check(
    config: ConfigFile = None, bootstrap_servers: BootstrapServers = None, json: Json = False
) -> None:
    """Check that the topics exist and are as they must be; else exit code 2."""
    from driftline.consumer.cli import topic_actions

    topic_actions.check(config, bootstrap_servers, as_json=json)
