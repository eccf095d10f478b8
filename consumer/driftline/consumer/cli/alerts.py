"""`driftline alerts`: what fires now, what comes, one alert in full, and what to do about it."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.alert_options import (
    AlertId,
    Clear,
    Features,
    Follow,
    Models,
    Position,
    Severity,
    Status,
    Who,
    Why,
    login_name,
)
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.notify import NOTIFY_HELP, notify, webhook
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    Json,
    Since,
    Wait,
    read_seconds,
    read_times,
    read_wait,
)
from driftline.consumer.cli.terminal import out, out_json
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.log.broker import connect
from driftline.consumer.wire.control import Action

alerts = typer.Typer(
    name="alerts", help="Follow the alerts, show one, hand them on.", no_args_is_help=True
)


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
    start, _ = read_times(since)
    patience = read_wait(wait)
    deployment = load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import alert_actions

    choice = Choice(model or (), severity, since=start)
    with (
        suppress(KeyboardInterrupt),  # the usual way to end it
        alert_actions.listening(deployment, choice, wait=patience) as (subscriber, marks),
    ):
        from driftline.consumer.cli import alert_lines

        alert_lines.print_all(
            subscriber, marks, quiet=start is not None, follow=follow, as_json=json
        )


@alerts.command()
def show(
    alert_id: AlertId,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Print one alert in full, with its bins as bars."""
    deployment = load_config.find_deployment(config, bootstrap_servers)
    broker = connect(deployment.kafka)
    from driftline.consumer.cli import alert_log, alert_marking, alert_text, output_log

    with closing(output_log.OutputLog.of(broker, deployment.config)) as output:
        record = alert_log.find_alert(output, alert_id)
        marks = output.marks()
        marks.look()
        found = marks.newest.get(record.alert.alert_id)
        if json:
            out_json(alert_marking.with_marks(record.alert, found))
            return
        text = alert_marking.marks_text(found, alert_marking.now_text())
        verdict = alert_log.find_verdict(output, record)
        out(alert_text.alert_in_full(record.alert, verdict, text))


@alerts.command()
def acknowledge(
    alert_id: AlertId,
    why: Why = None,
    who: Who = None,
    clear: Clear = False,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Say that somebody looks after an alert: notify sends only a rise of severity and its end."""
    given = None if clear else (who or login_name(), why, None)
    _mark(alert_id, "acknowledge", given, config, bootstrap_servers)


@alerts.command()
def snooze(
    alert_id: AlertId,
    length: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="For how long, such as 4h.")
    ] = None,
    why: Why = None,
    who: Who = None,
    clear: Clear = False,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send nothing of an alert for a while; it stays visible, and comes back if it still fires."""
    if not clear and length is None:
        raise CommandError("--for is missing: say for how long, such as --for 4h")
    seconds = None if length is None else read_seconds(length, "--for")
    given = None if clear else (who or login_name(), why, seconds)
    _mark(alert_id, "snooze", given, config, bootstrap_servers)


@alerts.command()
def false_alarm(
    alert_id: AlertId,
    why: Why = None,
    who: Who = None,
    clear: Clear = False,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Say that an alert is a false alarm: nothing more is sent of it, and reports count it."""
    given = None if clear else (who or login_name(), why, None)
    _mark(alert_id, "false_alarm", given, config, bootstrap_servers)


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
    longest, patience = read_seconds(timeout, "--timeout"), read_wait(wait)
    deployment = load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import alert_actions
    from driftline.consumer.deliver.command import send
    from driftline.consumer.deliver.dispatcher import Attempts

    choice = Choice(model or (), severity, (), feature or (), status)
    tries = Attempts(attempts)
    with alert_actions.handing_on(deployment, choice, position, patience) as (
        subscriber,
        _,
        stop,
    ):
        counts = send(subscriber, command, stop, longest, parallel, tries, follow)
    alert_actions.report(counts, "done", follow=follow)


alerts.command(help=NOTIFY_HELP)(notify)
alerts.command(hidden=True)(webhook)


def _mark(
    alert_id: str,
    action: Action,
    given: tuple[str, str | None, float | None] | None,
    config: Path | None,
    bootstrap_servers: str | None,
) -> None:
    deployment = load_config.find_deployment(config, bootstrap_servers)
    broker = connect(deployment.kafka)
    from driftline.consumer.cli import alert_marking

    out(alert_marking.mark(broker, deployment.config, alert_id, action, given))
