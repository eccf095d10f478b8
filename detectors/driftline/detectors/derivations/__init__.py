"""What is counted of a value that is no single number or category: a vector, a text.

A derivation is a part of the layout: it says of which field of the events, by which function and
with which frozen parameters several features are computed. The features themselves are ordinary
ones. The arithmetic is of whole numbers, so that a value gives the same on every machine, alone or
among others.
"""

from __future__ import annotations

from driftline.detectors.derivations.derivation import KINDS, Derivation, derivation_from_json
from driftline.detectors.derivations.text import TextDerivation
from driftline.detectors.derivations.vector import VectorDerivation

__all__ = ["KINDS", "Derivation", "TextDerivation", "VectorDerivation", "derivation_from_json"]
