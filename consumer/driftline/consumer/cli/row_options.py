"""Options of the verbs that read the rows of an alert, and what is known before they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from driftline.consumer.cli import alert_file, load_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.options import DEFAULT_CONFIG
from driftline.consumer.cli.terminal import say
from driftline.consumer.log.broker import connect
from driftline.producer.files.given import checked

if TYPE_CHECKING:
    from driftline.consumer.config import Config
    from driftline.consumer.log.protocol import Broker
    from driftline.consumer.wire.records import Alert

AlertToRead = Annotated[
    str,
    typer.Argument(
        metavar="ALERT",
        help="Its id or the beginning of it, or a file with its record; - for standard input.",
    ),
]
AlertsFile = Annotated[
    Path | None,
    typer.Option(
        "--alerts",
        metavar="FILE",
        help="Look for the id in this file, such as backtest --json prints, not in the topic.",
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Ground truth of --input in a file of its own, as for backtest."
    ),
]
Actual = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column with the ground truth of --input or --labels."),
]


@dataclass(frozen=True)
class Wanted:
    """Which alert, and where its rows are.

    Attributes:
        alert: as it was given.
        record: of the alert, where a file has it; None where the topic does.
        others: all alerts of that file.
        file: the rows; None: the topics have them.
        config: the configuration, where there is one.
        broker: where the alert or the rows are on one.
    """

    alert: str
    record: Alert | None
    others: Sequence[Alert]
    file: Path | None
    config: Config | None
    broker: Broker | None

    @classmethod
    def read(
        cls,
        alert: str,
        alerts: Path | None,
        file: Path | None,
        labels: Path | None,
        config: Path | None,
        bootstrap_servers: str | None,
    ) -> Wanted:
        """Return what the options name, and wait for the broker where one is needed.

        Raises:
            DriftlineError: something is wrong with them, or the broker does not answer.
        """
        for path in (file, labels):
            if path is not None:
                checked(path)
        record: Alert | None = None
        others: Sequence[Alert] = ()
        if alerts is not None or alert_file.is_file(alert):
            source, wanted = (alert, "") if alerts is None else (str(alerts), alert)
            others = alert_file.read_alerts(source)
            record = alert_file.choose(others, source, wanted)
        if record is not None and file is not None:
            return cls(alert, record, others, file, _config(config), None)
        deployment = load_config.find_deployment(config, bootstrap_servers, needs_models=True)
        if file is None and deployment.config is None:
            raise CommandError("where are the rows? give --config FILE, or --input FILE")
        if labels is not None and file is None:
            raise CommandError("--labels: is of the events of --input FILE, which is missing")
        return cls(alert, record, others, file, deployment.config, connect(deployment.kafka))


def _config(path: Path | None) -> Config | None:
    """Return the configuration where one is given, or in this folder."""
    if path is None and not DEFAULT_CONFIG.exists():
        return None
    if path is None:
        say(f"using {DEFAULT_CONFIG}")
    return load_config.read_config(path, offline=True).config
