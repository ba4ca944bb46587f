# SPDX-License-Identifier: Apache-2.0
"""The console node: what goes by in the graph to the operator's page, and the page's acts back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from turret_ai import extras
from turret_ai.aim.joints import pick as pick_joints
from turret_ai.aim.turn import Outcome, State
from turret_ai.console.board import Board, TurretReport
from turret_ai.console.pictures import shrink
from turret_ai.console.settings import ConsoleSettings
from turret_ai.console.sight import Lock
from turret_ai.console.speech import Chunk, Format
from turret_ai.console.token import find as find_token
from turret_ai.console.turn import Ended, Found
from turret_ai.errors import InputError, PeerError
from turret_ai.hear import utterance_frame
from turret_ai.nodes import convert
from turret_ai.nodes.stage import Stage
from turret_ai.ros import audio, images, lifecycle, topics
from turret_ai.ros.interfaces import (
    AudioInfo,
    CameraInfo,
    Detection2DArray,
    DiagnosticArray,
    Engagement,
    GimbalCommand,
    Hypothesis,
    Image,
    JointState,
    SetBool,
    StageState,
    TargetBBox,
    Transcript,
    Trigger,
    TurretCommand,
    TurretState,
)
from turret_ai.ros.interfaces import Lock as LockMessage
from turret_ai.ros.time import to_ns
from turret_ai.track.lock import LockState
from turret_ai.types import LocationStatus
from turret_ai.units import ns_to_seconds, seconds_to_ns

if TYPE_CHECKING:
    from turret_ai.console.server import ConsoleServer

_SHOW_S = 0.05
"""Seconds between two looks for what has changed."""
_SERVICE_S = 3.0
"""How long a service may take to answer."""
_RESET = ("controller", "locator", "commander", "transcriber")
"""Who is reset, the one that ends the turn first."""


class Console(Stage):
    """Serves the page while it is configured; the page acts while the node is active."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("console", ConsoleSettings, overrides)
        self.board = Board(self.parameters)
        self.server: ConsoleServer | None = None
        self._worker = self.create_worker(self._encode, self._on_error, latest_wins=True)
        self._next_picture_ns = 0
        self._format: Format | None = None
        self._announced: Format | None = None
        self._audio = topics.AUDIO.advertise(self)
        self._info = topics.AUDIO_INFO.advertise(self)
        self._transcripts = topics.TRANSCRIPT.advertise(self)
        self._commands = topics.COMMAND.advertise(self)
        self._picks = topics.PICK.advertise(self)
        self._gimbal = topics.TURRET_COMMAND.advertise(self)
        self._arming = self.create_client(SetBool, "controller/arm")
        self._resets = {name: self.create_client(Trigger, f"{name}/reset") for name in _RESET}
        topics.AUDIO_INFO.subscribe(self, self._on_info)
        topics.IMAGE.subscribe(self, self._on_image)
        topics.CAMERA_INFO.subscribe(self, self._on_camera)
        topics.JOINT_STATES.subscribe(self, self._on_joints)
        topics.TRANSCRIPT.subscribe(self, self._on_transcript)
        topics.COMMAND.subscribe(self, self._on_command)
        topics.DETECTIONS.subscribe(self, self._on_detections)
        topics.TARGET_BBOX.subscribe(self, self._on_box)
        topics.TURRET_STATE.subscribe(self, self._on_turret)
        topics.ENGAGEMENT.subscribe(self, self._on_engagement)
        topics.STAGES.subscribe(self, self._on_stage)
        topics.DIAGNOSTICS.subscribe(self, self._on_diagnostics)
        topics.TRACKS.subscribe(self, self._on_tracks)
        topics.LOCK.subscribe(self, self._on_lock)
        self.create_wall_timer(_SHOW_S, self._show)
        self.create_wall_timer(1.0, self.board.on_tick)
        self.health.gauges["viewers"] = lambda: self.server.viewers if self.server else 0
        self.health.gauges["stalled viewers"] = lambda: self.server.stalled if self.server else 0

    # -- life ------------------------------------------------------------------------------------

    def on_configure(self) -> None:
        for module in ("fastapi", "uvicorn"):
            extras.require(module, "console")
        from turret_ai.console.server import ConsoleServer

        token = find_token(self.parameters)
        server = ConsoleServer(self.parameters, self, token, self.board)
        server.start()
        self.server = server
        log = self.get_logger()
        log.info(f"the console is at {server.url}")
        if token is not None:
            log.info(f"it demands the token of {token.where}")

    def on_cleanup(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.stop()

    def destroy_node(self) -> None:
        self.on_cleanup()
        super().destroy_node()

    def describe(self) -> Mapping[str, object]:
        return {"url": self.server.url if self.server is not None else "not served"}

    def _show(self) -> None:
        if self.server is not None and self.board.changed:
            self.server.update()

    # -- pictures --------------------------------------------------------------------------------

    def _on_image(self, message: Image) -> None:
        if not self.receive():
            return
        server = self.server
        watched = server is not None and server.wants_frames
        if not (watched or self.board.running):
            return
        stamp_ns = to_ns(message.header.stamp)
        period_ns = seconds_to_ns(1.0 / self.parameters.frame_rate)
        early_ns = self._next_picture_ns - stamp_ns
        if 0 < early_ns <= period_ns:
            return
        # A quarter of a period is forgiven: stamps are never quite even.
        self._next_picture_ns = stamp_ns + period_ns * 3 // 4
        self._worker.put(message)

    def _encode(self, message: Image) -> None:
        p, stamp_ns = self.parameters, to_ns(message.header.stamp)
        picture = shrink(images.from_message(message), p.frame_width, p.jpeg_quality)
        if self.board.running:
            self.board.pictures.keep(stamp_ns, picture)
        server = self.server
        if server is None or not server.wants_frames:
            return
        from turret_ai.console.viewers import pack

        header = {
            "size": [picture.width, picture.height],
            "stamp": stamp_ns // 1000,
            "age": round(ns_to_seconds(self.now_ns() - stamp_ns) * 1e3, 2),
            "made": round(time.time() * 1e3, 2),
            **self.board.overlay(stamp_ns),
        }
        server.show(pack(header, picture.jpeg))
        self.health.count("pictures")

    def _on_error(self, error: Exception, _message: Image) -> None:
        self.health.count("bad pictures")
        self.get_logger().error(f"a picture can't be shown: {error}")

    def _on_camera(self, message: CameraInfo) -> None:
        camera = self.read_camera(message)
        if camera is not None:
            self.board.on_camera(camera)

    def _on_joints(self, message: JointState) -> None:
        angles = pick_joints(message.name, message.position, message.velocity)
        if angles is not None:
            stamp_ns = to_ns(message.header.stamp) or self.now_ns()
            self.board.on_joints(stamp_ns, *angles)

    # -- the turn --------------------------------------------------------------------------------

    def _on_transcript(self, message: Transcript) -> None:
        heard = convert.message_to_transcription(message)
        stamp_ns = to_ns(message.header.stamp)
        self.board.on_transcript(message.utterance_id, stamp_ns, heard, self.now_ns())

    def _on_command(self, message: TurretCommand) -> None:
        self.board.on_command(
            message.utterance_id,
            to_ns(message.header.stamp),
            convert.message_to_command(message),
            message.partial,
            message.transcript,
            self.now_ns(),
        )

    def _on_turret(self, message: TurretState) -> None:
        report = TurretReport(
            message.utterance_id,
            _name(State, message.phase),
            message.yaw,
            message.pitch,
            message.yaw_goal,
            message.pitch_goal,
            message.connected,
            message.moving,
            message.at_goal,
            message.armed,
            message.yaw_limited,
            message.pitch_limited,
        )
        self.board.on_turret(report, self.now_ns())

    def _on_detections(self, message: Detection2DArray) -> None:
        boxes = []
        for each in message.detections:
            score = each.results[0].hypothesis.score if each.results else 0.0
            boxes.append((convert.detection_to_box(each), float(score)))
        self.board.on_candidates(to_ns(message.header.stamp), boxes)

    def _on_tracks(self, message: Detection2DArray) -> None:
        boxes = [(each.id, convert.detection_to_box(each)) for each in message.detections]
        self.board.on_tracks(to_ns(message.header.stamp), boxes)

    def _on_lock(self, message: LockMessage) -> None:
        self.board.on_lock(
            Lock(
                _name(LockState, message.state),
                to_ns(message.header.stamp),
                message.caption,
                message.reason,
                message.track_id,
                message.yaw,
                message.pitch,
                message.yaw_rate,
                message.pitch_rate,
                message.width,
                message.height,
                message.unseen,
                message.look_rate,
            )
        )

    def _on_box(self, message: TargetBBox) -> None:
        report = convert.message_to_report(message)
        found = Found(
            _name(LocationStatus, message.status),
            report.stamp_ns,
            report.box,
            message.caption,
            message.detection_score,
            message.match_score,
            message.margin,
            report.reason,
        )
        self.board.on_found(message.utterance_id, found, self.now_ns())

    def _on_engagement(self, message: Engagement) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self.ledger.ended(message.utterance_id, stamp_ns)
        ended = Ended(
            _name(Outcome, message.outcome),
            message.reason,
            message.transcript,
            message.heading,
            message.tool,
            message.target,
            convert.aim_of(message),
            convert.step_seconds(message),
        )
        self.board.on_ended(message.utterance_id, stamp_ns, ended, self.now_ns())

    # -- the nodes -------------------------------------------------------------------------------

    def _on_stage(self, message: StageState) -> None:
        state = _name(lifecycle.State, message.state).lower()
        self.board.on_stage(message.node, message.stage, state, message.reason)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for each in message.status:
            level = each.level[0] if isinstance(each.level, bytes) else int(each.level)
            values = [(pair.key, pair.value) for pair in each.values]
            self.board.on_health(each.name, level, each.message, values)

    def _on_info(self, message: AudioInfo) -> None:
        self._format = Format(message.sample_rate or 16000, message.channels or 1)
        if self._announced not in (None, self._format):
            # Who joins later hears the last word of every source: they must be the same.
            self._announced = self._format
            self._info.publish(message)

    # -- what the page has done (in the server's threads) ----------------------------------------

    def new_id(self, kind: str) -> str:
        """See `Operator`."""
        return f"console_{kind}_{self.now_ns()}_{secrets.token_hex(3)}"

    def audio_format(self) -> Format:
        """See `Operator`: what the stream's source has announced, else 16 kHz, announced here."""
        self._must_be_active()
        if self._format is None:
            self._announced = Format()
            self._info.publish(audio.info(16000))
            return Format()
        return self._format

    def hear(self, utterance_id: str, chunks: Sequence[Chunk]) -> None:
        """See `Operator`."""
        frame = utterance_frame.mark(utterance_id)
        for chunk in chunks:
            note = self.ledger.working if len(chunk.samples) else self.ledger.answered
            note(utterance_id, chunk.stamp_ns if not self.ledger.is_open(utterance_id) else 0)
            self._audio.publish(audio.to_message(chunk.samples, chunk.stamp_ns, frame))

    def say(self, text: str) -> None:
        """See `Operator`."""
        self._must_be_active()
        stamp_ns, name = self.now_ns(), self.new_id("typed")
        self.ledger.answered(name, stamp_ns)
        self._transcripts.publish(
            Transcript(
                header=convert.header(stamp_ns),
                utterance_id=name,
                status=Transcript.FINAL,
                text=text,
                confidence=1.0,
                alternatives=[Hypothesis(text=text, score=0.0)],
            )
        )

    def pick(self, search: int, candidate: int) -> None:
        """See `Operator`."""
        self._must_be_active()
        box, stamp_ns = self.board.pick(search, candidate)
        name = self.new_id("pick")
        self.ledger.answered(name, stamp_ns)
        self._picks.publish(
            TargetBBox(
                header=convert.header(stamp_ns),
                utterance_id=name,
                status=TargetBBox.FOUND,
                caption="picked by the operator",
                left=box.left,
                top=box.top,
                width=box.width,
                height=box.height,
                detection_score=1.0,
                match_score=1.0,
            )
        )

    def stop(self, talks: Sequence[tuple[str, int]]) -> None:
        """See `Operator`; the turret is told directly as well, should no controller live."""
        now = self.now_ns()
        for name, stamp_ns in [*talks, (self.new_id("stop"), now)]:
            self._commands.publish(
                TurretCommand(
                    header=convert.header(stamp_ns),
                    utterance_id=name,
                    status=TurretCommand.CANCELLED,
                    reason="called off at the console",
                )
            )
            self._gimbal.publish(
                GimbalCommand(
                    header=convert.header(now), utterance_id=name, mode=GimbalCommand.RATE
                )
            )
        self.get_logger().warning("STOP")

    def arm(self, armed: bool) -> str:
        """See `Operator`."""
        self._must_be_active()
        answer = self._call(self._arming, SetBool.Request(data=armed), "controller")
        if not answer.success:
            raise PeerError(f"the controller refuses: {answer.message}")
        return str(answer.message)

    def reset_stages(self) -> str:
        """See `Operator`."""
        self._must_be_active()
        silent = []
        for name, client in self._resets.items():
            try:
                self._call(client, Trigger.Request(), name)
            except PeerError:
                silent.append(name)
        if silent:
            raise PeerError(f"reset, but {', '.join(silent)} did not answer")
        return "every stage was reset"

    def _call(self, client: Any, request: Any, name: str) -> Any:
        if not client.wait_for_service(timeout_sec=_SERVICE_S):
            raise PeerError(f"the {name} is not there")
        try:
            answer = client.call(request, timeout_sec=_SERVICE_S)
        except TimeoutError as error:  # rclpy's
            raise PeerError(f"the {name} does not answer") from error
        if answer is None:
            raise PeerError(f"the {name} does not answer")
        return answer

    def _must_be_active(self) -> None:
        if not self.active:
            raise InputError("the console's node is not active")


def _name(kind: Any, number: int) -> str:
    """The name of a constant, or the number that no version of ours has."""
    try:
        return str(kind(number).name)
    except ValueError:
        return str(number)
