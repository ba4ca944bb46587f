# SPDX-License-Identifier: Apache-2.0
"""One turn, from transcript to settled aim, as a state machine without ROS.

Every event method returns the actions that follow: `Move` (a goal for the turret), `Stop` (the
operator called it off) and `Finish` (the turn's one summary). Times are nanoseconds of one clock,
angles radians in REP-103 axes.
Whatever the order of events, an utterance that has begun ends in exactly one `Finish`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from turret_ai.aim import waiting
from turret_ai.aim.camera import Camera, aim_at
from turret_ai.aim.joints import JointHistory
from turret_ai.aim.limits import Goal
from turret_ai.aim.past import JUMP_NS, Past
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.slewing import Slewing
from turret_ai.aim.turn import Action, BoxReport, Finish, Move, Outcome, State, Stop, Turn
from turret_ai.errors import InputError
from turret_ai.types import (
    Command,
    CommandField,
    CommandStatus,
    LocationStatus,
    Source,
    TranscriptStatus,
)
from turret_ai.units import heading_to_yaw


class Engagement:
    """The controller's mind. Not thread-safe: one caller."""

    def __init__(self, settings: AimSettings) -> None:
        self.settings = settings
        self.camera: Camera | None = None
        self.state = State.IDLE
        self._slewing = Slewing(settings)
        self._waiting = waiting.Waiting(settings)
        self._turn: Turn | None = None
        self._now_ns = 0
        self._past = Past()
        self.why_absent: Callable[[str], str] = lambda _: ""
        """What is known to be the matter with a stage, such as "is inactive"; "": nothing."""

    @property
    def ended(self) -> list[tuple[str, int]]:
        """(id, stamp in ns) of the utterances that are over, as far as they are remembered."""
        return self._past.entries

    @property
    def utterance_id(self) -> str:
        """The utterance that is served, "" if none."""
        return self._turn.utterance_id if self._turn else ""

    @property
    def joints(self) -> JointHistory:
        """What the joints did lately."""
        return self._slewing.joints

    @property
    def goal(self) -> Goal | None:
        """Where the turret is sent."""
        return self._slewing.goal

    @property
    def at_goal(self) -> bool:
        """Whether it stands there."""
        return self._slewing.at_goal

    def connected(self, now_ns: int) -> bool:
        """Whether the turret's feedback is fresh."""
        return self._slewing.connected(now_ns)

    # -- events ----------------------------------------------------------------------------------

    def on_transcript(
        self,
        utterance_id: str,
        status: TranscriptStatus,
        text: str,
        stamp_ns: int,
        speech_seconds: float,
        now_ns: int,
        reason: str = "",
    ) -> list[Action]:
        """A transcript arrives: PARTIAL begins a turn, FINAL waits for its command.

        EMPTY ends its own turn and leaves another one alone: noise must not stop an engagement.
        One that comes too late is not acted on: its turn ends, and another one goes on.
        """
        if self.is_over(utterance_id, now_ns):
            return []
        left_over = self._left_over(utterance_id, stamp_ns, now_ns, speech_seconds, text)
        if left_over is not None:
            return [left_over]
        if status is TranscriptStatus.FINAL:
            late = self._too_late(utterance_id, stamp_ns, now_ns, speech_seconds, text)
            if late is not None:
                return [late]
        if status is TranscriptStatus.EMPTY:
            turn = self._turn
            if turn is None or turn.utterance_id != utterance_id:
                turn = Turn(utterance_id, stamp_ns, speech_seconds, heard_ns=now_ns)
            turn.heard_ns, turn.speech_seconds = now_ns, speech_seconds
            return [self._finish(turn, Outcome.INCOMPLETE, reason or "nothing was heard", now_ns)]
        actions = self._begin(utterance_id, stamp_ns, now_ns)
        turn = self._current()
        turn.transcript = text
        turn.speech_seconds = speech_seconds
        if status is TranscriptStatus.FINAL and not turn.heard_ns:
            turn.heard_ns = now_ns
            self._waiting.for_command(now_ns)
        elif not turn.heard_ns:
            self._waiting.for_speech(now_ns)
        return actions

    def on_command(
        self, utterance_id: str, command: Command, partial: bool, stamp_ns: int, now_ns: int
    ) -> list[Action]:
        """A command arrives: slew at once; a partial one only moves or halts, the full one decides.

        A cancellation stops the turret, also one that comes too late for its own turn, unless a
        newer command is being obeyed. Another command that comes too late is not acted on.
        """
        if command.status is CommandStatus.CANCELLED and not partial:
            return self._cancel(utterance_id, command, stamp_ns, now_ns)
        if self.is_over(utterance_id, now_ns):
            return []
        left_over = self._left_over(utterance_id, stamp_ns, now_ns)
        if left_over is not None:
            return [left_over]
        late = None if partial else self._too_late(utterance_id, stamp_ns, now_ns)
        if late is not None:
            return [late]
        heading = command.heading.value
        if heading and not _is_number(heading):
            if partial:
                return []
            command = replace(
                command,
                status=CommandStatus.REJECTED,
                reason=f"the heading {heading!r} is no number of degrees",
            )
        if partial:
            return self._begin_early(utterance_id, command, stamp_ns, now_ns)
        actions = self._begin(utterance_id, stamp_ns, now_ns)
        turn = self._current()
        if turn.command is not None:
            return actions
        turn.command = command
        turn.understood_ns = now_ns
        turn.heard_ns = turn.heard_ns or now_ns
        target = command.target.value
        if command.status is CommandStatus.REJECTED or not (heading or target):
            reason = command.reason or "no command was understood"
            return [*actions, self._finish(turn, Outcome.INCOMPLETE, reason, now_ns)]
        self.state = State.SLEWING
        self._waiting.for_camera(now_ns)
        if heading:
            return actions + self._slew(heading)
        self._slewing.stay()  # where nothing is known yet, the deadline reports a mute turret
        return actions

    def on_joints(
        self,
        stamp_ns: int,
        yaw: float,
        pitch: float,
        rates: tuple[float, float] | None,
        now_ns: int,
    ) -> list[Action]:
        """Feedback arrives: notice that the turret stands at its goal."""
        last = self.joints.latest
        sample = self.joints.add(stamp_ns, yaw, pitch, rates)
        if sample is None:
            return []
        if last is not None and last.stamp_ns - stamp_ns > JUMP_NS:
            return self._begin_anew(now_ns, last.stamp_ns)
        if self.goal is None:
            if self.state is State.SLEWING:  # no heading, and this is the first feedback
                self._slewing.stay()
            return []
        if not self._slewing.settled(sample) or self._turn is None:
            return []
        return self._on_settled(self._turn, now_ns)

    def on_box(self, utterance_id: str, report: BoxReport, now_ns: int) -> list[Action]:
        """The locator's answer arrives: aim, or end the turn."""
        turn = self._turn
        if turn is None or turn.utterance_id != utterance_id:
            return []
        given_up = self.state is State.SLEWING and report.status is LocationStatus.NOT_FOUND
        if self.state is not State.SEARCHING and not given_up:
            return []
        turn.report, turn.seen_ns = report, now_ns
        if report.status is LocationStatus.NOT_FOUND or report.box is None:
            return [self._finish(turn, Outcome.NOT_FOUND, report.reason, now_ns)]
        if report.status is LocationStatus.AMBIGUOUS and not self.settings.aim_when_ambiguous:
            return [self._finish(turn, Outcome.AMBIGUOUS, report.reason, now_ns)]
        self._waiting.for_aim(now_ns)
        return self._aim(turn, now_ns)

    def on_pick(self, utterance_id: str, report: BoxReport, what: str, now_ns: int) -> list[Action]:
        """The operator chose a box: aim at it, without hearing and search.

        It is a turn of its own, that begins with the picture's exposure. what: for its target.
        """
        if utterance_id == self.utterance_id or self.is_over(utterance_id, now_ns):
            return []
        actions = self._begin(utterance_id, report.stamp_ns, now_ns)
        turn = self._current()
        turn.command = Command(CommandStatus.OK, target=CommandField(what, 1.0, Source.RULES))
        turn.heard_ns = turn.understood_ns = turn.settled_ns = turn.seen_ns = now_ns
        turn.report = report
        if report.box is None:
            reason = report.reason or "the chosen box has no area"
            return [*actions, self._finish(turn, Outcome.NOT_FOUND, reason, now_ns)]
        self.state = State.SEARCHING
        self._waiting.for_aim(now_ns)
        return actions + self._aim(turn, now_ns)

    def on_camera(self, camera: Camera, now_ns: int) -> list[Action]:
        """The camera's calibration arrives: aim, if a box has waited for it."""
        self.camera = camera
        turn = self._turn
        if turn is None or turn.report is None or self.state is not State.SEARCHING:
            return []
        return self._aim(turn, now_ns)

    def on_tick(self, now_ns: int) -> list[Action]:
        """Time passes: end what has waited too long."""
        before, self._now_ns = self._now_ns, now_ns
        if before - now_ns > JUMP_NS:
            return self._begin_anew(now_ns, before)
        turn = self._turn
        if turn is None or not self._waiting.over(now_ns):
            return []
        return [self._finish(turn, Outcome.TIMEOUT, self._missing(now_ns), now_ns)]

    def on_lost(self, stage: str, why: str, now_ns: int) -> list[Action]:
        """A stage died or was switched off: end the running turn if it waits for that one."""
        turn = self._turn
        if turn is None or not waiting.waits_for(turn, stage):
            return []
        reason = f"the {stage} {why} in mid-turn"
        return [self._finish(turn, Outcome.TIMEOUT, reason, now_ns)]

    def give_up(self, utterance_id: str, stamp_ns: int, reason: str, now_ns: int) -> list[Action]:
        """End an utterance that was announced and will never be served."""
        turn = self._turn
        if turn is None or turn.utterance_id != utterance_id:
            if self.is_over(utterance_id, now_ns):
                return []
            turn = Turn(utterance_id, stamp_ns)
        return [self._finish(turn, Outcome.TIMEOUT, reason, now_ns)]

    def recall(self, utterance_id: str, stamp_ns: int) -> None:
        """An utterance was ended by a controller before this one."""
        if self.utterance_id != utterance_id:
            self._past.add(utterance_id, stamp_ns)

    def is_over(self, utterance_id: str, now_ns: int) -> bool:
        """Whether an utterance has ended; see `Past.has`."""
        return self._past.has(utterance_id, self._present(now_ns))

    def reset(self, now_ns: int, reason: str = "reset") -> list[Action]:
        """Give up the running turn. What has ended stays ended."""
        turn = self._turn
        return [self._finish(turn, Outcome.SUPERSEDED, reason, now_ns)] if turn else []

    # -- steps -----------------------------------------------------------------------------------

    def _present(self, now_ns: int) -> int:
        """The time of the stamps: a recording may be played without its clock."""
        latest = self.joints.latest
        return latest.stamp_ns if latest is not None else now_ns

    def _left_over(
        self,
        utterance_id: str,
        stamp_ns: int,
        now_ns: int,
        speech_seconds: float = 0.0,
        transcript: str = "",
    ) -> Finish | None:
        """The end of an utterance that was said before the clock went back, and is told now."""
        running = self.utterance_id == utterance_id
        if running or not self._past.is_left_over(stamp_ns, self._present(now_ns)):
            return None
        turn = Turn(utterance_id, stamp_ns, speech_seconds, transcript, heard_ns=now_ns)
        reason = "it was said before the clock went back"
        finish = self._finish(turn, Outcome.SUPERSEDED, reason, now_ns)
        self._past.add(utterance_id, stamp_ns, left_over=True)
        return finish

    def _begin_anew(self, now_ns: int, from_ns: int) -> list[Action]:
        """The clock went back from an instant."""
        actions = self.reset(now_ns, "the clock went back")
        self._past.went_back(from_ns)
        return actions

    def _too_late(
        self,
        utterance_id: str,
        stamp_ns: int,
        now_ns: int,
        speech_seconds: float = 0.0,
        transcript: str = "",
    ) -> Finish | None:
        """The end of an utterance that nobody expects to be obeyed any more."""
        turn = self._turn
        if turn is None or turn.utterance_id != utterance_id:
            turn = Turn(utterance_id, stamp_ns, speech_seconds, transcript, heard_ns=now_ns)
        told = replace(turn, speech_seconds=max(turn.speech_seconds, speech_seconds))
        reason = waiting.too_late(told, self.settings.deadlines.stale, now_ns)
        return self._finish(turn, Outcome.TIMEOUT, reason, now_ns) if reason else None

    def _cancel(
        self, utterance_id: str, command: Command, stamp_ns: int, now_ns: int
    ) -> list[Action]:
        """Whatever runs ends, and the turret stops where it is."""
        stop = Stop(utterance_id, stamp_ns)
        if self.is_over(utterance_id, now_ns):
            newer = self._turn is not None and self._turn.command is not None
            return [] if newer else [stop]
        actions = self._begin(utterance_id, stamp_ns, now_ns)
        turn = self._current()
        turn.command, turn.understood_ns = command, now_ns
        turn.heard_ns = turn.heard_ns or now_ns
        reason = command.reason or "called off"
        return [stop, *actions, self._finish(turn, Outcome.CANCELLED, reason, now_ns)]

    def _begin_early(
        self, utterance_id: str, command: Command, stamp_ns: int, now_ns: int
    ) -> list[Action]:
        """Slew while the operator still speaks, or halt where it was called off."""
        halt = command.status is CommandStatus.CANCELLED
        if not (halt or (self.settings.use_partial_heading and command.heading.value)):
            return []
        running = self.utterance_id == utterance_id
        if running and (self._current().command is not None or self._current().halted):
            return []
        actions = self._begin(utterance_id, stamp_ns, now_ns)
        if not running:
            self._waiting.for_speech(now_ns)
        if not halt:
            return actions + self._slew(command.heading.value)
        self._current().halted = True
        self._slewing.clear()
        return [Stop(utterance_id, stamp_ns, for_now=True), *actions]

    def _aim(self, turn: Turn, now_ns: int) -> list[Action]:
        """Move to the turn's box; without the camera's calibration, wait for it."""
        report = turn.report
        assert report is not None and report.box is not None
        if self.camera is None:
            return []
        pose = self.joints.at(report.stamp_ns)
        if pose is None:
            reason = "no joint states at the image's stamp: are the clocks the same?"
            return [self._finish(turn, Outcome.TIMEOUT, reason, now_ns)]
        fixed = self.settings.fixed_camera_pitch
        camera_pitch = pose[1] if math.isnan(fixed) else fixed
        try:
            turn.aim = aim_at(report.box, self.camera, pose[0], camera_pitch)
        except InputError as error:
            return [self._finish(turn, Outcome.NOT_FOUND, str(error), now_ns)]
        self.state = State.AIMING
        self._waiting.for_aim(now_ns)
        move = self._move(turn, turn.aim, report.stamp_ns)
        if self.settings.recorded_joints:
            return [move, self._at_target(turn, move.goal, report, now_ns)]
        return [move]

    def _current(self) -> Turn:
        assert self._turn is not None
        return self._turn

    def _begin(self, utterance_id: str, stamp_ns: int, now_ns: int) -> list[Action]:
        """Make this utterance the running one; the one before ends as SUPERSEDED."""
        actions: list[Action] = []
        if self._turn is not None:
            if self._turn.utterance_id == utterance_id:
                return []
            reason = f"a newer utterance ({utterance_id}) took over"
            if self.settings.recorded_joints and self.state is State.SLEWING:
                reason += f"; {self._missing(now_ns)}"
            actions.append(self._finish(self._turn, Outcome.SUPERSEDED, reason, now_ns))
        self._turn = Turn(utterance_id, stamp_ns)
        self.state = State.HEARD
        self._slewing.clear()
        self._waiting.for_command(now_ns)
        return actions

    def _move(self, turn: Turn, direction: tuple[float, float], stamp_ns: int) -> Move:
        return Move(turn.utterance_id, stamp_ns, self._slewing.point(direction))

    def _slew(self, heading: str) -> list[Action]:
        turn = self._current()
        before = self.goal
        direction = (heading_to_yaw(float(heading)), self.settings.search_pitch)
        move = self._move(turn, direction, turn.stamp_ns)
        # The whole command says it again where the turret isn't there: the first order may be lost.
        said = before == move.goal and (turn.command is None or self.at_goal)
        return [] if said else [move]

    def _on_settled(self, turn: Turn, now_ns: int) -> list[Action]:
        if self.state is State.SLEWING and turn.command is not None:
            turn.settled_ns = now_ns
            if not turn.command.target.value:
                reason = "no target was understood: slewed to the heading only"
                return [self._finish(turn, Outcome.INCOMPLETE, reason, now_ns)]
            self.state = State.SEARCHING
            self._waiting.for_box(now_ns)
        elif self.state is State.AIMING and self.goal is not None and turn.report is not None:
            return [self._at_target(turn, self.goal, turn.report, now_ns)]
        return []

    def _at_target(self, turn: Turn, goal: Goal, report: BoxReport, now_ns: int) -> Finish:
        """The end of a turn whose aim was reached."""
        if goal.yaw_limited or goal.pitch_limited:
            beyond = {"yaw": goal.yaw_limited, "pitch": goal.pitch_limited}
            axes = " and ".join(name for name, limited in beyond.items() if limited)
            reason = f"the target is beyond the turret's limit in {axes}"
            return self._finish(turn, Outcome.LIMITED, reason, now_ns)
        if report.status is LocationStatus.AMBIGUOUS:
            return self._finish(turn, Outcome.AMBIGUOUS, report.reason, now_ns)
        return self._finish(turn, Outcome.AIMED, "", now_ns)

    def _missing(self, now_ns: int) -> str:
        """What the turn has waited for in vain."""
        recorded = self.settings.recorded_joints
        turn, state = self._current(), self.state
        return waiting.missing(turn, state, self._slewing, recorded, now_ns, self.why_absent)

    def _finish(self, turn: Turn, outcome: Outcome, reason: str, now_ns: int) -> Finish:
        if self._turn is turn:
            self._turn = None
            self.state = State.IDLE
        self._past.add(turn.utterance_id, turn.stamp_ns)
        return turn.end(outcome, reason, now_ns)


def _is_number(heading: str) -> bool:
    """Whether a spoken heading, perhaps of a foreign node, can be turned to."""
    try:
        return math.isfinite(float(heading))
    except ValueError:
        return False
