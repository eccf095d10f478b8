"""The whole configuration, and its small sections."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from driftline.consumer.config.comparison import ComparisonConfig, comparison_problems
from driftline.consumer.config.kafka import KafkaConfig, OutputConfig
from driftline.consumer.config.model import ModelConfig
from driftline.consumer.config.names import OUTPUT_TOPICS, STAGES, check_name
from driftline.consumer.config.notation import (
    Count,
    Located,
    Port,
    PositiveDuration,
    Section,
    Stages,
    Texts,
    Topic,
    Whole,
)
from driftline.consumer.config.schema_registry import SchemaRegistryConfig
from driftline.consumer.config.seasons import UTC
from driftline.consumer.config.source import SourceConfig
from driftline.consumer.config.ui import UiConfig

ModelName = Annotated[str, AfterValidator(lambda name: check_name(name, "model"))]
ComparisonName = Annotated[str, AfterValidator(lambda name: check_name(name, "comparison"))]


class LimitsConfig(Section):
    """What an event may be, how long a silent partition holds the clock, and what may wait.

    Durations in ms. `max_waiting`, `max_waiting_bytes`: of one model's predictions that wait for
    their labels; over it the oldest expire first.
    """

    max_ahead: PositiveDuration = 300_000
    idle_after: PositiveDuration = 60_000
    max_event_bytes: Count = 262_144
    max_waiting: Count = 10_000_000
    max_waiting_bytes: Count = 1 << 30


class HttpConfig(Section):
    """Where metrics and health are served."""

    host: str = "127.0.0.1"
    port: Port = 9108


class MetricsConfig(Section):
    """The cap on feature series of one model, worst first."""

    max_series: Count = 200


class LogConfig(Section):
    """`auto` is readable on a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Config(Section):
    """The effective configuration: attribute names are the keys of driftline.yaml.

    `defaults` holds what the user wrote there; it is merged into every model already.
    """

    version: Whole = 1
    include: Texts = ()
    stages: Stages = STAGES
    kafka: KafkaConfig
    output: OutputConfig = Field(default_factory=OutputConfig)
    schema_registry: SchemaRegistryConfig | None = None
    sources: dict[Topic, SourceConfig] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    models: dict[ModelName, ModelConfig] = Field(default_factory=dict)
    comparisons: dict[ComparisonName, ComparisonConfig] = Field(default_factory=dict)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    http: HttpConfig = Field(default_factory=HttpConfig)
    ui: UiConfig = Field(default_factory=UiConfig)
    metrics: MetricsConfig = Field(default_factory=MetricsConfig)
    log: LogConfig = Field(default_factory=LogConfig)

    @field_validator("version")
    @classmethod
    def _version_is_known(cls, version: int) -> int:
        if version != 1:
            raise ValueError("this Driftline reads version 1 only")
        return version

    @field_validator("models")
    @classmethod
    def _models_are_usable(
        cls, models: dict[str, ModelConfig], info: ValidationInfo
    ) -> dict[str, ModelConfig]:
        if not models:
            raise ValueError("name at least one model")
        output = info.data.get("output")
        own = {output.topic(name) for name in OUTPUT_TOPICS} if output else set()
        problems = [
            ((name, key), f"{topic} is a topic that Driftline writes itself")
            for name, model in models.items()
            for key, topics in (
                ("predictions", model.predictions),
                ("labels", (model.labels.topic,) if model.labels else ()),
            )
            for topic in topics
            if topic in own
        ]
        if problems:
            raise Located(*problems)
        return models

    @field_validator("comparisons")
    @classmethod
    def _comparisons_are_usable(
        cls, comparisons: dict[str, ComparisonConfig], info: ValidationInfo
    ) -> dict[str, ComparisonConfig]:
        problems = comparison_problems(comparisons, info.data.get("models") or {})
        if problems and "models" in info.data:
            raise Located(*problems)
        return comparisons

    @model_validator(mode="after")
    def _group_is_prefix(self) -> Self:
        if not self.kafka.group:
            kafka = self.kafka.model_copy(update={"group": self.output.prefix})
            object.__setattr__(self, "kafka", kafka)  # frozen, and not yet returned
        return self

    @model_validator(mode="after")
    def _alerts_link_to_the_page(self) -> Self:
        url = self.ui.url
        if url is not None:
            models = {name: model.on_page(url) for name, model in self.models.items()}
            object.__setattr__(self, "models", models)
        return self

    @model_validator(mode="after")
    def _seasons_have_a_zone(self) -> Self:
        """Take the zone of a model's predictions for that of its seasons, where it names none."""
        models = {}
        for name, model in self.models.items():
            source = self.sources.get(model.predictions[0])
            models[name] = model.in_zone((source and source.timezone) or UTC)
        object.__setattr__(self, "models", models)
        return self
