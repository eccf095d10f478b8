"""Chromium, for tests of the page: skipped where it lacks, failing where CI is set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.kafka.conftest import admin, bootstrap, broker, new_topic, prefix, tls_dir

__all__ = ["admin", "bootstrap", "broker", "new_topic", "prefix", "tls_dir"]

_OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --js-flags=--expose-gc"
)


def lacking(reason: str) -> None:
    """Skip with the reason; fail where `CI` is set."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        lacking("Chromium is not installed; on Debian: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        lacking("Playwright is not installed; run  make .venv/.page")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=_OPTIONS.split())
        yield running
        running.close()
