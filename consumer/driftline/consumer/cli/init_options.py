"""The options of `driftline init`, read before anything that counts is loaded."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config.names import check_name


def check_names(model: str | None, topic: str | None) -> None:
    """Refuse names that cannot be.

    Raises:
        CommandError: one is not legal.
    """
    for option, name in (("model", model), ("topic", topic)):
        try:
            check_name(name or "any", option)
        except ValueError as error:
            raise CommandError(f"--{option} {name}: {error}") from None


def may_write(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file.

    Raises:
        CommandError: it exists, and --force is not given.
    """
    if path.exists() and not overwrite:
        raise CommandError(f"{path} exists: give --force to replace it, or another --output")
