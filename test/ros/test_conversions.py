# SPDX-License-Identifier: Apache-2.0
"""Images, audio, stamps and frames between messages and arrays."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from turret_ai.errors import InputError
from turret_ai.ros import audio, images, tf
from turret_ai.ros.interfaces import Image
from turret_ai.ros.time import to_msg, to_ns

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
RGB = SIZES.flatmap(lambda s: hnp.arrays(np.uint8, (*s, 3)))


def message(encoding: str, rows: np.ndarray, width: int, padding: int = 0) -> Image:
    """An image message whose rows have some bytes too many."""
    height = rows.shape[0]
    flat = np.ascontiguousarray(rows).view(np.uint8).reshape(height, -1)
    padded = np.pad(flat, ((0, 0), (0, padding)), constant_values=77)
    return Image(
        height=height,
        width=width,
        encoding=encoding,
        step=padded.shape[1],
        data=padded.reshape(-1),
    )


@given(RGB, st.integers(0, 2**62))
def test_an_rgb_image_comes_back_as_it_was(rgb: np.ndarray, stamp: int) -> None:
    made = images.to_message(rgb, stamp % (2**31 * 10**9), "camera")
    assert (made.encoding, made.step, made.header.frame_id) == ("rgb8", 3 * rgb.shape[1], "camera")
    np.testing.assert_array_equal(images.from_message(made), rgb)


@given(RGB, st.integers(0, 5))
def test_every_order_of_channels_becomes_rgb(rgb: np.ndarray, padding: int) -> None:
    width = rgb.shape[1]
    alpha = np.full((*rgb.shape[:2], 1), 9, np.uint8)
    for encoding, pixels in {
        "rgb8": rgb,
        "bgr8": rgb[:, :, ::-1],
        "8UC3": rgb[:, :, ::-1],
        "rgba8": np.concatenate([rgb, alpha], 2),
        "bgra8": np.concatenate([rgb[:, :, ::-1], alpha], 2),
    }.items():
        found = images.from_message(message(encoding, pixels, width, padding))
        np.testing.assert_array_equal(found, rgb)
        assert found.flags.c_contiguous


@given(SIZES.flatmap(lambda s: hnp.arrays(np.uint8, s)), st.integers(0, 3))
def test_grey_becomes_equal_channels(grey: np.ndarray, padding: int) -> None:
    width = grey.shape[1]
    expected = np.repeat(grey[:, :, None], 3, 2)
    np.testing.assert_array_equal(
        images.from_message(message("mono8", grey, width, padding)), expected
    )
    grey[0, 0] = 255  # 16 bit are told by the largest value
    expected = np.repeat(grey[:, :, None], 3, 2)
    wide = grey.astype(np.uint16) * 257
    np.testing.assert_array_equal(images.from_message(message("mono16", wide, width)), expected)
    big = message("mono16", wide.astype(">u2"), width)
    big.is_bigendian = 1
    np.testing.assert_array_equal(images.from_message(big), expected)
    floats = message("32FC1", (grey / 255.0).astype(np.float32), width)
    np.testing.assert_array_equal(images.from_message(floats), expected)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"encoding": "yuv422"}, "encoding 'yuv422'"),
        ({"encoding": ""}, "encoding"),
        ({"step": 5}, "step 5 is below 12"),
        ({"height": 4}, "announced"),
        ({"height": 0}, "pixels"),
        ({"width": 0}, "pixels"),
        ({"data": array("B")}, "0 bytes"),
    ],
)
def test_what_cannot_be_an_image_is_refused(change: dict[str, object], complaint: str) -> None:
    made = images.to_message(np.zeros((3, 4, 3), np.uint8), 0, "")
    for name, value in change.items():
        setattr(made, name, value)
    with pytest.raises(InputError, match=complaint):
        images.from_message(made)


def test_a_float_image_with_nan_is_refused() -> None:
    pixels = np.array([[0.5, np.nan]], np.float32)
    with pytest.raises(InputError, match="NaN"):
        images.from_message(message("32FC1", pixels, 2))


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 4), (0, 4, 3)])
def test_only_rgb_arrays_become_messages(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\(H, W, 3\)"):
        images.to_message(np.zeros(shape, np.uint8), 0, "")


@given(hnp.arrays(np.int16, st.integers(0, 50)))
def test_audio_samples_survive_the_message(pcm: np.ndarray) -> None:
    made = audio.to_message(pcm, 5, "microphone")
    floats = audio.from_message(made)
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(audio.from_message(audio.to_message(floats, 5, "m")), floats)
    np.testing.assert_array_equal(np.rint(floats * 32768).astype(int), pcm)


def test_loud_audio_is_clipped_not_wrapped() -> None:
    made = audio.from_message(audio.to_message(np.array([2.0, -2.0]), 0, ""))
    assert made[0] == pytest.approx(1.0, abs=1e-4)
    assert made[1] == -1.0


def test_broken_audio_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        audio.to_message(np.array([np.nan]), 0, "")
    with pytest.raises(InputError, match="mono"):
        audio.to_message(np.zeros((2, 2)), 0, "")
    made = audio.to_message(np.zeros(2), 0, "")
    made.audio.data = array("B", bytes(3))
    with pytest.raises(InputError, match="3 bytes"):
        audio.from_message(made)


@given(st.integers(0, (2**31 - 1) * 10**9 + 999_999_999))
def test_a_stamp_keeps_every_nanosecond(nanoseconds: int) -> None:
    assert to_ns(to_msg(nanoseconds)) == nanoseconds


ANGLE = st.floats(-3.0, 3.0)


@given(ANGLE, ANGLE, ANGLE)
def test_a_rotation_turns_first_about_x_then_y_then_z(
    roll: float, pitch: float, yaw: float
) -> None:
    q = tf.quaternion(roll, pitch, yaw)
    assert math.hypot(q.x, q.y, q.z, q.w) == pytest.approx(1.0)
    # the x axis after the rotation: yaw counter-clockwise, pitch nose down (REP-103)
    x = (
        1 - 2 * (q.y * q.y + q.z * q.z),
        2 * (q.x * q.y + q.w * q.z),
        2 * (q.x * q.z - q.w * q.y),
    )
    expected = (
        math.cos(yaw) * math.cos(pitch),
        math.sin(yaw) * math.cos(pitch),
        -math.sin(pitch),
    )
    assert x == pytest.approx(expected, abs=1e-9)
