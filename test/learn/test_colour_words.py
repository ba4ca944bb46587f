# SPDX-License-Identifier: Apache-2.0
"""The colours that a person would name of a craft's pixels."""

import numpy as np
import pytest

from turret_ai.learn import colour_words

PAINT = {
    "white": (236, 238, 240), "grey": (128, 132, 136), "black": (22, 22, 24),
    "red": (200, 24, 30), "blue": (30, 60, 170), "navy": (22, 30, 70), "yellow": (245, 208, 20),
    "gold": (212, 160, 30), "orange": (240, 120, 20), "green": (40, 120, 50),
    "olive": (84, 88, 58), "brown": (112, 76, 44), "tan": (176, 146, 104),
    "purple": (110, 40, 150), "bare metal": (184, 188, 192), "sky": (120, 180, 230),
}  # fmt: skip


def craft(*parts: tuple[str, float], patches: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A strip of 120x40 pixels, its paints side by side by their shares, `patches` times over."""
    picture = np.zeros((40, 120, 3), np.uint8)
    width = 120 // patches
    for k in range(patches):
        left = 0.0
        for name, share in parts:
            a, b = round(left * width), round((left + share) * width)
            picture[:, k * width + a : k * width + b] = PAINT[name]
            left += share
    return picture, np.ones((40, 120), bool)


@pytest.mark.parametrize(
    ("paint", "word"),
    [
        ("white", "white"), ("black", "black"), ("red", "red"), ("blue", "blue"),
        ("navy", "blue"), ("yellow", "yellow"), ("orange", "orange"), ("green", "green"),
        ("olive", "green"), ("brown", "brown"), ("tan", "brown"), ("purple", "purple"),
        ("sky", "blue"), ("grey", "grey"),
    ],
)  # fmt: skip
def test_one_paint_is_called_by_its_name(paint, word):
    named = colour_words.name(*craft((paint, 1.0)), type_name="fighter jet")
    assert named == colour_words.Named((word,), False, True)


@pytest.mark.parametrize(
    ("parts", "type_name", "words"),
    [
        # Bright accents count from a fifteenth on, dark parts only from a quarter.
        ([("white", 0.88), ("red", 0.12)], "commercial aircraft", ("white", "red")),
        ([("white", 0.97), ("red", 0.03)], "commercial aircraft", ("white",)),
        ([("white", 0.85), ("black", 0.15)], "helicopter", ("white",)),
        ([("white", 0.4), ("black", 0.6)], "fighter jet", ("black", "white")),
        ([("red", 0.85), ("black", 0.15)], "missile", ("red",)),
        # Most first, three at most.
        ([("blue", 0.3), ("white", 0.6), ("red", 0.1)], "commercial aircraft",
         ("white", "blue", "red")),
        ([("red", 0.3), ("blue", 0.28), ("yellow", 0.24), ("green", 0.18)], "light aircraft",
         ("red", "blue", "yellow")),
        # Grey on a white airliner is its shade; on a jet it is paint.
        ([("white", 0.5), ("grey", 0.3), ("blue", 0.2)], "commercial aircraft",
         ("white", "blue")),
        ([("grey", 0.8), ("blue", 0.2)], "fighter jet", ("grey", "blue")),
        # Orange and gold in shade are not brown.
        ([("orange", 0.6), ("brown", 0.4)], "light aircraft", ("orange",)),
        # Light bare metal is silver on airliners and on war planes with propellers.
        ([("bare metal", 1.0)], "fighter plane", ("silver",)),
        ([("bare metal", 1.0)], "fighter jet", ("grey",)),
    ],
)  # fmt: skip
def test_what_is_named_and_in_which_order(parts, type_name, words):
    named = colour_words.name(*craft(*parts), type_name=type_name)
    assert set(named.colours) == set(words)
    assert named.colours[0] == words[0]


def test_patches_of_an_army_s_colours_are_camouflage_and_halves_are_not():
    patches = craft(("olive", 0.5), ("brown", 0.5), patches=6)
    halves = craft(("olive", 0.5), ("brown", 0.5))
    assert colour_words.name(*patches, type_name="fighter jet").camouflage
    assert not colour_words.name(*halves, type_name="fighter jet").camouflage


def test_a_share_near_its_limit_is_unsure_and_people_differ_about_it():
    near = craft(("white", 0.93), ("red", 0.07))
    assert not colour_words.name(*near, type_name="commercial aircraft").sure
    rng = np.random.default_rng(1)
    said = {
        colour_words.name(*near, type_name="commercial aircraft", rng=rng).colours
        for _ in range(40)
    }
    assert said == {("white",), ("white", "red")}


def test_only_the_pixels_of_the_craft_count():
    picture, cover = craft(("red", 1.0))
    picture[:20] = PAINT["sky"]
    cover[:20] = False
    assert colour_words.name(picture, cover, type_name="missile").colours == ("red",)
