"""What references per version bring, in words for readers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from driftline.consumer.judge.seasons import unwatched
from driftline.consumer.judge.sentence import named
from driftline.consumer.wire.text import some
from driftline.detectors.reference import OTHER, Reference
from driftline.detectors.tags import VERSION
from driftline.detectors.versions import version_streams

MIXED = "compared with the references of its versions, each by its share of the events"
TOGETHER = "versions without a reference of their own, together: compared with the model's"
UNMIXED = "compared with the model's reference, whatever the versions: windows alone alarm"
_NAMED = 3


def version_note(reference: Reference, segment: str | None) -> str | None:
    """Return what the verdicts of a stream say of its reference; None: nothing."""
    streams = version_streams(reference)
    if not streams:
        return None
    if segment is None:
        return MIXED
    if segment == f"{VERSION}={OTHER}":
        return TOGETHER
    return None if segment in streams else UNMIXED


def version_notes(
    reference: Reference, tags: Collection[str], ignored: Collection[str] = ()
) -> Iterator[str]:
    """Yield which versions have a reference of their own, and what that means for the others.

    Args:
        reference: of the model.
        tags: those whose values are counted apart.
        ignored: features that nobody watches.
    """
    if not reference.versions:
        return
    events = {
        name: int(reference.stream_events[reference.position[f"{VERSION}={name}"]])
        for name in reference.segments[VERSION]
    }
    names = [f"{named(name)} ({many:,} events)" for name, many in events.items()]
    have = "has a reference of its own" if len(names) == 1 else "have references of their own"
    yield (f"{some(names, len(names))} {have}; all other versions go together against the model's")
    alone = [
        named(feature.name)
        for feature, windows in zip(
            reference.layout.features, unwatched(reference, None).tolist(), strict=True
        )
        if windows and feature.name not in ignored
    ]
    if alone:
        yield (
            f"{some(alone, _NAMED)}: normal differs from hour to hour and from version to version,"
            " so windows alone watch the whole model, and change alarms come from each version"
        )
    others = [named(tag) for tag in tags if tag != VERSION]
    if others:
        yield (
            f"segments of {some(others, _NAMED)} are compared with the model's reference, whatever"
            " the versions: a version that differs may alarm there, and windows alone do"
        )
