# SPDX-License-Identifier: Apache-2.0
"""Messages of foreign nodes: what no version of ours says is told, and ends nothing."""

from __future__ import annotations

import pytest

from turret_ai.nodes import convert
from turret_ai.ros.interfaces import TargetBBox, Transcript, TurretCommand
from turret_ai.types import CommandStatus, LocationStatus, TranscriptStatus


@pytest.mark.parametrize("reason", ["", "why"])
def test_a_status_that_nobody_knows_counts_as_nothing_and_is_said(reason: str) -> None:
    told = [
        (convert.message_to_transcription, Transcript, TranscriptStatus.EMPTY),
        (convert.message_to_command, TurretCommand, CommandStatus.REJECTED),
        (convert.message_to_report, TargetBBox, LocationStatus.NOT_FOUND),
    ]
    for read, kind, status in told:
        found = read(kind(status=77, reason=reason))
        assert found.status is status
        assert found.reason.startswith("the status 77 is unknown")
        assert reason in found.reason
