# SPDX-License-Identifier: Apache-2.0
"""Locate a described craft in a 1520x870 picture with the embedded models"""

from __future__ import annotations

from bench.common import Row, Skip, race

CAPTION = "white and red commercial aircraft"


def run(quick: bool) -> list[Row]:
    from turret_ai.learn.images import Settings, generate
    from turret_ai.see import locator

    runs = 5 if quick else 25
    rgb, _ = generate(0, seed=7, split="test", settings=Settings())
    model = locator.load()
    model.warm_up()
    found = model.detect(rgb)
    try:
        eager = _Eager()
    except ImportError as error:
        raise Skip(f"the baseline needs the extra `train`: {error}") from error
    base = "eager PyTorch fp32, same networks"

    def ours() -> object:
        model.matcher._images = type(model.matcher._images)(0)  # no memory of the last picture
        return model.locate(rgb, CAPTION)

    def ours_match() -> object:
        model.matcher._images = type(model.matcher._images)(0)
        return model.matcher(rgb, found, [CAPTION])

    model.prepare(CAPTION)
    whole, eager_whole = race(ours, lambda: eager.locate(rgb, len(found)), runs=runs)
    detect, eager_detect = race(lambda: model.detect(rgb), lambda: eager.detect(rgb), runs=runs)
    match, eager_match = race(ours_match, lambda: eager.match(rgb, found.xyxy), runs=runs)
    encoder = model.matcher.encoders[0]
    text, eager_text = race(
        lambda: encoder.encode_texts([CAPTION]), lambda: eager.text(), runs=runs * 4
    )
    boxes = f"{len(found)} candidates"
    return [
        Row("locate, end to end", whole.milliseconds, "ms", base, eager_whole.milliseconds,
            note=f"{boxes}; {whole.note}"),
        Row("detect", detect.milliseconds, "ms", base, eager_detect.milliseconds,
            note=detect.note),
        Row("match", match.milliseconds, "ms", base, eager_match.milliseconds,
            note=f"{boxes}; {match.note}"),
        Row("encode a caption", text.milliseconds, "ms", base, eager_text.milliseconds,
            note=text.note),
    ]  # fmt: skip


class _Eager:
    """The embedded architectures in PyTorch; random weights take the same time."""

    def __init__(self) -> None:
        import torch

        from turret_ai.execution import cpu_threads
        from turret_ai.learn import config
        from turret_ai.learn.vision.detector_model import Detector, Exported
        from turret_ai.learn.vision.lite_config import LiteConfig
        from turret_ai.learn.vision.matcher_config import SmallConfig
        from turret_ai.learn.vision.matcher_lite import LiteEncoder
        from turret_ai.learn.vision.matcher_model import ImageEncoder, TextEncoder
        from turret_ai.learn.vision.train_detector import DetectorConfig
        from turret_ai.see.cropping import CropShape

        torch.set_num_threads(cpu_threads(0))
        self.torch = torch
        # What the shipped ones were trained as.
        self.detectors = [
            Exported(Detector(config.load(name, [], DetectorConfig).root.model))
            .eval()
            .to(memory_format=torch.channels_last)
            for name in ("detector_lite", "detector_photos")
        ]
        shape = config.load("matcher_small", [], SmallConfig).model
        lite = config.load("matcher_lite", [], LiteConfig).model
        self.crop = CropShape(context=0.15, fit="square")
        networks = [
            (lite.image_size, LiteEncoder(lite)),
            (lite.image_size, LiteEncoder(lite)),
            (shape.image_size, ImageEncoder(shape)),
        ]
        self.encoders = [
            (side, network.eval().to(memory_format=torch.channels_last))
            for side, network in networks
        ]
        self.texts = TextEncoder(shape).eval()
        self.ids = torch.ones(1, shape.tokens, dtype=torch.int64)

    def detect(self, rgb) -> object:
        import numpy as np

        from turret_ai.see.heads import decode_centres

        height, width = rgb.shape[:2]
        padded = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), 114, np.uint8)
        padded[:height, :width] = rgb
        with self.torch.inference_mode():
            tensor = self.torch.from_numpy(padded).permute(2, 0, 1)[None].float().div_(255)
            tensor = tensor.contiguous(memory_format=self.torch.channels_last)
            looks = [detector(tensor) for detector in self.detectors]
        return [decode_centres(p.numpy(), s.numpy(), 4, 0.3, 100) for p, s in looks]

    def match(self, rgb, xyxy) -> object:
        from turret_ai.see.cropping import crop_boxes

        answers = []
        for size, encoder in self.encoders:
            crops = crop_boxes(rgb, xyxy, size, self.crop)
            with self.torch.inference_mode():
                tensor = self.torch.from_numpy(crops).permute(0, 3, 1, 2).float().div_(255)
                answers.append(encoder(tensor))
        return answers

    def text(self) -> object:
        with self.torch.inference_mode():
            return self.texts(self.ids)

    def locate(self, rgb, count: int) -> object:
        import numpy as np

        self.detect(rgb)
        boxes = np.tile(np.array([[700, 400, 760, 440]], np.float32), (count, 1))
        return self.match(rgb, boxes)
