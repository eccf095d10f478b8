"""How data is read whose windows are of rows: a row's number is its time."""

from __future__ import annotations

from driftline.consumer.config import ModelConfig
from driftline.consumer.offline.assumptions import glob_of
from driftline.consumer.service.backtest import row_mapping
from driftline.producer.records.mapping import Mapping


def by_rows(settings: ModelConfig, mapping: Mapping) -> tuple[ModelConfig, Mapping]:
    """Return settings and mapping that take a row's number for its time.

    The columns that would have been the times are read no more; they are no new fields for that.

    >>> from driftline.consumer.config import ModelConfig
    >>> settings = ModelConfig(predictions="t", reference="r", window={"rows": 100})
    >>> settings, mapping = by_rows(settings, Mapping({"timestamp": "ts", "features": "*"}))
    >>> settings.ignore
    ('ts',)
    """
    numbered = row_mapping(mapping)
    unread = mapping.used() - numbered.used()
    ignore = (*settings.ignore, *sorted(map(glob_of, unread)))
    return settings.model_copy(update={"ignore": ignore}), numbered
