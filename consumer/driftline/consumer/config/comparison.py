"""`comparisons.<name>`: which of two models, or of two versions of one, does better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.names import hint
from driftline.consumer.config.notation import Number, Section


class Side(NamedTuple):
    """One of the two that are compared; without a version, all that the other side is not."""

    model: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``model`` or ``model@version``.

        Raises:
            ValueError: it is neither.

        >>> Side.parse("fraud-scorer@3.2")
        Side(model='fraud-scorer', version='3.2')
        """
        model, at, version = text.partition("@")
        if not model or (at and not version):
            raise ValueError("write model or model@version, for example fraud-scorer@3.2")
        return cls(model, version or None)

    def __str__(self) -> str:
        return self.model if self.version is None else f"{self.model}@{self.version}"


def _side(value: Any) -> Side:
    if isinstance(value, Side):
        return value
    if not isinstance(value, str):
        raise ValueError("must be text; put it in quotes")
    return Side.parse(value)


def _chance(value: float) -> float:
    if 0 < value < 1:
        return value
    raise ValueError("must be above 0 and below 1; 0.05 is one wrong answer in 20 comparisons")


SideName = Annotated[
    Side,
    BeforeValidator(_side),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]


class ComparisonConfig(Section):
    """One comparison.

    `traffic`: `split`, each event is predicted by one side; `same`, every event by both under the
    same event id. `alpha`: chance of ever saying better or worse wrongly.
    """

    champion: SideName
    challenger: SideName
    traffic: Literal["split", "same"] = "split"
    alpha: Annotated[Number, AfterValidator(_chance)] = 0.05

    @property
    def sides(self) -> tuple[Side, Side]:
        """Champion and challenger."""
        return self.champion, self.challenger


def comparison_problems(
    comparisons: Mapping[str, ComparisonConfig], models: Mapping[str, ModelConfig]
) -> list[tuple[tuple[str, ...], str]]:
    """Return what the models make wrong of comparisons: path below the section, and sentence."""
    problems: list[tuple[tuple[str, ...], str]] = []
    for name, comparison in comparisons.items():
        if name in models:
            problems.append(((name,), "a model has this name: alerts would speak of both"))
        unusable = [
            ((name, key), text)
            for key, side in zip(("champion", "challenger"), comparison.sides, strict=True)
            if (text := _unusable(side.model, models))
        ]
        problems += unusable
        if unusable:
            continue
        if comparison.champion == comparison.challenger:
            problems.append(((name, "challenger"), "is the champion itself"))
        both = [models[side.model].labels for side in comparison.sides]
        topics = [labels.topic for labels in both if labels is not None]
        if topics[0] != topics[1]:
            text = (
                f"its labels come from {topics[1]} and those of the champion from {topics[0]}:"
                " both must be judged by the same labels"
            )
            problems.append(((name, "challenger"), text))
    return problems


def _unusable(model: str, models: Mapping[str, ModelConfig]) -> str:
    """Return why a model cannot be compared; empty if it can."""
    if model not in models:
        return f"there is no model {model}; {hint(model, models)}"
    if models[model].labels is None:
        return f"{model} has no labels, so nobody knows when it is right: set its labels"
    return ""
