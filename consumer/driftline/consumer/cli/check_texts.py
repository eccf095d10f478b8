"""Recent events whose numbers are written as text, where nothing says that they are numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from driftline.consumer.log.protocol import Record
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.decode import Decoded, ModelRows
from driftline.detectors.counts import ABSENT, EXTRA_CELLS, INVALID, Layout, count_columns


def cells(layout: Layout, rows: ModelRows, cell: int) -> Counter[str]:
    """Return how many events have no value of each feature: of one `cell`, such as `INVALID`."""
    counts = count_columns(layout, rows.columns)
    events = counts[layout.starts[1:] - EXTRA_CELLS + cell]
    return Counter(dict(zip(layout.position, events.tolist(), strict=True)))


def numbers_as_text(
    plan: Plan, topic: str, records: Sequence[Record], decoded: Decoded
) -> dict[str, Counter[str]]:
    """Return of each model the events in which a feature has a value with `coerce` alone.

    Args:
        plan: what is watched.
        topic: where the records come from.
        records: as read.
        decoded: the events among them.
    """
    mapping = plan.mapping_of(topic)
    if mapping.texts.coerce or not decoded.models:
        return {}
    coerced = replace(mapping, texts=replace(mapping.texts, coerce=True))
    values, times = zip(*((record.value, record.timestamp) for record in records), strict=True)
    read = plan.decoder(topic, mapping=coerced).decode(values, times)
    found = {}
    for name, rows in decoded.models.items():
        if name in read.models:
            layout = plan.references[name].layout
            found[name] = _useless(layout, rows) - _useless(layout, read.models[name])
    return found


def _useless(layout: Layout, rows: ModelRows) -> Counter[str]:
    return cells(layout, rows, INVALID) + cells(layout, rows, ABSENT)
