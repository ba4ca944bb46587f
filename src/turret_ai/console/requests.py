# SPDX-License-Identifier: Apache-2.0
"""What a page may say: one model for each request, and nothing reaches the graph that fits none."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from turret_ai.errors import InputError

MAX_TEXT = 4096
"""Bytes of a request."""
MAX_AUDIO = 65_536
"""Bytes of a piece of audio: a third of a second at 96 kHz, or what was kept before the key."""


class Request(BaseModel):
    """Base: unknown fields and other types than the declared ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Hello(Request):
    """The first word of a page. token: "" where none is demanded."""

    type: Literal["hello"]
    token: str = Field("", max_length=256)


class Acknowledge(Request):
    """count: messages of this connection that the page has taken in."""

    type: Literal["ack"]
    count: int = Field(ge=0, le=2**53)


class Look(Request):
    """frames: whether the page wants pictures; one that nobody sees does not."""

    type: Literal["look"]
    frames: bool


class AskTime(Request):
    """sent: the page's own clock, ms since 1970; it comes back with the server's."""

    type: Literal["time"]
    sent: float = Field(ge=0.0, le=1e14, allow_inf_nan=False)


class Talk(Request):
    """The key is pressed: audio follows as binary messages, S16LE, mono. rate: Hz."""

    type: Literal["talk"]
    rate: int = Field(16000, ge=8000, le=96000)


class TalkEnd(Request):
    """The key is released."""

    type: Literal["talk_end"]


class Say(Request):
    """A typed sentence, understood as if it had been heard."""

    type: Literal["say"]
    text: str = Field(min_length=1, max_length=300)

    @field_validator("text")
    @classmethod
    def _plain(cls, text: str) -> str:
        """Spaces for whatever is no printable character."""
        words = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split()
        if not words:
            raise ValueError("there is no word in it")
        return " ".join(words)


class Pick(Request):
    """A candidate was clicked. search: which search found it; candidate: its number there."""

    type: Literal["pick"]
    search: int = Field(ge=0, le=2**53)
    candidate: int = Field(ge=0, le=1000)


class Arm(Request):
    """Allow the signal, or forbid it; the page has asked the operator again."""

    type: Literal["arm"]
    armed: bool
    confirmed: Literal[True]


class Stop(Request):
    """Call everything off."""

    type: Literal["stop"]


class Reset(Request):
    """Drop what is under way in every stage."""

    type: Literal["reset"]


AnyRequest: TypeAlias = Annotated[
    Hello | Acknowledge | Look | AskTime | Talk | TalkEnd | Say | Pick | Arm | Stop | Reset,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)


def parse(text: str) -> AnyRequest:
    """A request of a page.

    Raises:
        InputError: too long, not JSON, or none of the models.
    """
    if len(text) > MAX_TEXT or len(text.encode("utf-8", "replace")) > MAX_TEXT:
        raise InputError(f"a request has {MAX_TEXT} bytes at most")
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"request refused: {where or 'it'}: {first['msg']}") from None
