"""The web application: its addresses, who may ask, and what refused requests are told."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glassbench.errors import GlassbenchError
from glassbench.printable import printable
from glassbench.serving.service import MOST_ROWS, Service

MOST_BYTES = 32 * 1024 * 1024
"""Bytes that a request may take."""

Cell = str | int | float | bool | None


def application(service: Service, hosts: Collection[str]) -> FastAPI:
    """Return the application.

    Args:
        service: What answers.
        hosts: The names, with ports, by which it may be asked.
    """
    row = Annotated[dict[str, Cell], WithJsonSchema(service.row_schema())]

    class Question(BaseModel):
        """Rows to predict.

        Args:
            rows: Raw rows: cells by column.
            strict: Whether rows are refused that hold what the training rows did not.
            explain: Whether each column's contribution is wanted (tables, up to 100 rows).
        """

        model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
        rows: list[row] = Field(min_length=1, max_length=MOST_ROWS)
        strict: bool = False
        explain: bool = False

    # Pages that show the description would load scripts from elsewhere.
    app = FastAPI(title=f"Glassbench run {service.run.folder.name}", docs_url=None, redoc_url=None)

    @app.get("/")
    def facts() -> dict[str, Any]:
        """Which run this is and what it predicts."""
        return service.facts()

    @app.post("/predict")
    def predict(question: Question) -> dict[str, Any]:
        """Predictions, unusual cells with their counts, and explanations where they are asked for."""
        return service.answer(question.rows, strict=question.strict, explain=question.explain)

    app.add_exception_handler(GlassbenchError, _refused)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_middleware(_Guard, hosts=frozenset(hosts))
    return app


def _refused(_: Request, error: Exception) -> JSONResponse:
    parts = {name: getattr(error, name, None) for name in ("problem", "where", "got", "available", "fix")}
    return _error(400, {name: printable(part) if isinstance(part, str) else part for name, part in parts.items()})


def _misread(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))[:200]
    return _error(422, {"problem": "the request cannot be read", "where": where, "got": str(first["msg"])[:200]})


def _error(status: int, parts: Mapping[str, Any]) -> JSONResponse:
    return JSONResponse({"error": parts}, status)


class _Guard:
    """Answers only to the server's own names, to JSON, and to requests of a bearable size.

    A page elsewhere whose name was pointed here has another name (DNS rebinding), and a form of a page elsewhere sends no JSON.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _error(refusal[0], {"problem": refusal[1]})(scope, receive, send)
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        if body is None:
            await _error(413, {"problem": f"a request takes up to {MOST_BYTES:,} bytes"})(scope, receive, send)
            return
        sent = False

        async def once() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, once, send)

    def _refusal(self, method: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        origin = headers.get("origin")
        if headers.get("host", "").lower() not in self.hosts:
            return 403, "this server answers to its own address only; `glassbench serve --allow-host` names others"
        if origin is not None and origin.partition("://")[2].lower() not in self.hosts:
            return 403, "pages of other addresses may not ask"
        if method == "POST" and not headers.get("content-type", "").startswith("application/json"):
            return 415, "requests are JSON: Content-Type: application/json"
        return None


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, None where it is too long."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part, more = message.get("body", b""), bool(message.get("more_body", False))
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
