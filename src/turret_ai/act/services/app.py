"""The services as a FastAPI application (extra `server`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from turret_ai.act.services import stages
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
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_failure)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"health": "ok"}

    if serves.recogniser is not None:
        _batch(app, "/stt", stages.hear, serves.recogniser)
    if serves.understander is not None:
        _batch(app, "/extract", stages.understand, serves.understander)
    if serves.locator is not None:
        _batch(app, "/identify", stages.see, serves.locator)
    if serves.cannon is not None:
        _cannon(app, serves.cannon)
    return app


def _batch(
    app: FastAPI, path: str, work: Callable[[Any, list[Any]], stages.Predictions], stage: Any
) -> None:
    worker = ThreadPoolExecutor(1, thread_name_prefix=path.strip("/"))  # models take one at a time

    @app.post(path)
    async def answer(body: Instances) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        done = await loop.run_in_executor(worker, work, stage, body.instances)
        return done.as_body()


def _cannon(app: FastAPI, cannon: Cannon) -> None:
    @app.post("/send_heading", response_class=Response)
    async def send_heading(body: Heading) -> Response:
        try:
            heading = parse_heading(body.heading)
        except TurretError as error:
            return JSONResponse({"error": str(error)}, 422)
        data = await asyncio.to_thread(cannon.send_heading, heading)
        return Response(data, media_type="image/jpeg")

    @app.post("/reset_cannon")
    async def reset_cannon() -> dict[str, str]:
        await asyncio.to_thread(cannon.reset)
        return {"status": "reset"}


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    texts = [
        f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()
    ]
    return JSONResponse({"error": "; ".join(texts)}, 422)


async def _on_failure(_: Request, error: Exception) -> Response:
    """A fault of ours: the client gets JSON all the same, and no traceback."""
    return JSONResponse({"error": f"the service failed: {type(error).__name__}"}, 500)
