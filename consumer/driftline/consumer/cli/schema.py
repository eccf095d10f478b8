"""`driftline schema`: the schemas of what users write and read."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from driftline.consumer.cli.terminal import out
from driftline.consumer.wire.meaning import Contract


def schema(name: Annotated[Contract, typer.Argument(help="Of what.", show_default=False)]) -> None:
    """Print the JSON Schema of records, or of driftline.yaml."""
    from driftline.consumer.wire.schemas import schema_of

    out(msgspec.json.format(msgspec.json.encode(schema_of(name)), indent=2).decode())
