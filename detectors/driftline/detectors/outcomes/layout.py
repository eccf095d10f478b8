"""What is counted of predictions whose ground truth is known: one flat vector of integers.

Every metric of performance, its interval and its test is a function of this vector alone. The
vectors of two sets of pairs add up to that of both, so panes merge over partitions, workers and
time in any order; a pair that was wrong is taken out again by counting it with weight -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal, Self

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.edges import ResidualGrid, score_edges
from driftline.detectors.outcomes.metrics import Family

OutcomeKind = Literal["classification", "regression"]

MOST_CLASSES = 100
LOSS_LIMBS, RESIDUAL_LIMBS = 2, 4  # cells of a fixed-point sum, see fixed_point.py
LOSSES = ("log_loss", "log_loss_squared", "brier", "brier_squared")
# Powers of the residual (its size for "absolute") and of the actual value that are summed.
MOMENTS = {
    "e": (1, 0),
    "absolute": (1, 0),
    "ee": (2, 0),
    "eeee": (4, 0),
    "y": (0, 1),
    "yy": (0, 2),
    "yyy": (0, 3),
    "yyyy": (0, 4),
    "eey": (2, 1),
    "eeyy": (2, 2),
}

# The expected size of the residual, the size less what is expected, and its square: as powers.
EXPECTED = {"expected": (1, 0), "excess": (1, 0), "excess_squared": (2, 0)}


@dataclass(frozen=True, eq=False)
class OutcomeLayout:
    """Where the counts of outcomes lie. Frozen with the reference; never learned from the stream.

    Sections of the flat vector, one after another, with their shapes; each is there only if the
    layout has what it counts (C classes, B score bins):

    * `confusion` (C, C + 1): [actual][predicted], the last: another class or none.
    * `joint` (2, 2, B): [actual is positive][predicted is positive][score bin].
    * `position`, `position_squared` (2, B): [actual is positive][score bin], sums of where in its
      bin each score lies, in steps of 1 / 32768 of the bin's width, and of the squares of these.
    * `log_loss`, `log_loss_squared`, `brier`, `brier_squared` (2,): fixed-point sums.
    * `pairs` (1,): regression: pairs counted.
    * `moments` (10, 4): fixed-point sums of the products named in `MOMENTS`.
    * `tails`, `residuals`: pairs per bin of |residual| and of the residual.
    * `estimated` (1,): pairs whose error the inputs let estimate, if `errors`.
    * `expected` (3, 4): fixed-point sums over these of what is named in `EXPECTED`, if `errors`.

    Attributes:
        kind: classification or regression.
        classes: names of the classes, ascending, at most 100; empty for a regression.
        positive: place in `classes` of the class that the score is of; None if unknown.
        labelled: the model gives a class (`prediction.label`).
        edges: bin b holds scores above edges[b - 1] up to edges[b], the first and the last bin are
            open; at most 255, empty without a score (or without a positive class).
        probability: scores are probabilities; for the losses and the calibration error those
            outside 0 to 1 count as 0 or 1.
        grid: regression: scales and bins of the residuals; else None.
        errors: regression: id of the error model whose estimates are compared with the residuals;
            None as of references of 0.1.0, which compare none.

    Example:
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True, [0.2, 0.4, 0.9])
        >>> layout.positive, layout.bins, layout.probability
        (1, 55, True)
        >>> layout.shapes["confusion"], layout.shapes["joint"], layout.size
        ((2, 3), (2, 2, 55), 454)
    """

    kind: OutcomeKind
    classes: tuple[str, ...]
    positive: int | None
    labelled: bool
    edges: FloatArray
    probability: bool
    grid: ResidualGrid | None = None
    errors: str | None = None

    @classmethod
    def classification(
        cls,
        classes: Sequence[str],
        positive: str | None,
        labelled: bool,
        scores: Sequence[float] | FloatArray = (),
    ) -> Self:
        """Lay out a classifier's outcomes.

        Args:
            classes: every class of the reference, predicted or actual, in any order.
            positive: the class that the score speaks of, None if unknown: then scores are not
                counted.
            labelled: the model gives a class, so the confusion matrix is counted.
            scores: the reference's scores; those that are not finite are left out.

        Raises:
            ValueError: more than 100 classes, or `positive` is none of them.
        """
        names = tuple(sorted(set(classes)))
        if len(names) > MOST_CLASSES:
            raise ValueError(f"{len(names)} classes are too many: at most {MOST_CLASSES}")
        if positive is not None and positive not in names:
            raise ValueError(f"the positive class {positive} is not among the classes")
        values = np.asarray(scores, np.float64)
        finite = np.isfinite(values)
        values = values if finite.all() else values[finite]
        edges = score_edges(values if positive is not None else np.empty(0))
        probability = bool(edges.size and values.min() >= 0.0 and values.max() <= 1.0)
        place = None if positive is None else names.index(positive)
        return cls("classification", names, place, labelled, edges, probability)

    @classmethod
    def regression(cls, predicted: FloatArray, actual: FloatArray) -> Self:
        """Lay out a regression's outcomes.

        Args:
            predicted: the reference's predictions, shape (m,).
            actual: the values they turned out to be, shape (m,); pairs that are not finite are
                left out.
        """
        return cls.of_residuals(ResidualGrid.of(predicted, actual))

    @classmethod
    def of_residuals(cls, grid: ResidualGrid) -> Self:
        """Lay out a regression's outcomes over scales and bins."""
        return cls("regression", (), None, False, np.empty(0), False, grid)

    @property
    def families(self) -> tuple[Family, ...]:
        """What metrics there are of: predicted classes, scores, probabilities, or errors."""
        if self.grid is not None:
            return ("errors",)
        has: dict[Family, object] = {
            "classes": self.labelled, "scores": self.bins, "probabilities": self.probability,
        }  # fmt: skip
        return tuple(family for family, there in has.items() if there)

    @property
    def bins(self) -> int:
        """Number B of score bins; 0 without a score."""
        return self.edges.size + 1 if self.edges.size else 0

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Section to its shape, in the order of the flat vector."""
        if self.grid is not None:
            shapes: dict[str, tuple[int, ...]] = {
                "pairs": (1,),
                "moments": (len(MOMENTS), RESIDUAL_LIMBS),
                "tails": (self.grid.tails.size + 1,),
                "residuals": (self.grid.edges.size + 1,),
            }
            if self.errors is not None:
                shapes |= {"estimated": (1,), "expected": (len(EXPECTED), RESIDUAL_LIMBS)}
            return shapes
        shapes = {}
        if self.labelled:
            shapes["confusion"] = (len(self.classes), len(self.classes) + 1)
        if self.bins:
            shapes["joint"] = (2, 2, self.bins)
            shapes["position"] = shapes["position_squared"] = (2, self.bins)
        if self.probability:
            shapes |= dict.fromkeys(LOSSES, (LOSS_LIMBS,))
        return shapes

    @cached_property
    def sections(self) -> dict[str, slice]:
        """Section to its place in the flat vector."""
        sections, start = {}, 0
        for name, shape in self.shapes.items():
            sections[name] = slice(start, start + prod(shape))
            start += prod(shape)
        return sections

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(map(prod, self.shapes.values()))

    def view(self, counts: IntArray, section: str) -> IntArray:
        """Return a section of the flat `counts` in its shape: a view, not a copy."""
        return counts[self.sections[section]].reshape(self.shapes[section])

    def score_bins(self, score: FloatArray) -> IntArray:
        """Return the bin of each score, shape (n,); scores must be finite."""
        return np.searchsorted(self.edges, score).astype(np.int64, copy=False)

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON-able values."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "positive": self.positive,
            "labelled": self.labelled,
            "edges": self.edges.tolist(),
            "probability": self.probability,
            "grid": None if self.grid is None else self.grid.to_json(),
            **({} if self.errors is None else {"errors": self.errors}),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: fields are missing or wrong.
        """
        kind: OutcomeKind = document["kind"]
        if kind not in ("classification", "regression") or (
            (kind == "regression") != (document["grid"] is not None)
        ):
            raise ValueError(f"no such kind of outcome: {kind}")
        return cls(
            kind=kind,
            classes=tuple(map(str, document["classes"])),
            positive=document["positive"],
            labelled=bool(document["labelled"]),
            edges=np.array([float(edge) for edge in document["edges"]]),
            probability=bool(document["probability"]),
            grid=None if document["grid"] is None else ResidualGrid.from_json(document["grid"]),
            errors=document.get("errors"),
        )
