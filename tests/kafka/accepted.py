"""What the page on accepting writes into the log of panes."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from tests.docs.pages import PAGES
from tests.kafka.reader import TopicReader

from driftline.consumer.wire.messages import Acceptance, decode_panes


def follow(reader: Any) -> None:
    """Each command of the page is a record of the model."""
    reader.shell.write("driftline.yaml", PAGES["configuration.md"].blocks("yaml")[0])
    reader.do("topics", "create")
    reader.follow("how-to/accept.md", bool)
    with closing(TopicReader(reader.bootstrap, f"{reader.prefix}.panes")) as panes:
        found = [decode_panes(record.value or b"") for record in panes.read()]
    said = [each for each in found if isinstance(each, Acceptance)]
    assert [each.feature for each in said] == ["income", "income", ""]
    assert {each.model for each in said} == {"car-loan"}
