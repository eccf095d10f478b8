"""Short logs of joins, written down.

"p0 P1@1 L1@2.5" is a block of partition 0 of the predictions' topic: the prediction of id 1 at 1 s,
then its label at 2.5 s. "l0 @25" is one without rows: partition 0 of the labels has come to 25 s.
A label is of the class 1; "L1=0@25" is one of class 0, "P1=0" a prediction of class 0.
"""

from __future__ import annotations

import re

from tests.consumer.join.oracle import Row
from tests.consumer.join.random_log import GRACE, block, horizon

from driftline.consumer.wire.messages import Block

_ROW = re.compile(r"([PL])(\d+)(?:=(\d))?@([\d.]+)")


def script(*lines: str) -> list[Block]:
    """Return the blocks; a source that has come to a time has nothing before it any more."""
    newest: dict[str, int] = {}
    written: dict[str, Block] = {}
    offsets: dict[str, int] = {}
    blocks = []
    for line in lines:
        source, *words = line.split()
        topic, partition = source[0], int(source[1:])
        first = offsets.get(source, 0)
        if line in written:  # it comes again, as it was
            blocks.append(written[line])
        elif words[0].startswith("@"):
            newest[source] = GRACE + milliseconds(words[0].removeprefix("@"))
            blocks.append(Block(horizon(topic, partition, newest[source], first), 0))
        else:
            rows = [_row(topic, partition, first + i, text) for i, text in enumerate(words)]
            offsets[source] = first + len(rows)
            newest[source] = max(newest.get(source, 0), *(row.time for row in rows))
            written[line] = block(rows, newest[source])
            blocks.append(written[line])
    return blocks


def milliseconds(seconds: str) -> int:
    return round(float(seconds) * 1_000)


def _row(topic: str, partition: int, offset: int, text: str) -> Row:
    found = _ROW.fullmatch(text)
    assert found is not None, text
    kind, number, value, time = found.groups()
    return Row(
        milliseconds(time), topic, partition, offset, kind == "L", int(number), int(value or 1), 0
    )
