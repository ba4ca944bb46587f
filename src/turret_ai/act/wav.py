# SPDX-License-Identifier: Apache-2.0
"""Audio files that arrive as bytes from strangers."""

from __future__ import annotations

from turret_ai.hear import files
from turret_ai.hear.files import Sound

LONGEST_S = 120.0
"""Longer audio is refused: an operator's sentence takes seconds."""


def read_wav(data: bytes) -> Sound:
    """Read an audio file.

    Args:
        data: the whole file: WAV, or another format that libsndfile reads.

    Raises:
        InputError: not an audio file, empty, too long, or cut so that nothing is left.
    """
    return files.decode(data, longest=LONGEST_S)
