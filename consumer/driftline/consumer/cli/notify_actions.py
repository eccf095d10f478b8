"""What `driftline alerts notify` does: opens its targets, sends, tries them, or prints."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from driftline.consumer.cli import alert_actions
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_config import Deployment
from driftline.consumer.cli.terminal import out, say
from driftline.consumer.config.secret_file import read_password
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.dispatcher import Attempts
from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.incidents import Update
from driftline.consumer.deliver.message_text import message_text
from driftline.consumer.deliver.notify import notify
from driftline.consumer.deliver.sample import send_sample
from driftline.consumer.deliver.sinks import sink_of
from driftline.consumer.deliver.target import Access, MessageTarget, Target
from driftline.consumer.deliver.webhook import read_header

TOKEN = "DRIFTLINE_NOTIFY_TOKEN"  # noqa: S105 (a name)
_TOKEN = re.compile(r"[!-~]+")


def open_targets(
    urls: Sequence[str], headers: Sequence[str], token_file: Path | None
) -> list[Target]:
    """Return what sends to URLs; a bad one is refused before a broker is asked.

    Raises:
        CommandError, AlertsError: one cannot be sent to, or what goes with it cannot.
    """
    given = dict(map(read_header, headers))
    token = _token(token_file)
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    sinks = [sink_of(url) for url in urls]
    posted = sum(bool(sink.schemes) for sink in sinks)
    if given and urls and posted != 1:
        raise CommandError(
            "--header and a token go to one URL over HTTP, and here are"
            f" {posted}: send to the others by another  driftline alerts notify"
        )
    access = Access(given)
    return [sink.open(url, access) for sink, url in zip(sinks, urls, strict=True)]


def send(
    deployment: Deployment,
    choice: Choice,
    position: Path | None,
    wait: float | None,
    targets: Sequence[Target],
    *,
    attempts: int,
    follow: bool,
) -> None:
    """Send alerts to targets until stopped.

    Raises:
        CommandError: something could not be sent, and nothing more is tried.
        DriftlineError: the topic cannot be read.
    """
    with alert_actions.handing_on(deployment, choice, position, wait) as (subscriber, marks, stop):
        counts = notify(subscriber, marks, targets, stop, Attempts(attempts), follow)
    alert_actions.report(counts, "sent", follow=follow)


def dry_run(
    deployment: Deployment,
    choice: Choice,
    position: Path | None,
    wait: float | None,
    *,
    follow: bool,
) -> None:
    """Print what would be sent; a position is read and left as it is.

    Raises:
        DriftlineError: the topic cannot be read.
    """
    printing = [MessageTarget("printed", _print)]
    with alert_actions.handing_on(deployment, choice, position, wait, keep=False) as (
        subscriber,
        marks,
        stop,
    ):
        notify(subscriber, marks, printing, stop, follow=follow)


def test(targets: Sequence[Target]) -> None:
    """Send a sample to each target, once.

    Raises:
        CommandError: one did not take it.
    """
    failed = 0
    for target in targets:
        try:
            send_sample(target, time.time_ns() // 1_000_000)
        except DeliveryError as error:
            failed += 1
            say(str(error))
        else:
            out(f"{target.name}: a sample was sent")
    if failed:
        raise CommandError(f"{failed} of {len(targets)} did not take the sample")


def _print(update: Update) -> None:
    text = message_text(update)
    out(f"{text.title}\n{text.body}\n")


def _token(file: Path | None) -> str | None:
    """Return the token of a file, or of the environment.

    Raises:
        CommandError: the file cannot be read, or there is no token in it.
    """
    if file is None:
        given, where = os.environ.get(TOKEN, ""), TOKEN
        if not given:
            return None
    else:
        try:
            given = read_password(file)
        except OSError as error:
            raise CommandError(f"{file}: cannot be read ({error.strerror})") from None
        where = str(file)
    token = given.strip()
    if not _TOKEN.fullmatch(token):
        raise CommandError(f"{where}: holds no token, which is ASCII without blanks")
    return token
