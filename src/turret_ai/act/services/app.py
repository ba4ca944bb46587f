# SPDX-License-Identifier: Apache-2.0
"""The services as a FastAPI application (extra `server`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from turret_ai.act.services import body, stages
from turret_ai.act.services.cannon import Cannon, parse_heading
from turret_ai.act.services.limit import BodyLimit
from turret_ai.errors import TurretError

MAX_BODY = 64 * 1024 * 1024
MAX_INSTANCES = 1024


class Instances(BaseModel):
    """A batch. Each instance is looked at by itself, so that a wrong one spoils no other."""

    instances: list[Any] = Field(max_length=MAX_INSTANCES)


class Heading(BaseModel):
    """Where the cannon shall look: three digits."""

    heading: Any


@dataclass(frozen=True, slots=True)
class Stages:
    """What the application serves; a stage that is None has no route."""

    recogniser: stages.Hears | None = None
    understander: stages.Understands | None = None
    locator: stages.Sees | None = None
    cannon: Cannon | None = None


def create_app(serves: Stages, max_body: int = MAX_BODY) -> FastAPI:
    """The application: GET /health, and POST /stt, /extract, /identify, /send_heading and
    /reset_cannon as far as the stages are there.

    max_body: bytes of a request's body.
    """
    app = FastAPI(title="turret_ai", docs_url="/docs", redoc_url=None)
    app.add_middleware(BodyLimit, most=max_body)
    app.add_exception_handler(TurretError, _on_refused)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_failure)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"health": "ok"}

    if serves.recogniser is not None:
        _batch(app, "/stt", stages.hear, serves.recogniser, max_body)
    if serves.understander is not None:
        _batch(app, "/extract", stages.understand, serves.understander, max_body)
    if serves.locator is not None:
        _batch(app, "/identify", stages.see, serves.locator, max_body)
    if serves.cannon is not None:
        _cannon(app, serves.cannon, max_body)
    return app


def _documented(model: type[BaseModel]) -> dict[str, Any]:
    """What /docs shows of a body that is read by `body.read`."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}


def _batch(
    app: FastAPI,
    path: str,
    work: Callable[[Any, list[Any]], stages.Predictions],
    stage: Any,
    most: int,
) -> None:
    worker = ThreadPoolExecutor(1, thread_name_prefix=path.strip("/"))  # models take one at a time

    @app.post(path, openapi_extra=_documented(Instances))
    async def answer(request: Request) -> dict[str, Any]:
        batch = await body.read(request, Instances, most)
        loop = asyncio.get_running_loop()
        done = await loop.run_in_executor(worker, work, stage, batch.instances)
        return done.as_body()


def _cannon(app: FastAPI, cannon: Cannon, most: int) -> None:
    @app.post("/send_heading", response_class=Response, openapi_extra=_documented(Heading))
    async def send_heading(request: Request) -> Response:
        heading = parse_heading((await body.read(request, Heading, most)).heading)
        data = await asyncio.to_thread(cannon.send_heading, heading)
        return Response(data, media_type="image/jpeg")

    @app.post("/reset_cannon")
    async def reset_cannon() -> dict[str, str]:
        await asyncio.to_thread(cannon.reset)
        return {"status": "reset"}


def _error(text: str, status: int) -> Response:
    """The documented answer; half characters in what is quoted do it no harm."""
    return JSONResponse({"error": text.encode("utf-8", "replace").decode()}, status)


async def _on_refused(_: Request, error: Exception) -> Response:
    statuses: dict[type[Exception], int] = {body.TooLargeError: 413, body.CodingError: 415}
    return _error(str(error), statuses.get(type(error), 422))


async def _on_http(_: Request, error: Exception) -> Response:
    """No such path, or another method than the path has."""
    assert isinstance(error, HTTPException)
    return _error(str(error.detail), error.status_code)


async def _on_failure(_: Request, error: Exception) -> Response:
    """A fault of ours: the client gets JSON all the same, and no traceback."""
    return _error(f"the service failed: {type(error).__name__}", 500)
