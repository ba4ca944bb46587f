# SPDX-License-Identifier: Apache-2.0
"""The language model's turn: asked only for what is still open, believed only if borne out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from turret_ai.types import CommandField, Source
from turret_ai.understand.calibration import FIELDS
from turret_ai.understand.llm import backends, prompt, reply
from turret_ai.understand.settings import UnderstandSettings
from turret_ai.vocabulary import Vocabulary

CONFIDENCE = 0.7
"""Of a field that a language model told: it has no calibrated one of its own."""


class Fallback:
    """Completes commands by a language model.

    Args:
        backend: for another runtime than the configured one.

    Raises (on construction): as `backends.load`.
    """

    def __init__(
        self,
        settings: UnderstandSettings,
        words: Vocabulary,
        backend: backends.Backend | None = None,
    ) -> None:
        self._settings = settings
        self._words = words
        self._backend = backend or backends.load(settings)
        self._busy: threading.Thread | None = None

    def complete(
        self, fields: Sequence[CommandField], text: str, whole: str
    ) -> tuple[list[CommandField], str]:
        """(the fields, why the model was not believed or "").

        Args:
            fields: heading, tool, target as known so far.
            text: the transcript cut at "repeat"; whole: all of it, for one retry.
        """
        out = list(fields)
        open_fields = [
            name
            for name, field in zip(FIELDS, fields, strict=True)
            if not field.value or field.confidence < self._settings.llm_below
        ]
        reason = ""
        for attempt in dict.fromkeys((text, whole)):
            if not open_fields:
                return out, ""
            found, reason = self._ask(attempt, open_fields)
            for name, value in found.items():
                out[FIELDS.index(name)] = CommandField(value, CONFIDENCE, Source.LLM)
            open_fields = [name for name in open_fields if name not in found]
        return out, reason

    def _ask(self, text: str, fields: list[str]) -> tuple[dict[str, str], str]:
        asked = prompt.build(text, fields, self._words)
        answer = self._within_time(asked, prompt.parameters(fields, self._words))
        if isinstance(answer, Exception):
            return {}, f"the language model failed: {answer}"
        try:
            given = reply.read(answer, fields)
        except reply.Nonsense as error:
            return {}, f"the language model's answer was rejected: {error}"
        found: dict[str, str] = {}
        reason = ""
        for name, value in given.items():
            try:
                found[name] = reply.validate(name, value, text, self._words)
            except reply.Nonsense as error:
                reason = f"the language model's answer was rejected: {error}"
        return found, reason

    def _within_time(self, asked: str, schema: dict[str, Any]) -> str | Exception:
        """The reply, or why there is none; a model that hangs is left to itself."""
        if self._busy is not None and self._busy.is_alive():
            return TimeoutError("it still works on an earlier question")
        box: list[str | Exception] = []

        def work() -> None:
            try:
                box.append(self._backend.generate(asked, schema))
            except Exception as error:  # whatever a runtime throws becomes a status
                box.append(error)

        self._busy = threading.Thread(target=work, daemon=True, name="language model")
        self._busy.start()
        # a runtime that limits itself answers a little after its limit
        self._busy.join(self._settings.llm_timeout + 1.0)
        limit = self._settings.llm_timeout
        return box[0] if box else TimeoutError(f"no answer within {limit:g} s")
