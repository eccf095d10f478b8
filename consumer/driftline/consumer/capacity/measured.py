"""What things cost, as measured: the one table that a plan is worked out from.

They were measured on one core of a busy machine (Python 3.11), in CPU time, with 102 features: by
the program that each names, which prints them beside those here, and can be run again elsewhere. Of
several runs the least stands here: others use the machine, too, and a run then took up to twice it.
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


_SKETCH = "benchmarks.plan sketch"
_FLEET = "benchmarks.plan fleet"
_JUDGE = "benchmarks.plan judge"
_JOIN = "benchmarks.plan join"
_BLOCKS = "benchmarks.plan blocks"
_BROKER = "benchmarks.plan broker"
_MEMORY = "benchmarks.fleet memory"
_STATES = "benchmarks.fleet states"
_TESTED = "tests/consumer/capacity"

READ = Measured(11e-6, "seconds a record read and unpacked", _BROKER)
READ_BYTE = Measured(2.6e-9, "seconds a byte of large records, read", _BROKER)
SEND = Measured(45e-6, "seconds a record, sent and acknowledged", _BROKER)
SEND_BYTE = Measured(16e-9, "seconds a byte of large records, sent", _BROKER)

EVENT = Measured(0.15e-6, "seconds an event and feature, decoded and counted", _SKETCH)
BATCH = Measured(590e-6, "seconds a model and poll, whatever its events", _SKETCH)
FLUSH = Measured(19e-9, "seconds a pane's cell and stream, put into a message", _SKETCH)
MERGE = Measured(
    65e-9, "seconds a cell of a pane that is added to others before it is sent", _SKETCH
)
LOOK = Measured(83e-9, "seconds a model and partition, looked at for silence", _FLEET)
MARK = Measured(17e-6, "seconds a silent model and partition, marked", _FLEET)
SKETCH_STATE = Measured(3.1e-6, "seconds a model in the state of a partition, written", _FLEET)
COUNT_OPEN = Measured(1.2e-3, "seconds a model and partition, opened", _FLEET)

JOIN_ROW = Measured(3.9e-6, "seconds a prediction or label, joined", _JOIN)
BLOCK_READ = Measured(11e-6, "seconds a block read by the join, whatever its rows", _JOIN)
ROW = Measured(2.9e-6, "seconds a prediction, put into a block", _JOIN)
LABEL = Measured(2.8e-6, "seconds a label, decoded and put into a block", _JOIN)

PANE_READ = Measured(160e-6, "seconds a pane's message, read and added up by judge", _JUDGE)
PANE_CELL = Measured(10e-9, "seconds a cell in it that is not empty", _JUDGE)
HORIZON = Measured(19e-6, "seconds a horizon, read by judge", _JUDGE)
MARK_READ = Measured(5.7e-6, "seconds a mark among many in a record, read by judge", _JUDGE)
EVIDENCE = Measured(52e-6, "seconds a feature and pane, added to the evidence", _JUDGE)
WINDOW = Measured(280e-6, "seconds a feature and window, judged", _JUDGE)
VERDICT = Measured(2.9e-6, "seconds a verdict, written", _STATES)
JUDGE_STATE = Measured(6.9e-6, "seconds a feature and stream in a judge's state, written", _JUDGE)
OPEN = Measured(50e-3, "seconds a model that is judged, opened", _JUDGE)

PROCESS = Measured(117e6, "bytes a worker before it holds a model", _BROKER)
POLLED = Measured(95e6, "bytes a worker more once it has read full polls", _BROKER)
JUDGED_CELL = Measured(44, "bytes a cell and stream of a model that is judged", _MEMORY)
DECODER = Measured(100e3, "bytes a model's decoder, once a topic and process", _MEMORY)
OPEN_ENTRY = Measured(16, "bytes a cell that is not empty of an open pane", _MEMORY)
OPEN_PANE = Measured(4.7e3, "bytes an open pane beside its cells", _MEMORY)
WAITING_ROW = Measured(74, "bytes a prediction that waits for its label", _JOIN)

PANE_BYTES = Measured(190, "bytes a pane's message beside its counts", _TESTED)
ADDED_BYTES = Measured(20, "bytes a pane in the message of several that were added up", _TESTED)
STREAM_BYTES = Measured(30, "bytes a stream in it beside its counts", _TESTED)
HORIZON_BYTES = Measured(166, "bytes a horizon", _BLOCKS)
HORIZONS_BYTES = Measured(93, "bytes a record of many horizons beside them", _BLOCKS)
MARK_BYTES = Measured(32, "bytes a model in it", _FLEET)
VERDICT_BYTES = Measured(1_200, "bytes a verdict", _STATES)
BLOCK_BYTES = Measured(234, "bytes a block for the join", _BLOCKS)
ROWS_BYTES = Measured(59, "bytes more where it has rows", _BLOCKS)
ROW_BYTES = Measured(25, "bytes a prediction or label in it", _BLOCKS)
SKETCH_BYTES = Measured(99, "bytes a model in the state of an input partition", _FLEET)
JUDGE_BYTES = Measured(1_546, "bytes a feature and stream in the state of a judge", _JUDGE)
SOURCE_BYTES = Measured(83, "bytes an input partition in the state of a judge", _JUDGE)
JOIN_BYTES = Measured(159, "bytes the state of a model in a partition of the join", _BLOCKS)
JOIN_SOURCE_BYTES = Measured(79, "bytes an input partition in it", _BLOCKS)
SKETCH_HEAD = Measured(170, "bytes the state of an input partition beside its models", _FLEET)
JUDGE_HEAD = Measured(550, "bytes the state of a judge beside evidence and sources", _JUDGE)
PART_BYTES = Measured(90, "bytes a part of a state beside what it holds", _BLOCKS)
PART_NAME = Measured(10, "bytes a part in the head that names it", _BLOCKS)

TABLE = tuple(each for each in dict(globals()).values() if isinstance(each, Measured))
"""All of them, in the order in which they stand."""
