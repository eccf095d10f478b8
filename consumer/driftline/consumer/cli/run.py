"""`driftline run`: the service."""

from __future__ import annotations

import typer

from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Wait, read_wait

START_ME_AGAIN = 75  # EX_TEMPFAIL


def run(
    config: ConfigFile = None, wait: Wait = None, bootstrap_servers: BootstrapServers = None
) -> None:
    """Watch the models until SIGTERM or Ctrl-C.

    Exit code 75 asks the supervisor to start it again: the connection cannot be recovered from
    inside, or another worker took this one's place. Exit code 2 asks for an operator.
    """
    from driftline.consumer.cli.load_models import read_config, read_plan
    from driftline.consumer.cli.logs import start_logging
    from driftline.consumer.cli.service import run_service
    from driftline.consumer.log.errors import WorkerLost

    loaded = read_config(config, bootstrap_servers=bootstrap_servers)
    patience = read_wait(wait)
    plan = read_plan(loaded)
    log = start_logging(loaded.config.log)
    try:
        run_service(plan, loaded.locations, log, patience)
    except WorkerLost as error:
        log.error("lost", reason=str(error))
        raise typer.Exit(START_ME_AGAIN) from None
