# SPDX-License-Identifier: Apache-2.0
"""Pictures on a topic, and compressed beside it for those who ask, as image_transport has it."""

from __future__ import annotations

import numpy as np

from turret_ai.ros import Node, images, topics
from turret_ai.ros.interfaces import CompressedImage, Header
from turret_ai.ros.time import to_msg
from turret_ai.see.images import encode
from turret_ai.types import ImageArray

SUFFIX = "/compressed"
FORMAT = "rgb8; jpeg compressed bgr8"
"""Encoding of the raw image, codec, and order of the channels in the JPEG; see
compressed_image_transport's compressed_publisher.cpp."""


class ImagePublisher:
    """`TOPIC` always, and `TOPIC/compressed` (JPEG) while it has a subscriber."""

    def __init__(self, node: Node, topic: str, *, quality: int = 90) -> None:
        """quality: of the JPEGs, 1..100."""
        self._quality = quality
        self._raw = topics.IMAGE.advertise(node, topic)
        self._compressed = topics.COMPRESSED_IMAGE.advertise(node, topic + SUFFIX)

    def publish(self, rgb: ImageArray, stamp_ns: int, frame_id: str) -> None:
        """Send a picture.

        Args:
            rgb: shape (H, W, 3), uint8.
            stamp_ns: exposure, nanoseconds.
            frame_id: the camera's optical frame.

        Raises:
            InputError: the array has another shape or type.
        """
        self._raw.publish(images.to_message(rgb, stamp_ns, frame_id))
        if self._compressed.get_subscription_count():
            self._compressed.publish(self._compress(rgb, stamp_ns, frame_id))

    def _compress(self, rgb: ImageArray, stamp_ns: int, frame_id: str) -> CompressedImage:
        jpeg = encode(rgb, ".jpg", self._quality)
        message = CompressedImage(
            header=Header(stamp=to_msg(stamp_ns), frame_id=frame_id), format=FORMAT
        )
        images.set_data(message, np.frombuffer(jpeg, np.uint8))
        return message
