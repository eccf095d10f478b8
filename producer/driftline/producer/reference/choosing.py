"""What is counted of a reference's events: the grids, categories and segments that they give."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from driftline.detectors.build import numeric_feature, segment_values
from driftline.detectors.counts import Feature, Layout
from driftline.detectors.grid import FloatArray
from driftline.detectors.listing import Listing
from driftline.detectors.registry import BOOLEANS, FeatureType
from driftline.producer.errors import InputError
from driftline.producer.reference.category_counts import CategoryCounts
from driftline.producer.reference.look import Look
from driftline.producer.reference.order_statistics import RankSearch, grid_search
from driftline.producer.reference.readings import Reader
from driftline.producer.reference.searches import (
    MOST_VALUES,
    ColumnCounts,
    feature_values,
    settled,
)


@dataclass(frozen=True)
class Chosen:
    """What is counted.

    Attributes:
        layout: the features.
        segments: tag to its listed values.
        distinct: feature to how many different valid values it has; about, where it has many.
        listings: categorical feature to its categories, and what is counted of them.
    """

    layout: Layout
    segments: dict[str, tuple[str, ...]]
    distinct: dict[str, int]
    listings: dict[str, Listing]


def choose(
    reader: Reader,
    types: Mapping[str, FeatureType],
    looks: Mapping[str, Look],
    tags: Collection[str],
    grid: int | None,
) -> Chosen:
    """Choose grids and categories, by two readings at most where values have room.

    Args:
        reader: reads the events.
        types: feature to its type.
        looks: what is known of each.
        tags: the tags that are segments.
        grid: most grid values; None for all.

    Raises:
        InputError: no event has a tag.
    """
    grids, searches = _grids(types, looks, grid)
    categories = {name: CategoryCounts() for name, kind in types.items() if kind == "categorical"}
    tagged = {tag: CategoryCounts() for tag in tags}
    if searches or categories or tagged:
        wanted = ColumnCounts(feature_values, searches, {}, categories, tagged)
        found = reader.read(wanted)
        categories, tagged = dict(found.categories), dict(found.tags)
        searches = settled(reader, found.searches, feature_values)
    grids |= {name: np.unique(search.values()) for name, search in searches.items()}
    texts = {name: counter.counted() for name, counter in categories.items()}
    listings = {name: Listing.of(name, counted) for name, counted in texts.items()}
    features = [
        numeric_feature(name, grids[name])
        if kind == "numeric"
        else Feature(
            name,
            kind,
            np.empty(0),
            BOOLEANS if kind == "boolean" else listings[name].categories,
        )
        for name, kind in types.items()
    ]
    distinct = {name: looks[name].numbers.about() for name in grids}
    distinct |= {name: len(counted) for name, counted in texts.items()}
    values = {tag: tagged[tag].counted() for tag in sorted(tagged)}
    for tag, counted in values.items():
        if not counted:
            raise InputError(f"segment {tag}: no event has this tag; check the name or mapping")
    segments = {tag: segment_values(counted) for tag, counted in values.items()}
    return Chosen(Layout.of(features), segments, distinct, listings)


def _grids(
    types: Mapping[str, FeatureType], looks: Mapping[str, Look], grid: int | None
) -> tuple[dict[str, FloatArray], dict[str, RankSearch]]:
    """Return the grids of numbers of which all are known, and searches for those of the others."""
    grids: dict[str, FloatArray] = {}
    samples: dict[str, FloatArray] = {}
    for name in (name for name, kind in types.items() if kind == "numeric"):
        numbers = looks[name].numbers.all()
        if numbers is not None and (grid is None or numbers.size <= grid):
            grids[name] = numbers
        elif grid is not None:
            samples[name] = np.concatenate(looks[name].sample) if numbers is None else numbers
    if grid is None or not samples:
        return grids, {}
    room = MOST_VALUES // len(samples)
    return grids, {name: grid_search(each, grid, room) for name, each in samples.items()}
