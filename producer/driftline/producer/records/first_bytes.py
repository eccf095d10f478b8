"""What bytes begin: the one table of packings, files and other forms that first bytes tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

GZIP: Final = b"\x1f\x8b"
UTF8_MARK: Final = b"\xef\xbb\xbf"
_AS_TABLE = "write its table as Parquet or CSV"


@dataclass(frozen=True)
class Beginning:
    """What some first bytes begin.

    Attributes:
        first: the bytes.
        name: as a sentence has it.
        kind: `packing`: of anything; `file`: no single record is one; `other`.
        instead: what to do with a file of it.
        format: of files that are read, their name in the table of formats.
    """

    first: bytes
    name: str
    kind: Literal["packing", "file", "other"]
    instead: str = _AS_TABLE
    format: str = ""


_UNPACK = "unpack it, or pack it with gzip"
BEGINNINGS: Final = (
    Beginning(GZIP, "gzip", "packing", _UNPACK),
    Beginning(b"\x28\xb5\x2f\xfd", "zstd", "packing", _UNPACK),
    Beginning(b"\x04\x22\x4d\x18", "lz4", "packing", _UNPACK),
    Beginning(b"\xff\x06\x00\x00sNaPpY", "snappy", "packing", _UNPACK),
    Beginning(b"\x82SNAPPY\x00", "snappy", "packing", _UNPACK),
    Beginning(b"BZh", "bzip2", "packing", _UNPACK),
    Beginning(b"\xfd7zXZ\x00", "xz", "packing", _UNPACK),
    Beginning(b"7z\xbc\xaf", "7z", "packing", _UNPACK),
    Beginning(b"\x78\x01", "zlib", "packing", _UNPACK),
    Beginning(b"\x78\x9c", "zlib", "packing", _UNPACK),
    Beginning(b"\x78\xda", "zlib", "packing", _UNPACK),
    Beginning(b"PAR1", "a Parquet file", "file", format="Parquet"),
    Beginning(b"ARROW1", "an Arrow file", "file", format="Arrow"),
    Beginning(b"\xff\xff\xff\xff", "an Arrow stream", "file", format="Arrow"),
    Beginning(
        b"PK\x03\x04",
        "a zip archive or an Excel workbook",
        "file",
        "unpack it, or save the sheet as CSV",
    ),
    Beginning(b"\xd0\xcf\x11\xe0", "an Excel workbook", "file", "save the sheet as CSV"),
    Beginning(b"SQLite format 3", "a SQLite database", "file", "write its table as CSV"),
    Beginning(b"Obj\x01", "Avro", "file", "write it as NDJSON or Parquet"),
    Beginning(b"ORC", "ORC", "file", "write it as Parquet"),
    Beginning(b"\x89HDF", "HDF5", "file"),
    Beginning(b"<stata_dta>", "a Stata file", "file"),
    Beginning(b"$FL2@(#)", "an SPSS file", "file"),
    Beginning(b"$FL3@(#)", "an SPSS file", "file"),
    Beginning(b"\x00" * 12 + b"\xc2\xea\x81\x60", "a SAS file", "file"),
    Beginning(b"\x93NUMPY", "an array of numpy", "file"),
    Beginning(b"FEA1", "Feather 1", "file", "write it as Feather 2 or Parquet"),
    Beginning(b"RDX", "a file of R", "file"),
    Beginning(b"\xac\xed\x00\x05", "a Java object", "other"),
    *(Beginning(b"\x80" + bytes([n]), "a Python pickle", "other") for n in (2, 3, 4, 5)),
    Beginning(b":)\n", "Smile", "other"),
    Beginning(b"\xd9\xd9\xf7", "CBOR", "other"),
    Beginning(b"<", "XML", "other"),
)


def beginning_of(value: bytes) -> Beginning | None:
    """Return what some bytes begin, None where that is not known.

    >>> beginning_of(b"PAR1...").name, beginning_of(b'{"a": 1}')
    ('a Parquet file', None)
    """
    return next((each for each in BEGINNINGS if value.startswith(each.first)), None)
