"""Lines of tables that installed packages add, by entry points.

An entry point names a module; its name is the name of the line that the module has. What is read is
what `import` reads, once a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from driftline.detectors.tables import Group, L
from driftline.errors import PluginError

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_reading: list[EntryPoint] = []


def installed(group: Group[L], own: Mapping[str, L]) -> dict[str, L]:
    """Return what installed packages add to a table, in the order of names.

    Args:
        group: what may be added.
        own: the lines that are there.

    Raises:
        PluginError: one cannot be used; the message says which, of which package, and why.
    """
    if _reading:
        raise PluginError(
            f"{_said(group, _reading[0])} uses the table of {group.what}s while it is imported:"
            " import what needs it inside a function"
        )
    found: dict[str, L] = {}
    entries = entry_points(group=group.entry_points)
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.value)):
        if entry.name in own:
            raise PluginError(f"{_said(group, entry)} has the name of one of Driftline's own")
        if entry.name in found:
            raise PluginError(f"{_said(group, entry)} is there twice: {found[entry.name].module}")
        found[entry.name] = _line(group, entry)
    return found


def _line(group: Group[L], entry: EntryPoint) -> L:
    said = _said(group, entry)
    if not _NAME.fullmatch(entry.name):
        raise PluginError(f"{said} needs a name of small letters, digits and underscores")
    _reading.append(entry)
    try:
        module: Any = entry.load()
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{said} cannot be loaded: {type(error).__name__}: {error}") from error
    finally:
        _reading.clear()
    line = getattr(module, group.attribute, None)
    if not isinstance(line, group.line):
        kind = f"{group.line.__module__}.{group.line.__name__}"
        raise PluginError(f"{said} has no {group.attribute}, a {kind}, in {entry.value}")
    if line.name != entry.name:
        raise PluginError(f"{said} calls itself {line.name}: give both one name")
    if line.always:
        raise PluginError(
            f"{said} must have use='named', so that it is computed only where a threshold or limit"
            " names it, and no verdict depends on what is installed"
        )
    if refusal := group.refusal(line):
        raise PluginError(f"{said} {refusal}")
    for function in group.functions(line):
        if not callable(getattr(module, function, None)):
            raise PluginError(f"{said} has no function {function} in {entry.value}")
    line = copy(line)
    object.__setattr__(line, "module", entry.value)  # which the package need not repeat
    return line


def _said(group: Group[L], entry: EntryPoint) -> str:
    package = "an installed package" if entry.dist is None else f"the package {entry.dist.name}"
    return f"the {group.what} {entry.name} of {package}"
