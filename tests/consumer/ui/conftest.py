"""The application over literal answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from driftline.consumer.ui.access import Access
from driftline.consumer.ui.app import application
from driftline.consumer.ui.files import PageFiles
from driftline.consumer.ui.listeners import Listeners

from .double import Literal

HOST = "http://localhost:9110"
Visit = Callable[[Access], TestClient]


@pytest.fixture
def source() -> Literal:
    return Literal()


@pytest.fixture
def listeners() -> Listeners:
    return Listeners()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> PageFiles:
    """A page of its own: small, and the same whatever the real one becomes."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "vendor").mkdir()
    (folder / "index.html").write_text(
        '<!doctype html><script type="importmap">{"imports": {}}</script>'
        '<script type="module" src="static/app.js"></script>',
        encoding="utf-8",
    )
    (folder / "app.js").write_text("let x = 1;\n" * 200, encoding="utf-8")
    (folder / "vendor" / "x.LICENSE").write_text("MIT", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG" + bytes(2_000))
    return PageFiles(Path(folder))


@pytest.fixture
def visit(source: Literal, listeners: Listeners, files: PageFiles) -> Visit:
    """Return a browser in front of the page, with such access."""

    def browser(access: Access) -> TestClient:
        app = application(source, listeners, access, files)
        return TestClient(app, base_url=HOST, follow_redirects=False)

    return browser


@pytest.fixture
def client(visit: Visit) -> TestClient:
    return visit(Access())
