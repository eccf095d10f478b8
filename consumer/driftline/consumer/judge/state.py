"""What judge keeps of one model in the log of states."""

from __future__ import annotations

import msgspec

from driftline.consumer.judge.accepted_state import AcceptanceState
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.joint.state import JointState
from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.moving_state import Chunk, MovingState
from driftline.consumer.judge.performance.variation import StreamVariation
from driftline.consumer.judge.volume_state import VolumeState
from driftline.consumer.wire.clock import SourceProgress
from driftline.consumer.wire.messages import ModelChange


class Firing(msgspec.Struct):
    """An alert on a feature as it was at any time: judging of performance looks back at it.

    Attributes:
        stream, feature, kind: whose life it is.
        incident: `since` of the incident's first alert, ms.
        fired: end of the window in which it fired, ms.
        windows: ends (ms) of windows since, each with the effect in it.
        resolved: end of the window that resolved it, None while it fires.
    """

    stream: str
    feature: str
    kind: str
    incident: int
    fired: int
    windows: list[tuple[int, float]]
    resolved: int | None = None


class LabelHistory(msgspec.Struct):
    """What is remembered of how the labels of one model came.

    Attributes:
        lengths: what all below was counted by, see `driftline.consumer.judge.labels.cohorts`.
        looked: end of the last window looked at, ms since 1970; None before the first.
        judged_from: predictions made before it (ms) are not judged once they are settled.
        cohorts: number; predictions; those of them known to get no label; and the fewest
            predictions of a window that ends in it. Oldest first, those not yet settled.
        stretch: predictions in settled cohorts that are too few to be judged yet, and those
            without label.
        coverages: shares that got their label, of the last stretches in which nothing was wrong.
        parts: of event time, oldest first: number; the fewest labels in a window of it, for each
            prediction that they are due for; and the longest time (ms) after their predictions
            within which most of a window's labels came, 0 without labels.
        begun: start (ms) of the pane from which on parts have been remembered.
        usual: the fewest and the longest of the parts that windows are compared with; None until
            they are known.
        stretches, windows: of the last ones judged: start (ms) of the pane that showed something
            wrong, None where nothing was.
    """

    lengths: list[int] = []
    looked: int | None = None
    judged_from: int = 0
    cohorts: list[tuple[int, int, int, int]] = []
    stretch: tuple[int, int] = (0, 0)
    coverages: list[float] = []
    parts: list[tuple[int, float, int]] = []
    begun: int = 0
    usual: tuple[float, int] | None = None
    stretches: list[int | None] = []
    windows: list[int | None] = []


class PerformanceState(msgspec.Struct, rename={"sources": "heard"}):
    """What judge keeps of the outcomes of one model.

    Attributes:
        sources: per partition of the log of joins, its progress as last known.
        next: start of the pane with which the next window ends, None before the first pane.
        empty_since: start of the time without panes that still lasts.
        losses: stretches of event time (start, end) whose rows were lost.
        waiting: per stream, predictions without label from before the next window.
        history: what is remembered of how labels came.
        versions: model versions seen in panes judged so far.
        next_pane: start of the next pane that is added to the evidence, None before the first.
        changes: the evidence on the metrics of each stream.
        variations: how much the metrics of each stream vary from pane to pane.
    """

    sources: list[tuple[str, int, SourceProgress]] = []
    next: int | None = None
    empty_since: int | None = None
    losses: list[tuple[int, int]] = []
    waiting: dict[str, int] = {}
    history: LabelHistory = msgspec.field(default_factory=LabelHistory)
    versions: list[str] = []
    next_pane: int | None = None
    changes: list[StreamChanges] = []
    variations: list[StreamVariation] = []


class JudgedVersion(msgspec.Struct):
    """Which version of an applied model is judged.

    Attributes:
        version: its id.
        past: ids of versions before it, the newest last.
        ahead: changes read from the log that hold later, by time.
        removed: whether it is that the model is watched no more.
        begun: of a model that was applied again: what starts before (ms) is of its former life.
        before: id of the version whose reference the evidence is still of, or that of the labels,
            and the first pane (ms) of this one; UNSET once all is of this one's.
    """

    version: str
    past: list[str] = []
    ahead: list[ModelChange] = []
    removed: bool = False
    begun: int | None = None
    before: tuple[str, int] | msgspec.UnsetType = msgspec.UNSET


class JudgeState(msgspec.Struct, tag="judge", rename={"sources": "heard"}):
    """State of one model as of `position` in its partition of the log of panes.

    Attributes:
        topic_id: id of the log of panes; `partitions`: how many it has. Neither may change.
        position: everything before this offset has had its effect (R).
        rewind: smallest offset that a window still to be judged needs (O).
        sources: per input partition (topic, number), its progress as last known.
        next: start of the pane with which the next window ends, None before the first pane.
        empty_since: start of the time without events that still lasts.
        lives: alerts that are pending or firing.
        versions: model versions seen in panes judged so far.
        losses: stretches of event time (start, end) whose events were lost.
        refused: those of them whose events are in a batch that could not be unpacked.
        recent: events of the last windows judged, newest last.
        alert_ends: end of each partition of the alerts topic, as remembered.
        firings: alerts on features that judging of performance may look back at.
        performance: the same of the outcomes, where labels are read.
        next_pane: start of the next pane that is added to the evidence, None before the first.
        changes: the evidence on each stream.
        volume: how many events came.
        moving, chunks: of a reference that moves.
        releases: values seen of tags that say what was released, but for the version.
        accepted: what was accepted as normal; UNSET: nothing ever was.
        kept_from: panes before it (ms) are gone, though they would be looked back at.
        version: which version of it is judged; of a model of the configuration's file none.
        joint: the evidence on features that belong together; not set where it is not configured.
    """

    position: int
    rewind: int
    topic_id: str = ""
    partitions: int = 0
    sources: list[tuple[str, int, SourceProgress]] = []
    next: int | None = None
    empty_since: int | None = None
    lives: list[Life] = []
    versions: list[str] = []
    losses: list[tuple[int, int]] = []
    recent: list[int] = []
    alert_ends: list[int] = []
    firings: list[Firing] = []
    performance: PerformanceState = msgspec.field(default_factory=PerformanceState)
    refused: list[tuple[int, int]] = []
    next_pane: int | None = None
    changes: list[StreamChanges] = []
    volume: VolumeState = msgspec.field(default_factory=VolumeState)
    kept_from: int | msgspec.UnsetType = msgspec.UNSET
    version: JudgedVersion | msgspec.UnsetType = msgspec.UNSET
    moving: MovingState | msgspec.UnsetType = msgspec.UNSET
    chunks: list[Chunk] | msgspec.UnsetType = msgspec.UNSET
    releases: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    accepted: AcceptanceState | msgspec.UnsetType = msgspec.UNSET
    joint: JointState | msgspec.UnsetType = msgspec.UNSET
