"""The monitor: prediction and label topics in; verdicts, alerts and metrics out.

For notebooks and programs: `report`, `backtest`, `build_reference` and `Monitor`, which are
imported when they are first used.
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later

if TYPE_CHECKING:
    from driftline.consumer.offline.batch import backtest, build_reference, report
    from driftline.consumer.offline.monitor import Monitor, Update
    from driftline.consumer.offline.report import Report
else:
    _LATER = {
        "offline.batch": ("backtest", "build_reference", "report"),
        "offline.monitor": ("Monitor", "Update"),
        "offline.report": ("Report",),
    }
    __getattr__ = later(__name__, _LATER)

__all__ = ["Monitor", "Report", "Update", "backtest", "build_reference", "report"]
