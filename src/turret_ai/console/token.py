# SPDX-License-Identifier: Apache-2.0
"""The secret that a page beyond loopback must know."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from turret_ai.console.settings import ConsoleSettings
from turret_ai.errors import ConfigError

VARIABLE = "TURRET_AI_CONSOLE_TOKEN"
_LEAST = 16
"""Characters; a shorter one could be guessed."""


@dataclass(frozen=True, slots=True)
class Token:
    """A secret, kept as its hash so that neither repr nor log can show it.

    where: for people, such as the file that holds it.
    """

    digest: bytes
    where: str

    @classmethod
    def of(cls, text: str, where: str) -> Token:
        """Raises ConfigError where it is too short."""
        if len(text) < _LEAST:
            raise ConfigError(f"the console's token ({where}) needs {_LEAST} characters or more")
        return cls(_digest(text), where)

    def matches(self, text: str) -> bool:
        """Whether this is it, in a time that tells nothing about it."""
        return hmac.compare_digest(self.digest, _digest(text))


def find(settings: ConsoleSettings) -> Token | None:
    """The token that is demanded: of the settings or the environment, else beyond loopback one
    that is made once and kept in the user's configuration; None on loopback.

    Raises:
        ConfigError: it can't be read, is too short, or can't be made.
    """
    if settings.token_file:
        return _read(Path(settings.token_file).expanduser())
    given = os.environ.get(VARIABLE, "")
    if given:
        return Token.of(given, f"${VARIABLE}")
    return None if settings.loopback else _kept()


def _read(file: Path) -> Token:
    try:
        return Token.of(file.read_text(encoding="utf-8").strip(), str(file))
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"token_file {file} can't be read: {error}") from error


def _kept() -> Token:
    try:
        root = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        file = root / "turret_ai" / "console_token"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as made:
                made.write(secrets.token_urlsafe(24) + "\n")
    except (OSError, RuntimeError) as error:
        raise ConfigError(
            f"beyond loopback the console needs a token, and none can be kept ({error}): set "
            f"{VARIABLE} or token_file"
        ) from error
    return _read(file)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
