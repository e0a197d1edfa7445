"""A web server on the loopback address: plain files of one run's folder, and decisions of its model; it writes nothing."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from glassbench.errors import GlassbenchError
from glassbench.printable import printable
from glassbench.report.templating import asset, render
from glassbench.run_handle import Run
from glassbench.storage.plain_files import inventory, read_plain
from glassbench.viewer.what_if import WhatIf

_HOME = "127.0.0.1"
_MOST_ASKED = 100_000
"""Bytes that a question may take."""

_TYPES = {".html": "text/html; charset=utf-8"}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
_OF_FILES = _NOTHING + "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts"
"""Pages of the folder get an origin of their own, from which nothing here can be asked."""

_OF_WHAT_IF = _NOTHING + "style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:"


class RunServer(ThreadingHTTPServer):
    """Serves one run on the loopback address.

    Args:
        run: The run.
        port: The port; 0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, run: Run, port: int = 0) -> None:
        self.run, self.what_if = run, WhatIf(run)
        super().__init__((_HOME, port), _Handler)

    @property
    def address(self) -> str:
        """The address of the report."""
        return f"http://{_HOME}:{self.server_port}/report.html"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names by which the server may be asked; a page elsewhere whose name was pointed here has another (DNS rebinding)."""
        return f"{_HOME}:{self.server_port}", f"localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "Glassbench", ""

    def do_GET(self) -> None:
        """Answer with a file of the run, or with the page of what-if."""
        path = unquote(urlsplit(self.path).path).lstrip("/") or "report.html"
        if not self._known_host():
            return
        if path == "what-if":
            page = render("what_if.html.j2", name=self._own.run.folder.name, unavailable=self._own.what_if.unavailable)
            self._send(page.encode(), "text/html; charset=utf-8", _OF_WHAT_IF)
        elif path == "what-if.js":
            self._send(asset("what_if.js").encode(), "text/javascript; charset=utf-8", _NOTHING)
        else:
            self._file(path)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Answer with the model's decision; only to JSON of this server's own page."""
        if not self._known_host():
            return
        origin, kind = self.headers.get("Origin"), self.headers.get("Content-Type", "")
        if origin not in [f"http://{host}" for host in self._own.hosts] or not kind.startswith("application/json"):
            self._refuse(HTTPStatus.FORBIDDEN, "only the page of this server may ask")
        elif self.path != "/decide":
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing to ask here")
        else:
            self._decide()

    def _decide(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_ASKED:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a question takes up to {_MOST_ASKED:,} bytes")
            return
        try:
            place, changes = _question(self.rfile.read(int(length)))
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"the question cannot be read: {error}")
            return
        try:
            answer = self._own.what_if.row(place, changes)
        except GlassbenchError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._json(HTTPStatus.OK, answer)

    @property
    def _own(self) -> RunServer:
        return cast(RunServer, self.server)

    def _known_host(self) -> bool:
        if self.headers.get("Host", "").lower() in self._own.hosts:
            return True
        self._refuse(HTTPStatus.FORBIDDEN, "this server answers to its own address only")
        return False

    def _file(self, name: str) -> None:
        """Send a plain file of the run's folder; what is not listed below it, or is a link, is not there."""
        files = {entry.name: entry for entry in inventory(self._own.run.folder) if not entry.folder and entry.strange is None}
        if name not in files:
            self._refuse(HTTPStatus.NOT_FOUND, "the run holds no such file")
            return
        kind = _TYPES.get(PurePosixPath(name).suffix, "text/plain; charset=utf-8")
        self._send(read_plain(files[name].path), kind, _OF_FILES)

    def _json(self, status: HTTPStatus, content: Mapping[str, Any]) -> None:
        self._send(json.dumps(content).encode(), "application/json", _NOTHING, status)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        self.close_connection = True
        self._json(status, {"error": printable(words)})

    def _send(self, body: bytes, kind: str, policy: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": policy}
        headers |= {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        for name, value in (headers | {"Cross-Origin-Resource-Policy": "same-origin"}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing of what is asked."""


def _question(body: bytes) -> tuple[int, dict[str, str]]:
    content = json.loads(body)
    if not isinstance(content, dict):
        raise ValueError("it is no object")
    place, changes = content.get("row"), content.get("changes", {})
    if isinstance(place, bool) or not isinstance(place, int) or not isinstance(changes, dict):
        raise ValueError("give `row`, a number, and `changes`, cells by column")
    return place, {str(name): str(text) for name, text in changes.items()}
