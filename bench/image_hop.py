# SPDX-License-Identifier: Apache-2.0
"""Send 1520x870 RGB images from one process to another"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from bench.common import Row, Skip

WIDTH, HEIGHT = 1520, 870
RATE_HZ = 30.0
FRAMES = 300
TIMEOUT_S = 240
_LIMIT_S = 120.0


def run(quick: bool) -> list[Row]:
    from turret_ai.ros import RUNTIME

    if RUNTIME != "dds":
        raise Skip("measures the plain runtime: set TURRET_AI_RUNTIME=dds")
    frames = 60 if quick else FRAMES
    ours = _hop("seam", frames, RATE_HZ)
    # The plain way needs some 0.2 s for an image, so it can't be asked for 30 Hz.
    plain = _hop("idlstruct", 10 if quick else 30, 2.0)
    note = f"{ours['received']} of {frames} frames arrived at {RATE_HZ:g} Hz"
    base = "cyclonedds-python's own serialization, at 2 Hz"
    return [
        Row("image hop, median", ours["median"], "ms", base, plain["median"], note=note),
        Row("image hop, p95", ours["p95"], "ms", base, plain["p95"], note=note),
        Row("image hop, frames lost", frames - ours["received"], "frames", note=note),
    ]


def _hop(way: str, frames: int, rate: float) -> dict[str, float]:
    """Milliseconds from before the message is made to the array in the other process."""
    environment = {
        **os.environ,
        "ROS_DOMAIN_ID": str(os.getpid() % 100 + 1),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "TURRET_AI_RUNTIME": "dds",
    }
    command = [sys.executable, "-m", "bench.image_hop", way, str(frames), str(rate)]
    receiver = subprocess.Popen(
        [*command, "receive"], env=environment, stdout=subprocess.PIPE, text=True
    )
    sender = subprocess.Popen([*command, "send"], env=environment)
    try:
        out, _ = receiver.communicate(timeout=_LIMIT_S)
        sender.wait(timeout=10)
    finally:
        receiver.kill()
        sender.kill()
    delays = sorted(json.loads(out))
    if not delays:
        raise RuntimeError(f"{way}: nothing arrived")
    return {
        "received": len(delays),
        "median": delays[len(delays) // 2],
        "p95": delays[round(0.95 * (len(delays) - 1))],
    }


# -- the two processes ---------------------------------------------------------------------------


def _pace(frames: int, rate: float):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    for index in range(frames):
        time.sleep(max(0.0, start + index / rate - time.monotonic()))
        yield index


def _send(way: str, frames: int, rate: float) -> None:
    import numpy as np

    from turret_ai.ros import Context, Node, images, qos
    from turret_ai.ros.interfaces import Image

    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    context = Context()
    node = Node("sender", context=context)
    if way == "seam":
        publisher = node.create_publisher(Image, "image", qos.IMAGE_PUB)
        _wait(lambda: publisher.get_subscription_count() > 0)
        for _ in _pace(frames, rate):
            publisher.publish(images.to_message(pixels, time.time_ns(), "camera"))
    else:
        writer, struct = _plain(context, writer=True)
        _wait(lambda: len(writer.get_matched_subscriptions()) > 0)
        for _ in _pace(frames, rate):
            stamp = time.time_ns()
            header = struct.__annotations__["header"]
            stamped = header(
                header.__annotations__["stamp"](stamp // 10**9, stamp % 10**9), "camera"
            )
            data = pixels.tobytes()
            writer.write(struct(stamped, HEIGHT, WIDTH, "rgb8", 0, 3 * WIDTH, data))
    time.sleep(2.0)  # the last frames are still on their way
    context.close()


def _receive(way: str, frames: int, rate: float) -> None:
    import numpy as np

    from turret_ai.ros import Context, Node, images, qos, spin_until
    from turret_ai.ros.interfaces import Image
    from turret_ai.ros.time import to_ns

    context = Context()
    node = Node("receiver", context=context)
    delays: list[float] = []
    limit = 15.0 + frames / rate + (0.5 * frames if way != "seam" else 0.0)

    def arrived(message: Image) -> None:
        assert images.from_message(message).shape == (HEIGHT, WIDTH, 3)
        delays.append((time.time_ns() - to_ns(message.header.stamp)) / 1e6)

    if way == "seam":
        node.create_subscription(Image, "image", arrived, qos.IMAGE_SUB)
        spin_until(lambda: len(delays) >= frames, node, timeout=limit)
    else:
        reader, _ = _plain(context, writer=False)
        end = time.monotonic() + limit
        while len(delays) < frames and time.monotonic() < end:
            for each in reader.take(1):
                array = np.asarray(each.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
                assert array.shape == (HEIGHT, WIDTH, 3)
                delays.append((time.time_ns() - to_ns(each.header.stamp)) / 1e6)
            time.sleep(0.001)
    context.close()
    print(json.dumps(delays))


def _plain(context, writer: bool):  # type: ignore[no-untyped-def]
    """A writer or reader of sensor_msgs/Image that lets cyclonedds-python do the serializing."""
    from cyclonedds.pub import DataWriter
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic

    from turret_ai.ros import qos
    from turret_ai.ros.dds.idl import plain_struct
    from turret_ai.ros.dds.qos import to_dds

    struct = plain_struct("sensor_msgs/msg/Image")
    topic = Topic(context.participant, "rt/plain_image", struct)
    profile = qos.IMAGE_PUB if writer else qos.IMAGE_SUB
    make = DataWriter if writer else DataReader
    return make(context.participant, topic, qos=to_dds(profile, "")), struct


def _wait(condition) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 15.0
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


if __name__ == "__main__":
    _way, _frames, _rate, _role = sys.argv[1:]
    (_send if _role == "send" else _receive)(_way, int(_frames), float(_rate))
