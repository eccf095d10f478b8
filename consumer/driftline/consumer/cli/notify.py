"""`driftline alerts notify`: a message for each incident, and updates, to URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.alert_options import Features, Follow, Models, Position, Severity
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import BootstrapServers, ConfigFile, Wait, read_wait
from driftline.consumer.cli.terminal import say
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.sinks import SINKS, sink_of

Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--to", metavar="URL", envvar="DRIFTLINE_NOTIFY_TO", show_envvar=True,
        help="Where to send; several times. It may be a secret.",
    ),
]  # fmt: skip
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="Sent with what is posted by HTTP."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Holds a bearer token that is sent with it; or DRIFTLINE_NOTIFY_TOKEN."
    ),
]
NOTIFY_HELP = "Send alerts to URLs: one message for each incident, and updates.\n\n" + "\n\n".join(
    f"{' or '.join(f'{scheme}://' for scheme in sink.schemes) or 'any other scheme'}: {sink.gets}"
    for sink in SINKS
)

_FORM = next(sink.name for sink in SINKS if any("+" in scheme for scheme in sink.schemes))


def notify(
    to: Targets = None,
    test: Annotated[
        bool, typer.Option("--test", help="Send one sample to each, and end; asks no broker.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent; keep no position.")
    ] = False,
    config: ConfigFile = None,
    model: Models = None,
    severity: Severity = None,
    feature: Features = None,
    header: Headers = None,
    token_file: TokenFile = None,
    position: Position = None,
    attempts: Annotated[int, typer.Option(min=1, help="Before a message is given up.")] = 5,
    follow: Follow = True,
    wait: Wait = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send alerts: see the table of sinks."""
    if not to and not dry_run:
        raise CommandError("--to is missing: name a URL to send to, or use --dry-run")
    for url in to or []:
        sink_of(url)  # refuses one without a scheme before anything is loaded
    patience = read_wait(wait)
    choice = Choice(model or (), severity, (), feature or ())
    deployment = None if test else load_config.find_deployment(config, bootstrap_servers)
    from driftline.consumer.cli import notify_actions as actions

    targets = actions.open_targets(to or [], header or [], token_file)
    if deployment is None:
        actions.test(targets)
    elif dry_run:
        actions.dry_run(deployment, choice, position, patience, follow=follow)
    else:
        actions.send(
            deployment, choice, position, patience, targets, attempts=attempts, follow=follow
        )


def webhook(
    url: Annotated[str, typer.Argument(envvar="DRIFTLINE_WEBHOOK_URL")],
    form: Annotated[str, typer.Option("--format")] = _FORM,
    config: ConfigFile = None,
    model: Models = None,
    severity: Severity = None,
    feature: Features = None,
    position: Position = None,
    follow: Follow = True,
    wait: Wait = None,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send alerts to one URL: `driftline alerts notify` does."""
    say(f"alerts webhook is deprecated: use  driftline alerts notify --to {form}+URL")
    notify(
        [f"{form}+{url}"], False, False, config, model, severity, feature, None, None, position,
        5, follow, wait, bootstrap_servers,
    )  # fmt: skip
