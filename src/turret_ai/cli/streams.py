# SPDX-License-Identifier: Apache-2.0
"""The command line's standard streams: names of any bytes, and readers that go away."""

from __future__ import annotations

import os
import sys


def tolerant() -> None:
    """Print what the terminal's coding lacks as escapes.

    A file name that is not UTF-8 comes out as \\udcXX, which in JSON is the same name again.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """The reader of stdout went away: what is still buffered is for nobody."""
    try:
        stdout = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stdout)
    os.close(nowhere)
