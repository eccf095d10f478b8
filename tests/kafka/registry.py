"""A schema registry over HTTP: the mock of the serializers' library, as a registry answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def serving(registry: Any) -> Iterator[str]:
    """Serve what `registry` holds; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.removeprefix("/schemas/").partition("/")
            body: Any = ["AVRO", "JSON", "PROTOBUF"]
            if kind != "types":
                schema = (
                    registry.get_schema(int(name))
                    if kind == "ids"
                    else registry.get_schema_by_guid(name)
                )
                body = {"schema": schema.schema_str, "schemaType": schema.schema_type}
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
