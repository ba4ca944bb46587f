# SPDX-License-Identifier: Apache-2.0
"""How a source that knows where an utterance begins and ends says so on the `audio` topic.

AudioDataStamped has no field for it, so the frame_id of its header carries it: chunks of
a continuous stream name the microphone's frame ("microphone"), chunks of a marked utterance are
"utterance/<id>", and a chunk without data ends it. Marked utterances skip voice activity detection.
"""

from __future__ import annotations

MICROPHONE = "microphone"
_PREFIX = "utterance/"


def mark(utterance_id: str) -> str:
    """The frame_id for the chunks of one whole utterance."""
    return _PREFIX + utterance_id


def utterance_of(frame_id: str) -> str | None:
    """The utterance that a chunk belongs to, None for a continuous stream."""
    return frame_id.removeprefix(_PREFIX) if frame_id.startswith(_PREFIX) else None
