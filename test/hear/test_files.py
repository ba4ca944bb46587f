# SPDX-License-Identifier: Apache-2.0
"""Audio files of every kind become 16 kHz mono, or an error that says why not."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from turret_ai.errors import InputError
from turret_ai.hear import files
from turret_ai.hear.level import dbfs, to_level

TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype(np.float32)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_file_of_any_rate_lasts_as_long_at_16_khz(tmp_path: Path, suffix: str, rate: int) -> None:
    t = np.arange(rate) / rate
    soundfile.write(tmp_path / f"a.{suffix}", 0.3 * np.sin(2 * np.pi * 440 * t), rate)
    samples = files.read(tmp_path / f"a.{suffix}")
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16000, abs=600)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pytest.approx(440, abs=15)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_sample_width_gives_the_same_sound(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 16000, subtype=subtype)
    np.testing.assert_allclose(files.read(tmp_path / "a.wav"), TONE, atol=0.01)


def test_seven_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.column_stack([TONE] * 7), 16000)
    np.testing.assert_allclose(files.read(tmp_path / "a.wav"), TONE, atol=0.01)


def test_pcm_keeps_the_rate_of_the_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 48000)
    sound = files.load(tmp_path / "a.wav")
    pcm = sound.as_pcm()
    assert (pcm.dtype, len(pcm), sound.sample_rate) == (np.int16, 16000, 48000)


def kinds() -> list[tuple[str, str]]:
    """Every container and coding that libsndfile reads and writes with a header."""
    formats = set(soundfile.available_formats()) - {"RAW", "SD2"}  # SD2 lies in a resource fork
    return [(each, sub) for each in sorted(formats) for sub in soundfile.available_subtypes(each)]


@pytest.mark.parametrize(("container", "coding"), kinds())
def test_whatever_libsndfile_reads_is_heard(container: str, coding: str) -> None:
    file = io.BytesIO()
    for rate in (16000, 8000, 48000):  # some codings have one rate of their own
        try:
            soundfile.write(file, TONE, rate, format=container, subtype=coding)
            break
        except soundfile.LibsndfileError:
            file = io.BytesIO()
    else:
        pytest.skip("libsndfile reads it and does not write it")
    sound = files.decode(file.getvalue())
    assert len(sound.samples) == pytest.approx(len(TONE), abs=3000)
    middle = sound.samples[4000:12000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 2 == pytest.approx(440, abs=4)
    assert np.abs(middle).max() == pytest.approx(0.3, rel=0.2)


def streamed_wav(size: int, subtype: str = "PCM_16", endian: str = "LITTLE") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, TONE, 16000, format="WAV", subtype=subtype, endian=endian)
    data = bytearray(file.getvalue())
    place = data.index(b"data") + 4
    data[4:8] = data[place : place + 4] = struct.pack("<I" if endian == "LITTLE" else ">I", size)
    return bytes(data)


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW", "ALAW"])
@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
def test_a_wav_written_as_a_stream_is_read_to_its_end(
    tmp_path: Path, size: int, subtype: str, endian: str
) -> None:
    (tmp_path / "a.wav").write_bytes(streamed_wav(size, subtype, endian))
    np.testing.assert_allclose(files.read(tmp_path / "a.wav"), TONE, atol=0.02)


def test_an_empty_wav_with_a_list_behind_it_stays_empty() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(0), 16000, format="WAV")
    behind = b"LIST" + struct.pack("<I", 4) + b"INFO"
    with pytest.raises(InputError, match="no samples"):
        files.decode(file.getvalue() + behind)


def test_flac_of_unknown_length_is_heard() -> None:
    file = io.BytesIO()
    soundfile.write(file, TONE, 16000, format="FLAC")
    data = bytearray(file.getvalue())
    data[21] &= 0xF0  # STREAMINFO's number of samples: 36 bits, 0 for a stream
    data[22:26] = bytes(4)
    np.testing.assert_allclose(files.decode(bytes(data)).samples, TONE, atol=0.001)


def test_of_channels_that_cancel_each_other_the_loudest_is_taken_and_it_is_said() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.column_stack([TONE, -0.9 * TONE]), 16000, format="WAV")
    sound = files.decode(file.getvalue())
    assert "cancel" in sound.remark
    np.testing.assert_allclose(sound.samples, TONE, atol=0.001)


@pytest.mark.parametrize("other", [0.0, 0.3, 1.0])
def test_channels_that_do_not_cancel_are_averaged_without_a_word(other: float) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.column_stack([TONE, other * TONE]), 16000, format="WAV")
    sound = files.decode(file.getvalue())
    assert sound.remark == ""
    np.testing.assert_allclose(sound.samples, TONE * (1 + other) / 2, atol=0.001)


@pytest.mark.parametrize("suffix", [".raw", ".pcm"])
def test_samples_without_a_header_are_refused_with_what_to_do(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes((TONE * 32767).astype("<i2").tobytes())
    with pytest.raises(InputError, match=r"no header.*sox"):
        files.read(path)


def test_no_internals_in_the_message() -> None:
    with pytest.raises(InputError) as caught:
        files.decode(b"RIFF....WAVEjunk" * 8)
    assert "BytesIO" not in str(caught.value)


def test_a_sound_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(16000 * 30), 16000, format="FLAC")
    with pytest.raises(InputError, match="longer than 10 s"):
        files.decode(file.getvalue(), longest=10.0)


def write_nan(path: Path) -> None:
    soundfile.write(path, np.full(100, np.nan, np.float32), 16000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "no audio file"),
        (lambda path: path.write_bytes(b""), "can't be|can be read|not an audio"),
        (lambda path: path.write_bytes(b"RIFF\x00\x00"), "not an audio"),
        (lambda path: path.write_text("hello " * 100), "not an audio"),
        (lambda path: soundfile.write(path, np.zeros(0), 16000), "no samples"),
        (write_nan, "not numbers"),
    ],
)
def test_what_is_no_audio_is_named(tmp_path: Path, make, why: str) -> None:
    path = tmp_path / "a.wav"
    make(path)
    with pytest.raises(InputError, match=why):
        files.read(path)


def test_levels_are_reached_and_silence_stays_silent() -> None:
    assert dbfs(to_level(TONE, -26.0)) == pytest.approx(-26.0, abs=0.01)
    assert not to_level(np.zeros(100, np.float32), -26.0).any()
    assert to_level(np.zeros(0, np.float32), -26.0).size == 0
    assert dbfs(np.zeros(10, np.float32)) == float("-inf")
