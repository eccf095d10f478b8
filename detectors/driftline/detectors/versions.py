"""Versions of a model that have a reference of their own: one reference of all of them.

The layout is the model's. Each named version is a stream of its own, `model_version=3.2`, whose
normal counts are those of its reference; all others are one stream together, which is compared with
the model's reference. So the whole model is, at any time, a mixture of these streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from driftline.detectors.build import stream_names
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import FloatArray
from driftline.detectors.reference import (
    OTHER,
    SCHEMA,
    Reference,
    ReferenceCounts,
    VersionBaseline,
)
from driftline.detectors.seasons import Seasons
from driftline.detectors.tags import VERSION


def with_versions(reference: Reference, named: Mapping[str, Reference]) -> Reference:
    """Return the reference of a model, some of whose versions have one of their own.

    What it knows of the streams `model_version=...` is not used: it says how versions were that
    are named now, or that are together now with others.

    Args:
        reference: of the model; it has no versions yet.
        named: of versions, by name, over the same layout; at least one.

    Raises:
        ValueError: one has another layout, or the clocks of another time zone.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> def of(a, b):
        ...     counts = np.array([[a, b, 0, 0, 0, 0]])
        ...     return Reference("m", layout, ReferenceCounts((None,), counts, counts.sum(1)), {})
        >>> both = with_versions(of(70, 30), {"3.2": of(10, 90)})
        >>> both.streams
        (None, 'model_version=3.2', 'model_version=__other__')
        >>> both.counts[:, :2].tolist()
        [[70, 30], [10, 90], [70, 30]]
    """
    for name, own in named.items():
        if own.layout_id != reference.layout_id:
            raise ValueError(f"the reference of {name} has another layout")
    segments = {**reference.segments, VERSION: tuple(named)}
    segments = {tag: segments[tag] for tag in sorted(segments)}
    streams = stream_names(segments)
    own_streams = {f"{VERSION}={name}": own for name, own in named.items()}
    sources = [_source(stream, reference, own_streams) for stream in streams]
    counted = ReferenceCounts(
        streams,
        np.stack([each.counts[row] for each, row in sources]),
        np.array([each.stream_events[row] for each, row in sources], np.int64),
        _seasons(sources),
        reference.volume,
        versions={name: VersionBaseline(own.id, own.dispersion) for name, own in named.items()},
    )
    return replace(
        reference,
        counted=counted,
        segments=segments,
        outcome=_outcome(reference, sources),
        schema=SCHEMA,
    )


def version_streams(reference: Reference) -> tuple[str, ...]:
    """Return the streams that the whole model is a mixture of; none where no version is named."""
    if not reference.versions:
        return ()
    return tuple(f"{VERSION}={name}" for name in (*reference.segments[VERSION], OTHER))


def dispersion_of(reference: Reference, stream: str | None) -> tuple[Dispersion | None, float]:
    """Return how much the panes of a stream vary, and its share of that reference's events.

    Of a named version that is its own reference's. The whole model varies, in each direction, as
    much as the one of its versions that varies most.
    """
    events = reference.stream_events
    share = int(events[reference.position[stream]]) / max(int(events[0]), 1)
    if not reference.versions:
        return reference.dispersion, share
    own = {f"{VERSION}={name}": each.dispersion for name, each in reference.versions.items()}
    if stream in own:
        return own[stream], 1.0
    if stream is not None or reference.dispersion is None:
        return reference.dispersion, share
    return _largest(reference.dispersion, [each for each in own.values() if each]), share


def _source(
    stream: str | None, reference: Reference, named: Mapping[str, Reference]
) -> tuple[Reference, int]:
    """Return whose counts a stream is compared with, and their row."""
    if stream is not None and stream in named:
        return named[stream], 0
    if stream == f"{VERSION}={OTHER}":
        return reference, 0
    return reference, reference.position[stream]


def _seasons(sources: list[tuple[Reference, int]]) -> Seasons | None:
    known = [each.seasons for each, _ in sources if each.seasons is not None]
    if not known:
        return None
    if len({each.timezone for each in known}) > 1:
        raise ValueError("the references have the clocks of different time zones")
    streams = ({} if each.seasons is None else each.seasons.streams[row] for each, row in sources)
    return Seasons(known[0].timezone, tuple(streams))


def _outcome(reference: Reference, sources: list[tuple[Reference, int]]) -> dict[str, Any] | None:
    """Return the outcome: of a version whose events have no ground truth, that of the model."""
    if reference.outcome is None:
        return None
    counts = []
    for each, row in sources:
        known = each.outcome if each.outcome is not None and each.outcome["n"] else None
        own = reference.outcome if known is None else known
        counts.append(own["counts"][0 if known is None else row])
    return {**reference.outcome, "counts": counts}


def _largest(dispersion: Dispersion, others: list[Dispersion]) -> Dispersion:
    """Return how much panes vary at the most, for as many joined panes as the first one knows."""
    phi: FloatArray = dispersion.phi
    for other in others:
        phi = np.where(np.isnan(phi), phi, np.fmax(phi, other.phi))
    return replace(dispersion, phi=phi)
