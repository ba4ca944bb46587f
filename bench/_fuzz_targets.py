# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: good samples of each kind, and the ways by which users' data come in.

Each target makes its own samples. A case that ends in anything but a result or an error for users
(`TurretError`) is a fault.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from turret_ai.errors import TurretError


class Fault(Exception):
    """The case ended in a way that no user should see."""


@dataclass(frozen=True, slots=True)
class Target:
    """samples: good inputs, to be mutated. feed: takes in one case."""

    samples: list[bytes]
    feed: Callable[[bytes, random.Random], object]


def _tone(count: int = 1600) -> np.ndarray:
    return (0.3 * np.sin(np.arange(count) / 5)).astype(np.float32)


def sounds() -> Target:
    """Audio files of many containers and codings, as the finals server and /stt get them."""
    import soundfile

    from turret_ai.act.wav import read_wav

    kinds = [
        ("WAV", "PCM_16", 16000), ("WAV", "PCM_U8", 8000), ("WAV", "FLOAT", 48000),
        ("WAV", "GSM610", 8000), ("WAV", "G721_32", 8000), ("WAV", "IMA_ADPCM", 16000),
        ("WAV", "ULAW", 8000), ("WAVEX", "PCM_24", 44100), ("FLAC", "PCM_16", 16000),
        ("OGG", "VORBIS", 16000), ("OGG", "OPUS", 48000), ("AIFF", "PCM_16", 22050),
        ("AU", "ALAW", 8000), ("RF64", "PCM_16", 16000), ("W64", "PCM_16", 16000),
        ("CAF", "ALAC_16", 16000), ("MP3", "MPEG_LAYER_III", 16000), ("NIST", "PCM_16", 16000),
    ]  # fmt: skip
    samples = []
    for container, coding, rate in kinds:
        file = io.BytesIO()
        soundfile.write(file, _tone(), rate, format=container, subtype=coding)
        samples.append(file.getvalue())
    stereo = io.BytesIO()
    soundfile.write(stereo, np.column_stack([_tone()] * 2), 16000, format="WAV")
    samples.append(stereo.getvalue())

    def feed(data: bytes, _: random.Random) -> None:
        sound = read_wav(data)
        if not np.isfinite(sound.samples).all() or not sound.samples.size:
            raise Fault("samples that are none")
        sound.as_pcm()

    return Target(samples, feed)


def pictures() -> Target:
    """JPEG, PNG, WebP, TIFF, BMP and GIF, with and without an EXIF orientation."""
    import cv2
    from PIL import Image

    from turret_ai.see import images

    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (24, 32, 3)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    samples = []
    for kind, options in (
        ("JPEG", {}), ("JPEG", {"progressive": True, "exif": exif}), ("JPEG", {"comment": b"x"}),
        ("PNG", {}), ("PNG", {"exif": exif}), ("WEBP", {}), ("TIFF", {"exif": exif}),
        ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {}), ("GIF", {}),
    ):  # fmt: skip
        file = io.BytesIO()
        picture.save(file, kind, **options)
        samples.append(file.getvalue())
    deep = Image.fromarray(rng.integers(0, 4095, (24, 32)).astype(np.uint16))
    file = io.BytesIO()
    deep.save(file, "PNG")
    samples.append(file.getvalue())
    # OpenCV 4.11 reads no GIF
    samples = [s for s in samples if cv2.imdecode(np.frombuffer(s, np.uint8), -1) is not None]

    def feed(data: bytes, _: random.Random) -> None:
        seen = images.look(data)
        if seen.rgb.ndim != 3 or seen.rgb.dtype != np.uint8 or not seen.rgb.size:
            raise Fault(f"no picture: {seen.rgb.shape} {seen.rgb.dtype}")

    return Target(samples, feed)


def texts() -> Target:
    """JSON and YAML: the server's frames, answers, manifests, settings."""
    from turret_ai import documents, overrides
    from turret_ai.act.competition import wire
    from turret_ai.ros import parameter_files

    samples = [
        b'{"status":"done"}', b'{"health":"ok"}', b'{"type":"update","yaw":-12.5}',
        b'{"asr":"heading","nlp":{"heading":"065","tool":"EMP","target":"drone"},'
        b'"vlm":[1,2,30,40]}',
        b'{"image":"a.jpg","annotations":[{"caption":"grey missile","bbox":[912,164,48,152]}]}',
        b"/**:\n  ros__parameters: {vad: {threshold: 0.5}, names: [a, b]}\n",
        b"a: &x [1, 2.5, yes]\nb: *x\nc: {d: '065', e: 12:30, f: 2024-02-03}\n",
        '{"caption": "caf\u00e9 \\ud83d\\ude80 \\ud800"}'.encode(),
    ]  # fmt: skip

    def feed(data: bytes, rng: random.Random) -> None:
        try:
            text = documents.decode(data, "it")
        except TurretError:
            text = data.decode("latin-1")
        wire.parse_word(text)
        wire.is_health(text)
        for read in (wire.parse_answer, wire.parse_robot):
            try:
                read(text)
            except TurretError as error:
                _one_line(error)
        readers: list[Callable[[], object]] = [
            lambda: documents.parse_json(text, "it"),
            lambda: documents.parse_yaml(text, "it"),
            lambda: parameter_files.read_value(text, "it"),
            lambda: overrides.apply({}, [text]),
        ]
        for parse in readers:
            try:
                parse()
            except TurretError as error:
                _one_line(error)

    return Target(samples, feed)


def messages() -> Target:
    """DDS samples of the chain's topics, and what the nodes make of them."""
    from turret_ai.aim.camera import Camera
    from turret_ai.nodes import convert
    from turret_ai.ros import audio, images, interfaces
    from turret_ai.ros.dds.messages import from_cdr, to_cdr

    def header() -> Any:
        return interfaces.Header(frame_id="camera")

    picture = images.to_message(np.zeros((6, 8, 3), np.uint8), 12345, "camera")
    info = convert.camera_to_message(Camera.from_fov(160, 92, 1.2), 12345, "camera")
    made = [
        picture,
        audio.to_message(np.arange(400, dtype=np.int16), 12345, "microphone"),
        info,
        interfaces.AudioInfo(channels=1, sample_rate=16000, sample_format="S16LE"),
        interfaces.Transcript(header=header(), utterance_id="u1", text="heading zero six five"),
        interfaces.TurretCommand(header=header(), heading="065", tool="EMP", target="red drone"),
        interfaces.TargetBBox(header=header(), left=1.0, top=2.0, width=3.0, height=4.0),
        interfaces.JointState(header=header(), name=["a", "b"], position=[0.5, 1.0]),
        interfaces.TurretState(header=header()),
        interfaces.Engagement(header=header(), utterance_id="u1"),
    ]
    kinds = [message.__msgtype__ for message in made]
    use: dict[str, Callable[[Any], object]] = {
        kinds[0]: images.from_message,
        kinds[1]: audio.from_message,
        kinds[2]: Camera.from_info,
        kinds[4]: convert.message_to_transcription,
        kinds[5]: convert.message_to_command,
        kinds[6]: convert.message_to_report,
    }
    samples = [
        bytes([number]) + bytes(to_cdr(message, kind))
        for number, (kind, message) in enumerate(zip(kinds, made, strict=True))
    ]

    def feed(data: bytes, rng: random.Random) -> None:
        kind = kinds[data[0] % len(kinds)] if data else rng.choice(kinds)
        message = from_cdr(data[1:], kind)
        if kind in use:
            use[kind](message)

    return Target(samples, feed)


def requests() -> Target:
    """Bodies for the HTTP services, through the whole application."""
    import base64
    import gzip

    from turret_ai.act.services.app import Stages, create_app
    from turret_ai.see import images
    from turret_ai.types import (
        Box,
        Command,
        CommandField,
        CommandStatus,
        Location,
        LocationStatus,
        Transcription,
        TranscriptStatus,
    )  # fmt: skip

    class Ears:
        def transcribe(self, samples: np.ndarray) -> Transcription:
            return Transcription(TranscriptStatus.FINAL, f"{len(samples)} samples")

    class Mind:
        def parse(self, hypotheses: Any) -> Command:
            field = CommandField(str(hypotheses))
            return Command(CommandStatus.OK, field, field, field)

    class Eyes:
        def locate_all(self, rgb: np.ndarray, captions: Any) -> list[Location]:
            return [Location(LocationStatus.FOUND, Box(1, 2, 3, 4)) for _ in captions]

    app = create_app(Stages(Ears(), Mind(), Eyes()), max_body=100_000)
    loop = asyncio.new_event_loop()
    wav = sounds().samples[0]
    jpeg = images.encode(np.zeros((8, 8, 3), np.uint8))
    bodies = [
        ("/stt", {"instances": [{"b64": base64.b64encode(wav[:400]).decode()}]}),
        ("/extract", {"instances": [{"transcript": "heading zero"}, {"transcript": "caf\u00e9"}]}),
        ("/identify", {"instances": [{"b64": base64.b64encode(jpeg).decode(), "caption": "jet"}]}),
    ]
    paths = [path for path, _ in bodies]
    samples = [bytes([i]) + json.dumps(body).encode() for i, (_, body) in enumerate(bodies)]
    samples.append(b"\x01" + gzip.compress(json.dumps(bodies[1][1]).encode()))

    async def post(path: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
            "server": ("localhost", 80), "client": ("localhost", 1), "root_path": "",
            "asgi": {"version": "3.0"},
        }  # fmt: skip
        sent: list[dict[str, Any]] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope, receive, send)  # type: ignore[arg-type]
        return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])

    codings = [b"", b"", b"", b"gzip", b"deflate", b"br", b"\xff"]
    kinds = [b"application/json", b"text/plain; charset=latin-1", b"x/y; charset=utf-16", b"\xff;"]

    def feed(data: bytes, rng: random.Random) -> None:
        path = paths[data[0] % 3] if data else paths[0]
        headers = [(b"content-type", rng.choice(kinds))]
        coding = b"gzip" if data[1:3] == b"\x1f\x8b" else rng.choice(codings)
        if coding:
            headers.append((b"content-encoding", coding))
        status, body = loop.run_until_complete(post(path, data[1:], headers))
        told = json.loads(body)
        documented = {"predictions", "errors"} if status == 200 else {"error"}
        if status not in (200, 413, 415, 422) or not set(told) <= documented:
            raise Fault(f"{path}: {status} {body[:200]!r}")
        if b"object at 0x" in body or b"Traceback" in body:
            raise Fault(f"internals: {body[:200]!r}")

    return Target(samples, feed)


def robot() -> Target:
    """The RoboMaster's replies, pushes, announcements, sound and video."""
    from turret_ai.act.robomaster import wire
    from turret_ai.act.robomaster.emulator_media import OpusEncoder, VideoEncoder
    from turret_ai.act.robomaster.media import OpusDecoder, OpusSplitter, VideoDecoder

    video, sound = VideoEncoder(64, 48, 30), OpusEncoder()
    frames = b"".join(video.encode(np.full((48, 64, 3), i * 20, np.uint8)) for i in range(8))
    waves = (np.sin(np.arange(9600) / 7) * 9000).astype(np.int16).reshape(-1, 960)
    packets = [packet for wave in waves for packet in sound.encode(wave)]
    samples = [
        b"\x00ok seq 1;Already in SDK mode seq 2;-10.5 20 seq 3; error seq 4;chassis_lead;",
        b"\x00ok\r\nok\r\n-1.0 3.5\r\ncommand format error: command parse error\r\n",
        b"\x00okok seq 3free gimbal exec error",
        b"\x01gimbal push attitude 20.5 -10.3 ;;chassis push position 1 2 ;;",
        b"\x01robot ip 192.168.0.115",
        b"\x02" + b"".join(packets[:4]),
        b"\x03" + frames,
    ]

    def feed(data: bytes, rng: random.Random) -> None:
        kind, data = (data[0] % 4, data[1:]) if data else (0, b"")
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(3))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        if kind == 0:
            splitter = wire.Splitter()
            found = [text for piece in pieces for text in splitter.feed(piece)]
            for text in [*found, *splitter.flush()]:
                wire.parse_attitude(wire.parse_reply(text))
        elif kind == 1:
            wire.parse_pushes(data)
            wire.parse_broadcast(data)
        elif kind == 2:
            opus, decoder = OpusSplitter(), OpusDecoder()
            for piece in pieces:
                for packet in opus.feed(piece):
                    decoder.decode(packet)
        else:
            eyes = VideoDecoder()
            for piece in pieces:
                eyes.feed(piece)

    return Target(samples, feed)


def _one_line(error: TurretError) -> None:
    text = str(error)
    if not text or len(text.splitlines()) != 1 or len(text) > 2000:
        raise Fault(f"no line for users: {text[:200]!r}")


TARGETS: dict[str, Callable[[], Target]] = {
    "sounds": sounds,
    "pictures": pictures,
    "texts": texts,
    "messages": messages,
    "requests": requests,
    "robot": robot,
}
