"""JSON in and out, as records have it: numbers that are not finite among them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec

from driftline.producer.errors import FormatError

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_LONGEST_INTEGER = 400  # digits; no float has more than 309, and reading them takes quadratic time
_BETWEEN = " \t\r\n,\x1e"  # of JSON texts
_SEVERAL = (
    "the value is several JSON texts, one behind the other: write them as one array, or one alone"
)
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


def parse_json(text: bytes) -> Any:
    """Read JSON; NaN, Infinity and 1e400, which are none but are written, are read as such texts.

    So does what writes events of rows (`Mapping.to_event`): a file and a topic mean the same.

    Raises:
        FormatError: it is not JSON.

    >>> parse_json(b'{"age": [NaN, -1e400]}')
    {'age': ['NaN', '-Infinity']}
    """
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    except RecursionError:
        raise FormatError("malformed", "the value is nested too deeply") from None
    try:
        return _walk(json.loads(text.decode(), parse_int=_integer), _finite_or_text)
    except UnicodeDecodeError:
        raise FormatError("malformed", "the value is not UTF-8") from None
    except RecursionError:
        raise FormatError("malformed", "the value is nested too deeply") from None
    except json.JSONDecodeError as error:
        if not error.doc.strip():
            raise FormatError("malformed", "the value is empty") from None
        if error.msg == "Extra data" and error.doc[error.pos :].lstrip(_BETWEEN)[:1] in ("{", "["):
            raise FormatError("malformed", _SEVERAL) from None
        where = f"{error.msg} at character {error.pos} of {len(error.doc)}"
        raise FormatError("malformed", f"the value is not JSON: {where}") from None


def object_in(value: Any) -> Any:
    """Return the object that a text holds as JSON; anything else as it is.

    >>> object_in('{"age": 31}'), object_in("{"), object_in(3)
    ({'age': 31}, '{', 3)
    """
    if isinstance(value, str) and value[:1] == "{" and value.rstrip()[-1:] == "}":
        try:
            return parse_json(value.encode())
        except (FormatError, UnicodeEncodeError):  # the latter of half a surrogate pair
            pass
    return value


def elements(text: bytes) -> list[bytes]:
    """Return the elements of a JSON array, each as it is written.

    Raises:
        FormatError: it is no JSON array.

    >>> elements(b'[{"a": 1}, {"a": 1.50}]')
    [b'{"a": 1}', b'{"a": 1.50}']
    """
    try:
        return [bytes(raw) for raw in _raws(text)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return list(map(to_json, parse_json(text)))


def to_json(value: Any) -> bytes:
    """Return a value as JSON: decimals as numbers, times as RFC 3339, bytes as base64.

    Numbers that are not finite become the texts "NaN", "Infinity" and "-Infinity".

    Raises:
        FormatError: it holds what JSON cannot hold.

    >>> from decimal import Decimal
    >>> to_json({"a": Decimal("1.50"), "b": float("nan"), "c": None})
    b'{"a":1.50,"b":"NaN","c":null}'
    """
    try:
        text = _encode(value)
        # msgspec writes null for such numbers, which would count as missing.
        if b"null" in text and not _is_finite(value):
            text = _encode(_walk(value, _finite_or_text))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise FormatError(
            "malformed", f"the value holds what JSON cannot hold: {type(error).__name__}"
        ) from None
    return text


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_is_finite, value))


def _walk(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _walk(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(inner, change) for inner in value]
    return change(value)


def _finite_or_text(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _integer(text: str) -> int | float:
    if len(text) <= _LONGEST_INTEGER:
        return int(text)
    return -math.inf if text.startswith("-") else math.inf
