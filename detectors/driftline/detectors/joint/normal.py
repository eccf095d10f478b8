"""What is normal of features together: a part of references that were asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.margins import Margins
from driftline.detectors.packing import packed, unpacked


@dataclass(frozen=True, eq=False)
class JointNormal:
    """What was counted of features together in a reference.

    Attributes:
        layout: which, and how they are cut.
        counts: of the whole model, shape (layout.size,).
        dispersion: how much more their panes vary than independent events, of the radius and each
            pair, beside what each feature does by itself; None: it is not known.
    """

    layout: JointLayout
    counts: IntArray
    dispersion: Dispersion | None = None

    @property
    def margins(self) -> Margins:
        """What fits it to other events."""
        return Margins(self.counts, len(self.layout.names))

    def to_json(self) -> dict[str, Any]:
        """Return it as a reference's file has it, without the layout."""
        found = self.dispersion
        dispersion = None if found is None else {
            "pane": found.pane,
            "panes": found.panes,
            "events": found.events.tolist(),
            "phi": [
                [own.tolist() for own in found.phi[:, :, f] if not np.isnan(own).any()]
                for f in range(found.events.size)
            ],
        }  # fmt: skip
        return {"counts": packed(self.counts), "dispersion": dispersion}

    @classmethod
    def from_json(cls, document: dict[str, Any], layout: JointLayout, all_features: Layout) -> Self:
        """Read what `to_json` wrote.

        Args:
            document: what was written.
            layout: which features.
            all_features: of the reference, whose numbers they are.

        Raises:
            ValueError, KeyError, IndexError: it does not fit.
        """
        for name, places in zip(layout.names, layout.places.tolist(), strict=True):
            feature = all_features.features[all_features.position[name]]
            if feature.type != "numeric" or max(places) >= feature.grid.size:
                raise ValueError(f"{name} is counted in another way")
        counts = unpacked(document["counts"], layout.size)
        written = document["dispersion"]
        if written is None:
            return cls(layout, counts)
        phi = np.full((len(JOINS), len(DIRECTIONS), len(layout.table.features)), np.nan)
        for f, joined in enumerate(written["phi"]):
            for i, values in enumerate(joined):
                phi[i, :, f] = values
        events = np.array(written["events"], np.float64)
        if events.size != phi.shape[-1]:
            raise ValueError("the dispersion is of other features")
        found = Dispersion(int(written["pane"]), int(written["panes"]), events, phi)
        return cls(layout, counts, found)
