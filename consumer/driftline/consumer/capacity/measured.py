"""What things cost, as measured: the one table that a plan is worked out from.

They were measured on one core of a busy machine (Python 3.11), in CPU time, with 102 features: by
the program that each names, which can be run again elsewhere. What is assumed says so.
"""

from __future__ import annotations

from typing import NamedTuple


class Measured(NamedTuple):
    """One constant.

    Attributes:
        value: in seconds or bytes, of one of what it is about.
        what: it is about.
        where: it was measured.
    """

    value: float
    what: str
    where: str

    @property
    def text(self) -> str:
        """The value with a unit that suits it, and what it is about.

        >>> Measured(1.5e-6, "seconds a row", "").text, Measured(65_000, "bytes a model", "").text
        ('1.5 us a row', '65 kB a model')
        """
        kind, _, about = self.what.partition(" ")
        scaled = (
            ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
            if kind == "seconds"
            else ((1e6, "MB"), (1e3, "kB"), (1.0, "B"))
        )
        unit, name = next((each for each in scaled if self.value >= each[0]), scaled[-1])
        return f"{float(f'{self.value / unit:.3g}'):g} {name} {about}"


_SKETCH = "benchmarks.fleet sketch"
_JUDGE = "benchmarks.fleet judge"
_MEMORY = "benchmarks.fleet memory"
_STATES = "benchmarks.fleet states"
_ASSUMED = "assumed, not measured with the others"

READ = Measured(6e-6, "seconds an event read and unpacked", _ASSUMED)
EVENT = Measured(0.18e-6, "seconds an event and feature, decoded and counted", _SKETCH)
BATCH = Measured(500e-6, "seconds a model and poll, whatever its events", _SKETCH)
FLUSH = Measured(19e-9, "seconds a pane's cell and stream, put into a message", _SKETCH)
SEND = Measured(30e-6, "seconds a record, sent and acknowledged", _ASSUMED)
PANE_READ = Measured(400e-6, "seconds a pane's message, read and added up by judge", _JUDGE)
HORIZON = Measured(10.7e-6, "seconds a horizon, read by judge", _JUDGE)
EVIDENCE = Measured(70e-6, "seconds a feature and pane, added to the evidence", _ASSUMED)
WINDOW = Measured(240e-6, "seconds a feature and window, judged", _JUDGE)
VERDICT = Measured(2.9e-6, "seconds a verdict, written", _STATES)
JOIN_ROW = Measured(6e-6, "seconds a prediction or label, joined", _ASSUMED)

PROCESS = Measured(110e6, "bytes a worker before it holds a model", _ASSUMED)
JUDGED_CELL = Measured(44, "bytes a cell and stream of a model that is judged", _MEMORY)
DECODER = Measured(100e3, "bytes a model's decoder, once a topic and process", _MEMORY)
OPEN_ENTRY = Measured(16, "bytes a cell that is not empty of an open pane", _MEMORY)
OPEN_PANE = Measured(4.7e3, "bytes an open pane beside its cells", _MEMORY)
WAITING_ROW = Measured(100, "bytes a prediction that waits for its label", _ASSUMED)

PANE_BYTES = Measured(190, "bytes a pane's message beside its counts", "tests/consumer/capacity")
STREAM_BYTES = Measured(30, "bytes a stream in it beside its counts", "tests/consumer/capacity")
HORIZON_BYTES = Measured(150, "bytes a horizon", "tests/consumer/capacity")
VERDICT_BYTES = Measured(1_200, "bytes a verdict", _STATES)
ROW_BYTES = Measured(34, "bytes a prediction or label on its way to the join", _ASSUMED)
SKETCH_BYTES = Measured(84, "bytes a model in the state of an input partition", _STATES)
JUDGE_BYTES = Measured(1540, "bytes a feature and stream in the state of a judge", _JUDGE)
SOURCE_BYTES = Measured(86, "bytes an input partition in the state of a judge", _JUDGE)

TABLE = tuple(each for each in dict(globals()).values() if isinstance(each, Measured))
"""All of them, in the order in which they stand."""
