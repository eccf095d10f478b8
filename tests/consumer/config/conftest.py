"""Configurations in a folder of their own, which is the working directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from driftline.consumer.config import ConfigError, Loaded, load

FILES = Path(__file__).parent / "files"
TEAM = "models:\n  churn: {predictions: crm.predictions, reference: churn.json}\n"


class Read(Protocol):
    """Write files and load the first; a text alone is driftline.yaml."""

    def __call__(
        self,
        files: str | Mapping[str, str],
        environ: Mapping[str, str] = ...,
        overrides: Mapping[str, Any] | None = ...,
        offline: bool = ...,
    ) -> Loaded: ...


class Problems(Protocol):
    """The lines of the error that loading ends with; none if it does not."""

    def __call__(
        self,
        files: str | Mapping[str, str],
        environ: Mapping[str, str] = ...,
        overrides: Mapping[str, Any] | None = ...,
        offline: bool = ...,
    ) -> list[str]: ...


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)

    def run(
        files: str | Mapping[str, str],
        environ: Mapping[str, str] = {},
        overrides: Mapping[str, Any] | None = None,
        offline: bool = False,
    ) -> Loaded:
        named = {"driftline.yaml": files} if isinstance(files, str) else files
        for name, text in named.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load(next(iter(named)), environ=environ, overrides=overrides, offline=offline)

    return run


@pytest.fixture
def problems(read: Read) -> Problems:
    def run(*args: Any, **kwargs: Any) -> list[str]:
        try:
            read(*args, **kwargs)
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
        return []

    return run


@pytest.fixture
def three_models() -> dict[str, str]:
    """The second example of the user's guide, and a file for its `include`."""
    return {
        "driftline.yaml": (FILES / "three_models.yaml").read_text(encoding="utf-8"),
        "teams/crm.yaml": TEAM,
    }
