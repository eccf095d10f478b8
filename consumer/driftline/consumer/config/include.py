"""The files that `include` names: globs, of which a bounded part of the disk is looked through."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator

MOST_ENTRIES = 100_000
"""Names looked at for one glob."""

MOST_FILES = 1_000
"""Files of one configuration."""

_DEEPEST = 100  # folders
_ADVICE = "name a smaller folder"


class TooMuch(ValueError):  # noqa: N818 (never leaves this package)
    """A glob looks through too much; the message says so."""


def expand(pattern: str, directory: str) -> list[str]:
    """Return the paths that match, sorted; names with a leading dot only where the glob has it.

    Args:
        pattern: `*`, `?` and `[...]` in each part of a path; `**` is any folders below, links to
            folders left out.
        directory: what a relative one begins at; may be empty.

    Raises:
        TooMuch: more names would have to be looked at than `MOST_ENTRIES`.
    """
    start = "/" if os.path.isabs(pattern) else directory
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    return sorted(set(_Search().paths(start, parts)))


class _Search:
    """Looks through folders, up to a number of names."""

    def __init__(self) -> None:
        self._left = MOST_ENTRIES
        self._depth = 0

    def paths(self, base: str, parts: list[str]) -> Iterator[str]:
        if not parts:
            yield base
            return
        part, rest = parts[0], parts[1:]
        if part == "**":
            yield from self.paths(base, rest) if rest else ()
            for entry in self._entries(base):
                if not entry.name.startswith("."):
                    path = os.path.join(base, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        self._deeper(1)
                        yield from self.paths(path, parts)
                        self._deeper(-1)
                    elif not rest:
                        yield path
        elif glob.has_magic(part):
            for entry in self._entries(base):
                hidden = entry.name.startswith(".") and not part.startswith(".")
                if not hidden and fnmatch.fnmatchcase(entry.name, part):
                    yield from self.paths(os.path.join(base, entry.name), rest)
        else:
            path = os.path.join(base, part)
            if os.path.lexists(path):
                yield from self.paths(path, rest)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder or ".") as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        raise TooMuch(f"looks through more than {MOST_ENTRIES:,} names, {_ADVICE}")
                    yield entry
        except OSError:  # no folder, or none that may be read: nothing matches there
            return

    def _deeper(self, levels: int) -> None:
        self._depth += levels
        if self._depth > _DEEPEST:
            raise TooMuch(f"looks through folders more than {_DEEPEST} deep, {_ADVICE}")
