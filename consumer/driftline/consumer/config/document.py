"""A YAML file as a tree in which every value knows the line it was written on.

Scalars are read as in YAML 1.2 and JSON: only `true` and `false` are booleans (so `off` and
`on` are texts, as the configuration means them), a time is a text, and `010` is ten. There are no
tags and no merge keys. What is wrong becomes a `Problem`, and reading goes on; what would take
memory without end (a device, aliases of aliases, thousands of brackets) ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from driftline.consumer.config.errors import Key, Problem
from driftline.consumer.config.tree import DEEPEST, Node, Origin
from driftline.producer.files.regular_file import read_bounded

LARGEST = 4_000_000
"""Bytes of a file, and of all that it includes together."""

_MOST_VALUES = 300_000  # of a file: keys, texts, numbers, maps and lists

_MOST_REPEATED = 100_000  # values that aliases stand for
_LONG_TEXT = 100  # characters that count as one value more


def read_document(path: str) -> tuple[Node | None, list[Problem]]:
    """Read a YAML file.

    Args:
        path: the file as the operator named it.

    Returns:
        The root, which is a map, and what was wrong; None where nothing could be read or the
        file is empty.
    """
    try:
        text = read_bounded(path, LARGEST).decode()
    except FileNotFoundError:
        return None, [Problem(path, None, (), "no such file")]
    except UnicodeDecodeError:
        return None, [Problem(path, None, (), "not a text file in UTF-8")]
    except OSError as error:
        return None, [Problem(path, None, (), f"cannot be read: {error.strerror}")]
    try:
        root = yaml.compose(text, Loader=_Core)
    except yaml.YAMLError as error:
        return None, [_syntax_problem(path, error)]
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return None, [Problem(path, None, (), "the file is empty")]
    if not isinstance(root, yaml.MappingNode):
        return None, [Problem(path, _line(root), (), "not a map of keys and values")]
    measured = _Measured()
    values, depth = measured.of(root)
    if values - measured.written > _MOST_REPEATED or depth > DEEPEST:
        much = "stand for too much" if depth <= DEEPEST else f"make it more than {DEEPEST} deep"
        advice = "write out what is meant, or use defaults"
        return None, [Problem(path, None, (), f"the aliases (*name) {much}: {advice}")]
    reader = _NodeReader(path)
    return reader.node(root, ()), reader.problems


class _Measured:
    """How large a document is when each alias is replaced by what it stands for.

    Each node is measured once, so the time is that of the file and not of what it unfolds to.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}

    @property
    def written(self) -> int:
        """Values that stand in the file itself."""
        return len(self._known)

    def of(self, node: yaml.Node) -> tuple[int, int]:
        """Return the values in a node, a long text counting as several, and how deep they are."""
        if id(node) in self._known:
            return self._known[id(node)]
        self._known[id(node)] = (1, 0)  # an alias inside its own anchor; the reader refuses it
        if isinstance(node, yaml.ScalarNode):
            size, depth = 1 + len(node.value) // _LONG_TEXT, 0
        else:
            size, depth = 1, 0
            for part in node.value:
                # Of a map the parts are pairs; only their values are read as nodes.
                values, below = self.of(part[1] if isinstance(part, tuple) else part)
                size, depth = size + values, max(depth, 1 + below)
        self._known[id(node)] = (size, depth)
        return size, depth


class _Core(yaml.SafeLoader):
    """The scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own attribute)
    _depth = _values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose what comes next: no list alone, not too deep (each level is a call) or much."""
        self._values += 1
        if self._depth == 0 and self.check_event(yaml.SequenceStartEvent):
            self._refuse("not a map of keys and values")
        if self._depth > DEEPEST:
            self._refuse(f"maps and lists are nested more than {DEEPEST} deep")
        if self._values > _MOST_VALUES:
            self._refuse(f"more than {_MOST_VALUES:,} keys and values, put some in other files")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _refuse(self, why: str) -> None:
        raise _Refused(problem=why, problem_mark=self.get_mark())


class _Refused(yaml.MarkedYAMLError):
    """What may be YAML, but is no configuration."""


_NULL, _BOOL, _INT, _FLOAT = (
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float")
)
_STR, _SEQ, _MAP = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
for _tag, _pattern, _first in (
    (_NULL, r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    (_BOOL, r"(?:true|True|TRUE|false|False|FALSE)", list("tTfF")),
    (_INT, r"[-+]?[0-9]{1,100}", list("-+0123456789")),
    (
        _FLOAT,
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _Core.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)


class _NodeReader:
    """Turns PyYAML's nodes into ours and collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._open: set[int] = set()

    def node(self, node: yaml.Node, path: Key) -> Node:
        origin = Origin(self.file, _line(node), path)
        if id(node) in self._open:
            self._problem(origin, "an alias stands inside its own anchor")
            return Node(None, origin)
        self._open.add(id(node))
        try:
            return Node(self._value(node, path, origin), origin)
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node, path: Key, origin: Origin) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            return self._map(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
            return [self.node(part, (*path, index)) for index, part in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _READERS:
            return _READERS[node.tag](node.value)
        self._problem(origin, "tags (a word after !) are not supported")
        return None

    def _map(self, node: yaml.MappingNode, path: Key) -> dict[str, Node]:
        parts: dict[str, Node] = {}
        for key_node, value_node in node.value:
            name = key_node.value if isinstance(key_node.value, str) else "?"
            key_path = (*path, name)
            origin = Origin(self.file, _line(key_node), key_path)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(origin, "a key must be one word or text")
            elif name == "<<":
                self._problem(origin, "merge keys are not supported, use defaults")
            elif name in parts:
                first = parts[name].origin.line
                self._problem(origin, f"given twice, first in line {first}")
            else:
                parts[name] = Node(self.node(value_node, key_path).value, origin)
        return parts

    def _problem(self, origin: Origin, message: str) -> None:
        self.problems.append(origin.problem(message))


_READERS: dict[str, Callable[[str], Any]] = {
    _NULL: lambda text: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    _STR: str,
}


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, _Refused) and error.problem and error.problem_mark:
        return Problem(file, error.problem_mark.line + 1, (), error.problem)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = str(getattr(error, "problem", None) or "unreadable character")
    # The name in quotes could be a part of a secret: `password: *x9y` is an alias.
    reason = re.sub(r"(alias|anchor|handle) (['\"]).*", r"\1", reason)
    return Problem(file, mark.line + 1 if mark else None, (), f"not valid YAML: {reason}")
