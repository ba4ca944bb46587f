# SPDX-License-Identifier: Apache-2.0
"""From a transcript to the command that is passed on."""

from __future__ import annotations

from turret_ai.types import Command, CommandField, CommandStatus, Transcription, TranscriptStatus
from turret_ai.understand.understander import Understander

PARTIAL_CONFIDENCE = 0.9
"""Least confidence in a heading or a target for acting on it while the operator still speaks."""


def command_of(understander: Understander, heard: Transcription) -> Command | None:
    """Understand a whole transcript; of a partial one, only sure headings and targets, and that its
    best reading calls off.

    Returns:
        None where nothing is to be said: an EMPTY transcript, a partial one without any of these.
    """
    if heard.status is TranscriptStatus.EMPTY:
        return None
    command = understander.parse(heard.alternatives or heard.text)
    if heard.status is TranscriptStatus.FINAL:
        return command
    if command.status is CommandStatus.CANCELLED:
        # A less likely reading is enough to end a turn, not to act in mid-sentence.
        best = understander.parse(heard.text)
        return best if best.status is CommandStatus.CANCELLED else None
    heading, target = (_sure(field) for field in (command.heading, command.target))
    if not (heading.value or target.value):
        return None
    return Command(CommandStatus.INCOMPLETE, heading, target=target, reason="still speaking")


def _sure(field: CommandField) -> CommandField:
    return field if field.confidence >= PARTIAL_CONFIDENCE else CommandField()
