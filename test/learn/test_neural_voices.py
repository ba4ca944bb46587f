# SPDX-License-Identifier: Apache-2.0
"""Kokoro's and Piper's voices: phonemes, mixtures, files that are fetched by name."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import numpy as np
import pytest

from turret_ai.errors import InputError, MissingExtraError
from turret_ai.learn import talk
from turret_ai.learn.speech import corpus, kokoro, piper, text, voice_files, voices
from turret_ai.learn.speech.ipa import phonemes

pytest.importorskip("espeakng_loader", reason="needs the extra train")

ENGLISH = [f"{sex}_{name}" for sex in ("af", "am", "bf", "bm") for name in ("one", "two")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TURRET_AI_VOICES", str(tmp_path))
    (tmp_path / "kokoro").mkdir()
    for name in ENGLISH:
        np.zeros((510, 256), "<f4").tofile(tmp_path / "kokoro" / f"{name}.bin")
    return tmp_path


@pytest.mark.parametrize(
    ("said", "american", "british"),
    [
        ("heading three", "hˈɛdɪŋ θɹˈi", "hˈɛdɪŋ θɹˈiː"),
        ("zero", "zˈiəɹO", "zˈɪəɹQ"),
        ("fighter jet", "fˈIɾəɹ ʤˈɛt", "fˈItə ʤˈɛt"),
    ],
)
def test_texts_become_the_letters_that_kokoro_reads(said: str, american: str, british: str) -> None:
    assert kokoro.misaki(said) == american
    assert kokoro.misaki(said, british=True) == british


def test_punctuation_is_kept_for_its_pauses() -> None:
    assert phonemes("Control, stop. Now!").count(",") == 1
    assert phonemes("Control, stop. Now!").endswith("!")


@pytest.mark.parametrize(
    ("voice", "shares"),
    [
        ("af_heart", [1.0]),
        ("af_heart*0.6+bm_lewis*0.4", [0.6, 0.4]),
        ("af_heart*3+am_puck*1", [0.75, 0.25]),
    ],
)
def test_a_mixture_adds_up_to_one(voice: str, shares: list[float]) -> None:
    assert [share for _, share in kokoro.parts(voice)] == pytest.approx(shares)


@pytest.mark.parametrize("voice", ["", "heart", "af_heart*x", "af_heart*0", "af_heart-bm_lewis"])
def test_what_is_no_voice_is_refused(voice: str) -> None:
    with pytest.raises(InputError):
        kokoro.parts(voice)


def test_without_the_extra_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_files, "_package", lambda name: None)
    voice_files.kokoro_letters.cache_clear()
    with pytest.raises(MissingExtraError, match="voices"):
        kokoro.speak("heading", "af_one", 1.0)
    with pytest.raises(InputError, match="nosuch"):
        piper.speak("heading", "nosuch", 1.0)


def test_only_the_voices_that_are_wanted_speak(folder: Path) -> None:
    speaking = corpus.Speaking(
        engines={"kokoro": 1.0}, only=("kokoro:a*",), exclude=("kokoro:*_two",), mixtures=0.0
    )
    rng = np.random.default_rng(0)
    found = {corpus.pick_voice(rng, speaking) for _ in range(40)}
    assert found == {voices.Voice("kokoro", "af_one"), voices.Voice("kokoro", "am_one")}


def test_mixtures_are_of_the_voices_that_may_speak(folder: Path) -> None:
    speaking = corpus.Speaking(engines={"kokoro": 1.0}, exclude=("kokoro:*_two",), mixtures=1.0)
    rng = np.random.default_rng(0)
    for _ in range(40):
        names = [name for name, _ in kokoro.parts(corpus.pick_voice(rng, speaking).name)]
        assert names
        assert all(name.endswith("_one") for name in names)


def test_fetching_takes_the_english_voices_of_the_expected_file_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "styles.tgz"
    with tarfile.open(archive, "w:gz") as out:
        for name in ("af_new", "zf_xiaobei"):
            (tmp_path / f"{name}.bin").write_bytes(b"style")
            out.add(tmp_path / f"{name}.bin", f"package/voices/../{name}.bin")
    with pytest.raises(InputError, match="SHA-256"):
        voice_files.fetch_styles(archive)
    import hashlib

    known = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(voice_files, "STYLES_SHA256", known)
    assert voice_files.fetch_styles(archive) == ["af_new"]
    assert voice_files.kokoro_style("af_new") == b"style"
    assert "af_new" in voice_files.kokoro_voices()


def test_talk_is_written_as_one_writes_and_commands_nothing() -> None:
    rng = random.Random(1)
    drawn = [talk.draw(rng) for _ in range(300)]
    assert len(set(drawn)) > 200
    assert all(said[0].isupper() and said[-1] in ".?!" for said in drawn)
    assert not any(mark in said for said in drawn for mark in "[]<>|")


def test_a_share_of_a_corpus_is_talk() -> None:
    rng = np.random.default_rng(3)
    kinds = [text.draw(rng, text.TextSettings(talk=0.5)).kind for _ in range(200)]
    assert 70 < kinds.count("talk") < 130
    assert set(kinds) == {"talk", "command"}
