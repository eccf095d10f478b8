"""`driftline alerts`: what fires now, what comes, one alert in full, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    Json,
    Since,
    Wait,
    read_seconds,
    read_time,
    read_wait,
)

alerts = typer.Typer(
    name="alerts", help="Follow the alerts, show one, hand them on.", no_args_is_help=True
)

Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME", help="Only of this model.")
]
Severity = Annotated[
    Literal["warning", "critical"] | None, typer.Option(help="This severity or worse.")
]
Status = Annotated[Literal["firing", "resolved"] | None, typer.Option(help="Only these records.")]
Features = Annotated[
    list[str] | None, typer.Option("--feature", metavar="GLOB", help="Only of these features.")
]
Position = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keeps where it stopped; else begin with what fires now."),
]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more, until Ctrl-C.")]

_PAUSE = 1.0  # seconds between two looks at the topic


@alerts.command()
def tail(
    config: ConfigFile = None,
    model: Models = None,
    severity: Severity = None,
    since: Since = None,
    follow: Follow = True,
    wait: Wait = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Print what is firing now, then follow.

    With --since print every record of windows that end at that time or later, the resolved ones
    too.
    """
    import time

    from driftline.consumer.cli.alert_actions import listening
    from driftline.consumer.cli.alert_text import alert_line
    from driftline.consumer.cli.terminal import out, out_json, say
    from driftline.consumer.deliver import Choice, in_order

    now = time.time_ns() // 1_000_000
    start = read_time(since, "--since", now) if since is not None else None
    longest = read_wait(wait)
    choice = Choice(model or (), severity, since=start)
    try:
        with listening(config, bootstrap_servers, choice, wait=longest) as subscriber:
            records = in_order(subscriber.poll())
            if not records and start is None:
                say("nothing fires now")
            while True:
                for record in records:
                    if json:
                        out_json(record.alert)
                    else:
                        out(alert_line(record.alert))
                    subscriber.done(record)
                if not follow:
                    return
                time.sleep(_PAUSE)
                records = in_order(subscriber.poll())
    except KeyboardInterrupt:
        return  # the usual way to end it


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
        record = find_alert(output, alert_id)
        if json:
            out_json(record.alert)
        else:
            out(alert_in_full(record.alert, find_verdict(output, record)))
    finally:
        output.close()


@alerts.command("exec")
def run_command(
    command: Annotated[
        list[str], typer.Argument(metavar="-- CMD [ARGUMENT ...]", help="Run for each record.")
    ],
    config: ConfigFile = None,
    model: Models = None,
    severity: Severity = None,
    status: Status = None,
    feature: Features = None,
    position: Position = None,
    timeout: Annotated[str, typer.Option(help="How long a run may take.")] = "10m",
    attempts: Annotated[int, typer.Option(min=1, help="Runs before a record is given up.")] = 5,
    parallel: Annotated[int, typer.Option(min=1, help="Runs at once, never of one alert.")] = 4,
    follow: Follow = True,
    wait: Wait = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Run a command for each alert record, with its JSON on standard input.

    At least once; exit code 0 means done, any other is tried again. Without --position what fires
    now comes first at every start.
    """
    from driftline.consumer.cli.alert_actions import listening, pausing, report, until_stopped
    from driftline.consumer.deliver import Attempts, Choice
    from driftline.consumer.deliver.commands import run_commands

    choice = Choice(model or (), severity, (), feature or (), status)
    longest, patience = read_seconds(timeout, "--timeout"), read_wait(wait)
    with (
        until_stopped() as stop,
        listening(
            config, bootstrap_servers, choice, position, patience, pausing(stop)
        ) as subscriber,
    ):
        tries = Attempts(attempts)
        counts = run_commands(subscriber, command, stop, longest, parallel, tries, follow)
    report(counts, "done", follow=follow)


@alerts.command()
def webhook(
    url: Annotated[
        str,
        typer.Argument(
            envvar="DRIFTLINE_WEBHOOK_URL", show_envvar=True, help="Where to post; may be a secret."
        ),
    ],
    form: Annotated[
        Literal["alertmanager", "slack"],
        typer.Option("--format", help="What the receiver understands."),
    ] = "alertmanager",
    config: ConfigFile = None,
    model: Models = None,
    severity: Severity = None,
    feature: Features = None,
    position: Position = None,
    follow: Follow = True,
    wait: Wait = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Post alerts to an Alertmanager or a chat.

    An Alertmanager (URL ending in /api/v2/alerts) is told again every minute what fires. Slack,
    Mattermost, Rocket.Chat and Zulip get a message for each record.
    """
    from driftline.consumer.cli.alert_actions import listening, pausing, report, until_stopped
    from driftline.consumer.cli.errors import CommandError
    from driftline.consumer.deliver import Choice
    from driftline.consumer.deliver.alertmanager import feed_alertmanager
    from driftline.consumer.deliver.webhook import Webhook, post_to_slack

    if form == "alertmanager" and position is not None:
        raise CommandError("--position: an Alertmanager is told all that fires at every start")
    Webhook(url)  # refuses a bad one before the broker is asked
    choice = Choice(model or (), severity, (), feature or ())
    patience = read_wait(wait)
    with (
        until_stopped() as stop,
        listening(
            config, bootstrap_servers, choice, position, patience, pausing(stop)
        ) as subscriber,
    ):
        if form == "slack":
            counts = post_to_slack(subscriber, url, stop, follow=follow)
        else:
            counts = feed_alertmanager(subscriber, url, stop, follow=follow)
    report(counts, "posted", follow=follow)
