"""The options of `driftline reference`, read before anything that counts is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.service.reference_file import absent, is_absent
from driftline.producer.reference.derive import FIELD_TYPES, FieldType

GRID, EXACT = "1024", "exact"


def read_grid(text: str) -> int | None:
    """Return the most distinct values kept of a feature; None: all.

    Raises:
        CommandError: it is no number.

    >>> read_grid("1024"), read_grid("exact")
    (1024, None)
    """
    if text != EXACT and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise CommandError(f"--grid {text}: write a number such as 1024, or {EXACT}")
    return None if text == EXACT else int(text)


def any_type() -> str:
    """Return the types of fields as a sentence.

    >>> any_type()
    'numeric, categorical, boolean, vector or text.'
    """
    return f"{', '.join(FIELD_TYPES[:-1])} or {FIELD_TYPES[-1]}."


def read_types(texts: Iterable[str]) -> dict[str, FieldType]:
    """Return the types of fields that the options fix.

    Raises:
        CommandError: one cannot be read.

    >>> read_types(["zip=categorical"])
    {'zip': 'categorical'}
    """
    chosen = {}
    for text in texts:
        name, separator, kind = text.rpartition("=")
        if not separator or not name or kind not in FIELD_TYPES:
            raise CommandError(f"--type {text}: write FEATURE=TYPE, with {any_type()[:-1]}")
        chosen[name] = kind
    return chosen


def check_output(path: Path) -> None:
    """Refuse what cannot be written before any work is done.

    Raises:
        CommandError: the name has another ending.
    """
    if not path.name.endswith((".json", ".json.gz")):
        raise CommandError(f"--output {path}: name a .json or .json.gz file")


def check_there(address: str) -> None:
    """Refuse a reference that is known not to be there.

    Raises:
        CommandError: it is not.
    """
    if is_absent(address):
        raise CommandError(absent(address))
