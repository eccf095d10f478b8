"""Rows of two sides, of which one may have changed in a known way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from driftline.consumer.offline.rows.event_row import EventRow

Change = Callable[[dict[str, Any], dict[str, Any], np.random.Generator], None]
"""Changes the features and tags of a row of now."""


def sides(
    rows: int, seed: int, change: Change | None = None
) -> tuple[list[EventRow], list[EventRow]]:
    """Return rows of now and as many quiet ones: four numbers, a category and two tags."""
    rng = np.random.default_rng(seed)
    found: list[list[EventRow]] = [[], []]
    for side, made in enumerate(found):
        for number in range(rows):
            values = rng.normal(size=4)
            features: dict[str, Any] = {f"x{i}": float(value) for i, value in enumerate(values)}
            features["fuel"] = str(rng.choice(["gas", "diesel", "none"], p=[0.6, 0.3, 0.1]))
            tags: dict[str, Any] = {
                "shop": str(rng.choice(list("abcd"))),
                "channel": str(rng.choice(["web", "app", "phone"])),
            }
            if side == 0 and change is not None:
                change(features, tags, rng)
            place = 1_767_225_600_000 + (1 - side) * rows * 60_000 + number * 60_000
            row = EventRow(place, place, f"{side}-{number}", "1", features, None, None, None, tags)
            made.append(row)
    return found[0], found[1]


def in_shop_c(features: dict[str, Any], tags: dict[str, Any], _: np.random.Generator) -> None:
    """Move a feature in one shop alone."""
    if tags["shop"] == "c":
        features["x2"] += 2.0


def in_the_app_of_shop_c(
    features: dict[str, Any], tags: dict[str, Any], _: np.random.Generator
) -> None:
    """Move a feature where two tags have one value each."""
    if tags["shop"] == "c" and tags["channel"] == "app":
        features["x2"] += 4.0


def together(features: dict[str, Any], _: dict[str, Any], __: np.random.Generator) -> None:
    """Let two features go together, each of which stays as it was."""
    features["x1"] = 0.8 * features["x0"] + 0.6 * features["x1"]


def everywhere(features: dict[str, Any], _: dict[str, Any], __: np.random.Generator) -> None:
    """Move a feature in all rows, and lose another in half of them."""
    features["x3"] += 0.7
    if features["x0"] > 0:
        features["fuel"] = None
