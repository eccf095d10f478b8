"""What the seasons of a reference bring, in words for readers who know no statistics."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import numpy as np

from driftline.consumer.judge.sentence import named
from driftline.consumer.wire.text import some
from driftline.detectors.dispersion import OTHER
from driftline.detectors.grid import FloatArray
from driftline.detectors.reference import Reference
from driftline.detectors.seasons import CYCLES, FeatureSeason
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions
from driftline.producer.records.durations import format_duration

MOST = 0.5
"""Share of the variance between panes, beyond chance, from which on a cycle explains most of it."""

PART = 0.05
"""From here on it is worth a word."""

_NAMED = 3


def season_notes(reference: Reference, ignored: Container[str] = ()) -> Iterator[str]:
    """Yield for each cycle what it explains of the features that are not `ignored`."""
    if reference.seasons is None:
        return
    seasons = reference.seasons.streams[0]
    explained = _explained(reference, seasons)
    for cycle in CYCLES.values():
        own = {
            named(reference.layout.features[f].name): explained[f]
            for f, season in seasons.items()
            if season.cycle == cycle.name and reference.layout.features[f].name not in ignored
        }
        names = sorted(own, key=lambda name: -own[name])
        most = [name for name in names if own[name] >= MOST]
        rest = [name for name in names if PART <= own[name] < MOST]
        parts = [f"most of the change of {some(most, _NAMED)}"] if most else []
        if rest:
            of = "that of" if most else "the change of"
            parts.append(f"part of {of} {some(rest, _NAMED)}")
        if parts:
            yield (
                f"{cycle.title} explains {', and '.join(parts)}: {cycle.all} are compared each with"
                f" its own normal, by the clocks of {reference.seasons.timezone}"
            )


def season_problems(reference: Reference, zone: str | None, pane: int) -> Iterator[str]:
    """Yield where seasons do not fit the configuration, a sentence each.

    Args:
        reference: what is normal.
        zone: whose clocks the configuration names; None: features may follow no cycle.
        pane: length of the model's panes, ms.
    """
    seasons = reference.seasons
    if seasons is None:
        return
    if seasons.timezone != zone:
        asked = "seasons is off" if zone is None else f"seasons.timezone is {zone}"
        yield (
            f"{asked}, but the reference has the hours and days of {seasons.timezone}, which hold:"
            " build it again with this configuration, or write the same there"
        )
    cycles = {CYCLES[each.cycle] for each in seasons.streams[0].values()}
    longest = min(cycle.longest for cycle in cycles)
    if pane > longest:
        yield (
            f"panes of {format_duration(pane)} are longer than the hours that features follow: set"
            f" window.pane to {format_duration(longest)} or less, or seasons: off and build the"
            " reference again"
        )


def _explained(reference: Reference, seasons: Mapping[int, FeatureSeason]) -> dict[int, float]:
    """Return the share of the variance between panes, beyond chance, that a cycle explains."""
    places = np.array(sorted(seasons))
    bins = PaneBins(reference.layout, reference.counts_of(None), places)
    directions = Directions.of(bins, int((places < reference.layout.numeric).sum()))
    found = {}
    for i, f in enumerate(places.tolist()):
        own = slice(int(bins.first[i]), int(bins.first[i + 1]))
        between = _between(seasons[f].counts[:, :-1].astype(np.float64), directions.scores[:, own])
        beside = 0.0
        if reference.dispersion is not None:
            between = between * float(reference.dispersion.events[f])
            beside = float(np.nan_to_num(reference.dispersion.phi[0, OTHER, f], nan=1.0)) - 1.0
        largest = float(between.max())
        found[f] = largest / (largest + beside) if largest > 0.0 else 0.0
    return found


def _between(counts: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the variance between cells of the mean of each score, of an event, without chance."""
    events = counts.sum(axis=1)
    there = events > 0.0
    means = counts[there] @ scores.T / events[there, None]
    weights = events[there] / events.sum()
    spread = weights @ (means - weights @ means) ** 2
    chance = there.sum() / events.sum()
    found: FloatArray = np.maximum(spread - chance, 0.0)
    return found
