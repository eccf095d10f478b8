"""What a backtest asked of each feature and metric, and how it came out. Records in, cases out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from driftline.consumer.offline.found import why_unjudged
from driftline.consumer.wire.kinds import KINDS, SEVERITIES
from driftline.consumer.wire.records import EVENTS, JOINT, Alert, Verdict


@dataclass
class Case:
    """One feature or metric of one stream, or what a whole model is asked.

    Attributes:
        stream: the model, or one segment of it, or a comparison.
        name: of the feature or metric; `events` of how many came, `joint` of what
            belongs together; else the kind of its alerts.
        judged: windows in which a rule looked at it.
        reasons: why it could not be judged, and in how many windows.
        alerts: alert id to its record when it fired, or last rose.
    """

    stream: str
    name: str
    judged: int = field(init=False, default=0)
    reasons: Counter[str] = field(init=False, default_factory=Counter)
    alerts: dict[str, Alert] = field(init=False, default_factory=dict)

    @property
    def failures(self) -> list[Alert]:
        """Its alerts, the worst first."""
        return sorted(
            self.alerts.values(),
            key=lambda alert: (-SEVERITIES.index(alert.severity), alert.begin, alert.alert_id),
        )


class Cases:
    """Takes in what a backtest yields, in order.

    Args:
        needed: events, or labelled events, without which a window is not judged.

    Example:
        >>> Cases(500).asked()
        []
    """

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._cases: dict[tuple[str, str], Case] = {}

    def take(self, output: Verdict | Alert) -> None:
        """Take in a verdict or an alert."""
        if isinstance(output, Verdict):
            # Of how many events came, and of what belongs together, the type is the name.
            case = self._case(output.stream, output.feature or output.type)
            if output.state == "insufficient":
                case.reasons[why_unjudged(output, self._needed)] += 1
            elif any(each.state is not None for each in output.detectors.values()):
                case.judged += 1
            return
        if output.status != "firing":
            return
        for name in output.names or (_whole(output),):
            known = self._case(output.stream, name).alerts
            before = known.get(output.alert_id)
            rank = SEVERITIES.index
            if before is None or rank(output.severity) > rank(before.severity):
                known[output.alert_id] = output

    def asked(self) -> list[Case]:
        """Return the cases in the order of streams and names: those that a rule can look at.

        A metric that is only shown can neither fail nor pass, and is none.
        """
        asked = (
            each for each in self._cases.values() if each.judged or each.alerts or each.reasons
        )
        return sorted(asked, key=lambda case: (case.stream, case.name))

    def _case(self, stream: str, name: str) -> Case:
        return self._cases.setdefault((stream, name), Case(stream, name))


def _whole(alert: Alert) -> str:
    """Return the name of what an alert on no single feature is about."""
    if KINDS[alert.kind].about == JOINT:
        return JOINT
    return EVENTS if alert.detector == EVENTS else alert.kind
