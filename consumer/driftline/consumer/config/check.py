"""Checks of a model's configuration against its reference: names of features and tags."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection

from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.names import hint
from driftline.consumer.config.settings import Config
from driftline.consumer.config.tree import Locations
from driftline.producer.records.names import nearest


def check_against(
    config: Config,
    model_name: str,
    feature_names: Collection[str],
    tags: Collection[str],
    locations: Locations,
    others: Collection[str] = (),
) -> list[Problem]:
    """Find names in a model's configuration that its reference does not have.

    What stands in `defaults` holds for all models, of which some may lack a feature: only its
    segments are checked.

    Args:
        config: the configuration.
        model_name: one of its models.
        feature_names: features of the reference, with `prediction.score` and `prediction.label`,
            and fields that features are derived of.
        tags: tags that the reference has segments of.
        locations: of the same `Loaded`.
        others: fields that the reference was built without.

    Returns:
        An error for each unknown feature and segment, a warning for each `ignore` glob that
        matches nothing but is nearly a feature's name: what is ignored need not be in a reference.
    """
    model = config.models[model_name]
    problems: list[Problem] = []
    place: Key
    for feature, settings in model.features.items():
        place = ("models", model_name, "features", feature)
        if feature not in feature_names and not locations.in_defaults(place):
            advice = "build it again" if settings.derives else hint(feature, feature_names)
            problems.append(locations.problem(place, f"not in the reference; {advice}"))
    for index, glob in enumerate(model.ignore):
        place = ("models", model_name, "ignore", index)
        nearly = nearest(glob, feature_names)
        fits = fnmatch.filter((*feature_names, *others), glob)
        if nearly and not fits and not locations.in_defaults(place):
            message = f"{glob} matches no feature of the reference; {nearly}"
            problems.append(locations.problem(place, message, "warning"))
    for index, tag in enumerate(model.segments):
        if tag not in tags:
            message = f"the reference has no segments of {tag}; {_tag_advice(tag, tags)}"
            place = ("models", model_name, "segments", index)
            problems.append(locations.problem(place, message))
    return problems


def _tag_advice(tag: str, tags: Collection[str]) -> str:
    if not tags:
        return f"build it with {tag} among the segments"
    return hint(tag, tags)
