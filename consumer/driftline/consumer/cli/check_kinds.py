"""Topics whose recent records are of several kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from driftline.consumer.cli.check_findings import Finding
from driftline.consumer.log.protocol import Record
from driftline.consumer.service.plan import Plan
from driftline.producer.errors import FormatError
from driftline.producer.records.formats.json_text import parse_json
from driftline.producer.records.mapping import parse_path
from driftline.producer.reference.kinds import kinds_of


def kind_findings(plan: Plan, topic: str, records: Sequence[Record]) -> Iterator[Finding]:
    """Yield that records of several kinds are judged as one, unless each has its own model.

    Args:
        plan: what is watched.
        topic: of predictions.
        records: as they were opened: an event each.
    """
    kinds = kinds_of(list(_objects(records)))
    if kinds is None or not plan.models_of(topic):
        return
    if any(labels.topic == topic for labels in plan.labelled.values()):  # labels among the events
        return
    mapping = plan.mapping_of(topic)
    told = mapping.paths().get("model")
    if told == parse_path(kinds.field) or (mapping.is_native and kinds.field == "model"):
        return
    yield Finding(
        "warning", "formats", f"{topic}: {kinds};\nthey are judged as one, {kinds.advice}"
    )


def _objects(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    for record in records:
        if not isinstance(record.value, bytes):
            continue
        try:
            value = parse_json(record.value)
        except FormatError:
            continue
        if isinstance(value, dict):
            yield value
