"""Events as rows of a table: each column has the name that a mapping gives a field of the event."""

from __future__ import annotations

from collections.abc import Collection

from driftline.producer.errors import MappingError
from driftline.producer.records.mapping import Mapping, Source, quote_name
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.text_form import AS_WRITTEN, TextForm


def flat_mapping(columns: Collection[str], texts: TextForm = AS_WRITTEN) -> Mapping | None:
    r"""Return how rows of events become events, None if the columns are of other rows.

    They are events if each column is called as a field of events, such as `event_id`, `timestamp`,
    `actual` or `tags.shop`, and one of them is `features.age`, say, or `prediction.score`.

    Args:
        columns: their names.
        texts: what texts of values stand for.

    >>> flat_mapping(["timestamp", "features.age", "actual"]).fields["features.age"]
    'features\\.age'
    >>> flat_mapping(["timestamp", "age"]) is flat_mapping(["event_id", "actual"]) is None
    True
    """
    fields: dict[str, Source] = {name: quote_name(name) for name in columns}
    if not any(_tells(name) for name in columns):
        return None
    try:
        return Mapping(fields, texts=texts)
    except MappingError:
        return None


def _tells(column: str) -> bool:
    part, _, name = column.partition(".")
    return column in PREDICTION_FEATURES or (part == "features" and bool(name))
