# SPDX-License-Identifier: Apache-2.0
"""A stream is cut into utterances where a person would cut it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from turret_ai import share
from turret_ai.errors import InputError
from turret_ai.hear import files, recogniser
from turret_ai.hear.listener import (
    Listener,
    SpeechDropped,
    SpeechEnded,
    SpeechPartial,
    SpeechPaused,
    SpeechStarted,
)
from turret_ai.hear.phone_evidence import PhoneTimes
from turret_ai.hear.settings import SAMPLE_RATE, ListenerSettings, RecogniserSettings
from turret_ai.types import Progress

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
CLIPS = [
    f"scenes/audio/{name}_{i}.ogg" for name in ("airfield", "city", "desert") for i in range(4)
]


@pytest.fixture(scope="module")
def phone_times() -> PhoneTimes:
    """The shipped phone model's."""
    return recogniser.load(RecogniserSettings(engine="ctc")).phone_times


@pytest.fixture(params=["alone", "with phones"])
def phones(request: pytest.FixtureRequest) -> PhoneTimes | None:
    """The detector alone, and with the shipped phone model beside it."""
    if request.param == "alone":
        return None
    found: PhoneTimes = request.getfixturevalue("phone_times")
    return found


def clip(index: int) -> np.ndarray:
    return files.read(share.path(CLIPS[index]))


def padded(parts: list[np.ndarray], pause_s: float = 0.8) -> tuple[np.ndarray, list[float]]:
    """The clips with pauses of faint noise between them, and when each begins."""
    rng = np.random.default_rng(0)
    pause = (rng.standard_normal(int(pause_s * SAMPLE_RATE)) * 1e-4).astype(np.float32)
    stream, starts = [pause], []
    for part in parts:
        starts.append(sum(map(len, stream)) / SAMPLE_RATE)
        stream += [part, pause]
    return np.concatenate(stream), starts


def listen(listener: Listener, samples: np.ndarray, rate: int, chunk_s: float = 0.05) -> list:
    events = []
    step = int(chunk_s * rate)
    for start in range(0, len(samples), step):
        stamp = T0 + round(start / rate * SECOND)
        events += listener.feed(samples[start : start + step], rate, 1, stamp)
    return events + listener.flush()


def ended(events: list) -> list[SpeechEnded]:
    return [event for event in events if isinstance(event, SpeechEnded)]


SENTENCES = (
    "Heading is three two zero, target is red drone, tool to deploy is EMP.",
    "Turret Bravo, engage the grey missile, heading zero nine five, with machine gun.",
    "Target is white cargo aircraft, heading is one one five, tool to deploy is interceptor jets.",
    "Deploy drone catcher towards two four zero and bring down the yellow helicopter. Over.",
    "Control to all turrets, black fighter jet at heading three zero zero, use machine gun.",
)


def ten_sentences() -> list[np.ndarray]:
    """In ten voices; 20 ms of silence come before the first sound."""
    pytest.importorskip("espeakng_loader", reason="needs the extra train")
    from turret_ai.learn.speech.voices import Voice, speak

    accents = ("en-US", "en-GB-x-rp", "en")
    return [
        speak(SENTENCES[i % 5], Voice("espeak", f"{accents[i % 3]}+m{i % 7 + 1}")).samples
        for i in range(10)
    ]


def late(found: list[SpeechEnded], onsets: list[float]) -> np.ndarray:
    """How much later than the first sound each utterance begins, pre-roll left out, in seconds."""
    pre_roll = ListenerSettings().pre_roll
    stamps = [(utterance.stamp_ns - T0) / SECOND + pre_roll for utterance in found]
    return np.array(stamps) - np.array(onsets)


def test_ten_sentences_become_ten_utterances_with_stamps_within_100_ms(
    phones: PhoneTimes | None,
) -> None:
    stream, starts = padded(ten_sentences())
    found = ended(listen(Listener(phones=phones), stream, SAMPLE_RATE))
    assert len(found) == 10
    assert np.abs(late(found, [start + 0.02 for start in starts])).max() < 0.1
    for utterance in found:
        length = (utterance.end_ns - utterance.stamp_ns) / SECOND
        assert length == pytest.approx(len(utterance.samples) / SAMPLE_RATE, abs=1e-6)


def test_over_ten_radios_the_phone_model_tells_when_speech_begins(phone_times: PhoneTimes) -> None:
    """Bands that real clips showed, most of them narrow; the detector alone is deaf to some."""
    from turret_ai.learn.speech.radio import RadioSettings, transmit

    radio = RadioSettings(snr_db=(15.0, 30.0), lead_s=(1.0, 1.5), squelch=0.0)
    for i, samples in enumerate(ten_sentences()):
        received, met = transmit(samples, np.random.default_rng(i), radio)
        found = ended(listen(Listener(phones=phone_times), received, SAMPLE_RATE))
        assert abs(late(found[:1], [met.lead_s + 0.02 / met.tempo])[0]) < 0.1
        heard = sum(len(utterance.samples) for utterance in found) / SAMPLE_RATE
        assert heard > 0.95 * len(samples) / SAMPLE_RATE / met.tempo


def test_what_the_detector_is_deaf_to_is_heard_by_its_phones_and_to_its_end() -> None:
    """Noise that is no speech to the detector, of which "phones" say where somebody speaks."""
    rng = np.random.default_rng(2)
    stream = (rng.standard_normal(12 * SAMPLE_RATE) * 0.01).astype(np.float32)
    start, end = 4.0, 7.0
    stream[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] *= 1.5
    louder = 0.0125

    def told(samples: np.ndarray) -> np.ndarray:
        cells = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
        return np.flatnonzero(np.sqrt(np.mean(cells**2, axis=1)) > louder) * 0.1

    assert ended(listen(Listener(), stream, SAMPLE_RATE)) == []
    events = listen(Listener(phones=told), stream, SAMPLE_RATE)
    (utterance,) = ended(events)
    settings = ListenerSettings()
    assert abs(late([utterance], [start])[0]) <= 0.1
    assert (utterance.end_ns - T0) / SECOND == pytest.approx(end + settings.post_roll, abs=0.2)
    assert utterance.speech_seconds == pytest.approx(end - start, abs=0.3)
    stamps = {event.stamp_ns for event in events if not isinstance(event, SpeechStarted)}
    assert stamps == {utterance.stamp_ns}
    off = ListenerSettings(phones=False)
    assert ended(listen(Listener(off, phones=told), stream, SAMPLE_RATE)) == []


def test_the_pause_tells_what_the_utterance_will_be(phones: PhoneTimes | None) -> None:
    stream, _ = padded([clip(0), clip(1)])
    paused: SpeechPaused | None = None
    for event in listen(Listener(phones=phones), stream, SAMPLE_RATE):
        if isinstance(event, SpeechPaused):
            paused = event
        elif isinstance(event, SpeechEnded):
            assert paused is not None
            assert paused.stamp_ns == event.stamp_ns
            np.testing.assert_array_equal(paused.samples, event.samples)


@pytest.mark.parametrize("enough", [True, False])
@pytest.mark.parametrize("chunk_s", [0.02, 1.0])
def test_what_is_complete_ends_earlier(enough: bool, chunk_s: float) -> None:
    stream, _ = padded([clip(0)])
    asked: list[SpeechPaused] = []

    def progress(paused: SpeechPaused) -> Progress:
        asked.append(paused)
        return Progress.COMPLETE if enough else Progress.NONE

    (utterance,) = ended(listen(Listener(progress=progress), stream, SAMPLE_RATE, chunk_s))
    assert utterance.cause == ("complete" if enough else "silence")
    np.testing.assert_array_equal(asked[-1].samples, utterance.samples)


@pytest.mark.parametrize("chunk_s", [0.02, 1.0])
@pytest.mark.parametrize(
    ("progress", "pause", "utterances"),
    [
        (Progress.BEGUN, 0.8, 1),
        (Progress.BEGUN, 1.3, 2),
        (Progress.NONE, 0.8, 2),
    ],
)
def test_an_order_that_was_begun_may_pause_for_longer(
    progress: Progress, pause: float, utterances: int, chunk_s: float
) -> None:
    said = clip(0)
    loud = np.flatnonzero(np.abs(said) > 0.02)
    said = said[loud[0] : loud[-1]]
    stream, _ = padded([said, said], pause_s=pause)
    found = ended(listen(Listener(progress=lambda _: progress), stream, SAMPLE_RATE, chunk_s))
    assert len(found) == utterances


def test_an_early_end_that_cuts_the_post_roll_is_refused() -> None:
    with pytest.raises(ValueError, match="early_silence"):
        ListenerSettings(early_silence=0.1, post_roll=0.2)


def test_chunks_of_any_size_give_the_same_utterances(phones: PhoneTimes | None) -> None:
    stream, _ = padded([clip(0), clip(1)])
    by_size = [
        ended(listen(Listener(phones=phones), stream, SAMPLE_RATE, chunk_s))
        for chunk_s in (0.01, 0.1, 1.0)
    ]
    for other in by_size[1:]:
        for a, b in zip(by_size[0], other, strict=True):
            np.testing.assert_array_equal(a.samples, b.samples)
            assert abs(a.stamp_ns - b.stamp_ns) < 1000


def test_stereo_at_48_khz_is_heard_like_mono_at_16() -> None:
    import soxr

    stream, _ = padded([clip(2)])
    fast = soxr.resample(stream, SAMPLE_RATE, 48000)
    stereo = np.column_stack([fast, fast])
    plain = ended(listen(Listener(), stream, SAMPLE_RATE))
    listener = Listener()
    events = []
    for start in range(0, len(stereo), 2400):
        pcm = (stereo[start : start + 2400] * 32767).astype(np.int16)
        events += listener.feed(pcm.reshape(-1), 48000, 2, T0 + round(start / 48000 * SECOND))
    wide = ended(events + listener.flush())
    assert len(wide) == len(plain) == 1
    assert wide[0].stamp_ns == pytest.approx(plain[0].stamp_ns, abs=0.05 * SECOND)
    assert len(wide[0].samples) == pytest.approx(len(plain[0].samples), abs=0.1 * SAMPLE_RATE)


def test_drop_outs_of_digital_silence_are_bridged(phones: PhoneTimes | None) -> None:
    spoken = clip(3).copy()
    rng = np.random.default_rng(1)
    for start in rng.integers(SAMPLE_RATE, len(spoken) - SAMPLE_RATE, 6):
        spoken[start : start + int(0.12 * SAMPLE_RATE)] = 0.0
    stream, _ = padded([spoken])
    assert len(ended(listen(Listener(phones=phones), stream, SAMPLE_RATE))) == 1


@pytest.mark.parametrize("kind", ["silence", "white", "pink", "tone"])
def test_nobody_speaks_in_silence_noise_and_tones(kind: str, phones: PhoneTimes | None) -> None:
    rng = np.random.default_rng(2)
    count = 20 * SAMPLE_RATE
    white = rng.standard_normal(count)
    sound = {
        "silence": np.zeros(count),
        "white": white * 0.03,
        "pink": np.fft.irfft(
            np.fft.rfft(white) / np.sqrt(np.maximum(np.arange(count // 2 + 1), 1.0)), count
        )
        * 3.0,
        "tone": 0.1 * np.sin(2 * np.pi * 1000 * np.arange(count) / SAMPLE_RATE),
    }[kind].astype(np.float32)
    assert ended(listen(Listener(phones=phones), sound, SAMPLE_RATE, 0.2)) == []


def test_partials_grow_while_somebody_speaks(phones: PhoneTimes | None) -> None:
    stream, _ = padded([clip(4)])
    settings = ListenerSettings(partial_interval=0.5)
    events = listen(Listener(settings, phones=phones), stream, SAMPLE_RATE)
    lengths = [len(e.samples) for e in events if isinstance(e, SpeechPartial)]
    assert len(lengths) >= 3
    assert lengths == sorted(lengths)
    assert isinstance(events[0], SpeechStarted)
    assert lengths[-1] <= len(ended(events)[0].samples) + SAMPLE_RATE


def test_a_monologue_is_cut_below_the_longest_length(phones: PhoneTimes | None) -> None:
    stream = np.concatenate([clip(i) for i in range(5)])
    settings = ListenerSettings(max_length=8.0, end_silence=3.0)
    found = ended(listen(Listener(settings, phones=phones), stream, SAMPLE_RATE))
    assert len(found) >= 3
    assert all(len(u.samples) <= 8.1 * SAMPLE_RATE for u in found)
    for before, after in itertools.pairwise(found):
        if before.cause == "length":
            assert after.stamp_ns == pytest.approx(before.end_ns, abs=1000)


def test_missing_chunks_are_filled_when_few_and_end_the_utterance_when_many() -> None:
    stream, _ = padded([clip(0)])
    step = SAMPLE_RATE // 10

    def with_gap(chunks: range) -> Listener:
        listener = Listener()
        self_events.clear()
        for i, start in enumerate(range(0, len(stream), step)):
            if i not in chunks:
                stamp = T0 + round(start / SAMPLE_RATE * SECOND)
                self_events.extend(
                    listener.feed(stream[start : start + step], SAMPLE_RATE, 1, stamp)
                )
        self_events.extend(listener.flush())
        return listener

    self_events: list = []
    assert with_gap(range(20, 22)).gaps == 1
    assert len(ended(self_events)) == 1
    assert with_gap(range(20, 35)).gaps == 1
    assert len(ended(self_events)) == 2
    assert ended(self_events)[0].cause == "gap"


def test_chunks_out_of_order_are_left_out_and_counted() -> None:
    listener = Listener()
    block = np.zeros(1600, np.int16)
    listener.feed(block, SAMPLE_RATE, 1, T0 + SECOND)
    assert listener.feed(block, SAMPLE_RATE, 1, T0 + SECOND // 2) == []
    assert listener.late_chunks == 1


def test_a_change_of_the_sample_rate_ends_the_utterance_and_the_stream_goes_on() -> None:
    stream, _ = padded([clip(1)])
    half = len(stream) // 2
    listener = Listener()
    events = listener.feed(stream[:half], SAMPLE_RATE, 1, T0)
    events += listener.feed(stream[half:], 8000, 1, T0 + round(half / SAMPLE_RATE * SECOND))
    assert ended(events)[0].cause == "gap"
    assert len(ended(events)) >= 2


def test_a_click_is_dropped() -> None:
    stream, _ = padded([clip(0)[SAMPLE_RATE : SAMPLE_RATE + 4000]])
    events = listen(Listener(ListenerSettings(min_speech=1.0)), stream, SAMPLE_RATE)
    assert not ended(events)
    assert all(isinstance(e, (SpeechStarted, SpeechDropped)) for e in events)


@pytest.mark.parametrize(
    ("samples", "rate", "channels"),
    [
        (np.array([0.0, np.nan], np.float32), SAMPLE_RATE, 1),
        (np.zeros(5, np.int16), SAMPLE_RATE, 2),
        (np.zeros(4, np.int16), 100, 1),
        (np.zeros(4, np.complex64), SAMPLE_RATE, 1),
        (np.zeros((4, 3), np.int16), SAMPLE_RATE, 7),
        (np.zeros(4, np.int16), SAMPLE_RATE, 0),
    ],
)
def test_chunks_that_make_no_sense_are_refused_and_the_stream_lives_on(
    samples: np.ndarray, rate: int, channels: int
) -> None:
    listener = Listener()
    with pytest.raises(InputError):
        listener.feed(samples, rate, channels, T0)
    stream, _ = padded([clip(0)])
    assert len(ended(listen(listener, stream, SAMPLE_RATE))) == 1


def test_one_sample_and_none_are_taken() -> None:
    listener = Listener()
    assert listener.feed(np.zeros(0, np.int16), SAMPLE_RATE, 1, T0) == []
    assert listener.feed(np.zeros(1, np.int16), 44100, 1, T0) == []
    assert listener.flush() == []
