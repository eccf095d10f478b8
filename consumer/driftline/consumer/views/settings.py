"""What a configuration says of a model that its views need; all of it may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftline.consumer.config import Config, ModelConfig

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


@dataclass(frozen=True)
class Settings:
    """Of a deployment.

    Attributes:
        models: those that are watched; of others that the topics hold nothing is known.
        comparisons: of each comparison, the models that it is about.
    """

    models: Mapping[str, ModelSettings] = field(default_factory=dict)
    comparisons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
