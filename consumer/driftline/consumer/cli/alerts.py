"""`driftline alerts`: what fires now, what comes, and one alert in full."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Json, Since, read_time

alerts = typer.Typer(
    name="alerts", help="Follow the alerts, or show one in full.", no_args_is_help=True
)

_PAUSE = 1.0  # seconds between two looks at the topic


@alerts.command()
def tail(
    config: ConfigFile = None,
    model: Annotated[str | None, typer.Option(help="Only alerts of this model.")] = None,
    severity: Annotated[
        Literal["warning", "critical"] | None, typer.Option(help="This severity or worse.")
    ] = None,
    since: Since = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, until Ctrl-C.")
    ] = True,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Print what is firing now, then follow.

    With --since print every record of windows that end at that time or later, the resolved ones
    too.
    """
    import time

    from driftline.consumer.cli.alert_log import Choice
    from driftline.consumer.cli.alert_log import tail as chosen
    from driftline.consumer.cli.alert_text import alert_line
    from driftline.consumer.cli.output_log import open_output
    from driftline.consumer.cli.terminal import out, out_json, say

    now = time.time_ns() // 1_000_000
    start = read_time(since, "--since", now) if since is not None else None
    output = open_output(config, bootstrap_servers)
    printed = False

    def wait() -> bool:
        nonlocal printed
        if not printed and start is None:
            say("nothing fires now")
        printed = True
        if follow:
            time.sleep(_PAUSE)
        return follow

    try:
        for alert in chosen(output, Choice(model, severity, start), wait):
            printed = True
            if json:
                out_json(alert)
            else:
                out(alert_line(alert))
    except KeyboardInterrupt:
        raise typer.Exit from None  # the usual way to end it
    finally:
        output.close()


@alerts.command()
def show(
    alert_id: Annotated[str, typer.Argument(help="The alert, or the beginning of its id.")],
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Print one alert in full, with its bins as bars."""
    from driftline.consumer.cli.alert_log import find_alert, find_verdict
    from driftline.consumer.cli.alert_text import alert_in_full
    from driftline.consumer.cli.output_log import open_output
    from driftline.consumer.cli.terminal import out, out_json

    output = open_output(config, bootstrap_servers)
    try:
        record, alert = find_alert(output, alert_id)
        if json:
            out_json(alert)
        else:
            out(alert_in_full(alert, find_verdict(output, record, alert)))
    finally:
        output.close()
