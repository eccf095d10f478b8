"""The stream of the demo: payments, and what goes wrong with them, so that it can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

from driftline.consumer.config import (
    Config,
    KafkaConfig,
    ModelConfig,
    ReferenceConfig,
    UiConfig,
    WindowConfig,
)
from driftline.consumer.service.plan import Plan
from driftline.producer.reference.build import ReferenceSettings, reference_from_events
from driftline.producer.replay.generator import FIRST_HOUR, HOUR, generate
from driftline.producer.replay.scenarios import (
    Scenario,
    broken_unit,
    incremental,
    lay_over,
    missing_values,
)

MODEL, TOPIC = "payments", "payments.predictions"
DAY = 24 * HOUR
BEGIN = FIRST_HOUR + DAY
"""When the watched stream begins, ms; the quiet day before it is the reference."""
HOURS = 18
"""How much of it is shown."""


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong, and its description."""

    what: str
    scenario: Scenario


def troubles(day: int) -> list[Trouble]:
    """Return what goes wrong on the day that begins at `day` (ms), in order of time."""
    return [
        Trouble("metres became feet", broken_unit("distance", day + 6 * HOUR, day + 11 * HOUR)),
        Trouble(
            "rose little by little",
            incremental("amount", day + 9 * HOUR, day + DAY, size=20.0, over=4 * HOUR),
        ),
        Trouble(
            "one of eight got lost",
            missing_values("country", day + 14 * HOUR, day + DAY, share=0.125),
        ),
    ]


def troubles_until(end: int) -> list[Trouble]:
    """Return what has gone wrong from the beginning to `end` (ms)."""
    known = [trouble for day in range(BEGIN, end, DAY) for trouble in troubles(day)]
    return [trouble for trouble in known if trouble.scenario.truth[0].start < end]


def events(begin: int = BEGIN) -> Iterator[dict[str, Any]]:
    """Yield the events of one day after the other without end, each with the same troubles."""
    for day in count(begin, DAY):
        laid = [trouble.scenario for trouble in troubles(day)]
        yield from lay_over(generate(24, start=day), laid)


def first_hours(hours: int) -> Iterator[dict[str, Any]]:
    """Yield the events of the first hours."""
    end = BEGIN + hours * HOUR
    return takewhile(lambda event: int(event["timestamp"]) < end, events())


def plan(page: str | None = None) -> Plan:
    """Return what is watched: all defaults but for the window, and the quiet day as reference.

    `page`: where alerts are shown; None: nowhere.
    """
    quiet = reference_from_events(generate(24, start=BEGIN - DAY), ReferenceSettings(MODEL))
    model = ModelConfig(
        predictions=(TOPIC,),
        reference=ReferenceConfig(layout="-"),
        window=WindowConfig(length=HOUR // 2),
    )
    kafka = KafkaConfig(bootstrap_servers=("localhost:9092",))
    config = Config(kafka=kafka, models={MODEL: model}, ui=UiConfig(url=page))
    return Plan(config, {MODEL: quiet.reference})
