"""What a file is by its first bytes, where its name says something else."""

from __future__ import annotations

import re
from pathlib import Path

from driftline.producer.files.formats import FORMATS, format_of
from driftline.producer.records.first_bytes import GZIP, UTF8_MARK, beginning_of

_HEAD = 4_096
_KNOWN = frozenset(("CSV", "NDJSON", "Parquet", "Arrow"))
_BLANK = b" \t\r\n\x1e"  # and the separator of records in a sequence of JSON texts (RFC 7464)
_PAGES = (b"<!doctype html", b"<html", b"<?xml")
_OF_R = (".rds", ".rda", ".rdata")  # which are packed, and no text
_IN_LOG = re.compile(rb'(?<!")\{"')  # an object behind what a log writes before it
_POINTERS = {
    b"version https://git-lfs": "is a pointer of Git LFS; fetch the file itself with  git lfs pull",
    b"/annex/objects/": "is a pointer of git-annex; fetch the file itself with  git annex get",
    b"header record*******": "is a SAS transport file; write its table as Parquet or CSV",
}


def problem_of(file: Path) -> str | None:
    """Return what is wrong with a file whose bytes are not what its name says, and what to do.

    Of a file whose name ends in `.gz` only whether it is packed is looked at.

    Returns:
        None where nothing is known.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "rows.csv"
    >>> _ = file.write_bytes(bytes([80, 65, 82, 49, 21, 4]))
    >>> problem_of(file)
    'is Parquet; call it so: rows.parquet'
    """
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if _is_text(head):
        return _problem_of_text(file, head)
    begun, named_packed = beginning_of(head), file.name.lower().endswith(".gz")
    if begun is None:
        return None
    if begun.first == GZIP:
        if file.name.lower().endswith(_OF_R):
            return "is a file of R; write its table as Parquet or CSV"
        return None if named_packed else f"is packed; call it so: {file.name}.gz"
    if begun.kind == "packing":
        return f"is packed with {begun.name}; {begun.instead}"
    if begun.format:
        return _called(file, begun.format)
    return None if named_packed else f"is {begun.name}; {begun.instead}"


def _problem_of_text(file: Path, head: bytes) -> str | None:
    text = head.removeprefix(UTF8_MARK).lstrip(_BLANK)
    if file.name.lower().endswith(".gz"):
        return f"is not packed; call it so: {file.name[:-3]}"
    if text[:16].lower().startswith(_PAGES):
        return "is a page of the web or XML; save the table itself, as CSV or NDJSON"
    for first, problem in _POINTERS.items():
        if text.lower().startswith(first):
            return problem
    if _is_json(text):
        return _called(file, "NDJSON")
    return _called(file, "CSV") if _is_csv(text) else None


def _called(file: Path, name: str) -> str | None:
    """Return what to call a file that has this format; None if it is called so."""
    form, named = next(each for each in FORMATS if each.name == name), format_of(file)
    if named is not None and (named.name == name or named.name not in _KNOWN):
        return None
    return f"is {name}; call it so: {file.stem}{form.endings[0]}"


def _is_json(text: bytes) -> bool:
    return text.startswith((b"{", b"[{", b"[\n", b"[ ")) and b'":' in text


def _is_csv(text: bytes) -> bool:
    """Whether the first two lines have as many separators, and none of them is JSON."""
    lines = text.splitlines()[:2]
    counts = [[line.count(sign) for sign in (b",", b";", b"\t", b"|")] for line in lines]
    json = text[:1] in (b"{", b"[", b'"', b",") and any(end in lines[0] for end in (b'":', b"':"))
    json = json or text[:1] == b"[" or any(map(_IN_LOG.search, lines))
    return len(lines) == 2 and not json and counts[0] == counts[1] and any(counts[0])


def _is_text(text: bytes) -> bool:
    """Whether there are no bytes that texts do not have."""
    return bool(text) and not any(byte < 9 for byte in text)
