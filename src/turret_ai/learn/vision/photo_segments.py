# SPDX-License-Identifier: Apache-2.0
"""Cuts craft from photographs with anything behind them.

A detector says where the craft is, the mask inside a matcher which pixels are roughly its own, and
GrabCut (Rother, Kolmogorov and Blake, 2004) draws the line. Only what both agree on is kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings
from turret_ai.learn.vision import photo_cutouts, tapped
from turret_ai.learn.vision.photo_cutouts import Cutout
from turret_ai.see.cropping import crop_boxes, widened
from turret_ai.see.description import MatcherDescription, read
from turret_ai.see.detection import Detection
from turret_ai.see.settings import DetectionSettings
from turret_ai.types import FloatArray, ImageArray

_WIDE = 0.3
"""Least width of the craft's box as a share of the photograph's."""
_SURE = 0.3
"""Score of a detector that doesn't doubt."""
_AROUND = (0.06, 0.1)
"""How far beyond the box craft may reach, shares of its width and height."""
_CORE, _LIKELY, _FEWEST = 0.9, 0.6, 30
"""This quantile of the mask and more is craft for certain, if it is as likely as that; with fewer
pixels of that kind there is none."""
_ROUNDS = 6
"""Of GrabCut."""
_AGREEMENT = 0.58
"""Least overlap (IoU) of the line drawn with the matcher's mask."""
_REST = 0.05
"""Most of it that may lie apart from the craft."""
_FRAME = 0.01
"""Most of the photograph's border that the craft may touch."""


class Segmenter:
    """Of one detector and one matcher of ours."""

    def __init__(self, detector: str, matcher: str) -> None:
        """Load both.

        Args:
            detector, matcher: exported ones, names or folders.

        Raises:
            ModelError: no such model, or a matcher without a mask.
        """
        self._detect = Detection(
            DetectionSettings(models=[detector], confidence=0.1, flip=False),
            ExecutionSettings(threads=1),
        )
        folder, self._about = read(matcher, MatcherDescription)
        self._session, self._mask = tapped.session(folder / self._about.image, _mask)

    def find(self, rgb: ImageArray, sure: bool = False) -> FloatArray | None:
        """The box (4,) of the one craft of a photograph, corners; None if there is none.

        Args:
            sure: only what the detector doesn't doubt.
        """
        found = self._detect(rgb)
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        fits = found.scores * sides.prod(axis=1) ** 0.25 * (sides[:, 0] > _WIDE * rgb.shape[1])
        if sure:
            fits = fits * (found.scores >= _SURE)
        return found.xyxy[int(fits.argmax())] if fits.max(initial=0.0) > 0 else None

    def cut(self, rgb: ImageArray) -> Cutout | str:
        """Cut the one craft of a photograph; a word on why not, if it can't be done well."""
        if min(rgb.shape[:2]) < 64:
            return "small"
        box = self.find(rgb)
        if box is None:
            return "no craft"
        likely = cv2.GaussianBlur(self._likely(rgb, box), (0, 0), 1.5)
        solid = _line(rgb, box, likely)
        if isinstance(solid, str):
            return solid
        rough = likely > 0.5
        if (solid & rough).sum() < _AGREEMENT * (solid | rough).sum():
            return "no clear outline"
        soft = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 0.8)
        cover = np.clip((soft - 0.35) / 0.5, 0, 1)  # half a pixel inwards: no rim of what's behind
        return Cutout(rgb, cover.astype(np.float32), photo_cutouts.coloured(rgb))

    def _likely(self, rgb: ImageArray, box: FloatArray) -> FloatArray:
        """(h, w): the probability that a pixel is the craft's, 0 outside of the crop."""
        about = self._about
        crop = crop_boxes(rgb, box[None], about.size, about.crop)
        given = np.ascontiguousarray(crop.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        mask = self._session.run([self._mask], {self._session.get_inputs()[0].name: given})[0][0, 0]
        x0, y0, x1, y1 = (float(v) for v in widened(box[None], about.crop)[0])
        sx, sy = (x1 - x0) / mask.shape[1], (y1 - y0) / mask.shape[0]
        matrix = np.array([[sx, 0, x0 + sx / 2 - 0.5], [0, sy, y0 + sy / 2 - 0.5]])
        return np.asarray(cv2.warpAffine(mask, matrix, rgb.shape[1::-1]), np.float32)


def _mask(graph: Any) -> str:
    """The craft's mask in an exported image encoder of ours: its only sigmoid.

    Raises:
        ModelError: it makes none.
    """
    for node in graph.node:
        if node.op_type == "Sigmoid":
            return str(node.output[0])
    raise ModelError("this matcher makes no mask of the craft")


def _line(rgb: ImageArray, box: FloatArray, likely: FloatArray) -> np.ndarray | str:
    """(h, w) bool: GrabCut's largest piece, or a word on what is wrong with it."""
    x0, y0, x1, y1 = (float(v) for v in box)
    dx, dy = _AROUND[0] * (x1 - x0) + 2, _AROUND[1] * (y1 - y0) + 2
    near = np.zeros(likely.shape, bool)
    near[int(max(0, y0 - dy)) : int(y1 + dy), int(max(0, x0 - dx)) : int(x1 + dx)] = True
    core = near & (likely > max(_LIKELY, float(np.quantile(likely[near], _CORE))))
    marks = np.where(near, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    marks[near & (likely > 0.5)] = cv2.GC_PR_FGD
    marks[core] = cv2.GC_FGD
    if core.sum() < _FEWEST:
        return "no craft"
    if not np.isin(marks, (cv2.GC_BGD, cv2.GC_PR_BGD)).any():  # GrabCut needs some of both
        return "too small or too large"
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(0)
    cv2.grabCut(bgr, marks, None, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    solid = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(float)
    whole = labels == 1 + int(areas.argmax())
    if areas.sum() - areas.max() > _REST * areas.max():
        return "several things"
    if not photo_cutouts.AREA[0] <= whole.mean() <= photo_cutouts.AREA[1]:
        return "too small or too large"
    if np.concatenate([whole[0], whole[-1], whole[:, 0], whole[:, -1]]).mean() > _FRAME:
        return "cut by the frame"
    return np.asarray(whole)


@lru_cache(maxsize=2)
def segmenter(detector: str, matcher: str) -> Segmenter:
    """One for each pair of models in a process.

    Raises:
        ModelError: as `Segmenter`.
    """
    return Segmenter(detector, matcher)
