# SPDX-License-Identifier: Apache-2.0
"""Write and read recordings."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.common import Row


def run(quick: bool) -> list[Row]:
    """Camera images of 1520x870 RGB through the recorder and back."""
    import numpy as np
    from rosbags.highlevel import AnyReader
    from rosbags.rosbag2 import StoragePlugin, Writer

    from turret_ai.prove.bag import Bag
    from turret_ai.prove.writer import BagWriter, Recorder
    from turret_ai.ros.dds.messages import store

    kind = "sensor_msgs/msg/Image"
    types = store().types
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, 870 * 1520 * 3, dtype=np.uint8)
    message = types[kind](
        header=types["std_msgs/msg/Header"](
            stamp=types["builtin_interfaces/msg/Time"](sec=1, nanosec=0), frame_id="camera"
        ),
        height=870,
        width=1520,
        encoding="rgb8",
        is_bigendian=0,
        step=4560,
        data=pixels,
    )
    raw = bytes(store().serialize_cdr(message, kind))
    count = 30 if quick else 150
    size = count * len(raw) / 2**20

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        recorder = Recorder(writer := BagWriter(Path(folder) / "ours"), patience_s=60.0)
        writer.add_topic("/camera/image_raw", kind)
        for i in range(count):
            recorder.put("/camera/image_raw", raw, i * 33_000_000)
        recorder.close()
        ours_write = size / (time.perf_counter() - start)

        plain_write = {}
        for plugin in (StoragePlugin.MCAP, StoragePlugin.SQLITE3):
            start = time.perf_counter()
            target = Path(folder) / plugin.name
            with Writer(target, version=8, storage_plugin=plugin) as plain:
                connection = plain.add_connection("/camera/image_raw", kind, typestore=store())
                for i in range(count):
                    plain.write(connection, i * 33_000_000, store().serialize_cdr(message, kind))
            plain_write[plugin] = size / (time.perf_counter() - start)

        start = time.perf_counter()
        with Bag(Path(folder) / "ours") as bag:
            for record in bag.records():
                assert bag.decode(record).height == 870
        ours_read = size / (time.perf_counter() - start)

        start = time.perf_counter()
        with AnyReader([Path(folder) / "MCAP"]) as reader:
            for connection, _, data in reader.messages():
                assert reader.deserialize(data, connection.msgtype).height == 870
        plain_read = size / (time.perf_counter() - start)
    note = f"{count} images of {len(raw) / 2**20:.1f} MiB"
    return [
        *(
            Row(
                "record raw images to mcap, in a thread",
                ours_write,
                "MiB/s",
                f"rosbags writer, {plugin.name.lower()}, serialising each message",
                plain_write[plugin],
                True,
                note,
            )
            for plugin in plain_write
        ),
        Row(
            "read and decode images from mcap",
            ours_read,
            "MiB/s",
            "rosbags AnyReader, mcap",
            plain_read,
            True,
            note,
        ),
    ]
