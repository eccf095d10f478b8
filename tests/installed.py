"""Packages as an installer leaves them: modules and the metadata beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Points = Mapping[str, Mapping[str, str]]
"""Group to its entry points: name to module."""


def install(site: Path, package: str, modules: Mapping[str, str], points: Points) -> Path:
    """Install a package into a folder for a Python's path, and return the folder.

    Args:
        site: the folder.
        package: its name.
        modules: file to its text.
        points: its entry points.
    """
    for name, text in modules.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {module}\n" for name, module in named.items())
        for group, named in points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return site
