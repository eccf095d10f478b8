"""What an address of a file begins with, where it is no path."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):/")


def scheme_of(address: str) -> str | None:
    """Return the scheme of an address; None of a path.

    >>> scheme_of("s3://models/churn.json.gz"), scheme_of("models:/churn/3/reference.json.gz")
    ('s3', 'models')
    >>> scheme_of("references/churn.json.gz") is None
    True
    """
    found = _SCHEME.match(address)
    return None if found is None else found[1]
