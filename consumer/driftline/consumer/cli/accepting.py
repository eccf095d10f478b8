"""Writing an acceptance from the command line."""

from __future__ import annotations

import time
from contextlib import closing

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.config import Config, ModelConfig
from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, AcceptanceWriter
from driftline.consumer.log.protocol import Broker
from driftline.consumer.service.references import configured_reference
from driftline.consumer.wire.messages import Acceptance
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)
from driftline.producer.errors import MissingExtraError
from driftline.producer.records.names import is_metric, nearest


def write(
    broker: Broker,
    config: Config | None,
    model: str,
    given: tuple[str, str, str, str | None, str | None],
) -> Acceptance:
    """Write that what a model shows is normal; return the record.

    Args:
        broker: where the topics are; it is given up.
        config: names the topics; without one they are `driftline.*`.
        model: its name.
        given: the feature, who accepts it, why, since when and from when on.

    Raises:
        AlertsError: it cannot be accepted, or the topic does not exist.
        CommandError: the model's reference has no such feature.
    """
    if config is not None and given[0]:
        _check_feature(config.models[model], given[0])
    topic = OutputLog.of(broker, config).topic("panes")
    with closing(AcceptanceWriter(broker, topic, lambda: time.time_ns() // 1_000_000)) as writer:
        return writer.accept(model, AcceptanceRequest(*given))


def _check_feature(model: ModelConfig, feature: str) -> None:
    """Refuse a feature that the model has not, where its reference can be read from here."""
    try:
        known = configured_reference(model).layout.position
    except (ReferenceError, MissingExtraError):
        return
    if feature not in known and not is_metric(feature):
        parts = (f"{feature}: the model's reference has no such feature", nearest(feature, known))
        raise CommandError(", ".join(filter(None, parts)))
