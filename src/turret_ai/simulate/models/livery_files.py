# SPDX-License-Identifier: Apache-2.0
"""FlightGear's livery files: XML beside a model that names the textures of one paint job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TEXTURE = re.compile(r"<([\w.-]+)[^>]*>\s*([^<>]+?\.(?:png|rgb|jpe?g|dds))\s*</", re.IGNORECASE)
_PLAIN = re.compile(r"texture|[-_.\d]", re.IGNORECASE)
_GENERIC = ("", "livery", "skin", "paint")
"""What a property is called that says nothing of the part that its texture is for."""


def read(root: Path, model: Path, names: Iterable[str], main: str) -> dict[str, dict[str, Path]]:
    """Paint jobs by name: for the textures that each replaces, by the names that the model uses,
    the files to take.

    Which property replaces which texture stands in other files, in a language of its own. Here, a
    property stands for the texture of the same name, or in whose name its own occurs; the only
    texture of a file, for the model's main one. Files that leave the main texture as it is are left
    out.

    Args:
        root: the aircraft's folder. names: the textures that the model names. main: the one that
            covers most of it.
    """
    known = tuple(names)
    pictures: dict[str, list[Path]] = {}
    files = []
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() == ".xml" and "liver" in path.parent.as_posix().lower():
            files.append(path)
        elif path.suffix.lower() in (".png", ".rgb", ".jpg", ".jpeg", ".dds"):
            pictures.setdefault(path.stem.lower(), []).append(path)
    found = {}
    for path in files:
        pairs = _TEXTURE.findall(_COMMENT.sub("", path.read_text("latin-1")))
        taken: dict[str, Path] = {}
        for key, text in pairs:
            file = _file(text, (model.parent, path.parent, model.parent / "Liveries"), pictures)
            if file is not None:
                for name in _meant(key, text, known) or ([main] if len(pairs) == 1 else []):
                    taken.setdefault(name, file)
        if main in taken:
            found[path.relative_to(root).with_suffix("").as_posix()] = taken
    return found


def _file(text: str, folders: Iterable[Path], pictures: Mapping[str, list[Path]]) -> Path | None:
    base = Path(text.replace("\\", "/"))
    beside = next((f / base for f in folders if (f / base).is_file()), None)
    same = pictures.get(base.stem.lower(), [])
    return beside or (same[0] if len(same) == 1 else None)


def _meant(key: str, text: str, known: Iterable[str]) -> list[str]:
    own = (key.lower(), Path(text.replace("\\", "/")).stem.lower())
    part = _PLAIN.sub("", key.lower())
    found = []
    for name in known:
        stem = Path(name.replace("\\", "/")).stem.lower()
        if stem in own or (part not in _GENERIC and part in stem):
            found.append(name)
    return found
