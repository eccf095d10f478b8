"""What the page holds of others: as the manifest says, with the licence of each package."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import driftline.consumer.ui as ui

VENDOR = Path(ui.__file__).parent / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text("utf-8"))


def test_each_file_is_as_the_manifest_says() -> None:
    """`make vendored` compares the same files with the packages on npm."""
    found = {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "manifest.json"
    }
    assert found == {row["file"]: row["sha256"] for row in MANIFEST}


def test_each_package_has_its_licence_and_one_version() -> None:
    """Files of one package are of one version, and one of them is its licence."""
    packages = {row["package"] for row in MANIFEST}
    assert len({(row["package"], row["version"]) for row in MANIFEST}) == len(packages)
    licences = {row["package"] for row in MANIFEST if row["path"] == "LICENSE"}
    assert licences == packages
