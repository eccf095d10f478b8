"""Writing the rows of an alert to a file."""

from __future__ import annotations

from pathlib import Path

from driftline.consumer.cli.alert_rows import Opened
from driftline.consumer.cli.terminal import out, out_json
from driftline.consumer.cli.whole_file import whole_file
from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.rows.gather import gather
from driftline.consumer.offline.rows.table import RowColumns
from driftline.consumer.wire.text import counted, some
from driftline.producer.files.formats import Format

_NAMES = 5


def export(found: Opened, output: Path, form: Format, *, as_json: bool) -> None:
    """Write the rows of an alert, and print how many there are.

    Raises:
        DriftlineError: there are none, or they cannot be read or written.
    """
    with gather(found.source, found.alert, found.span, found.listed, found.feedback) as rows:
        columns = RowColumns(rows)
        if columns.mixed:
            names = some(columns.mixed, _NAMES)
            found.feedback.note(
                "note", clean(f"values of several types are written as text: {names}")
            )
        packed = form.packed and output.name.lower().endswith(".gz")
        with whole_file(output, packed=packed) as stream:
            assert form.write is not None  # noqa: S101 (`written_format` gives no other)
            form.write(stream, columns.types, columns.chunks())
        many, labelled = len(rows), rows.labelled
    if as_json:
        out_json(
            {
                "alert_id": found.alert.alert_id,
                "file": str(output),
                "rows": many,
                "labelled": labelled,
                "span": found.span.document,
                "columns": columns.types,
            }
        )
        return
    known = f"{labelled:,} with labels" if labelled else "none with a label"
    out(clean(f"{output}   {counted(many, 'row')}, {known}: {found.alert.stream}, {found.span}"))
