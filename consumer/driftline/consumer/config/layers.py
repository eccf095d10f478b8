"""The layers of a configuration and their order, which stands here and nowhere else.

Command line, environment, file with what it includes, default: the first that has a value wins.
The defaults are those of the models in this package; `defaults` of the file is laid under each
model at the end, so a model's own value wins over it wherever both were written.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from driftline.consumer.config.document import LARGEST, read_document
from driftline.consumer.config.errors import Problem
from driftline.consumer.config.include import MOST_FILES, TooMuch, expand
from driftline.consumer.config.names import hint
from driftline.consumer.config.schemes import scheme_of
from driftline.consumer.config.secrets import SECRETS, refuse_secrets
from driftline.consumer.config.tree import DEEPEST, Node, Origin, as_node, edit, merge

PREFIX = "DRIFTLINE__"
"""Environment variables of the configuration begin so; `__` stands between the keys."""

INCLUDED = ("models", "sources")
"""What an included file may hold."""

_PATHS = (
    ("kafka", "tls", "ca_file"),
    ("kafka", "tls", "cert_file"),
    ("kafka", "tls", "key_file"),
    ("kafka", "sasl", "password_file"),
    ("schema_registry", "basic_auth_file"),
    ("schema_registry", "ca_file"),
    ("sources", "*", "schema"),
    ("defaults", "reference"),
    ("defaults", "reference", "layout"),
    ("models", "*", "reference"),
    ("models", "*", "reference", "layout"),
)


class Layers:
    """The tree of all layers, and what was wrong on the way.

    Args:
        path: the main file as the operator named it.
    """

    def __init__(self, path: str) -> None:
        """Start without any layer."""
        self.path = path
        self.files: list[str] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def effective(self, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Node | None:
        """Return the tree of all layers, None if the files cannot be read."""
        root = self._read(self.path)
        if root is None:
            return None
        root = self._include(root)
        if root is None:
            return None
        root = self._refuse(root)
        root = merge(root, self._environment(environ, root))
        root = merge(root, self._refuse(_command_line(overrides)))
        return _with_defaults(root)

    def _read(self, path: str) -> Node | None:
        self.files.append(path)
        root, problems = read_document(path)
        self.problems += problems
        directory = os.path.dirname(path)
        for key in _PATHS:
            root = root and edit(root, key, lambda node: _relative_to(directory, node))
        return root

    def _refuse(self, root: Node) -> Node:
        root, problems = refuse_secrets(root)
        self.problems += problems
        return root

    def _include(self, root: Node) -> Node | None:
        include = root.get("include")
        patterns: list[Any] = []
        if include and isinstance(include.value, str):
            patterns = [(text.strip(), include.origin) for text in include.value.split(",")]
        elif include and isinstance(include.value, list):
            patterns = [(node.value, node.origin) for node in include.value]
        found: dict[str, str] = {os.path.realpath(self.path): self.path}
        size = 0
        for pattern, origin in patterns:
            if not isinstance(pattern, str) or not pattern:
                continue
            try:
                for path in self._matches(pattern, origin):
                    if os.path.realpath(path) not in found:
                        found[os.path.realpath(path)] = path
                        size += _size(path)
                    if len(found) > MOST_FILES:
                        raise TooMuch(f"makes more than {MOST_FILES:,} files, put some together")
                    if size > LARGEST:
                        raise TooMuch(f"makes more than {LARGEST // 1_000_000} MB of configuration")
            except TooMuch as error:
                self._problem(origin, f"{pattern} {error}")
                return None
        for path in list(found.values())[1:]:
            root = self._add(root, path)
        return root

    def _matches(self, pattern: str, origin: Origin) -> list[str]:
        paths = expand(pattern, os.path.dirname(self.path))
        if not paths:
            if glob.has_magic(pattern):
                self.warnings.append(origin.problem(f"{pattern} matches no file", "warning"))
            else:
                self._problem(origin, f"{pattern}: no such file")
        return paths

    def _add(self, root: Node, path: str) -> Node:
        part = self._read(path)
        if part is None:
            return root
        for name, section in part.value.items():
            if name not in INCLUDED:
                self._problem(section.origin, "an included file may hold models and sources only")
            elif not isinstance(section.value, dict):
                self._problem(section.origin, "must be a map")
            else:
                root = self._add_section(root, name, section)
        return root

    def _add_section(self, root: Node, name: str, section: Node) -> Node:
        known = root.get(name)
        parts = dict(known.value) if known and isinstance(known.value, dict) else {}
        for key, node in section.value.items():
            if key in parts:
                first = parts[key].origin
                self._problem(node.origin, f"given twice, first in {first.file}:{first.line}")
            else:
                parts[key] = node
        origin = known.origin if known else section.origin
        return Node({**root.value, name: Node(parts, origin)}, root.origin)

    def _environment(self, environ: Mapping[str, str], root: Node) -> Node:
        layer = Node({}, Origin("environment", None, ()))
        for variable in sorted(environ):
            text = environ[variable]
            if not variable.startswith(PREFIX) or not text:
                continue
            origin = Origin("environment", None, (variable,))
            try:
                path = _path_of(variable, root)
                value: Any = text
                if path not in SECRETS and text[0] in "[{":
                    value = json.loads(text)
                node = as_node(value, origin)
            except ValueError:
                self._problem(origin, "begins like JSON but is not valid JSON")
            except RecursionError:
                self._problem(origin, f"maps and lists are nested more than {DEEPEST} deep")
            except LookupError as error:
                self._problem(origin, str(error.args[0]))
            else:
                layer = merge(layer, _below(path, node))
        return layer

    def _problem(self, origin: Origin, message: str) -> None:
        self.problems.append(origin.problem(message))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:  # reading it will say why
        return 0


def _path_of(variable: str, root: Node) -> tuple[str, ...]:
    """Return the keys that an environment variable names.

    Names that a variable cannot spell are found by what it can: `CAR_LOAN` is `car-loan`.
    """
    path: tuple[str, ...] = ()
    for part in variable.removeprefix(PREFIX).split("__"):
        node = root.get(*path)
        names = list(node.value) if node and isinstance(node.value, dict) else []
        same = [name for name in names if _spelled(name) == _spelled(part)]
        if path in (("models",), ("sources",)) and not same:
            what = path[0].removesuffix("s")
            raise LookupError(f"the file has no {what} {part.lower()}, {hint(part.lower(), names)}")
        path = (*path, same[0] if same else part.lower())
    return path


def _below(path: tuple[str, ...], node: Node) -> Node:
    """Return a tree that holds `node` at a path; each map is named by its part of the variable."""
    variable = str(node.origin.key[0])
    for key in reversed(path):
        variable = variable.rpartition("__")[0]
        node = Node({key: node}, Origin("environment", None, (variable,)))
    return node


def _spelled(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", name.lower())


def _command_line(overrides: Mapping[str, Any], path: tuple[str, ...] = ()) -> Node:
    origin = Origin("command line", None, path)
    parts = {
        key: _command_line(value, (*path, key))
        if isinstance(value, Mapping)
        else as_node(value, Origin("command line", None, (*path, key)))
        for key, value in overrides.items()
    }
    return Node(parts, origin)


def _relative_to(directory: str, node: Node) -> Node:
    if isinstance(node.value, str) and node.value and scheme_of(node.value) is None:
        return Node(os.path.join(directory, node.value), node.origin)
    return node


def _with_defaults(root: Node) -> Node:
    defaults = root.get("defaults")
    if defaults is None or not isinstance(defaults.value, dict):
        return root
    common = _labels_as_map(defaults)
    return edit(root, ("models", "*"), lambda model: _laid_over(common, model)) or root


def _laid_over(defaults: Node, model: Node) -> Node:
    if not isinstance(model.value, dict):
        return model
    common = dict(defaults.value)
    if model.get("labels") is None and defaults.get("labels", "topic") is None:
        common.pop("labels", None)  # a horizon for those that have labels gives none to the others
    return merge(Node(common, defaults.origin), _labels_as_map(model))


def _labels_as_map(model: Node) -> Node:
    """Write the short form, a topic, as the map that it stands for: maps can be merged."""
    labels = model.get("labels")
    if labels is None or not isinstance(labels.value, str):
        return model
    return Node({**model.value, "labels": Node({"topic": labels}, labels.origin)}, model.origin)
