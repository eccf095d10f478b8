"""The table of derivations, and what each of them offers."""

from __future__ import annotations

from typing import Any

from driftline.detectors.derivations.text import TextDerivation
from driftline.detectors.derivations.vector import VectorDerivation

Derivation = VectorDerivation | TextDerivation

KINDS: dict[str, type[Derivation]] = {
    each.kind: each for each in (VectorDerivation, TextDerivation)
}
"""Kind to derivation; what is to be written of one in a configuration is named by it."""


def derivation_from_json(document: dict[str, Any]) -> Derivation:
    """Read what `to_json` of a derivation wrote.

    Raises:
        KeyError, ValueError, TypeError: it is none.
    """
    return KINDS[document["kind"]].from_json(document)
