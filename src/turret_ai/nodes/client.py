# SPDX-License-Identifier: Apache-2.0
"""A turret from a program of your own: speak, command, aim, and await how it ended.

    from turret_ai import Turret

    with Turret() as turret:
        turret.wait_until_ready()
        turn = turret.command("065", "EMP", "grey and white fighter jet").result()
        print(turn.outcome.name, turn.aim)

The stages run elsewhere (`turret-ai launch finals`); this is one more node of their graph, on
whichever runtime is there.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from turret_ai.aim.turn import Outcome
from turret_ai.errors import InputError, PeerError
from turret_ai.hear import files
from turret_ai.nodes import convert
from turret_ai.nodes.registry import STAGES
from turret_ai.nodes.roster import Roster
from turret_ai.ros import Context, Node, audio, spinning, topics
from turret_ai.ros.arguments import Arguments
from turret_ai.ros.interfaces import (
    Engagement,
    GimbalCommand,
    JointState,
    SetBool,
    TurretCommand,
)
from turret_ai.types import Box, CommandStatus
from turret_ai.units import format_heading, seconds_to_ns

_CHUNK_S = 0.5
_THERE = 0.01
"""Radians from the goal within which the turret counts as there."""
_STILL = 0.02
"""Radians per second below which it stands."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How one utterance or command ended.

    reason: for people, "" for AIMED.
    aim: (yaw, pitch) in radians, base frame, + counter-clockwise and + nose down; None without aim.
    box: where the target was found, pixels of the camera's image; None if it wasn't.
    seconds: of each step (`turret_ai.aim.turn.STEPS`).
    """

    utterance_id: str
    outcome: Outcome
    reason: str
    transcript: str
    heading: str
    tool: str
    target: str
    aim: tuple[float, float] | None
    box: Box | None
    seconds: dict[str, float]


@dataclass(slots=True)
class _Awaited:
    future: Future[Turn]
    until: float
    timeout: float


@dataclass(slots=True)
class _Goal:
    yaw: float
    pitch: float
    future: Future[tuple[float, float]]
    until: float
    timeout: float


class Turret:
    """One node in the graph of a turret. Use as a context manager, or call `close()`.

    Futures are `concurrent.futures.Future`; they fail with PeerError when nobody answers in time.
    """

    def __init__(self, namespace: str = "/", *, domain_id: int | None = None) -> None:
        """Join the graph.

        Args:
            namespace: of the turret's nodes.
            domain_id: the DDS domain; None: ROS_DOMAIN_ID.

        Raises:
            ConfigError: the namespace or the environment can't be used.
        """
        self._context = Context(Arguments(), domain_id=domain_id)
        self._node = Node("turret_client", context=self._context, namespace=namespace)
        self._lock = threading.Lock()
        self._turns: dict[str, _Awaited] = {}
        self._goal: _Goal | None = None
        node = self._node
        self._roster = Roster(node)
        self._audio = topics.AUDIO.advertise(node)
        self._info = topics.AUDIO_INFO.advertise(node)
        self._commands = topics.COMMAND.advertise(node)
        self._gimbal = topics.TURRET_COMMAND.advertise(node)
        self._arming = node.create_client(SetBool, "controller/arm")
        topics.ENGAGEMENT.subscribe(node, self._on_engagement)
        topics.JOINT_STATES.subscribe(node, self._on_joints)
        node.create_wall_timer(0.1, self._give_up)
        self._running = contextlib.ExitStack()
        self._running.enter_context(spinning(node))

    def __enter__(self) -> Turret:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the graph; what is still awaited fails with PeerError."""
        self._running.close()
        with self._lock:
            left = [each.future for each in self._turns.values()]
            self._turns.clear()
            goal, self._goal = self._goal, None
        for future in left:
            future.set_exception(PeerError("the client was closed before the turn ended"))
        if goal is not None:
            goal.future.set_exception(PeerError("the client was closed before the turret arrived"))
        self._context.close()

    # -- what there is to do ---------------------------------------------------------------------

    def wait_until_ready(self, timeout: float = 60.0, stages: Sequence[str] = STAGES) -> None:
        """Block until each of these stages has said anew, as it does every second, that it is
        active: one that was just killed doesn't.

        Raises:
            PeerError: some are not after `timeout` seconds; the text says what is the matter.
        """
        began = time.monotonic()
        while missing := self._roster.missing(stages, since=began):
            if time.monotonic() >= began + timeout:
                raise PeerError(f"not ready after {timeout:g} s: {self._roster.told(missing)}")
            time.sleep(0.05)

    def say(self, sound: str | Path, timeout: float = 60.0) -> Future[Turn]:
        """Let the turret hear a file as one utterance, sent at once.

        Raises:
            InputError: the file can't be read as sound.
        """
        heard = files.load(Path(sound))
        samples, rate = heard.as_pcm(), heard.sample_rate
        if not len(samples):
            raise InputError(f"{sound}: there is no sound in it")
        # Spoken just now: an utterance of the future, or of long ago, is not acted on.
        start_ns = self._node.now_ns() - seconds_to_ns(len(samples) / rate)
        utterance_id = self._new_id()
        future = self._await(utterance_id, timeout)
        self._info.publish(audio.info(rate))
        messages = convert.utterance_to_messages(samples, rate, start_ns, utterance_id, _CHUNK_S)
        for message in messages:
            self._audio.publish(message)
        return future

    def command(
        self, heading: str | float, tool: str, target: str, timeout: float = 60.0
    ) -> Future[Turn]:
        """Give a command as if it had been said and understood.

        Args:
            heading: compass heading in degrees, clockwise from north, or its three digits.
            tool: passed on as data.
            target: such as "grey and white fighter jet".

        Raises:
            InputError: the heading is no number in [0, 360], or there is no target.
        """
        if not target.strip():
            raise InputError("a command needs a target")
        return self._send(CommandStatus.OK, timeout, _digits(heading), tool, target)

    def cease_fire(self, timeout: float = 10.0) -> Future[Turn]:
        """Call everything off: the turret stops and the signal is disarmed."""
        return self._send(CommandStatus.CANCELLED, timeout)

    def aim(self, yaw: float, pitch: float, timeout: float = 30.0) -> Future[tuple[float, float]]:
        """Turn the turret itself, past the stages; a later call takes over.

        Args:
            yaw: radians in the base frame, + counter-clockwise.
            pitch: radians, + nose down.

        Returns:
            The joint angles once it stands there.

        Raises:
            InputError: an angle is not a finite number.
        """
        if not (math.isfinite(yaw) and math.isfinite(pitch)):
            raise InputError(f"({yaw}, {pitch}) is no direction")
        goal = _Goal(yaw, pitch, Future(), time.monotonic() + timeout, timeout)
        with self._lock:
            before, self._goal = self._goal, goal
        if before is not None:
            before.future.set_exception(PeerError("another aim took over"))
        stamp_ns = self._node.now_ns()
        self._gimbal.publish(
            GimbalCommand(
                header=convert.header(stamp_ns),
                utterance_id=self._new_id(),
                mode=GimbalCommand.ABSOLUTE,
                yaw=float(yaw),
                pitch=float(pitch),
            )
        )
        return goal.future

    def arm(self, armed: bool = True, timeout: float = 5.0) -> None:
        """Arm or disarm the signal that follows an aim.

        Raises:
            PeerError: the controller doesn't answer, or refuses.
        """
        answer = self._arming.call(SetBool.Request(data=armed), timeout_sec=timeout)
        if not answer.success:
            raise PeerError(f"the controller refuses: {answer.message}")

    # -- what comes back -------------------------------------------------------------------------

    def _send(
        self,
        status: CommandStatus,
        timeout: float,
        heading: str = "",
        tool: str = "",
        target: str = "",
    ) -> Future[Turn]:
        utterance_id = self._new_id()
        future = self._await(utterance_id, timeout)
        message = TurretCommand(
            header=convert.header(self._node.now_ns()),
            utterance_id=utterance_id,
            status=int(status),
        )
        for name, value in (("heading", heading), ("tool", tool), ("target", target)):
            if value:
                setattr(message, name, value)
                setattr(message, f"{name}_confidence", 1.0)
                setattr(message, f"{name}_source", TurretCommand.SOURCE_RULES)
        self._commands.publish(message)
        return future

    def _new_id(self) -> str:
        return f"client_{self._node.now_ns()}_{secrets.token_hex(3)}"

    def _await(self, utterance_id: str, timeout: float) -> Future[Turn]:
        future: Future[Turn] = Future()
        with self._lock:
            self._turns[utterance_id] = _Awaited(future, time.monotonic() + timeout, timeout)
        return future

    def _on_engagement(self, message: Engagement) -> None:
        with self._lock:
            awaited = self._turns.pop(message.utterance_id, None)
        if awaited is not None:
            awaited.future.set_result(_turn(message))

    def _on_joints(self, message: JointState) -> None:
        goal = self._goal
        if goal is None or len(message.position) < 2:
            return
        yaw, pitch = float(message.position[0]), float(message.position[1])
        still = all(abs(float(rate)) < _STILL for rate in message.velocity[:2])
        if still and abs(yaw - goal.yaw) < _THERE and abs(pitch - goal.pitch) < _THERE:
            with self._lock:
                if self._goal is not goal:
                    return
                self._goal = None
            goal.future.set_result((yaw, pitch))

    def _give_up(self) -> None:
        """Fail what took too long."""
        now = time.monotonic()
        with self._lock:
            late = [name for name, each in self._turns.items() if now >= each.until]
            turns = [self._turns.pop(name) for name in late]
            goal = self._goal
            if goal is not None and now >= goal.until:
                self._goal = None
            else:
                goal = None
        for each in turns:
            each.future.set_exception(PeerError(f"no engagement within {each.timeout:g} s"))
        if goal is not None:
            goal.future.set_exception(PeerError(f"the turret is not there in {goal.timeout:g} s"))


def _digits(heading: str | float) -> str:
    """A heading as three digits."""
    try:
        degrees = float(heading)
    except (TypeError, ValueError):
        degrees = math.nan
    if not 0.0 <= degrees <= 360.0:
        raise InputError(f"heading {heading!r} is not in 0..360 degrees")
    return format_heading(degrees)


def _turn(message: Engagement) -> Turn:
    """From the `engagement` topic."""
    found = message.box
    box = Box(found.left, found.top, found.width, found.height)
    return Turn(
        message.utterance_id,
        Outcome(message.outcome),
        message.reason,
        message.transcript,
        message.heading,
        message.tool,
        message.target,
        convert.aim_of(message),
        box if box.width > 0 and box.height > 0 else None,
        convert.step_seconds(message),
    )
