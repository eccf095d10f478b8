"""How the features of a model go together, as its view shows it."""

from __future__ import annotations

from driftline.consumer.views.alert_book import AlertBook
from driftline.consumer.views.answers import JointView
from driftline.consumer.views.features import Read, asked_span, of_stream, read_at
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.wire.records import JOINT


def joint_view(
    state: ModelState, window: str | None, book: AlertBook, read: Read, now: str
) -> JointView | None:
    """Return how the features of a model go together; None where that is not watched.

    `window`: end of the window whose pairs are shown; None: the newest.
    """
    ring = state.whole.joint
    span = None if ring is None else asked_span(ring, JOINT, window)
    if ring is None or span is None:
        return None
    alerts = [
        each
        for each in of_stream(book.of_model(state.name), None)
        if each.alert.kind == "joint_drift"
    ]
    return JointView(
        model=state.name,
        axis=ring.axis(),
        effect=ring.figures("effect", JOINT),
        evidence=ring.figures("evidence", JOINT),
        limit=ring.figures("limit", JOINT),
        states=ring.states(JOINT),
        verdict=read_at(ring, JOINT, span, read),
        alerts=[book.row(known, now) for known in alerts],
        versions=state.whole.version_starts(),
        segments=state.segments,
    )
