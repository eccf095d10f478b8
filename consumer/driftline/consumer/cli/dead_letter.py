"""`driftline dead-letter`: records that could not be used, and sending them again."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from driftline.consumer.cli import load_config
from driftline.consumer.cli.options import (
    BootstrapServers,
    ConfigFile,
    Json,
    Since,
    Until,
    read_times,
)
from driftline.consumer.cli.terminal import out, out_json, say
from driftline.consumer.log.broker import connect
from driftline.consumer.wire import kinds

dead_letter = typer.Typer(
    name="dead-letter",
    help="Show unusable records, or send them again.",
    no_args_is_help=True,
)

Reason = Annotated[kinds.Reason | None, typer.Option(help="Only this reason.")]
Topic = Annotated[str | None, typer.Option(help="Only records that stood in this topic.")]


@dead_letter.command()
def show(
    config: ConfigFile = None,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="Print only the newest N.")] = 20,
    values: Annotated[
        bool, typer.Option("--values", help="Print the records' values too; they may be personal.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    json: Json = False,
) -> None:
    """Print how many dead letters there are by reason, and the newest of them."""
    times = read_times(since, until)
    deployment = load_config.find_deployment(config, bootstrap_servers)
    broker = connect(deployment.kafka)
    from driftline.consumer.cli import dead_letters, output_log

    choice = dead_letters.LetterChoice(reason, topic, *times)
    with closing(output_log.OutputLog.of(broker, deployment.config)) as output:
        letters = dead_letters.choose(output.read("dead-letter"), choice)
    newest = letters[-limit:]
    if json:
        for letter in newest:
            out_json(dead_letters.as_document(letter, values=values))
        return
    out(dead_letters.overview(letters))
    for letter in newest:
        out(dead_letters.row(letter, values=values))


@dead_letter.command()
def replay(
    config: ConfigFile = None,
    reason: Reason = None,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
) -> None:
    """Send dead letters to the topics they came from, key and value as they were.

    They stay among the dead letters: to send none twice, choose by --since. Records that were too
    large cannot be sent, only their beginning is kept.
    """
    times = read_times(since, until)
    deployment = load_config.find_deployment(config, bootstrap_servers)
    broker, whole = connect(deployment.kafka), deployment.config
    from driftline.consumer.cli import dead_letters, output_log

    choice = dead_letters.LetterChoice(reason, topic, *times)
    with closing(broker.log):
        output = output_log.OutputLog.of(broker, whole)
        letters = dead_letters.choose(output.read("dead-letter"), choice)
        cut = [letter for letter in letters if letter.cut]
        letters = [letter for letter in letters if not letter.cut]
        if cut:
            say(f"{len(cut):,} that were too large are left out: only their beginning is kept")
        alone = [letter for letter in letters if dead_letters.is_apart(letter, whole)]
        if alone:
            letters = [letter for letter in letters if letter not in alone]
            say(
                f"{len(alone):,} of records that hold several events are left out: their topics"
                " are not read as JSON; send the whole records again"
            )
        if dry_run:
            out(f"would send  {dead_letters.overview(letters)}")
            return
        with closing(broker.producer()) as producer:
            dead_letters.resend(letters, broker.log, producer)
        out(f"sent  {dead_letters.overview(letters)}")
