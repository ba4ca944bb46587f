"""Audio files of every kind become 16 kHz mono, or an error that says why not."""

from __future__ import annotations

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
    samples, rate = files.read_pcm(tmp_path / "a.wav")
    assert (samples.dtype, len(samples), rate) == (np.int16, 16000, 48000)


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
