# SPDX-License-Identifier: Apache-2.0
"""Optional dependencies: imported where used, with an error that names the extra."""

from __future__ import annotations

import importlib
from typing import Any

from turret_ai.errors import MissingExtraError


def require(module: str, extra: str) -> Any:
    """Import an optional module.

    Raises:
        MissingExtraError: the module (or one that it needs) isn't installed; the text tells how
            to install the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module} is needed here but can't be imported ({error}): "
            f"install it with `pip install 'turret_ai[{extra}]'`"
        ) from error
