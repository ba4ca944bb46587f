# SPDX-License-Identifier: Apache-2.0
"""The commander node: transcripts in, commands out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from turret_ai.errors import InputError
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import topics
from turret_ai.ros.interfaces import Transcript
from turret_ai.ros.time import to_ns
from turret_ai.types import Command, CommandField, CommandStatus, TranscriptStatus
from turret_ai.understand import Understander, UnderstandSettings
from turret_ai.understand.commanding import command_of


class Commander(Stage):
    """Understands each final transcript; of a partial one, what is sure of heading and target."""

    adjustable = True
    late_imports = ("scipy.sparse",)

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("commander", UnderstandSettings, overrides)
        self.understander: Understander | None = None
        self._worker = self.create_worker(self._understand, self._on_error, on_drop=self._on_drop)
        self._commands = topics.COMMAND.advertise(self)
        topics.TRANSCRIPT.subscribe(self, self._on_transcript)
        self.follow_engagements()

    def on_configure(self) -> None:
        self.understander = Understander(self.parameters)

    def on_cleanup(self) -> None:
        self.understander = None

    def reset(self) -> None:
        self._worker.clear()

    def _on_transcript(self, message: Transcript) -> None:
        if self.receive() and message.status != TranscriptStatus.EMPTY:
            if message.status == TranscriptStatus.FINAL:
                self.ledger.working(message.utterance_id, to_ns(message.header.stamp))
            self._worker.put(message)

    def _understand(self, message: Transcript) -> None:
        started = time.perf_counter()
        understander = self.understander
        if understander is None:
            raise InputError("the node is not configured")
        command = command_of(understander, convert.message_to_transcription(message))
        if self._worker.stale:
            self._on_drop(message, "reset")
            return
        if command is None:
            return
        partial = message.status == TranscriptStatus.PARTIAL
        seconds = time.perf_counter() - started
        self._publish(command, message, seconds, partial)
        self.health.count(command.status.name)

    def _on_error(self, error: Exception, message: Transcript) -> None:
        self.get_logger().error(f"{message.utterance_id}: {error}")
        self.health.count("errors")
        self._reject(message, f"failed to understand: {error}")

    def _on_drop(self, message: Transcript, why: str) -> None:
        self._reject(message, f"dropped: {why}")

    def _reject(self, message: Transcript, reason: str) -> None:
        """Who waits for the command of a final transcript gets one that says why there is none."""
        if message.status == TranscriptStatus.FINAL:
            failed = Command(CommandStatus.REJECTED, CommandField(), reason=reason)
            self._publish(failed, message, 0.0)

    def _publish(
        self, command: Command, heard: Transcript, seconds: float, partial: bool = False
    ) -> None:
        self._commands.publish(convert.command_to_message(command, heard, seconds, partial))
        if not partial:
            self.ledger.answered(heard.utterance_id, to_ns(heard.header.stamp))
