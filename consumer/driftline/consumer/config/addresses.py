"""Addresses of files that may lie elsewhere: paths, URLs, and what a registry of models names."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema

from driftline.consumer.config.schemes import scheme_of


def _address(value: Any) -> str:
    if isinstance(value, PurePath):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError("must be a path or a URL")
    if not value:
        raise ValueError("has no value")
    if scheme_of(value) is not None and urlsplit(value).password is not None:
        raise ValueError(
            "an address that others see must not hold a password: the libraries that fetch it read"
            " their own files and variables"
        )
    return value


Address = Annotated[str, BeforeValidator(_address), WithJsonSchema({"type": "string"})]
"""A path, relative to the file that names it; or a URL, `s3://...`, `models:/...`."""
