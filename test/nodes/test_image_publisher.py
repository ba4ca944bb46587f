# SPDX-License-Identifier: Apache-2.0
"""Pictures as image_transport has them: raw, and JPEG beside it while someone subscribes."""

import numpy as np
from probe import Probe, free_domain

from turret_ai.nodes.image_publisher import ImagePublisher
from turret_ai.ros import qos
from turret_ai.ros.interfaces import CompressedImage, Image
from turret_ai.ros.time import to_ns
from turret_ai.see import images


def test_pictures_come_compressed_too_while_someone_asks():
    camera = Probe(free_domain())
    try:
        publisher = ImagePublisher(camera, "camera/image_raw")
        red_to_blue = np.zeros((120, 200, 3), np.uint8)
        red_to_blue[..., 0] = np.linspace(255, 0, 200)
        red_to_blue[..., 2] = np.linspace(0, 255, 200)
        raw = camera.collect(Image, "camera/image_raw", qos.IMAGE_SUB)

        def seen(found, stamp):
            publisher.publish(red_to_blue, stamp, "lens")
            return camera.until(lambda: found and to_ns(found[-1].header.stamp) == stamp, 0.3)

        assert any(seen(raw, stamp) for stamp in range(1, 60))
        jpegs = camera.collect(CompressedImage, "camera/image_raw/compressed", qos.IMAGE_SUB)
        assert any(seen(jpegs, stamp) for stamp in range(60, 120))
    finally:
        camera.close()
    message = jpegs[-1]
    assert message.header.frame_id == "lens"
    assert message.format == "rgb8; jpeg compressed bgr8"
    shown = images.decode(bytes(message.data), "the picture").astype(int)
    assert np.abs(shown - red_to_blue).mean() < 3.0
