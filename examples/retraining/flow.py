"""The steps as a job of Dagster, and a sensor that starts it when an alert fires.

    DRIFTLINE_CONFIG=driftline.yaml RETRAINING_MODEL=churn RETRAINING_REFERENCE=churn.json.gz \
      RETRAINING_FOLDER=runs dagster dev -f flow.py

The sensor's cursor is a subscriber's position: an alert that came while nothing ran is not lost.
One run an incident: all alerts of an incident have its id as the run's key.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import steps
from dagster import (
    Config,
    ConfigurableResource,
    Definitions,
    EnvVar,
    OpExecutionContext,
    RetryRequested,
    RunConfig,
    RunRequest,
    SensorEvaluationContext,
    job,
    op,
    sensor,
)

from driftline.consumer.alerts import Choice, Position, subscribe
from driftline.consumer.config import load

LATER = 3_600.0  # seconds until labels are asked for again
KINDS = ("feature_drift", "prediction_drift", "performance")


class Retraining(ConfigurableResource[Any]):
    """What is retrained, and where its parts are; see `steps.Service`."""

    config: str
    model: str
    reference: str
    folder: str

    def service(self) -> steps.Service:
        """Return it for the steps."""
        return steps.Service(Path(self.config), self.model, Path(self.reference), Path(self.folder))


class Alerted(Config):
    """The alert that a run is about: its record as published, and the id of its incident."""

    record: str
    incident: str


@op
def exported(config: Alerted, retraining: Retraining) -> str:
    """The rows of the alert, as a file."""
    service = retraining.service()
    rows = service.folder / f"{config.incident}.parquet"
    steps.export(service, config.record.encode(), rows)
    return str(rows)


@op
def trained(context: OpExecutionContext, rows: str, retraining: Retraining) -> str:
    """A better model, as a file; while labels lack it tries again every hour, for a week."""
    service = retraining.service()
    try:
        found = steps.train(Path(rows), steps.Model.load(service.serving))
    except steps.NotYetError as error:
        raise RetryRequested(max_retries=168, seconds_to_wait=LATER) from error
    context.log.info(f"log loss {found.loss:.3f}, before {found.before}, {found.rows} rows")
    candidate = Path(rows).with_suffix(".model.json")
    found.model.save(candidate)
    return str(candidate)


@op
def rebuilt(rows: str, candidate: str, retraining: Retraining) -> str:
    """Its reference, as a file."""
    reference = Path(rows).with_suffix(".json.gz")
    steps.rebuild(retraining.service(), Path(rows), steps.Model.load(Path(candidate)), reference)
    return str(reference)


@op
def in_service(candidate: str, reference: str, retraining: Retraining) -> None:
    """The model serves, and the workers compare with its reference."""
    service = retraining.service()
    steps.deploy(service, steps.Model.load(Path(candidate)), Path(reference))
    steps.hand_over(service)


@job
def retrain() -> None:
    """From an alert to a model in service."""
    rows = exported()
    candidate = trained(rows)
    in_service(candidate, rebuilt(rows, candidate))


class CursorPosition:
    """Keeps a subscriber's position as the cursor of a sensor."""

    def __init__(self, context: SensorEvaluationContext) -> None:
        self._context = context

    def load(self) -> Position | None:
        """Return what the tick before saved."""
        cursor = self._context.cursor
        return None if not cursor else msgspec.json.decode(cursor, type=Position)

    def save(self, position: Position) -> None:
        """Keep it: Dagster writes it together with the runs that the tick asks for."""
        self._context.update_cursor(msgspec.json.encode(position).decode())


@sensor(job=retrain, minimum_interval_seconds=60)
def drifted(context: SensorEvaluationContext, retraining: Retraining) -> Iterator[RunRequest]:
    """Ask for a run for each incident of the model that fires."""
    config = load(Path(retraining.config), environ=os.environ).config
    choice = Choice(models=(retraining.model,), kinds=KINDS, status="firing")
    topic = f"{config.output.prefix}.alerts"
    with subscribe(config.kafka, topic, choice, CursorPosition(context)) as alerts:
        for found in alerts.poll():
            incident = found.alert.incident_id
            alerted = Alerted(record=found.value.decode(), incident=incident)
            yield RunRequest(
                run_key=incident,
                run_config=RunConfig(ops={"exported": alerted}),
                tags={"driftline/alert": found.alert.alert_id},
            )
            alerts.done(found)


definitions = Definitions(
    jobs=[retrain],
    sensors=[drifted],
    resources={
        "retraining": Retraining(
            config=EnvVar("DRIFTLINE_CONFIG"),
            model=EnvVar("RETRAINING_MODEL"),
            reference=EnvVar("RETRAINING_REFERENCE"),
            folder=EnvVar("RETRAINING_FOLDER"),
        )
    },
)
