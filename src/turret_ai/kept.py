# SPDX-License-Identifier: Apache-2.0
"""Things that take seconds to make, kept in the user's cache: a node that crashed is back sooner.

What is kept is found by a hash of all that goes into it, code included, and is believed only while
it fits its own hash. Where nothing can be kept, it is made each time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def key(words: Iterable[str], files: Iterable[Path]) -> str:
    """A name for what is made from words (settings, versions) and files (code, resources)."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:32]


class Shelf:
    """One kind of thing: a file each, and a note beside it. most: how many are kept."""

    def __init__(self, kind: str, most: int = 4) -> None:
        self._kind, self._most = kind, most

    @property
    def folder(self) -> Path | None:
        """turret_ai/KIND in the user's cache (XDG_CACHE_HOME); None for a user without a home."""
        try:
            root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        except RuntimeError:
            return None
        return root / "turret_ai" / self._kind

    def find(self, name: str) -> tuple[Path, dict[str, Any]] | None:
        """The file and the note that were kept under a name; None where there are none."""
        folder = self.folder
        if folder is None:
            return None
        file = folder / name
        try:
            note = json.loads((folder / f"{name}.json").read_text("utf-8"))
            fits = hashlib.sha256(file.read_bytes()).hexdigest() == note["sha256"]
            return (file, dict(note["note"])) if fits else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, name: str, write: Callable[[Path], object], note: Mapping[str, Any]) -> None:
        """Keep what `write` puts into a file, and forget the oldest beyond `most`."""
        folder = self.folder
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as made:
                file, told = Path(made) / "file", Path(made) / "note"
                write(file)
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                told.write_text(json.dumps({"sha256": digest, "note": dict(note)}), "utf-8")
                file.replace(folder / name)
                told.replace(folder / f"{name}.json")
            for old in sorted(folder.glob("*.json"), key=_age)[: -self._most]:
                old.with_suffix("").unlink(missing_ok=True)
                old.unlink(missing_ok=True)
        except OSError as error:
            _log.debug("%s is not kept: %s", self._kind, error)


def _age(file: Path) -> float:
    return file.stat().st_mtime
