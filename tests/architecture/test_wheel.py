"""What is in the wheel, and what a package index shows of it."""

from __future__ import annotations

import subprocess
import sys
from email.message import Message
from email.parser import Parser
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from readme_renderer import markdown

SOURCE = "https://example.com/someone/driftline"


class Targets(HTMLParser):
    """What a page's links and pictures lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            # The index gives every heading an anchor of its own.
            if name == "href" and not (value or "").startswith("#user-content-"):
                self.links.append(value or "")
            if name == "src":
                self.pictures.append(value or "")


def build(folder: Path, project: Path) -> ZipFile:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def metadata_of(wheel: ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode("utf-8"))


def shown(metadata: Message) -> Targets:
    """The description as an index renders it."""
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = markdown.render(str(metadata.get_payload()))
    assert page is not None
    assert "<h1" in page
    return Targets(page)


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    return build(tmp_path_factory.mktemp("wheel"), root)


def test_every_module_type_marker_licence_and_file_of_the_page_is_in_the_wheel(
    wheel: ZipFile, root: Path, sources: list[Path]
) -> None:
    names = set(wheel.namelist())
    markers = set(root.glob("*/driftline/*/py.typed"))
    page = {path for path in root.glob("consumer/**/ui/static/**/*") if path.is_file()}
    wanted = {"/".join(path.relative_to(root).parts[1:]) for path in {*sources, *markers, *page}}
    assert wanted <= names
    assert {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name} == {
        "LICENSE",
        "NOTICE",
    }
    assert {name.split("/")[0].split("-")[0] for name in names} == {"driftline"}


def test_the_index_is_given_what_it_sorts_by(wheel: ZipFile) -> None:
    metadata = metadata_of(wheel)
    classifiers = metadata.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    assert {f"Programming Language :: Python :: 3.{n}" for n in (11, 12, 13)} <= set(classifiers)
    assert not [name for name in classifiers if name.startswith("License ::")]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "kafka" in metadata["Keywords"].split(",")


def test_pyarrow_comes_with_the_extra_alone(wheel: ZipFile) -> None:
    requires = metadata_of(wheel).get_all("Requires-Dist") or []
    assert [entry for entry in requires if entry.startswith("pyarrow")] == [
        "pyarrow>=17; extra == 'files'"
    ]


def test_no_link_of_the_description_is_dead(wheel: ZipFile) -> None:
    metadata = metadata_of(wheel)
    targets = shown(metadata)
    assert metadata.get_all("Project-URL") is None  # then, as here, there is nowhere to lead to
    assert [link for link in targets.links if not link.startswith("https://")] == []
    assert targets.pictures == []
    assert "docs/mappings.md" in str(metadata.get_payload())


def test_with_an_address_of_the_source_links_lead_there(root: Path, tmp_path: Path) -> None:
    for name in ("hatch_build.py", "README.md", "LICENSE", "NOTICE"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    urls = f'[project.urls]\nSource = "{SOURCE}"\n'
    (tmp_path / "pyproject.toml").write_text(f"{urls}\n{project}", encoding="utf-8")
    (tmp_path / "detectors" / "driftline").mkdir(parents=True)
    (tmp_path / "detectors" / "driftline" / "x.py").touch()
    metadata = metadata_of(build(tmp_path / "dist", tmp_path))
    assert metadata.get_all("Project-URL") == [f"Source, {SOURCE}"]
    targets = shown(metadata)
    raw = f"{SOURCE}/raw/v{metadata['Version']}/"
    assert f"{raw}docs/demo.svg" in targets.pictures
    for picture in targets.pictures:
        assert (root / picture.removeprefix(raw)).exists(), picture
    within = f"{SOURCE}/blob/v{metadata['Version']}/"
    assert f"{within}docs/mappings.md" in targets.links
    for link in targets.links:
        if link.startswith(SOURCE):
            assert (root / link.removeprefix(within)).exists(), link
