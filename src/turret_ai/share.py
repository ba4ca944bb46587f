# SPDX-License-Identifier: Apache-2.0
"""Where the package's resources lie: config/, models/, scenes/, msg/, launch/.

A source tree has them beside `package.xml`; a pip or colcon install in `<prefix>/share/turret_ai`.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from turret_ai.errors import InputError


@cache
def root() -> Path:
    """The folder that holds `package.xml` and the resources."""
    here = Path(__file__).absolute()
    for parent in here.parents:
        for candidate in (parent, parent / "share" / "turret_ai"):
            if (candidate / "package.xml").is_file() and (candidate / "config").is_dir():
                return candidate
    candidate = Path(sys.prefix) / "share" / "turret_ai"
    if candidate.is_dir():
        return candidate
    raise InputError(f"the resources of turret_ai (config/, msg/, ...) were not found near {here}")


def path(relative: str) -> Path:
    """The absolute path of a shipped resource.

    Args:
        relative: such as "config/vocabulary.yaml".

    Raises:
        InputError: there is no such file or folder.
    """
    found = root() / relative
    if not found.exists():
        raise InputError(f"{relative} is not among the package's resources ({root()})")
    return found


def resolve(name: str, kind: str, suffix: str = "") -> Path:
    """A user's word for a resource: a path of theirs, else the shipped one of that name.

    Args:
        name: "my/scene.yaml", or the bare name of a shipped resource such as "airfield".
        kind: the folder of shipped resources: "scenes", "models", "config", ...
        suffix: what a bare name lacks, such as ".yaml".

    Raises:
        InputError: neither exists; the text lists the shipped names.
    """
    own = Path(name).expanduser()
    if own.exists():
        return own.absolute()
    for candidate in (root() / kind / name, root() / kind / f"{name}{suffix}"):
        if candidate.exists():
            return candidate
    shipped = sorted(p.stem if suffix else p.name for p in (root() / kind).glob(f"*{suffix}"))
    raise InputError(f"no {kind} called {name!r}: not a path, and shipped are {shipped or 'none'}")
