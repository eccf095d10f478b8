"""The choice of alerts: by model, severity, feature, status and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.wire.kinds import KINDS, SEVERITIES, STATUSES
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import parse_timestamp


@dataclass(frozen=True)
class Choice:
    """Which alerts are asked for; what is empty or None asks for all.

    Args:
        models: of these models.
        severity: this one or worse.
        kinds: of these kinds.
        features: features that one of these globs matches; an alert on a whole model has none.
        status: firing or resolved only.
        since: of windows that end at this time (ms) or later. A subscriber then begins with every
            record of them instead of what fires now.

    Raises:
        AlertsError: a severity, kind or status that does not exist.
    """

    models: Sequence[str] = ()
    severity: str | None = None
    kinds: Sequence[str] = ()
    features: Sequence[str] = ()
    status: str | None = None
    since: int | None = None

    def __post_init__(self) -> None:
        """Check the words."""
        for name, given, known in (
            ("severity", [self.severity], SEVERITIES),
            ("kind", self.kinds, KINDS),
            ("status", [self.status], STATUSES),
        ):
            for wanted in given:
                if wanted is not None and wanted not in known:
                    raise AlertsError(f"{name} {wanted}: use one of {', '.join(known)}")

    def holds(self, alert: Alert) -> bool:
        """Tell whether `alert` is asked for."""
        return (
            (not self.models or alert.model in self.models)
            and (
                self.severity is None
                or SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            )
            and (not self.kinds or alert.kind in self.kinds)
            and (not self.features or self._names(alert))
            and (self.status is None or alert.status == self.status)
            and (self.since is None or self._is_late(alert))
        )

    def _is_late(self, alert: Alert) -> bool:
        end = parse_timestamp(alert.window.end)
        return end is not None and end >= (self.since or 0)

    def _names(self, alert: Alert) -> bool:
        names = {*alert.names, *alert.together}
        return any(fnmatchcase(name, glob) for name in names for glob in self.features)
