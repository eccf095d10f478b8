"""Identities: 16 hexadecimal digits, BLAKE2b over the named parts."""

from __future__ import annotations

import hashlib

import msgspec


def identity(*parts: str) -> str:
    """Return the id of `parts`, an 8-byte BLAKE2b of their compact JSON array.

    Example:
        >>> len(identity("car-loan", "car_value", "feature_drift", "2019-03-27T00:00:00Z"))
        16
    """
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def stream_name(model: str, segment: str | None) -> str:
    """Return the name of a stream: the model, or ``model/tag=value`` for one segment of it.

    Example:
        >>> stream_name("car-loan", None), stream_name("car-loan", "channel=web")
        ('car-loan', 'car-loan/channel=web')
    """
    return model if segment is None else f"{model}/{segment}"
