# SPDX-License-Identifier: Apache-2.0
"""Synthetic speech: deterministic, resumable, and sent over a radio as the settings say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from turret_ai.errors import ConfigError, InputError
from turret_ai.hear.level import dbfs
from turret_ai.learn.speech import corpus, listening, radio, text, voices

SETTINGS = corpus.CorpusSettings(speaking=corpus.Speaking(engines={"espeak": 1.0}))
RATE = voices.SAMPLE_RATE


def tone(hz: float, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in (".wav", ".jsonl")}


def test_the_same_seed_gives_the_same_clips_in_one_go_or_in_two(tmp_path: Path) -> None:
    corpus.make(tmp_path / "a", 5, 0, SETTINGS, workers=1, progress=False)
    corpus.make(tmp_path / "b", 2, 0, SETTINGS, workers=1, progress=False)
    corpus.make(tmp_path / "b", 5, 0, SETTINGS, workers=1, progress=False)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_an_offset_gives_the_clips_of_that_number(tmp_path: Path) -> None:
    corpus.make(tmp_path / "a", 3, 0, SETTINGS, workers=1, progress=False)
    corpus.make(tmp_path / "b", 1, 2, SETTINGS, workers=1, progress=False)
    assert (tmp_path / "b" / "audio_2.wav").read_bytes() == (
        tmp_path / "a" / "audio_2.wav"
    ).read_bytes()


def test_an_interrupted_run_goes_on_where_a_line_was_cut(tmp_path: Path) -> None:
    corpus.make(tmp_path / "a", 3, 0, SETTINGS, workers=1, progress=False)
    whole = files_of(tmp_path / "a")
    lines = (tmp_path / "a" / "manifest.jsonl").read_text().splitlines()
    (tmp_path / "a" / "manifest.jsonl").unlink()
    (tmp_path / "a" / "manifest.partial.jsonl").write_text(lines[0] + "\n" + lines[1][:20])
    corpus.make(tmp_path / "a", 3, 0, SETTINGS, workers=1, progress=False)
    assert files_of(tmp_path / "a") == whole


def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    corpus.make(tmp_path, 1, 0, SETTINGS, workers=1, progress=False)
    with pytest.raises(ConfigError, match="other settings"):
        corpus.make(tmp_path, 1, 0, SETTINGS.model_copy(update={"seed": 2}), 1, False)


def test_the_manifest_is_the_competitions_with_fields_and_conditions(tmp_path: Path) -> None:
    manifest = corpus.make(tmp_path, 3, 7, SETTINGS, workers=1, progress=False)
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert [line["key"] for line in lines] == [7, 8, 9]
    for line in lines:
        samples, rate = soundfile.read(tmp_path / line["audio"])
        assert (rate, samples.ndim) == (16000, 1)
        assert len(samples) / rate == pytest.approx(line["seconds"], abs=0.001)
        assert len(line["heading"]) == 3
        assert line["level_dbfs"] == pytest.approx(dbfs(samples), abs=1.0)
        assert -41 <= line["level_dbfs"] <= -28
    page = listening.write(manifest).read_text()
    assert page.count("<audio") == 3


def test_a_full_disk_or_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken"):
        corpus.make(tmp_path / "taken" / "x", 1, 0, SETTINGS, 1, False)


def test_scraps_are_short_and_of_the_grammars_words() -> None:
    rng = np.random.default_rng(1)
    drawn = [text.draw(rng, text.TextSettings(scraps=1.0)) for _ in range(50)]
    assert all(1 <= len(t.text.split()) <= 7 and not t.fields for t in drawn)


def test_a_narrow_radio_keeps_the_middle_and_loses_the_rest() -> None:
    settings = radio.RadioSettings(
        narrow=1.0, snr_db=(60, 60), clip=0, dropouts=0, codec=0, echo=0, shelf=0, stretch=0
    )
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(4 * RATE).astype(np.float32) * 0.1
    out, met = radio.transmit(noise, np.random.default_rng(3), settings)
    hz, power = signal.welch(out, RATE, nperseg=1024)
    assert met.band == "narrow"
    inside = power[(hz > 1000) & (hz < 2600)].sum() / power.sum()
    assert inside > 0.8
    assert dbfs(out) == pytest.approx(met.level_dbfs, abs=0.1)


def test_the_noise_is_as_far_below_the_speech_as_told() -> None:
    quiet = {"clip": 0, "dropouts": 0, "codec": 0, "echo": 0, "shelf": 0, "stretch": 0}
    clean = radio.RadioSettings(snr_db=(80, 80), narrow=0, wide=0, lead_s=(0, 0), **quiet)
    noisy = clean.model_copy(update={"snr_db": (10.0, 10.0)})
    speech = tone(1000, 3.0)
    a, _ = radio.transmit(speech, np.random.default_rng(1), clean)
    b, _ = radio.transmit(speech, np.random.default_rng(1), noisy)
    scale = float(np.dot(a, b) / np.dot(a, a))
    noise = b - scale * a
    snr = 10 * np.log10(np.mean((scale * a) ** 2) / np.mean(noise**2))
    assert snr == pytest.approx(10.0, abs=0.7)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_stretching_changes_the_length_and_not_the_pitch(factor: float) -> None:
    out = radio.stretch(tone(440), factor)
    assert len(out) == pytest.approx(2 * RATE / factor, rel=0.03)
    middle = out[RATE // 4 : -RATE // 4]
    peak = np.argmax(np.abs(np.fft.rfft(middle))) * RATE / len(middle)
    assert peak == pytest.approx(440, abs=6)


@pytest.mark.parametrize("kind", ["low", "high"])
def test_a_shelf_lifts_its_side_by_its_gain(kind: str) -> None:
    sos = radio.shelf_sos(kind, 1000.0, 6.0)
    _, response = signal.sosfreqz(sos, [20.0, 7900.0], fs=RATE)
    gains = 20 * np.log10(np.abs(response))
    expected = (6.0, 0.0) if kind == "low" else (0.0, 6.0)
    assert gains == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("codec", ["ulaw", "gsm", "adpcm"])
def test_codecs_keep_length_and_most_of_the_sound(codec: str) -> None:
    speech = tone(800)
    out = radio.through_codec(speech, codec)
    assert len(out) == len(speech)
    assert np.corrcoef(out[2000:-2000], speech[2000:-2000])[0, 1] > 0.8 or codec == "gsm"


@pytest.mark.parametrize("colour", ["white", "pink", "brown", "hum", "crackle", "babble"])
def test_noises_have_unit_power_and_end_nowhere(colour: str) -> None:
    made = radio.noise(np.random.default_rng(0), colour, 2 * RATE)
    assert np.isfinite(made).all()
    assert np.sqrt(np.mean(made**2)) == pytest.approx(1.0, abs=1e-3)


def test_phones_are_told_with_their_times() -> None:
    said = voices.speak("three two zero", voices.Voice("espeak", "en-US"))
    times = [at for at, _ in said.phones]
    assert times == sorted(times)
    assert len({name for _, name in said.phones}) > 6
    assert times[-1] <= len(said.samples) / RATE + 0.1


def test_acronyms_are_spelled() -> None:
    voice = voices.Voice("espeak", "en-US")
    spelled = voices.speak("EMP", voice).samples
    assert len(spelled) == len(voices.speak("E M P", voice).samples)
