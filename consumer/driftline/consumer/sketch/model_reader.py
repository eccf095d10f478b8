"""Reads the events of one model: every partition of a topic whose events it has shares it."""

from __future__ import annotations

from collections.abc import Sequence

from driftline.consumer.sketch.batch import Batch, tag_codes
from driftline.consumer.sketch.compile import CompiledFields
from driftline.consumer.sketch.decoded import ModelRows, NewFields
from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.sketch.fields import EVENT_ID, VERSION, EventFields
from driftline.consumer.sketch.versions import Versions
from driftline.detectors.grid import IntArray
from driftline.producer.records.column_values import feature_columns


class ModelReader:
    """Reads one model's events: compiled when the first are seen, for the order of their keys.

    What it has learned of the events that it read changes how fast it reads the next ones and
    which codes their names get, never what they mean.

    Args:
        fields: what is read.

    Attributes:
        versions: gives the names of versions codes.
    """

    def __init__(self, fields: EventFields) -> None:
        self.fields = fields
        self.versions = Versions(fields.schema.segments.get(VERSION, ()))
        self._compiled: CompiledFields | None = None

    def tidy(self) -> None:
        """Forget names of versions and releases, if they have become too many."""
        self.versions.tidy()
        self.fields.schema.tidy()

    def forget(self) -> None:
        """Begin anew: an unexpected error may have left half of what was to be learned."""
        self._compiled = None

    def read(self, places: IntArray, values: Sequence[bytes]) -> tuple[Batch, list[int]]:
        """Read values, at least one; see `CompiledFields.read`."""
        if self._compiled is None:
            self._compiled = CompiledFields(self.fields, values[0])
        return self._compiled.read(places, values)

    def rows(self, batch: Batch, times: IntArray) -> ModelRows:
        """Return events as columns."""
        versions = self.versions.codes(batch.raw[VERSION])
        return ModelRows(
            batch.places,
            times,
            feature_columns(self.fields.schema.layout, batch.matrix),
            versions,
            tag_codes(self.fields, batch.matrix, versions),
            hash_ids(batch.raw[EVENT_ID]) if self.fields.schema.ids else None,
            NewFields.of(batch.new, batch.places),
        )
