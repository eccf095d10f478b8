"""The settings of a reference: what is asked for, and what the configuration adds."""

from __future__ import annotations

import dataclasses

from driftline.consumer.config import ModelConfig
from driftline.producer.reference.settings import ReferenceSettings, Together


def with_config(wanted: ReferenceSettings, model: ModelConfig) -> ReferenceSettings:
    """Return the settings with what the configuration adds; the options win."""
    given = {name: each.built_as for name, each in model.features.items()}
    types = {name: each for name, each in given.items() if each is not None}
    return dataclasses.replace(
        wanted,
        types={**types, **wanted.types},
        segments=tuple(dict.fromkeys([*wanted.segments, *model.segments])),
        positive_label=wanted.positive_label or model.positive_label,
        ignore=model.ignore,
        timezone=model.zone,
    )


def together(most: int, model: ModelConfig | None) -> Together | None:
    """Return which numbers are counted together, by an option or the configuration; None: none."""
    if model is None:
        return Together(most) if most else None
    wanted = most or (0 if model.joint is None else model.joint.top)
    weights = {name: each.weight for name, each in model.features.items()}
    return Together(wanted, weights) if wanted else None
