"""What judge keeps of features that belong together."""

from __future__ import annotations

import msgspec

from driftline.consumer.judge.features.change_state import StreamChanges


class JointState(msgspec.Struct):
    """The evidence, and what the alert speaks of.

    Attributes:
        changes: evidence on the pairs and on extremes.
        fired: places, in the table of counts, of those that the alert names.
    """

    changes: StreamChanges
    fired: list[int] = []
