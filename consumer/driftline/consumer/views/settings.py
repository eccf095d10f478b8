"""What a configuration says of a model that its views need; all of it may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftline.consumer.config import Config, ModelConfig
from driftline.consumer.config.applied import read_model
from driftline.consumer.wire.applied import AppliedModel, AppliedRecord
from driftline.consumer.wire.codec import decode

DAY = 86_400_000


@dataclass(frozen=True)
class ModelSettings:
    """Of one model.

    Attributes:
        owner: who owns it.
        critical_effect: the effect from which an alert is critical.
        allowed: false alarms that its budget allows in a period; None: off, or not known.
        period: of the budget, ms or rows.
        windows: the same in windows, where the budget is written so.
    """

    owner: str | None = None
    critical_effect: float = 0.25
    allowed: float | None = None
    period: int = 30 * DAY
    windows: int | None = None

    @classmethod
    def of(cls, model: ModelConfig) -> ModelSettings:
        """Return what a configuration says of a model.

        >>> found = ModelSettings.of(ModelConfig(predictions=("in",), reference="r.json"))
        >>> found.allowed, found.period // DAY, found.critical_effect
        (1.0, 30, 0.25)
        """
        budget = model.budget
        if budget is None:
            return cls(model.owner, model.critical_effect)
        return cls(
            model.owner,
            model.critical_effect,
            budget.alarms,
            budget.length(model.window.every),
            budget.period if budget.windows else None,
        )


def read_settings(record: bytes) -> tuple[str, ModelSettings | None]:
    """Return what a record of the log of models says: the model, and how it is watched.

    None where it says nothing of that: a part of a reference, a source, a model that was removed.

    Raises:
        RecordError: it is damaged, or of a newer version.
    """
    found: AppliedRecord = decode(record, AppliedRecord)  # type: ignore[arg-type]  # a union is a type to msgspec
    if not isinstance(found, AppliedModel) or found.newest.configuration is None:
        return "", None
    return found.name, ModelSettings.of(read_model(found.newest.configuration))


@dataclass(frozen=True)
class Settings:
    """Of a deployment.

    Attributes:
        models: those that are watched; of others that the topics hold nothing is known.
        comparisons: of each comparison, the models that it is about.
        in_topics: whether what is shown was published, not found in a file.
    """

    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    comparisons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_topics: bool = True

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Return what a configuration says."""
        return cls(
            {name: ModelSettings.of(model) for name, model in config.models.items()},
            {
                name: tuple(dict.fromkeys(side.model for side in each.sides))
                for name, each in config.comparisons.items()
            },
        )
