"""What the tests of the decoder share: two small models, and a batch as plain values."""

import json
from typing import Any

import numpy as np

from driftline.consumer.sketch.decode import Decoded, Decoder, ModelSchema
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.mapping import Mapping

NOW = 1_795_403_415_010  # 2026-11-23T03:10:15.010Z
NOW_TEXT = "2026-11-23T03:10:15.010Z"
MAX_AHEAD = 300_000
MAX_BYTES = 262_144
NO_GRID = np.empty(0)

LAYOUT = Layout.of(
    [
        Feature("age", "numeric", np.array([20.0, 30.0])),
        Feature("amount", "numeric", np.array([1.0])),
        Feature("prediction.score", "numeric", np.array([0.5])),
        Feature("plan", "categorical", NO_GRID, ("3", "free", "größer")),
        Feature("prediction.label", "categorical", NO_GRID, ("0", "1", "fraud")),
        Feature("vip", "boolean", NO_GRID, ("false", "true")),
    ]
)
SEGMENTS = {"channel": ("app", "web"), "model_version": ("1", "2")}
CHURN = ModelSchema("churn", LAYOUT, SEGMENTS)
PRICE = ModelSchema(
    "price",
    Layout.of(
        [
            Feature("age", "categorical", NO_GRID, ("old", "young")),
            Feature("prediction.score", "numeric", np.array([10.0])),
        ]
    ),
    {},
)


def decoder(*models: ModelSchema, mapping: Mapping | None = None) -> Decoder:
    return Decoder(mapping or Mapping(), models or (CHURN,), MAX_AHEAD, MAX_BYTES)


def encoded(record: object) -> bytes:
    return json.dumps(record).encode()


def plain(decoder: Decoder, decoded: Decoded) -> dict[str, Any]:
    """Return a batch as values that can be compared."""
    rows = {}
    for name, found in decoded.models.items():
        assert (np.diff(found.index) > 0).all()
        names = [*decoder.version_names[name], None]
        for i, index in enumerate(found.index.tolist()):
            rows[index] = (
                name,
                int(found.times[i]),
                [repr(x) for x in found.columns.numeric[i].tolist()],
                found.columns.codes[i].tolist(),
                names[found.versions[i]],
                {tag: int(codes[i]) for tag, codes in found.segments.items()},
            )
    return {
        "rows": rows,
        "rejected": [(bad.index, bad.reason, bad.detail) for bad in decoded.rejected],
        "tombstones": decoded.tombstones,
        "unknown_model": decoded.unknown_model,
    }


def only(value: bytes | None, *models: ModelSchema, mapping: Mapping | None = None) -> Any:
    """Return what becomes of one value: (model, time, features by name, version, segments),
    the reason it is refused for, `tombstone` or `unknown_model`."""
    schemas = models or (CHURN,)
    reader = decoder(*schemas, mapping=mapping)
    batch = plain(reader, reader.decode([value], [NOW]))
    fates: list[Any] = [reason for _, reason, _ in batch["rejected"]]
    fates += ["tombstone"] * batch["tombstones"] + ["unknown_model"] * batch["unknown_model"]
    for name, time, numeric, codes, version, segments in batch["rows"].values():
        (layout,) = [schema.layout for schema in schemas if schema.name == name]
        names = [feature.name for feature in layout.features]
        features = dict(zip(names, [*map(float, numeric), *codes], strict=True))
        fates.append((name, time, features, version, segments))
    (fate,) = fates
    return fate


def read(features: dict[str, Any], **fields: Any) -> dict[str, float]:
    """Return the doubles and codes that an event's features are read as."""
    result = only(encoded({"features": features, **fields}))
    assert isinstance(result, tuple), result
    return result[2]  # type: ignore[no-any-return]  # taken out of a tuple of many things
