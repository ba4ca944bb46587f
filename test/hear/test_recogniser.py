# SPDX-License-Identifier: Apache-2.0
"""Utterances become text, or EMPTY with the reason; engines and models are chosen and refused."""

from __future__ import annotations

from pathlib import Path

import jiwer
import numpy as np
import pytest
import yaml

from turret_ai import share, vocabulary
from turret_ai.errors import InputError, ModelError
from turret_ai.hear import equalise, files, grammar, recogniser, splitting
from turret_ai.hear.recogniser import Recogniser
from turret_ai.hear.settings import SAMPLE_RATE, RecogniserSettings
from turret_ai.normalise import plain
from turret_ai.types import Hypothesis, TranscriptStatus

RNG = np.random.default_rng(5)
COUNT = 10 * SAMPLE_RATE


@pytest.fixture(scope="module", params=["auto", "ctc", "sphinx"])
def ears(request: pytest.FixtureRequest) -> Recogniser:
    found = recogniser.load(RecogniserSettings(engine=request.param))
    found.warm_up()
    return found


@pytest.mark.parametrize(
    ("engine", "engines", "models"),
    [
        ("auto", "whisper + ctc", "asr_whisper_tiny + asr_whisper_phones"),
        ("whisper", "whisper", "asr_whisper_tiny"),
        ("ctc", "ctc", "asr_whisper_phones"),
    ],
)
def test_the_embedded_models_are_what_hears(engine: str, engines: str, models: str) -> None:
    settings = RecogniserSettings(engine=engine, device="cpu")
    told = recogniser.load(settings).describe()
    assert (told["engine"], told["model"]) == (engines, models)
    if engine != "ctc":
        assert told["device"] == "cpu (int8)"


@pytest.mark.parametrize("engine", ["auto", "ctc"])
def test_every_shipped_scene_is_heard_word_for_word(engine: str) -> None:
    found = recogniser.load(RecogniserSettings(engine=engine))
    said, heard = [], []
    for path in sorted(share.path("scenes").glob("*.yaml")):
        for command in yaml.safe_load(path.read_text(encoding="utf-8"))["commands"]:
            said.append(plain(command["text"]))
            samples = files.read(share.path("scenes") / command["audio"])
            heard.append(plain(found.transcribe(samples).text))
    assert len(said) >= 8
    assert jiwer.wer(said, heard) < 0.03


CHATTER = (
    "The weather over the northern ridge is getting worse every hour.",
    "Please tell the kitchen that lunch will be half an hour late today.",
    "She sells fresh bread and honey at the market on Saturdays.",
    "Can we move the meeting to Thursday afternoon instead?",
)


def test_what_is_no_command_at_all_is_refused_or_doubted() -> None:
    pytest.importorskip("espeakng_loader", reason="needs the extra train")
    from turret_ai.learn.speech.voices import Voice, speak

    found = recogniser.load(RecogniserSettings(engine="ctc"))
    heard = [found.transcribe(speak(text, Voice("espeak", "en-US")).samples) for text in CHATTER]
    assert sum(h.status is TranscriptStatus.EMPTY for h in heard) >= 3
    assert all(h.confidence < 0.2 for h in heard)
    assert all("unintelligible" in h.reason for h in heard if h.status is TranscriptStatus.EMPTY)


def test_talk_that_the_whisper_hears_is_still_no_command() -> None:
    pytest.importorskip("espeakng_loader", reason="needs the extra train")
    from turret_ai.learn.speech.voices import Voice, speak

    found = recogniser.load()
    said = [speak(text, Voice("espeak", "en-US")).samples for text in CHATTER]
    heard = [found.transcribe(samples) for samples in said]
    assert all(h.confidence < 0.1 for h in heard)
    texts = [plain(h.text) for h in heard]
    assert jiwer.wer([plain(text) for text in CHATTER], texts) < 0.3
    assert found.glance(said[0]).status in (TranscriptStatus.PARTIAL, TranscriptStatus.EMPTY)


@pytest.mark.parametrize("engine", ["auto", "ctc"])
def test_further_readings_differ_and_are_less_likely(engine: str) -> None:
    found = recogniser.load(RecogniserSettings(engine=engine))
    several = 0
    for clip in sorted(share.path("scenes/audio").glob("range_*.ogg")):
        readings = found.transcribe(files.read(clip)).alternatives
        several += len(readings) > 1
        assert len({reading.text for reading in readings}) == len(readings)
        scores = [reading.score for reading in readings]
        assert scores == sorted(scores, reverse=True)
    assert several


def test_the_commands_of_a_shipped_scene_are_heard(ears: Recogniser) -> None:
    scene = yaml.safe_load(share.path("scenes/woods.yaml").read_text(encoding="utf-8"))
    said, heard = [], []
    for command in scene["commands"]:
        found = ears.transcribe(files.read(share.path("scenes") / command["audio"]))
        assert found.status is TranscriptStatus.FINAL
        assert found.alternatives[0].text == found.text
        assert 0.0 < found.confidence <= 1.0
        said.append(plain(command["text"]))
        heard.append(plain(found.text))
    assert jiwer.wer(said, heard) < 0.15


def test_a_decoder_that_loops_is_not_believed() -> None:
    found = recogniser.load(RecogniserSettings(engine="whisper"))
    assert isinstance(found, recogniser.WindowedRecogniser)
    looping = Hypothesis("Three, four, " * 30, -4.0)
    assert "again" in found.refused(recogniser.Decoded((looping,), -0.1))
    again = (
        "Deploy EMP, heading three two zero, target red drone. I repeat, heading three two zero."
    )
    assert not found.refused(recogniser.Decoded((Hypothesis(again, -4.0),), -0.1))


NOISES = {
    "silence": np.zeros(COUNT),
    "faint": RNG.standard_normal(COUNT) * 1e-5,
    "white": RNG.standard_normal(COUNT) * 0.05,
    "loud white": RNG.standard_normal(COUNT),
    "tone": 0.2 * np.sin(2 * np.pi * 700 * np.arange(COUNT) / SAMPLE_RATE),
    "clipped tone": np.clip(3 * np.sin(2 * np.pi * 300 * np.arange(COUNT) / SAMPLE_RATE), -1, 1),
    "one sample": np.array([0.5]),
    "nothing": np.zeros(0),
}


@pytest.mark.parametrize("name", NOISES)
def test_where_nobody_speaks_the_answer_is_empty_with_a_reason(ears: Recogniser, name: str) -> None:
    found = ears.transcribe(NOISES[name].astype(np.float32))
    assert found.status is TranscriptStatus.EMPTY
    assert found.text == ""
    assert found.alternatives == ()
    assert found.reason


@pytest.mark.parametrize(
    "samples",
    [
        np.array([0.1, np.nan] * 8000, np.float32),
        np.zeros((16000, 2), np.float32),
        np.ones(601 * SAMPLE_RATE, np.float32),
    ],
)
def test_samples_that_make_no_sense_are_refused(ears: Recogniser, samples: np.ndarray) -> None:
    with pytest.raises(InputError):
        ears.transcribe(samples)


def test_a_partial_utterance_is_said_to_be_partial(ears: Recogniser) -> None:
    samples = files.read(share.path("scenes/audio/woods_0.ogg"))
    found = ears.transcribe(samples[: len(samples) // 2], partial=True)
    assert found.status is TranscriptStatus.PARTIAL


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="nosuch"):
        recogniser.load(RecogniserSettings(model="nosuch"))


def test_a_broken_model_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.bin"):
        recogniser.load(RecogniserSettings(model=str(tmp_path)))
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        recogniser.load(RecogniserSettings(model=str(tmp_path)))
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="can't be loaded"):
        recogniser.load(RecogniserSettings(model=str(tmp_path)))


def test_the_grammar_follows_the_vocabulary() -> None:
    words = vocabulary.load()
    found = {word for line in grammar.sentences(words, 3000) for word in line}
    for tool in words.tools:
        assert set(plain(tool.name).split()) <= found
    assert {"niner", "three", "heading"} <= found
    assert found.isdisjoint({"tree", "fower", "fife"})


def test_long_utterances_are_cut_in_their_pauses_and_nothing_is_lost() -> None:
    clips = [files.read(share.path(f"scenes/audio/woods_{i}.ogg")) for i in range(3)]
    pause = np.zeros(SAMPLE_RATE, np.float32)
    whole = np.concatenate([part for clip in clips for part in (clip, pause)])
    pieces = splitting.split(whole, 10.0)
    assert all(len(piece) <= 10 * SAMPLE_RATE for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    for piece in pieces[:-1]:
        assert np.abs(piece[-1600:]).max() < 0.2 * np.abs(whole).max()


def test_a_band_pass_is_undone_as_far_as_there_is_sound() -> None:
    from scipy import signal

    speechlike = signal.lfilter([1.0], [1.0, -0.9], RNG.standard_normal(COUNT)).astype(np.float32)
    sos = signal.butter(2, [900, 2600], "bandpass", fs=SAMPLE_RATE, output="sos")
    narrow = signal.sosfilt(sos, speechlike).astype(np.float32)

    def bands(samples: np.ndarray) -> np.ndarray:
        hz, power = signal.welch(samples, SAMPLE_RATE, nperseg=512)
        found = [power[(hz >= low) & (hz < low + 400)].mean() for low in range(400, 4000, 400)]
        return 10 * np.log10(found)

    def colour(samples: np.ndarray) -> float:
        difference = bands(samples) - bands(speechlike)
        return float(np.std(difference))

    assert colour(equalise.equalise(narrow)) < 0.7 * colour(narrow)
    assert len(equalise.equalise(narrow)) == len(narrow)


COLOURS = ["silence", "white", "pink", "brown", "hum", "crackle", "babble"]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_minute_of_noise_holds_no_words(ears: Recogniser, colour: str) -> None:
    from turret_ai.learn.speech import radio

    minute = np.zeros(60 * SAMPLE_RATE, np.float32)
    if colour != "silence":
        minute = radio.noise(np.random.default_rng(3), colour, len(minute)) * np.float32(0.02)
    found = ears.transcribe(minute)
    assert found.status is TranscriptStatus.EMPTY
    assert found.text == ""
