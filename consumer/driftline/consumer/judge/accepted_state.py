"""What is kept of acceptances: the counts that are normal because somebody said so."""

from __future__ import annotations

import msgspec

from driftline.consumer.wire.messages import Acceptance


class AcceptedCounts(msgspec.Struct, array_like=True):
    """Counts of a feature in one stream.

    Attributes:
        stream: its segment, empty for the whole model.
        cell: of the cycle that the feature follows; -1 where it follows none.
        places, counts: where they are above 0 in the feature's part of the layout, packed.
    """

    stream: str
    cell: int
    places: bytes
    counts: bytes


class AcceptedFeature(msgspec.Struct):
    """A feature whose present was accepted as normal; times in ms.

    Attributes:
        id, feature, who, why: as in the record of the acceptance.
        since: start of the panes whose events are normal now.
        start: end of the last of them: start of the first pane that is compared with them.
        counts: by stream and cell.
    """

    id: str
    feature: str
    who: str
    why: str
    since: int
    start: int
    counts: list[AcceptedCounts] = []


class AcceptedPairs(msgspec.Struct, array_like=True):
    """How a feature goes together with others, accepted as normal.

    Attributes:
        feature: its name.
        start: start of the first pane that is compared with it, ms.
        places, counts: where they are above 0 in what is counted together, packed.
    """

    feature: str
    start: int
    places: bytes
    counts: bytes


class AcceptanceState(msgspec.Struct):
    """What a model's judge keeps of acceptances.

    Attributes:
        reference: id of the one whose counts they replace; with another one they are over.
        waiting: those read whose first pane has not come, or for which too few events have.
        features: those that hold, by name.
        ids: of the last ones read, each with its feature.
        pairs: how features that were accepted go together with others; UNSET: nobody counts that.
    """

    reference: str
    waiting: list[Acceptance] = []
    features: list[AcceptedFeature] = []
    ids: list[str] = []
    pairs: list[AcceptedPairs] | msgspec.UnsetType = msgspec.UNSET
