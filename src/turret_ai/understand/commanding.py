# SPDX-License-Identifier: Apache-2.0
"""From a transcript to the command that is passed on."""

from __future__ import annotations

from turret_ai.types import Command, CommandStatus, Transcription, TranscriptStatus
from turret_ai.understand.understander import Understander

PARTIAL_CONFIDENCE = 0.9
"""Least confidence in a heading for moving while the operator still speaks."""


def command_of(understander: Understander, heard: Transcription) -> Command | None:
    """Understand a whole transcript; of a partial one, only a sure heading.

    Returns:
        None where nothing is to be said: an EMPTY transcript, a partial one without sure heading.
    """
    if heard.status is TranscriptStatus.EMPTY:
        return None
    command = understander.parse(heard.alternatives or heard.text)
    if heard.status is TranscriptStatus.FINAL:
        return command
    if command.heading.confidence < PARTIAL_CONFIDENCE:
        return None
    return Command(CommandStatus.INCOMPLETE, command.heading, reason="still speaking")
