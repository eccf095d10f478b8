"""Requests and answers of model servers: protocols V1 and V2 of KServe, in JSON or Protobuf.

Sources: KServe, data plane V1; Open Inference Protocol V2, REST and gRPC.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.cloud_events import RecordHeaders, facts, unwrap
from driftline.producer.records.formats.rows import MOST_VALUES, Events, row_events
from driftline.producer.records.formats.schemas import Schema

# Of the datatypes of tensors, how many bytes hold a value, as `struct` has them.
_PACKED = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b",
    "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip


def v1_events(record: Any, headers: RecordHeaders, names: Sequence[str]) -> Events:
    """Return an event for every row of protocol V1: `instances`, `predictions`, or both.

    Raises:
        FormatError: it has neither.

    >>> v1_events({"instances": [[6.8, 2.8]]}, {"ce_id": b"9f"}, ["length", "width"])
    [{'event_id': '9f', 'features': {'length': 6.8, 'width': 2.8}}]
    """
    attributes, body = unwrap(record, headers)
    return v1_rows(body, body, facts(attributes), names)


def v1_rows(request: Any, response: Any, known: Mapping[str, Any], names: Sequence[str]) -> Events:
    """Return an event for every row of a request and a response of V1; each may be lacking."""
    inputs = _member(request, "instances")
    if inputs is None and isinstance(columns := _member(request, "inputs"), dict):
        inputs = _rows_of(columns)
    elif inputs is None and isinstance(columns, list):
        inputs = columns
    return row_events(inputs, _member(response, "predictions"), known, names)


def v2_events(record: Any, headers: RecordHeaders, names: Sequence[str]) -> Events:
    """Return an event for every row of tensors of protocol V2: `inputs`, `outputs`, or both.

    A tensor of one value a row is a feature of the tensor's name. Of several values a row they are
    named by `names`, those of all tensors one after the other, or by the tensor and a number.

    Raises:
        FormatError: it has neither, or a tensor is damaged.

    >>> tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [6.8, 2.8]}
    >>> v2_events({"id": "9f", "inputs": [tensor]}, {}, ["length", "width"])
    [{'event_id': '9f', 'features': {'length': 6.8, 'width': 2.8}}]
    """
    attributes, body = unwrap(record, headers)
    if not isinstance(body, dict):
        raise FormatError("schema", "the record is no object with inputs or outputs")
    known = facts(attributes)
    known["event_id"] = body.get("id") or known["event_id"] or _text(headers, "x-request-id")
    known["model_version"] = body.get("model_version") or None
    known["model_name"] = body.get("model_name") or None
    inputs = _tensors(body.get("inputs"), body.get("raw_input_contents"))
    outputs = _tensors(body.get("outputs"), body.get("raw_output_contents"))
    rows = None if inputs is None else _table(inputs, names)
    answers = None if outputs is None else [_single(row) for row in _table(outputs, ())]
    return row_events(rows, answers, known, ())


def _single(row: dict[str, Any]) -> Any:
    """Return the answer of a row: where it is one value, that."""
    return next(iter(row.values())) if len(row) == 1 else row


def _tensors(tensors: Any, raw: Any) -> list[tuple[str, list[list[Any]]]] | None:
    """Return the rows of each tensor with its name; None where there are no tensors."""
    if not tensors or not isinstance(tensors, list):
        return None
    found = []
    for place, tensor in enumerate(tensors):
        if not isinstance(tensor, dict) or not isinstance(tensor.get("shape"), list):
            if isinstance(tensor, dict) and "datatype" not in tensor:
                return None  # the outputs that a request asks for
            raise FormatError("schema", "a tensor has no shape")
        packed = raw[place] if isinstance(raw, list) and place < len(raw) else None
        found.append((str(tensor.get("name", place)), _rows(tensor, packed)))
    return found


def _rows(tensor: dict[str, Any], packed: bytes | None) -> list[list[Any]]:
    name, datatype = tensor.get("name"), str(tensor.get("datatype", ""))
    values = _contents(tensor) if packed is None else _unpack(packed, datatype)
    if values is None:
        raise FormatError("schema", f"the tensor {name} has its data outside of the JSON")
    try:
        many, *shape = [int(size) for size in tensor["shape"]] or [1]
    except (TypeError, ValueError):
        raise FormatError("schema", f"the shape of the tensor {name} is no list of sizes") from None
    width = 1
    for size in shape:
        width *= size
    if width > MOST_VALUES:
        text = f"the tensor {name} has {width} values a row, at most {MOST_VALUES} are read"
        raise FormatError("schema", text)
    if many < 0 or width < 1 or many * width != len(values):
        text = f"the tensor {name} has {len(values)} values, and another shape"
        raise FormatError("schema", text)
    return [values[row * width : (row + 1) * width] for row in range(many)]


def _contents(tensor: dict[str, Any]) -> list[Any] | None:
    """Return the values of a tensor in one list; None where they stand elsewhere."""
    data = tensor.get("data")
    if data is None and isinstance(contents := tensor.get("contents"), dict):
        data = next((values for values in contents.values() if values), [])
        data = [v.decode(errors="replace") if isinstance(v, bytes) else v for v in data]
    if not isinstance(data, list):
        return None
    while data and isinstance(data[0], list):
        data = list(
            chain.from_iterable(each if isinstance(each, list) else [each] for each in data)
        )
    return data


def _unpack(packed: bytes, datatype: str) -> list[Any]:
    if datatype == "BYTES":
        texts: list[Any] = []
        while packed:
            length = int.from_bytes(packed[:4], "little")
            if len(packed) < 4 + length:
                raise FormatError("malformed", "a tensor of texts is cut off")
            texts.append(packed[4 : 4 + length].decode(errors="replace"))
            packed = packed[4 + length :]
        return texts
    code = _PACKED.get(datatype)
    if code is None or len(packed) % struct.calcsize(code):
        raise FormatError("malformed", f"raw values of the type {datatype} cannot be read")
    return [value for (value,) in struct.iter_unpack(f"<{code}", packed)]


def _table(tensors: list[tuple[str, list[list[Any]]]], names: Sequence[str]) -> list[Any]:
    """Return each row of all tensors by name."""
    many = {len(rows) for _, rows in tensors}
    if len(many) != 1:
        raise FormatError("schema", "the tensors have different numbers of rows")
    widths = [(name, len(rows[0]) if rows else 0) for name, rows in tensors]
    own = [
        name if width == 1 else f"{name}_{place}"
        for name, width in widths
        for place in range(width)
    ]
    if names and len(names) != len(own):
        text = f"the tensors have {len(own)} values a row, and names lists {len(names)}"
        raise FormatError("schema", text)
    columns = [rows for _, rows in tensors]
    chosen = names or own
    return [
        dict(zip(chosen, chain.from_iterable(parts), strict=True))
        for parts in zip(*columns, strict=True)
    ]


def _rows_of(columns: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of V1's form by columns."""
    lists = [values for values in columns.values() if isinstance(values, list)]
    if len(lists) != len(columns) or len({len(values) for values in lists}) != 1:
        return None
    return [dict(zip(columns, values, strict=True)) for values in zip(*lists, strict=True)]


def _member(body: Any, name: str) -> Any:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, list | dict) else None


def _text(headers: RecordHeaders, name: str) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode(errors="replace")


_MESSAGES = """
syntax = "proto3";
package inference;
message Parameter {
  oneof choice { bool bool_param = 1; int64 int64_param = 2; string string_param = 3; }
}
message Contents {
  repeated bool bool_contents = 1;
  repeated int32 int_contents = 2;
  repeated int64 int64_contents = 3;
  repeated uint32 uint_contents = 4;
  repeated uint64 uint64_contents = 5;
  repeated float fp32_contents = 6;
  repeated double fp64_contents = 7;
  repeated bytes bytes_contents = 8;
}
message Tensor {
  string name = 1;
  string datatype = 2;
  repeated int64 shape = 3;
  map<string, Parameter> parameters = 4;
  Contents contents = 5;
}
message ModelInferRequest {
  string model_name = 1;
  string model_version = 2;
  string id = 3;
  repeated Tensor inputs = 5;
  repeated bytes raw_input_contents = 7;
}
message ModelInferResponse {
  string model_name = 1;
  string model_version = 2;
  string id = 3;
  repeated Tensor outputs = 5;
  repeated bytes raw_output_contents = 6;
}
"""
"""What is read of the messages of Open Inference Protocol V2 (gRPC)."""


def v2_message(topic: str) -> Schema:
    """Return the schema of V2's messages in a topic of Seldon Core 2: its name tells which half.

    >>> v2_message("seldon.default.model.iris.outputs").message
    'ModelInferResponse'
    """
    half = "ModelInferResponse" if topic.endswith(".outputs") else "ModelInferRequest"
    return Schema("PROTOBUF", _MESSAGES, message=half)
