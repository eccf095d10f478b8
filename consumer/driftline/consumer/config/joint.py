"""`models.<name>.joint`: whether features are watched for still belonging together."""

from __future__ import annotations

from pydantic import field_validator

from driftline.consumer.config.notation import Count, Section
from driftline.detectors.joint import MOST_FEATURES


class JointConfig(Section):
    """The `top` numbers of the largest weight, each with each; ties by name."""

    top: Count = MOST_FEATURES

    @field_validator("top")
    @classmethod
    def _are_pairs(cls, top: int) -> int:
        if not 2 <= top <= MOST_FEATURES:
            raise ValueError(f"must be 2 to {MOST_FEATURES}")
        return top
