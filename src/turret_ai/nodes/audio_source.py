# SPDX-License-Identifier: Apache-2.0
"""The audio source node: files, a scene's spoken commands or the microphone, as a live stream."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from turret_ai.errors import InputError, TurretError
from turret_ai.hear import files, microphone, utterance_frame
from turret_ai.nodes.registry import STAGES
from turret_ai.nodes.roster import Roster
from turret_ai.nodes.stage import Stage
from turret_ai.ros import audio, topics
from turret_ai.ros.interfaces import (
    Engagement,
    TurretCommand,
)
from turret_ai.ros.time import to_msg, to_ns
from turret_ai.settings import Settings
from turret_ai.simulate import scene as scenes
from turret_ai.simulate.scene import CommandEntry
from turret_ai.units import seconds_to_ns

Pcm = NDArray[np.int16]

_NOBODY_S = 4.0
"""Seconds of real time without anybody working on what was said: it was not heard."""


@dataclass(frozen=True, slots=True)
class _Clip:
    """A file to play, and what it says where that is known."""

    path: Path
    truth: CommandEntry | None = None


class AudioSourceParameters(Settings):
    """What is played, and how."""

    source: Literal["files", "scene", "microphone"] = Field(
        "scene", description="files: `path`; scene: the scene's spoken commands; microphone"
    )
    path: str = Field("", description="an audio file or a folder of them, for source files")
    scene: str = Field("airfield", description="scene whose commands are spoken, for source scene")
    device: str = Field("", description="microphone: name or number; empty: the default one")
    rate: float = Field(1.0, ge=0.0, le=100.0, description="speed of playing; 0: all at once")
    chunk: float = Field(0.05, ge=0.005, le=1.0, description="s of audio in one message")
    pause: float = Field(0.8, ge=0.0, le=600.0, description="s of silence after each file")
    whole: bool = Field(
        False, description="each file is one utterance: marked as such, no voice activity detection"
    )
    loop: bool = Field(False, description="begin again after the last file")
    one_at_a_time: bool = Field(
        True, description="speak the next file only when the turn before has ended"
    )
    turn_timeout: float = Field(60.0, gt=0.0, le=3600.0, description="s to wait for that end")
    wait_for: list[str] = Field(
        list(STAGES),
        description="stages or nodes that must be active before a file is played",
    )
    turret: str = Field(
        "", description="node of turret and camera that must be active too; empty: none"
    )
    ready_timeout: float = Field(60.0, ge=0.0, le=3600.0, description="s to wait for them")


class AudioSource(Stage):
    """Publishes S16LE chunks with the stamp of their first sample."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__("audio_source", AudioSourceParameters, overrides)
        p = self.parameters
        self._clips = [] if p.source == "microphone" else _clips(p)
        if p.source == "microphone":
            self._microphone = microphone.MicrophoneStream(p.device, p.chunk)
        self._played_to_ns = 0
        """Stamps never go back: played faster than it was spoken, a file ends in the future."""
        self._stop = threading.Event()
        self._ends: deque[tuple[str, int]] = deque(maxlen=64)
        self._roster = Roster(self)
        self._audio = topics.AUDIO.advertise(self)
        self._info = topics.AUDIO_INFO.advertise(self)
        self._truth = topics.SPOKEN.advertise(self)
        topics.ENGAGEMENT.subscribe(self, self._on_engagement)
        self._thread = threading.Thread(target=self._run, name="audio_source", daemon=True)
        self._thread.start()

    def _on_engagement(self, message: Engagement) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self.ledger.ended(message.utterance_id, stamp_ns)
        self._ends.append((message.utterance_id, stamp_ns))

    # -- the stream ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self.parameters.source == "microphone":
                self._stream_microphone()
            else:
                self._stream_files()
        except TurretError as error:
            self.health.problem = str(error)
            self.get_logger().error(str(error))

    def _stream_files(self) -> None:
        p = self.parameters
        while not self._stop.is_set():
            played = 0
            for number, clip in enumerate(self._clips):
                self._wait_until_ready()
                if self._stop.is_set():
                    return
                self.get_logger().info(
                    f"speaking {clip.path.name} ({number + 1}/{len(self._clips)})"
                )
                began_ns = self.now_ns()
                self._ends.clear()
                try:
                    utterance_id = self._play(clip)
                except InputError as error:  # the other files are played all the same
                    self.health.count("bad files")
                    self.get_logger().error(str(error))
                    continue
                played += 1
                self.health.count("files")
                if p.one_at_a_time:
                    self._wait_for_end(utterance_id, began_ns)
                if self._stop.is_set():
                    return
            if not played:
                raise InputError("none of the files could be played")
            if not p.loop:
                self.get_logger().info("all files were spoken")
                return

    def _play(self, clip: _Clip) -> str:
        """One file: marked as a whole utterance, or within a continuous stream.

        Returns:
            The utterance's id, "" if the transcriber will give it one.
        """
        p = self.parameters
        sound = files.load(clip.path)
        samples, sample_rate = sound.as_pcm(), sound.sample_rate
        if sound.remark:
            self.get_logger().warning(f"{clip.path}: {sound.remark}")
        self._announce(sample_rate)
        start_ns = max(self.now_ns(), self._played_to_ns)
        frame, utterance_id = utterance_frame.MICROPHONE, ""
        if p.whole:
            utterance_id = f"{clip.path.stem}_{start_ns}"
            frame = utterance_frame.mark(utterance_id)
            self.ledger.working(utterance_id, start_ns)
        if clip.truth is not None:
            self._publish_truth(clip.truth, utterance_id, start_ns)
        if not p.whole:
            silence = np.zeros(round(p.pause * sample_rate), np.int16)
            samples = np.concatenate([samples, silence])
        self._played_to_ns = start_ns + seconds_to_ns(len(samples) / sample_rate)
        started = time.monotonic()
        step = max(1, round(p.chunk * sample_rate))
        for first in range(0, len(samples), step):
            chunk = samples[first : first + step]
            due = (first + len(chunk)) / sample_rate / p.rate if p.rate else 0.0
            if self._stop.wait(max(0.0, started + due - time.monotonic())):
                return utterance_id
            self._publish(chunk, start_ns + seconds_to_ns(first / sample_rate), frame)
        if p.whole:
            self._publish(np.zeros(0, np.int16), self._played_to_ns, frame)
            self.ledger.answered(utterance_id, start_ns)
        return utterance_id

    def _publish_truth(self, truth: CommandEntry, utterance_id: str, stamp_ns: int) -> None:
        message = TurretCommand(
            utterance_id=utterance_id,
            status=TurretCommand.OK,
            heading=truth.heading,
            tool=truth.tool,
            target=truth.target,
            transcript=truth.text,
        )
        message.header.stamp = to_msg(stamp_ns)
        self._truth.publish(message)

    def _stream_microphone(self) -> None:
        with self._microphone as stream:
            self._announce(stream.sample_rate)
            while not self._stop.is_set():
                chunk = stream.read(1.0)
                if chunk is None:
                    continue
                age = seconds_to_ns(len(chunk) / stream.sample_rate)
                self._publish(chunk, self.now_ns() - age, utterance_frame.MICROPHONE)

    def _announce(self, sample_rate: int) -> None:
        self._info.publish(audio.info(sample_rate))

    def _publish(self, chunk: Pcm, stamp_ns: int, frame: str) -> None:
        if self.active:
            self._audio.publish(audio.to_message(chunk, stamp_ns, frame))

    # -- waiting ---------------------------------------------------------------------------------

    def _wait_until_ready(self) -> None:
        """Until this node is active, and those who are to hear and act are."""
        p = self.parameters
        while not self.active:
            if self._stop.wait(0.05):
                return
        awaited = [*p.wait_for, *([p.turret] if p.turret else [])]
        ready = self._wait_for(lambda: not self._roster.missing(awaited), p.ready_timeout)
        if not ready and not self._stop.is_set():
            told = self._roster.told(self._roster.missing(awaited))
            self.get_logger().warning(f"speaking although {told}")
        if not self._wait_for(lambda: self._audio.get_subscription_count() > 0, p.ready_timeout):
            self.get_logger().warning("nobody listens to the topic audio")
        if not self._wait_for(lambda: self.now_ns() > 0, p.ready_timeout):
            self.get_logger().warning("simulated time does not run: nothing comes on /clock")

    def _wait_for_end(self, utterance_id: str, began_ns: int) -> None:
        """Until the turn has ended, or nobody has any part of it in hand."""
        quiet_since = time.monotonic()

        def over() -> bool:
            nonlocal quiet_since
            for ended_id, stamp_ns in list(self._ends):
                if ended_id == utterance_id if utterance_id else stamp_ns >= began_ns:
                    return True
            now = time.monotonic()
            if self._roster.open_utterances() or not self._roster.knows("transcriber"):
                quiet_since = now
            return now - quiet_since > _NOBODY_S

        if not self._wait_for(over, self.parameters.turn_timeout):
            if not self._stop.is_set():
                self.get_logger().warning("the turn does not end; going on")
        elif not self._ends:
            self.get_logger().warning("nobody took up what was said; going on")

    def _wait_for(self, condition: Any, seconds: float) -> bool:
        """Poll a condition; False when the time is over or the node ends."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end or self._stop.wait(0.05):
                return False
        return True

    def destroy_node(self) -> None:
        self._stop.set()
        self._thread.join(2.0)
        super().destroy_node()


def _clips(p: AudioSourceParameters) -> list[_Clip]:
    """What to play, every file of it in place.

    Raises:
        InputError: nothing to play, or a file that is missing; the text names it.
    """
    if p.source == "scene":
        commands = scenes.load(p.scene).commands
        found = [_Clip(c.audio, c) for c in commands if c.audio is not None]
        if not found:
            raise InputError(f"scene {p.scene!r} has no spoken commands")
        return found
    if not p.path:
        raise InputError("source files needs the parameter path")
    path = Path(p.path).expanduser()
    if path.is_file():
        return [_Clip(path)]
    if not path.is_dir():
        raise InputError(f"no such audio file or folder: {path}")
    listed = [_Clip(f) for f in sorted(path.iterdir()) if f.suffix.lower() in files.SUFFIXES]
    if not listed:
        raise InputError(f"no audio files ({', '.join(files.SUFFIXES)}) in {path}")
    return listed
