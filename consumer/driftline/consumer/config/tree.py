"""Values that know where they were written: in a file, the environment, the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from driftline.consumer.config.errors import Key, Problem

DEEPEST = 32
"""Levels of maps and lists; the deepest key of a configuration has 8."""


@dataclass(frozen=True)
class Origin:
    """Where a value was written: the file, its line (None outside files), the key there."""

    file: str
    line: int | None
    key: Key

    def problem(self, message: str, severity: Literal["error", "warning"] = "error") -> Problem:
        """Return a problem of what was written there."""
        return Problem(self.file, self.line, self.key, message, severity)


@dataclass(frozen=True)
class Node:
    """A scalar, list or map with its origin; the parts of lists and maps are nodes too."""

    value: Any
    origin: Origin

    def plain(self) -> Any:
        """Return the bare value."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def get(self, *path: str) -> Node | None:
        """Return the node at a path of map keys, None where there is none."""
        node: Node | None = self
        for key in path:
            node = node.value.get(key) if node and isinstance(node.value, dict) else None
        return node

    def walk(self, path: Key = ()) -> Iterator[tuple[Key, Origin]]:
        """Yield the path and origin of this node and of all nodes below it."""
        yield path, self.origin
        parts: Any = ()
        if isinstance(self.value, dict):
            parts = self.value.items()
        elif isinstance(self.value, list):
            parts = enumerate(self.value)
        for key, node in parts:
            yield from node.walk((*path, key))


def as_node(value: Any, origin: Origin, levels: int = DEEPEST) -> Node:
    """Return a bare value as a node; its parts have the same origin.

    Raises:
        RecursionError: it has more levels of maps and lists than are allowed.
    """
    if levels < 0:
        raise RecursionError
    if isinstance(value, Mapping):
        parts = {str(key): as_node(part, origin, levels - 1) for key, part in value.items()}
        return Node(parts, origin)
    if isinstance(value, list | tuple):
        return Node([as_node(part, origin, levels - 1) for part in value], origin)
    return Node(value, origin)


def merge(base: Node, over: Node) -> Node:
    """Lay one tree over another: maps are merged key by key, of all else `over` wins.

    The origin of a map that both hold is that of `over`, or from `base` where only that has a line.
    """
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    parts = dict(base.value)
    for key, node in over.value.items():
        parts[key] = merge(parts[key], node) if key in parts else node
    return Node(parts, over.origin if over.origin.line is not None else base.origin)


def edit(node: Node, path: tuple[str, ...], change: Callable[[Node], Node | None]) -> Node | None:
    """Change the nodes at a path of map keys, where `*` is any key; None removes a node."""
    if not path:
        return change(node)
    if not isinstance(node.value, dict):
        return node
    parts = dict(node.value)
    for name in list(parts) if path[0] == "*" else [path[0]]:
        if name in parts:
            changed = edit(parts.pop(name), path[1:], change)
            if changed is not None:
                parts[name] = changed
    return Node(parts, node.origin)


class Locations:
    """Where every key of the effective configuration was written.

    A key that stands nowhere (a missing one) has the place of the map that it belongs to.
    """

    def __init__(self, root: Node) -> None:
        """Remember the origins of a tree, not its values."""
        self._origins = dict(root.walk())

    def origin(self, path: Key) -> Origin:
        """Return the place of a key; `path` holds map keys and list indices from the root."""
        for length in range(len(path), 0, -1):
            found = self._origins.get(path[:length])
            if found:
                return Origin(found.file, found.line, (*found.key, *path[length:]))
        return Origin(self._origins[()].file, None, path)

    def in_defaults(self, path: Key) -> bool:
        """Return whether a key was written among the `defaults`, for all models."""
        return self.origin(path).key[:1] == ("defaults",)

    def problem(
        self, path: Key, message: str, severity: Literal["error", "warning"] = "error"
    ) -> Problem:
        """Return a problem of a key, with its place."""
        return self.origin(path).problem(message, severity)
