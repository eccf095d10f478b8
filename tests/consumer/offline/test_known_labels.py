"""Ground truth in a file of its own finds its events as a dictionary of the labels would."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.known_labels import KnownLabels
from driftline.consumer.offline.truth import read_truth
from driftline.consumer.sketch.event_rows import event_ids
from driftline.producer.errors import InputError
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table

BY_ID = Mapping({"event_id": "id"})
IDS = st.none() | st.integers(0, 9) | st.sampled_from(["a", "b", "", "7", "7.0"])
VALUES = st.one_of(
    st.lists(st.tuples(IDS, st.none() | st.integers(0, 3)), max_size=20),
    st.lists(st.tuples(IDS, st.none() | st.floats(0, 1)), max_size=20),
    st.lists(st.tuples(IDS, st.sampled_from([None, "no", "yes", True, 1])), max_size=20),
)


@given(VALUES, st.lists(IDS, max_size=20))
def test_as_a_dictionary(labels: list[tuple[object, object]], events: list[object]) -> None:
    table = Table.of_rows([{"id": key, "actual": value} for key, value in labels])
    wanted: dict[str, object] = {}
    count = 0
    for key, value in labels:
        if key not in (None, "") and value is not None:
            count += 1
            wanted[str(key)] = value
    column = table.columns.get("actual")
    if column is None:
        return
    known = KnownLabels.by_id(event_ids(table, BY_ID), column)
    rows = Table.of_rows([{"id": key} for key in events])
    found = known.of(event_ids(rows, BY_ID)).values() if events else []
    assert found == [wanted.get(str(key)) for key in events]
    assert (known.labels, known.repeated) == (count, count - len(wanted))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_only_the_columns_of_ids_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = write(tmp_path / "events.csv", "id,km,score\n1,5,.5\n2,6,.6\n3,7,.7\n")
    labels = write(tmp_path / "labels.csv", "id,repaid\n3,1\n1,0\n")
    asked: list[object] = []

    def reading(path: Path, columns: object = None) -> object:
        if path == events:
            asked.append(columns)
        return read_tables(path, columns)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr("driftline.consumer.offline.truth.read_tables", reading)
    mapping = Mapping({"prediction.score": "score", "features": "*"})
    truth = read_truth(labels, events, mapping, Feedback(), "repaid")
    assert asked == [None, {"id"}], "some rows to see which columns there are, then the ids"
    assert truth.ids == ("id",)
    [table] = truth.beside(read_tables(events))
    assert table.columns["actual"].values() == [0, None, 1]


@pytest.mark.parametrize("column", ["flag", "share"])
def test_values_that_do_not_name_rows_are_no_ids(tmp_path: Path, column: str) -> None:
    values = np.arange(50) % 2 if column == "flag" else np.arange(50) / 2
    rows = "".join(f"{value},{n}\n" for n, value in enumerate(values))
    events = write(tmp_path / "events.csv", f"{column},score\n{rows}")
    numbers = "".join(f"{n},{n % 3}\n" for n in range(50))
    labels = write(tmp_path / "labels.csv", f"row,repaid\n{numbers}")
    mapping = Mapping({"prediction.score": "score", "features": "*"})
    truth = read_truth(labels, events, mapping, Feedback(), "repaid")
    assert truth.ids != (column,)


def test_infinite_values_beside_the_ids_are_no_warning(tmp_path: Path) -> None:
    rows = "".join(f"inf,k{n}\n" if n % 7 == 0 else f"{n}.0,k{n}\n" for n in range(50))
    events = write(tmp_path / "events.csv", f"odd,key\n{rows}")
    numbers = "".join(f"k{n},{n % 2}\n" for n in range(50))
    labels = write(tmp_path / "labels.csv", f"ref,repaid\n{numbers}")
    truth = read_truth(labels, events, Mapping({"features": "*"}), Feedback(), "repaid")
    assert truth.ids == ("key",)


def test_a_column_without_ids_is_not_taken_for_them(tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", "key,score\n" + ",.5\n" * 50)
    labels = write(tmp_path / "labels.csv", "key,repaid\n" + "".join(f"{n},1\n" for n in range(50)))
    with pytest.raises(InputError, match=r"no id of .*, column key, occurs among the events"):
        read_truth(labels, events, Mapping({"prediction.score": "score"}), Feedback(), "repaid")
