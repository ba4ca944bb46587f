# SPDX-License-Identifier: Apache-2.0
"""Which colours a person would name of a craft, from its pixels.

People name what they see: the paint that covers most, bright accents even where they are small,
and dark or grey parts only where they are large, because every craft has windows, shadows and
tyres. The rule is the same for pixels of paint (rendered craft) and for those of photographs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from turret_ai.types import ImageArray

FloatArray = NDArray[np.float32]

NAMES = (
    "red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "grey", "white",
)  # fmt: skip
"""What a single pixel may be. Silver is told by the whole craft."""

ACCENT_SHARE = 0.065
"""A bright colour (red to purple) is named if it covers this share of the craft that is seen."""
DULL_SHARE = 0.16
"""Brown, grey and white are named from here on."""
BLACK_SHARE = 0.27
"""Black is named from here on: below, it is windows, tyres, rotors and shadow."""
_DOUBT = 0.3
"""Shares within this part of a limit are neither named nor left out for certain."""
_MOST = 3
_MILITARY = {"green", "brown", "grey", "blue", "black"}
_PATCHY = 2.2
"""Length of the borders between the colours of a camouflage, over the root of its area."""
_USUALLY_WHITE = ("commercial aircraft", "light aircraft", "helicopter", "drone")
"""Grey on these is the shade of white."""
_DARK_GREY = 105
"""Mean level below which grey goes with black."""


@dataclass(frozen=True, slots=True)
class Named:
    """colours: at most three, the largest first; sure: no share lies near a limit."""

    colours: tuple[str, ...]
    camouflage: bool
    sure: bool


def classify(rgb: ImageArray) -> NDArray[np.int64]:
    """The number in NAMES of each pixel of an RGB picture (h, w, 3) uint8."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    hsv = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    out = np.full(rgb.shape[:2], NAMES.index("grey"))

    def put(name: str, where: NDArray[np.bool_]) -> None:
        out[where] = NAMES.index(name)

    put("white", light > 80)
    put("red", (hue < 14) | (hue >= 322))
    put("brown", (hue < 14) & (chroma < 30) & (light > 22))
    warm = (hue >= 14) & (hue < 42)
    put("brown", warm)
    put("orange", warm & (value > 0.68) & (saturation > 0.58))
    lemon = (hue >= 42) & (hue < 68)
    put("green", lemon & (value <= 0.5))
    put("brown", lemon & (hue < 50) & (chroma < 32))
    put("yellow", lemon & (value > 0.5) & (chroma >= 32))
    put("yellow", (hue >= 36) & (hue < 42) & (value > 0.8) & (saturation > 0.6))
    put("green", (hue >= 68) & (hue < 172))
    put("blue", (hue >= 172) & (hue < 256))
    put("purple", (hue >= 256) & (hue < 322))
    put("blue", (hue >= 256) & (hue < 268) & (light < 30))
    # Little chroma is grey, the less of it the warmer the light may be, and pale blue is white.
    faint = np.where(light > 75, 13.0, np.where(light > 35, 11.0, 13.0))
    faint = np.where((hue > 190) & (hue < 260) & (light > 70), 15.0, faint)
    faint = np.where((hue > 42) & (hue < 170) & (light < 50), 7.0, faint)  # olive drab
    faint = np.where((hue > 205) & (hue < 256) & (light < 30), 9.0, faint)  # navy
    dull = chroma < faint
    put("grey", dull & (light >= 26) & (light <= 80))
    put("white", dull & (light > 80))
    put("black", (dull & (light < 26)) | (light < 8))
    put("black", (light < 16) & (chroma < 18) & ~((hue > 205) & (hue < 262)))
    return out


def name(
    rgb: ImageArray,
    cover: NDArray[np.bool_],
    *,
    type_name: str = "",
    rng: np.random.Generator | None = None,
) -> Named:
    """Name the colours of a craft.

    Args:
        rgb: (h, w, 3) uint8. cover: (h, w), the craft's pixels.
        type_name: bare metal is said of airliners, missiles and war planes with propellers rather
            than of jets, whose paint is grey.
        rng: people differ: draw whether a colour near a limit is named. Without: as the limit says.
    """
    ys, xs = np.nonzero(cover)
    if len(ys):  # classifying costs by the pixel
        part = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        rgb, cover = rgb[part], cover[part]
    inner = cv2.erode(cover.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if inner.sum() > 0.4 * cover.sum():
        cover = inner  # Edges are mixed with what is behind.
    picture = classify(rgb)
    shares = np.bincount(picture[cover], minlength=len(NAMES)) / max(1, int(cover.sum()))
    share = dict(zip(NAMES, shares.tolist(), strict=True))
    greys = rgb[cover & (picture == NAMES.index("grey"))]
    dark = float((greys.mean(axis=1) < _DARK_GREY).mean()) if len(greys) else 0.0
    _settle(share, type_name, dark)
    silver = _silver(rgb, picture, cover, share, type_name, rng)
    named, sure = _over_limits(share, rng)
    colours = [c for _, c in named[:_MOST]]
    camouflage = _camouflage(picture, cover, colours, type_name)
    if silver and "grey" in colours and not camouflage:
        colours[colours.index("grey")] = "silver"
    return Named(tuple(colours), camouflage, sure)


def _over_limits(
    share: dict[str, float], rng: np.random.Generator | None
) -> tuple[list[tuple[float, str]], bool]:
    """Shares and names of the colours to say, and whether none lies near its limit."""
    sure = True
    named: list[tuple[float, str]] = []
    for colour, part in share.items():
        limit = ACCENT_SHARE
        if colour in ("brown", "grey", "white"):
            limit = DULL_SHARE
        elif colour == "black":
            limit = BLACK_SHARE
        near = abs(part / limit - 1) < _DOUBT
        sure &= not near
        if near and rng is not None:
            limit *= 1 + _DOUBT * float(rng.uniform(-1, 1))
        if part >= limit:
            named.append((part, colour))
    if not named:
        named = [max((part, colour) for colour, part in share.items())]
    named.sort(reverse=True)
    if named[0][1] == "black" and len(named) > 1 and named[0][0] < 0.5:
        named = [*named[1:], named[0]]  # Shadows darken: what is lit comes first.
    return named, sure


def _settle(share: dict[str, float], type_name: str, dark: float) -> None:
    """Give shade and sheen to the paint that they lie on; changes `share`.

    dark: the part of the grey that is dark.
    """

    def give(source: str, target: str, part: float = 1.0) -> None:
        share[target] += part * share[source]
        share[source] *= 1.0 - part

    lively = max(("red", "blue"), key=lambda c: share[c])
    if share["purple"] < share[lively]:
        give("purple", lively)
    for lit in ("orange", "yellow", "red"):
        if share[lit] > 0.12 * share["brown"] and share["brown"] < 0.7:
            give("brown", lit)
    if share["blue"] > 0.4 and share["green"] < 0.5 * share["blue"]:
        give("green", "blue", 0.5)
    if share["green"] > 0.25 and share["grey"] < 1.5 * share["green"]:
        give("grey", "green")
    bright = sum(share[c] for c in ("red", "orange", "yellow", "green", "blue", "purple"))
    if type_name in _USUALLY_WHITE and (type_name != "drone" or share["white"] > 0.1):
        give("grey", "white", 1.0 - dark)
        give("grey", "black", 1.0 if share["black"] > share["white"] else 0.0)
        share["grey"] *= 0.4  # What is left is the shade of a wing, as is some of the black.
        share["black"] -= 0.35 * min(share["black"], share["white"])
    elif share["white"] > share["grey"]:
        give("grey", "white")
    elif share["white"] < 0.3 and share["grey"] > 0.3:
        give("white", "grey")
    if share["black"] + share["grey"] * dark > 0.45 and bright < 0.3:
        give("grey", "black", dark)
    if bright > 0.3:
        share["grey"] *= 0.6
        share["black"] *= 0.7
    if bright > 0.4:
        share["white"] *= 0.65


def _silver(
    rgb: ImageArray,
    picture: NDArray[np.int64],
    cover: NDArray[np.bool_],
    share: dict[str, float],
    type_name: str,
    rng: np.random.Generator | None,
) -> bool:
    """Whether the grey of a craft would be called silver: it is light, and few paint it so."""
    if share["grey"] < DULL_SHARE:
        return False
    grey = cover & (picture == NAMES.index("grey"))
    light = float(np.median(rgb[grey].mean(axis=1))) if grey.any() else 0.0
    if type_name in ("fighter jet", "drone", "cargo aircraft", "helicopter"):
        return light > 185 and rng is not None and rng.random() < 0.3
    return light > (168 if rng is None else 120 + 60 * float(rng.random()))


def _camouflage(
    picture: NDArray[np.int64], cover: NDArray[np.bool_], colours: list[str], type_name: str
) -> bool:
    """Whether the colours are those of an army and lie in patches."""
    military = [c for c in colours if c in _MILITARY]
    if len(military) < 2 or len(military) < len(colours) or colours == ["blue", "black"]:
        return False
    if not {"green", "brown"} & set(military) and type_name != "fighter jet":
        return False  # A blue and a grey are mostly light and shade of one paint.
    first, second = (picture == NAMES.index(c) for c in military[:2])
    inside = cover & (first | second)
    if inside.sum() < 60:
        return False
    # Borders between the two, over the length that a straight division would have.
    pairs = (inside[:, 1:] & inside[:, :-1]) & (first[:, 1:] != first[:, :-1])
    rows = (inside[1:] & inside[:-1]) & (first[1:] != first[:-1])
    borders = int(pairs.sum()) + int(rows.sum())
    return borders > _PATCHY * math.sqrt(float(inside.sum()))
