"""The text of a reference: one JSON document, of which its id is a hash.

The same content gives the same bytes, which is why they can be hashed as they stand: what is
written of a reference is read again without being written once more. `SCHEMAS` are the forms that
are read; the last is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from driftline.detectors.counts import EXTRA_CELLS, Feature, Layout, with_ks_error, with_ties
from driftline.detectors.derivations import derivation_from_json
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.packing import packed, unpacked
from driftline.detectors.reference_counts import ReferenceCounts, VersionBaseline
from driftline.detectors.seasons import Seasons
from driftline.detectors.volume import Volume

if TYPE_CHECKING:
    from driftline.detectors.reference import Reference

SCHEMA = "driftline.reference.v2"
_FIRST = "driftline.reference.v1"
SCHEMAS = (_FIRST, SCHEMA)


def content_hash(content: Mapping[str, Any]) -> str:
    """Hash a reference's content (without its id) to 16 hexadecimal digits."""
    return blake2b(to_bytes(content), digest_size=8).hexdigest()


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """Return content as a file has it: the same bytes for the same content."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def is_sealed(data: bytes, model: str, own: str, layout: str) -> bool:
    """Return whether a file holds, byte for byte, what its two ids are the hashes of.

    False says nothing against it: its text may be another one than `to_bytes` writes.

    Args:
        data: the file.
        model: of which it says that it is.
        own: the id that it states.
        layout: the id of the layout that it states.
    """
    name = json.dumps(model, ensure_ascii=False).encode(errors="surrogatepass")
    end = b',"model":%b,"schema":"%b"}\n' % (name, SCHEMA.encode())
    cut = b'"id":"%b",' % own.encode(errors="surrogatepass")
    at = data.find(cut + b'"layout":')
    if at < 0 or not data.endswith(end):
        return False
    begin = at + len(cut) + len(b'"layout":')
    inner = b'"id":"%b",' % layout.encode(errors="surrogatepass")
    within = data.find(inner, begin)
    if within < 0:
        return False
    last, text = len(data) - len(end), memoryview(data)
    return (
        _hash(text[:at], text[at + len(cut) : -1]) == own
        and _hash(text[begin:within], text[within + len(inner) : last]) == layout
    )


def _hash(*parts: memoryview) -> str:
    found = blake2b(digest_size=8)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def content(reference: Reference) -> dict[str, Any]:
    """Return what a reference is the hash of."""
    outcome = reference.outcome
    streams = [
        {
            "segment": stream,
            "events": int(events),
            "counts": _counts_to_json(reference.layout, counts),
        }
        for stream, events, counts in zip(
            reference.streams, reference.stream_events, reference.counts, strict=True
        )
    ]
    shared = {"schema": reference.schema, "model": reference.model, "events": reference.events}
    if reference.schema == _FIRST:
        layout = layout_content(reference)
        for own, feature in zip(layout["features"], reference.layout.features, strict=True):
            if own.pop("ties", None) is not None:
                own["ks_error"] = feature.ks_error
        return {**shared, **layout, "streams": streams, "outcome": outcome}
    seasons, volume, joint = reference.seasons, reference.volume, reference.joint
    if outcome is not None:
        outcome = {name: value for name, value in outcome.items() if name != "layout"}
    return {
        **shared,
        "layout": {"id": reference.layout_id, **layout_content(reference)},
        "baseline": {
            "streams": streams,
            "outcome": outcome,
            "dispersion": _dispersion_to_json(reference.dispersion, reference.layout),
            **({} if seasons is None else {"seasons": seasons.to_json(reference.layout)}),
            **({} if volume is None else {"volume": volume.to_json()}),
            **({"versions": _versions_to_json(reference)} if reference.versions else {}),
            **({} if joint is None else {"joint": joint.to_json()}),
        },
    }


def layout_content(reference: Reference) -> dict[str, Any]:
    """Return what the id of its layout is the hash of."""
    left_out, joint = reference.layout.left_out, reference.joint
    derived = reference.layout.derived
    return {
        "features": [_feature_to_json(feature) for feature in reference.layout.features],
        "segments": {tag: list(values) for tag, values in reference.segments.items()},
        "positive_label": reference.positive_label,
        "outcome": (reference.outcome or {}).get("layout"),
        **({} if left_out is None else {"left_out": list(left_out)}),
        **({"derived": [each.to_json() for each in derived]} if derived else {}),
        **({} if joint is None else {"joint": joint.layout.to_json()}),
    }


def fields(document: Mapping[str, Any], *, counted: bool = True) -> dict[str, Any]:
    """Return what a reference is made of, by the names of its fields.

    Args:
        document: its content.
        counted: whether what is normal is read too; else the counts are left out, the seasons, and
            how many events come.

    Raises:
        KeyError, TypeError, ValueError, IndexError, AttributeError: it is not of this form.
    """
    first = document["schema"] == _FIRST
    layout = document if first else document["layout"]
    baseline = document if first else document["baseline"]
    left_out = layout.get("left_out")
    features = Layout.of(
        map(_feature_from_json, layout["features"]),
        None if left_out is None else tuple(left_out),
        tuple(map(derivation_from_json, layout.get("derived", ()))),
    )
    streams, outcome = baseline["streams"], baseline["outcome"]
    if layout["outcome"] is not None and not first:
        outcome = {**outcome, "layout": layout["outcome"]}
    counts, seasons, volume = np.zeros((len(streams), 0), np.int64), None, None
    if counted:
        seasons, volume = baseline.get("seasons"), baseline.get("volume")
        counts = np.array([_counts_from_json(features, stream["counts"]) for stream in streams])
        features = with_ks_error(with_ties(features, counts[0]) if first else features, counts[0])
    joint = layout.get("joint")
    if joint is not None:
        pairs = JointLayout.from_json(joint)
        joint = JointNormal.from_json(baseline["joint"], pairs, features)
    return {
        "model": document["model"],
        "layout": features,
        "counted": ReferenceCounts(
            tuple(stream["segment"] for stream in streams),
            counts,
            np.array([stream["events"] for stream in streams], np.int64),
            None if seasons is None else Seasons.from_json(seasons, features),
            None if volume is None else Volume.from_json(volume),
            versions={} if first else _versions_from_json(baseline.get("versions", {}), features),
            joint=joint,
        ),
        "segments": {tag: tuple(values) for tag, values in layout["segments"].items()},
        "positive_label": layout["positive_label"],
        "outcome": outcome,
        "dispersion": None if first else _dispersion_from_json(baseline["dispersion"], features),
        "schema": document["schema"],
    }


def _versions_to_json(reference: Reference) -> dict[str, Any]:
    return {
        name: {
            "id": own.id,
            "dispersion": _dispersion_to_json(own.dispersion, reference.layout),
        }
        for name, own in reference.versions.items()
    }


def _versions_from_json(document: dict[str, Any], layout: Layout) -> dict[str, VersionBaseline]:
    return {
        name: VersionBaseline(own["id"], _dispersion_from_json(own["dispersion"], layout))
        for name, own in document.items()
    }


def _dispersion_to_json(found: Dispersion | None, layout: Layout) -> dict[str, Any] | None:
    """By feature the mean events of a pane, and phi by how many panes are joined."""
    if found is None:
        return None
    return {
        "pane": found.pane,
        "panes": found.panes,
        "features": {
            feature.name: {
                "events": float(found.events[f]),
                "phi": [own.tolist() for own in found.phi[:, :, f] if not np.isnan(own).any()],
            }
            for f, feature in enumerate(layout.features)
        },
    }


def _dispersion_from_json(document: dict[str, Any] | None, layout: Layout) -> Dispersion | None:
    if document is None:
        return None
    own = [document["features"][feature.name] for feature in layout.features]
    phi = np.full((len(JOINS), len(DIRECTIONS), len(own)), np.nan)
    for f, each in enumerate(own):
        for i, values in enumerate(each["phi"]):
            phi[i, :, f] = values
    events = np.array([each["events"] for each in own], np.float64)
    return Dispersion(int(document["pane"]), int(document["panes"]), events, phi)


def _feature_to_json(feature: Feature) -> dict[str, Any]:
    if feature.type == "numeric":
        own: dict[str, Any] = {
            "grid": feature.grid.tolist(),
            "ties": feature.ties.tolist(),
        }
    else:
        own = {"categories": list(feature.categories)}
    return {"name": feature.name, "type": feature.type, **own}


def _feature_from_json(feature: dict[str, Any]) -> Feature:
    return Feature(
        name=feature["name"],
        type=feature["type"],
        grid=np.array(feature.get("grid", []), np.float64),
        categories=tuple(feature.get("categories", ())),
        ties=np.array(feature.get("ties", []), np.int64),
    )


def _counts_to_json(layout: Layout, flat: IntArray) -> dict[str, Any]:
    """Per feature the ties (or categories) and gaps; gaps are empty unless the grid was cut."""
    return {
        feature.name: packed(flat[layout.starts[f] : layout.starts[f + 1]])
        for f, feature in enumerate(layout.features)
    }


def _counts_from_json(layout: Layout, counts: dict[str, Any]) -> IntArray:
    blocks = [
        unpacked(counts[feature.name], feature.slots + EXTRA_CELLS) for feature in layout.features
    ]
    return np.concatenate([np.zeros(0, np.int64), *blocks])
