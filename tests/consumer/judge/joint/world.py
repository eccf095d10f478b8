"""A model whose numbers go together, and events of it in which they do or do not."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from tests.consumer.service.small import MINUTE, MODEL, START, plan
from tests.detectors.joint.correlated import NAMES, drawn

from driftline.consumer.service.plan import Plan
from driftline.detectors.grid import FloatArray
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, Together, reference_from_rows

PANE, A_PANE = 10 * MINUTE, 100  # its length, and its events
HOURLY = {"length": "2h", "every": "1h", "pane": "10m", "grace": "0s", "min_events": 100}
STEP = PANE // A_PANE


def events(values: FloatArray, start: int = 0, step: int = STEP, **fields: Any) -> list[Any]:
    """Events from `start` ms after `START` on; `fields` are those beside the features."""
    return [
        {
            "timestamp": START + start + i * step,
            "model": MODEL,
            "features": dict(zip(NAMES, event, strict=True)),
            **fields,
        }
        for i, event in enumerate(values.round(3).tolist())
    ]


@cache
def reference(joint: int = 4, tags: tuple[str, ...] = ()) -> Reference:
    """A reference of 10,000 events in the week before `START`."""
    rng = np.random.default_rng(1)
    made = events(drawn(rng, 10_000), -10_000 * STEP)
    for event in made:
        event["tags"] = {"tier": str(rng.choice(["gold", "tin"]))}
    settings = ReferenceSettings(MODEL, segments=tags, grid=128)
    return reference_from_rows([made], Mapping(), settings, Together(joint)).reference


def joint_plan(joint: dict[str, Any] | None = {"top": 4}, **settings: Any) -> Plan:  # noqa: B006 - read only
    """The plan of the model; `settings` are keys of it."""
    tags = tuple(settings.get("segments", ()))
    known = {MODEL: reference(tags=tags)}
    both = {} if joint is None else {"joint": joint}
    return plan(known, **{"budget": "1 per 30d", "window": HOURLY, **both, **settings})


def stream(seed: int, *parts: FloatArray) -> list[Any]:
    """Events of six quiet hours, then of the parts."""
    rng = np.random.default_rng(seed)
    return events(np.concatenate([drawn(rng, 36 * A_PANE), *parts]))
