"""`driftline accept`: what a model's features are now is normal from now on."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.alert_options import Who, login_name
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json, read_time
from driftline.consumer.cli.terminal import out, out_json
from driftline.consumer.log.broker import connect
from driftline.producer.records.timestamp import format_time


def accept(
    model: Annotated[str, typer.Argument(help="The model.")],
    feature: Annotated[
        str, typer.Argument(help="The feature; all that are watched if not given.")
    ] = "",
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="The reason; needed.")] = None,
    who: Who = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From when on events are the new normal; else since the alert on the feature"
            " began, without one the last window.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From when on events are compared with them; else from the next pane on.",
        ),
    ] = None,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Accept the present as the new normal: end the alert, and compare what comes with it.

    The worker that judges the model takes the counts of the events since then, as far back as it
    has them, in place of the reference's, and says so in the last record of the alert. All workers
    must be of a version that knows this.
    """
    if why is None:
        raise CommandError("--why is missing: say why this is normal, such as --why 'a new market'")
    now = time.time_ns() // 1_000_000
    first = None if since is None else format_time(read_time(since, "--since", now))
    begin = None if start is None else format_time(read_time(start, "--start", now))
    who = who or login_name()
    deployment = load_config.find_deployment(config, bootstrap_servers)
    if deployment.config is not None and model not in deployment.config.models:
        known = ", ".join(deployment.config.models)
        raise CommandError(f"{model}: not in the configuration, known are {known}")
    broker = connect(deployment.kafka)
    from driftline.consumer.cli import accepting

    made = accepting.write(broker, deployment.config, model, (feature, who, why, first, begin))
    if json:
        out_json(made)
        return
    what = f"{feature} of {model}" if feature else f"every feature of {model}"
    out(f"{made.id}  {what} is accepted as it is by {who}: the next records of its alerts say so")
