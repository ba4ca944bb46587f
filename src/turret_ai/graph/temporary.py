# SPDX-License-Identifier: Apache-2.0
"""Files that a launch needs while it runs."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def folder(purpose: str) -> Path:
    """A new folder, removed when this process ends."""
    made = Path(tempfile.mkdtemp(prefix=f"turret_ai_{purpose}_"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
