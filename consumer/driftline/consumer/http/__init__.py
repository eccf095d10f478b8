"""A worker over HTTP: metrics for Prometheus, and its health."""

from driftline.consumer.http.health import Check, Health, Report
from driftline.consumer.http.metrics import StatusCollector
from driftline.consumer.http.server import Server, serve
from driftline.errors import HttpError

__all__ = ["Check", "Health", "HttpError", "Report", "Server", "StatusCollector", "serve"]
