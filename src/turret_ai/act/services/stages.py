# SPDX-License-Identifier: Apache-2.0
"""What the services do to a batch of instances: each is answered, or named with what is wrong."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from turret_ai.act.wav import read_wav
from turret_ai.errors import InputError, TurretError
from turret_ai.see import images
from turret_ai.types import (
    Command,
    FloatArray,
    Hypothesis,
    ImageArray,
    Location,
    Transcription,
)

NO_BOX = [0, 0, 0, 0]
NO_FIELDS = {"heading": "", "tool": "", "target": ""}
_URL_SAFE = str.maketrans("-_", "+/")
MAX_WORDS = 10_000
"""Characters of a transcript; the rest would only cost time."""


class Hears(Protocol):
    """The recogniser, as far as it is needed here."""

    def transcribe(self, samples: FloatArray) -> Transcription:
        """Mono float32 at 16 kHz."""


class Understands(Protocol):
    """The understander, as far as it is needed here."""

    def parse(self, hypotheses: str | Sequence[Hypothesis]) -> Command:
        """One text, or several readings of one utterance."""


class Sees(Protocol):
    """The locator, as far as it is needed here."""

    def locate_all(self, rgb: ImageArray, captions: Sequence[str]) -> Sequence[Location]:
        """One location for each caption."""


@dataclass(slots=True)
class Predictions:
    """The answer to a batch. errors: (instance, text) of those that could not be used."""

    predictions: list[Any]
    errors: list[tuple[int, str]] = field(default_factory=list)

    def as_body(self) -> dict[str, Any]:
        """{"predictions": [...]}, and "errors" where there are any."""
        body: dict[str, Any] = {"predictions": self.predictions}
        if self.errors:
            body["errors"] = [{"instance": i, "error": text} for i, text in self.errors]
        return body


def hear(recogniser: Hears, instances: Sequence[Any]) -> Predictions:
    """`[{"b64": wav}]` to a transcript each; "" where nothing was heard."""

    def one(instance: Any) -> str:
        return recogniser.transcribe(read_wav(_bytes(instance)).at_16_khz()).text

    return _each(instances, one, "")


def understand(understander: Understands, instances: Sequence[Any]) -> Predictions:
    """`[{"transcript": text}]` to heading, tool and target each."""

    def one(instance: Any) -> dict[str, str]:
        command = understander.parse(_text(instance, "transcript")[:MAX_WORDS])
        return {
            "heading": command.heading.value,
            "tool": command.tool.value,
            "target": command.target.value,
        }

    return _each(instances, one, NO_FIELDS)


def see(locator: Sees, instances: Sequence[Any]) -> Predictions:
    """`[{"b64": jpg, "caption": text}]` to [left, top, width, height] each; zeros for no box.

    Instances of the same image are searched together.
    """
    answer = Predictions([list(NO_BOX) for _ in instances])
    groups: dict[bytes, list[tuple[int, str]]] = {}
    for number, instance in enumerate(instances):
        try:
            data, caption = _bytes(instance), _text(instance, "caption")
        except InputError as error:
            answer.errors.append((number, str(error)))
            continue
        groups.setdefault(data, []).append((number, caption))
    for data, members in groups.items():
        try:
            picture = images.look(data, "b64")
        except Exception as error:
            answer.errors += [(number, _reason(error)) for number, _ in members]
            continue
        for number, location in _located(locator, picture.rgb, members, answer.errors):
            if location.box is not None:
                box = picture.stored_box(location.box)
                answer.predictions[number] = [round(v) for v in box.as_list()]
    answer.errors.sort()
    return answer


def _located(
    locator: Sees,
    rgb: ImageArray,
    members: Sequence[tuple[int, str]],
    errors: list[tuple[int, str]],
) -> list[tuple[int, Location]]:
    """The instances' locations; where they fail together, each is tried by itself."""
    try:
        found = locator.locate_all(rgb, [caption for _, caption in members])
        return [(number, each) for (number, _), each in zip(members, found, strict=True)]
    except Exception as error:
        if len(members) == 1:
            errors.append((members[0][0], _reason(error)))
            return []
    return [each for one in members for each in _located(locator, rgb, [one], errors)]


def _each(instances: Sequence[Any], one: Callable[[Any], Any], nothing: Any) -> Predictions:
    answer = Predictions([])
    for number, instance in enumerate(instances):
        try:
            answer.predictions.append(one(instance))
        except Exception as error:
            answer.predictions.append(nothing)
            answer.errors.append((number, _reason(error)))
    return answer


def _reason(error: Exception) -> str:
    """What the client is told: our own words, and of a fault of ours only its kind."""
    return str(error) if isinstance(error, TurretError) else f"failed: {type(error).__name__}"


def _text(instance: Any, name: str) -> str:
    value = instance.get(name) if isinstance(instance, dict) else None
    if not isinstance(value, str):
        raise InputError(f"the instance has no text {name!r}")
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise InputError(f"{name!r} holds half a character (a lone surrogate)")
    return value


def _bytes(instance: Any) -> bytes:
    """Base64 as people send it: wrapped, without padding, URL-safe, or within a data: URI."""
    text = _text(instance, "b64")
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InputError("b64 is a data: URI without ';base64,'")
    plain = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("b64 is not base64") from error
