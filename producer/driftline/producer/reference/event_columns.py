"""Native events as columns, so that what follows works on columns and not on events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from typing import Any

from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.table import ABSENT
from driftline.producer.reference.column import Column


class EventColumns:
    """The values of many events, a column per feature, outcome and tag.

    Args:
        model: events that name another model are left out, and counted in `skipped`.
        tags: tags to keep.

    Attributes:
        events: events taken.
        unusable: records that the monitor would refuse: neither features nor prediction, or of a
            wrong type.
        features: input's name to its values.
        prediction, actual: their `score` and `label`.
        tags: tag to its values.
    """

    def __init__(self, model: str, tags: Sequence[str] = ()) -> None:
        self.model = model
        self.events = self.skipped = self.unusable = 0
        self.features: dict[str, Column] = {}
        self.prediction = {"score": Column(), "label": Column()}
        self.actual = {"score": Column(), "label": Column()}
        self.tags = {tag: Column() for tag in tags}

    def add(self, chunk: Sequence[AnyMapping[str, Any]]) -> None:
        """Append native events."""
        events = list(self._usable(chunk))
        rows = [event.get("features") or {} for event in events]
        for name in sorted(set().union(*rows) - self.features.keys()):
            self.features[name] = Column(absent=self.events)
        for name, column in self.features.items():
            column.add([row.get(name, ABSENT) for row in rows])
        for whole, columns in (("prediction", self.prediction), ("actual", self.actual)):
            parts = [split_outcome(event.get(whole)) for event in events]
            for part, column in columns.items():
                column.add([values.get(part, ABSENT) for values in parts])
        for tag, column in self.tags.items():
            column.add([_tag(event, tag) for event in events])
        self.events += len(events)

    def _usable(self, chunk: Sequence[AnyMapping[str, Any]]) -> Iterator[AnyMapping[str, Any]]:
        for event in chunk:
            if not _is_event(event):
                self.unusable += 1
            elif event.get("model") not in (None, self.model):
                self.skipped += 1
            else:
                yield event


def _is_event(record: object) -> bool:
    """Whether the monitor would count it; a null field counts as an absent one."""
    if not isinstance(record, dict):
        return False
    features, prediction = record.get("features"), record.get("prediction")
    if features is None and prediction is None:
        return False
    return isinstance(features, dict | None) and not isinstance(prediction, list)


def _tag(event: AnyMapping[str, Any], tag: str) -> Any:
    if tag == "model_version" and "model_version" in event:
        return event["model_version"]
    tags = event.get("tags")
    return tags.get(tag, ABSENT) if isinstance(tags, dict) else ABSENT
