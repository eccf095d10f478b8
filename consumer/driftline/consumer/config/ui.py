"""`ui`: the page, its address and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ValidationError

from driftline.consumer.config.notation import Count, Port, Section, Texts
from driftline.consumer.config.urls import web_address


def _page(value: str) -> str:
    web_address(value, "https://drift.example")
    parts = urlsplit(value)
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise ValueError("the page stands at the root of its host: write https://host:port")
    return value.rstrip("/")


def _workers(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(web_address(value, "http://driftline:9108").rstrip("/") for value in values)


class UiConfig(Section):
    """The page of `driftline ui`.

    `url`: as people reach it; links in alerts begin so. `workers`: where the metrics of the workers
    are; a host name stands for all its addresses. `windows`: of each stream that it holds at most.
    """

    url: Annotated[str, AfterValidator(_page)] | None = None
    host: str = "127.0.0.1"
    port: Port = 9110
    workers: Annotated[Texts, AfterValidator(_workers)] = ()
    windows: Count = 200

    def changed(self, given: Mapping[str, Any]) -> Self:
        """Return the section with other values.

        Raises:
            ValueError: one is not as its key must be; `args` are the key and why.
        """
        try:
            return self.model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            wrong = error.errors()[0]
            why = wrong.get("ctx", {}).get("error", wrong["msg"])
            raise ValueError(wrong["loc"][0], why) from None
