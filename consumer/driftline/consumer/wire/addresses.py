"""Addresses of the page's views: written here for links, and read by the page's server.

Names of models and features may hold any text; in a path they are percent-encoded, `/` too.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

VIEWS: Final = {
    "home": "/",
    "model": "/models/{model}",
    "feature": "/models/{model}/features/{feature}",
    "joint": "/models/{model}/joint",
    "performance": "/models/{model}/performance",
    "alerts": "/alerts",
    "alert": "/alerts/{alert_id}",
    "pipeline": "/pipeline",
}
"""Each view of the page and its path; what stands in braces is a name."""


def view_path(view: str, **names: str) -> str:
    """Return the path of a view.

    Example:
        >>> view_path("feature", model="car-loan", feature="a/b")
        '/models/car-loan/features/a%2Fb'
    """
    return VIEWS[view].format(**{key: quote(name, safe="") for key, name in names.items()})


def alert_links(page: str | None, alert_id: str) -> dict[str, str] | None:
    """Return where an alert is shown, for its record; None where there is no page.

    Args:
        page: `ui.url`, without a `/` at its end.
        alert_id: of the alert.

    Example:
        >>> alert_links("https://drift.example", "56f29dcfdc4e44e8")
        {'page': 'https://drift.example/alerts/56f29dcfdc4e44e8'}
    """
    return None if page is None else {"page": page + view_path("alert", alert_id=alert_id)}
