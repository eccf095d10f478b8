"""A table by name: what this package has, then what installed packages add.

Installed packages are looked at when a table is first used, not when it is imported: `--help` and
the prediction logger use none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar


class Line(Protocol):
    """A line of a table."""

    @property
    def name(self) -> str:
        """Its key."""

    @property
    def always(self) -> bool:
        """Whether it is computed although nobody names it."""

    @property
    def module(self) -> str:
        """The module with the functions that belong to it; empty of a line of this package."""


L = TypeVar("L", bound=Line)


@dataclass(frozen=True)
class Group(Generic[L]):
    """Lines that installed packages may add to a table.

    Attributes:
        entry_points: the group of their entry points.
        what: what a line is of, a word.
        line: the type of a line.
        attribute: the name that a module has its line under.
        functions: of a line, the functions that its module must have.
        refusal: of a line, why it can be none, empty if it can.
    """

    entry_points: str
    what: str
    line: type[L]
    attribute: str
    functions: Callable[[L], tuple[str, ...]]
    refusal: Callable[[L], str]


class Table(Mapping[str, L]):
    """Name to line, in the order of all lists.

    Args:
        lines: those of this package.
        group: what installed packages add.

    Raises:
        PluginError: where it is first used, if what an installed package adds cannot be used.
    """

    def __init__(self, lines: Iterable[L], group: Group[L]) -> None:
        self.group = group
        self.own: Mapping[str, L] = {line.name: line for line in lines}

    @cached_property
    def _lines(self) -> Mapping[str, L]:
        plugins = import_module("driftline.detectors.plugins")  # it is slow, and seldom needed
        added: Mapping[str, L] = plugins.installed(self.group, self.own)
        return {**self.own, **added}

    def __getitem__(self, name: str) -> L:
        return self._lines[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def code_of(line: Line, own: str) -> Any:
    """Return the module with the functions of a line.

    Args:
        line: of a table.
        own: the module of a line of this package.
    """
    return import_module(line.module or own)
