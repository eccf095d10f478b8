"""A report of what a deployment's topics hold of a span of time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from driftline.consumer.cli.dead_letters import LetterChoice, choose
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.config import Config, OutputConfig
from driftline.consumer.html.report_file import report_file
from driftline.consumer.html.summary import moment
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log
from driftline.consumer.views.fold import WINDOWS, Views
from driftline.consumer.views.follow import Follower
from driftline.consumer.views.pipeline import PipelineView
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.settings import Settings
from driftline.consumer.wire.text import plural
from driftline.producer.records.names import listed
from driftline.producer.records.timestamp import format_time

_USUAL, _MOST = 1_000, 20_000  # windows of a stream
_PATIENCE = 60.0  # seconds for verdicts that stand together: a report leaves none out
_NAMES = 3  # models that a title has
_LATE = "Late events are counted by the workers' /metrics alone."
_NO_LETTERS = "So are rejected ones here: the topic of dead letters cannot be read."


def read(
    log: Log,
    output: OutputLog,
    config: Config | None,
    times: tuple[int | None, int | None],
    models: Sequence[str],
) -> ReportView:
    """Read a report from the topics.

    Args:
        log: of the broker.
        output: the deployment's topics.
        config: the configuration, where there is one.
        times: begin and end of the span, ms since 1970; None: without bound.
        models: that it is about; empty: all.

    Raises:
        CommandError: nothing is known of a model.
        LogError: a topic cannot be read.
        WorkerLost: the broker does not answer.
    """
    settings = None if config is None else Settings.of(config)
    own = OutputConfig() if config is None else config.output
    windows = windows_for(config, times[0])
    follower = Follower(lambda: log, own, settings, windows, patience=_PATIENCE)
    follower.catch_up()
    since, until = (None if each is None else format_time(each) for each in times)
    known = [row.model for row in follower.ask(Views.home).models]
    for name in models:
        if name not in known:
            raise CommandError(f"--model {name}: nothing is known of it, but of {listed(known)}")
    view = follower.ask(lambda views: views.report(since, until, models))
    names = [row.model for row in view.home.models]
    held_back = follower.ask(Views.held_back)
    rejected = _rejected(output, *times)
    return msgspec.structs.replace(
        view,
        title=f"Drift of {', '.join(names) if len(names) <= _NAMES else f'{len(names)} models'}",
        pipeline=PipelineView(
            available=False,
            hint=_LATE if rejected is not None else f"{_LATE} {_NO_LETTERS}",
            workers=[],
            partitions=[],
            models=[],
            rejected=rejected or {},
            skipped={},
            held_back=[row for row in held_back if not models or row.model in models],
        ),
    )


def windows_for(config: Config | None, since: int | None) -> int:
    """Return how many windows of a stream hold the time since then."""
    every = [model.window.every for model in config.models.values()] if config else []
    if since is None or not every:
        return _USUAL
    span = time.time_ns() // 1_000_000 - since
    return min(max(-(-span // min(every)) + 1, WINDOWS), _MOST)


def as_file(view: ReportView) -> bytes:
    """Return the HTML file of a report."""
    return report_file(view).encode()


def written(view: ReportView, path: Path, size: int) -> str:
    """Return what was written, on a line."""
    alerts, models = len(view.alerts), len(view.home.models)
    what = f"{alerts:,} {plural(alerts, 'alert')}, {models:,} {plural(models, 'model')}"
    if view.covered is None:
        return f"{path}   {size / 1_000:,.0f} kB, {what}, no verdict in this span"
    span = f"{moment(view.covered)} to {moment(view.home.through)}"
    return f"{path}   {size / 1_000:,.0f} kB, {what}, verdicts of {span}"


def _rejected(output: OutputLog, since: int | None, until: int | None) -> dict[str, int] | None:
    """Return how many records were rejected in the span, of the wall, by reason.

    None where their topic is not there, or not for this reader.
    """
    try:
        records = [
            record
            for partition in output.partitions("dead-letter")
            for record in output.read_after(partition, since or 0)
        ]
    except (CommandError, LogError):
        return None
    letters = choose(records, LetterChoice(since=since, until=until))
    return dict(Counter(letter.reason for letter in letters).most_common())
