# SPDX-License-Identifier: Apache-2.0
"""Request bodies as clients send them: JSON in any declared coding, compressed or not."""

from __future__ import annotations

import zlib
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel

from turret_ai import documents
from turret_ai.errors import ConfigError, InputError
from turret_ai.overrides import check

T = TypeVar("T", bound=BaseModel)
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's window bits: 16 more for gzip's header."""


class TooLargeError(InputError):
    """The unpacked body is larger than allowed."""


class CodingError(InputError):
    """The body is compressed in a way that is not understood."""


async def read(request: Request, model: type[T], most: int) -> T:
    """The JSON of a request as a model; whatever its content type says, it is taken as JSON.

    Raises:
        TooLargeError: more than `most` bytes when unpacked.
        CodingError: a content encoding other than gzip and deflate.
        InputError: not JSON, or not of that form.
    """
    data = _unpacked(await request.body(), request.headers.get("content-encoding", ""), most)
    tree = documents.parse_json(_text(data, request.headers.get("content-type", "")), "the body")
    if not isinstance(tree, dict):
        raise InputError("the body must be a JSON object")
    try:
        return check(tree, model, "the body")
    except ConfigError as error:
        raise InputError(str(error)) from error


def _unpacked(data: bytes, codings: str, most: int) -> bytes:
    """Undo the content encodings, the last one first."""
    for coding in reversed([each.strip().lower() for each in codings.split(",") if each.strip()]):
        if coding == "identity":
            continue
        if coding not in _WINDOWS:
            raise CodingError(f"the content encoding {coding[:40]!r} is not understood: use gzip")
        data = _inflated(data, _WINDOWS[coding], most)
    return data


def _inflated(data: bytes, window: int, most: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        if window == 15:  # some clients send deflate without zlib's header
            return _inflated(data, -15, most)
        raise InputError("the body's compression is damaged") from error
    if len(found) > most:
        raise TooLargeError(f"the body is larger than {most} bytes")
    if not unpacker.eof:
        raise InputError("the body's compression breaks off")
    return found


def _text(data: bytes, content_type: str) -> str:
    """By the charset that is declared, else UTF-8 or what the byte order mark says."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("", "utf-8", "utf8"):
            try:
                return data.decode(charset)
            except (LookupError, UnicodeError) as error:
                raise InputError(f"the body is not text in {charset[:40]!r}") from error
    return documents.decode(data, "the body")
