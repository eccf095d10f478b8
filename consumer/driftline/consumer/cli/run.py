"""`driftline run`: the service."""

from __future__ import annotations

from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.errors import START_ME_AGAIN
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Stages, Wait, read_wait
from driftline.consumer.log.errors import WorkerLost


def run(
    config: ConfigFile = None,
    stages: Stages = None,
    wait: Wait = None,
    take_over: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="Read a topic from where Spark, now stopped, has come."),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Watch the models until SIGTERM or Ctrl-C.

    Where the configuration names no models, those that were applied (driftline apply).

    Exit code 75 asks the supervisor to start it again: the connection cannot be recovered from
    inside, or another worker took this one's place. Exit code 2 asks for an operator.
    """
    patience = read_wait(wait)
    loaded = load_config.read_config(
        config, bootstrap_servers=bootstrap_servers, stages=stages, needs_models=False
    )
    load_config.require_read(loaded.config, take_over or ())
    load_config.require_service(loaded)
    from driftline.consumer.cli import load_models, logs, service

    plan = load_models.read_plan(loaded)
    log = logs.start_logging(loaded.config.log)
    try:
        service.run_service(plan, loaded.locations, log, patience, take_over or ())
    except WorkerLost as error:
        log.error("lost", reason=str(error))
        raise typer.Exit(START_ME_AGAIN) from None
