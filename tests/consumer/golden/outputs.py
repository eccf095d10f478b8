"""What an output is frozen as: how many records it has, and what their bytes hash to.

A hash is of lines of text, one a record, so that two versions of an output can be compared with
`diff`. What is binary is unpacked in its line, which begins with the hash of its bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from driftline.consumer.log.memory import MemoryRecord

DATA = Path(__file__).parents[2] / "data"
FROZEN = DATA / "golden.json"
SCREENS = DATA / "golden"  # the text of each screen, to be read
FOUND = Path(__file__).parents[3] / "build" / "golden"  # what a run gave; nothing there is kept

_HEADER = 11  # bytes before the body of a binary record
_NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+")

Outputs = dict[str, list[str]]
"""Name, such as `random 3/panes`, to lines."""


def digest(content: bytes) -> str:
    """16 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:16]


def summary(lines: list[str]) -> str:
    """Say how many lines there are, their hash, and their hash in alphabetical order."""
    whole, ordered = (digest("\n".join(each).encode()) for each in (lines, sorted(lines)))
    return f"{len(lines)} lines, {whole}, sorted {ordered}"


def record_lines(records: Iterable[MemoryRecord]) -> list[str]:
    """One line a record: where it stands, its key, headers and value.

    Timestamps of records are left out: they are the time of the run.
    """
    return [
        f"[{record.partition}]@{record.offset} {_text(record.key)}"
        f" {[(name, _text(value)) for name, value in record.headers]} {_value(record.value)}"
        for record in records
    ]


def state_lines(records: Iterable[MemoryRecord]) -> list[str]:
    """One line a record of the log of states; a judge's stands as a whole at its head.

    States of a judge hold effects and evidence as they were computed, whose last digits depend on
    how the processor adds and takes logarithms: of those six digits count, and parts' digests none.
    """
    found, parts = [], dict[bytes, bytes]()
    for record in records:
        key = _text(record.key)
        if "judge/" not in key:
            found.append(f"[{record.partition}] {key} {_value(record.value)}")
            continue
        if record.value is None:
            continue  # of parts, or of another owner's
        state = _unpacked(record.value)
        if state["type"] == "part":
            parts[bytes.fromhex(key.split("/")[1])] = state["data"]
            continue
        for name, digests in state.pop("large").items():
            state[name] = msgspec.msgpack.decode(b"".join(parts[each] for each in digests))
        found.append(f"[{record.partition}] {key} {_rounded(state)}")
    return found


def rounded_text(text: str) -> list[str]:
    """The lines of a text in which all numbers but times have six digits."""

    def rounded(found: re.Match[str]) -> str:
        value = float(found[0])
        return found[0] if value > 1e9 else _six(value)

    return _NUMBER.sub(rounded, text).splitlines()


def json_lines(documents: Iterable[Any]) -> list[str]:
    """One document a line."""
    return [msgspec.json.encode(document).decode() for document in documents]


def write(outputs: Mapping[str, list[str]], folder: Path) -> None:
    """Write each output to a file named after it."""
    for name, lines in outputs.items():
        path = folder / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def frozen() -> dict[str, str]:
    """The summary of each frozen output."""
    found: dict[str, str] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return found


def differences(outputs: Outputs, known: Mapping[str, str]) -> dict[str, str]:
    """Return the outputs that are not as known, and in which way."""
    found = {}
    for name in sorted(outputs.keys() | known.keys()):
        was = known.get(name, "nothing")
        now = summary(outputs[name]) if name in outputs else "nothing"
        if was != now:
            same = was.rsplit(" ", 1)[-1] == now.rsplit(" ", 1)[-1]
            note = ", the same lines in another order" if same else ""
            found[name] = f"{was} -> {now}{note}"
    return found


def _text(value: bytes | None) -> str:
    return "-" if value is None else value.decode("utf-8", "backslashreplace")


def _value(value: bytes | None) -> str:
    if value is not None and value[:2] == b"DL":
        return f"{digest(value)} {_unpacked(value)}"
    return _text(value)


def _unpacked(value: bytes) -> Any:
    body = value[_HEADER:]
    assert int.from_bytes(value[7:_HEADER], "little") == zlib.crc32(body)
    return msgspec.msgpack.decode(body)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return _six(value)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value


def _six(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-9 else value:.6g}"
