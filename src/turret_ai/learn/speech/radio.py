# SPDX-License-Identifier: Apache-2.0
"""A voice radio: band-pass, shelves, time stretch, noise, clipping, drop-outs, codec, level."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from pydantic import Field
from scipy import fft, signal

from turret_ai.learn.config import Section
from turret_ai.types import FloatArray

SAMPLE_RATE = 16000
Range = tuple[float, float]


class RadioSettings(Section):
    """How bad the radio is. Each clip draws its own values from these ranges."""

    narrow: float = Field(0.6, ge=0, le=1, description="share of clips with the narrow band")
    narrow_low_hz: Range = (900.0, 1450.0)
    narrow_high_hz: Range = (2100.0, 2850.0)
    wide: float = Field(0.3, ge=0, le=1, description="share with a telephone-like band; rest: none")
    wide_low_hz: Range = (150.0, 600.0)
    wide_high_hz: Range = (2800.0, 5500.0)
    shelf: float = Field(0.3, ge=0, le=1, description="share with a low and a high shelf each")
    shelf_db: Range = (-6.0, 6.0)
    stretch: float = Field(0.2, ge=0, le=1, description="share stretched in time, pitch kept")
    stretch_factor: Range = (0.9, 1.1)
    snr_db: Range = Field((5.0, 35.0), description="speech over noise, both inside the band")
    colours: tuple[str, ...] = ("white", "pink", "brown", "hum", "crackle", "babble")
    clip: float = Field(0.15, ge=0, le=1, description="share with an overdriven microphone")
    clip_peak: Range = Field((0.25, 0.8), description="clipping point as a share of the peak")
    dropouts: float = Field(0.3, ge=0, le=1, description="share with gaps of digital silence")
    dropout_ms: Range = (10.0, 120.0)
    squelch: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share whose receiver cuts off what is weak, to silence or hiss",
    )
    squelch_db: Range = Field((-26.0, -14.0), description="where it cuts, of the speech's level")
    squelch_hang_ms: Range = Field((20.0, 120.0), description="how long it stays open after speech")
    codec: float = Field(0.3, ge=0, le=1, description="share sent through a speech codec")
    echo: float = Field(0.15, ge=0, le=1, description="share spoken in a small room or cockpit")
    level_dbfs: Range = (-41.0, -28.0)
    lead_s: Range = Field((0.05, 0.6), description="noise before and after the speech")


@dataclass(slots=True)
class Conditions:
    """What one clip went through; written beside it into the manifest."""

    band: str = "full"
    low_hz: float = 0.0
    high_hz: float = SAMPLE_RATE / 2
    snr_db: float = 99.0
    noise: str = "none"
    level_dbfs: float = 0.0
    codec: str = "none"
    lead_s: float = 0.0
    tempo: float = 1.0
    """How much faster than spoken: time t of the clean clip is at lead_s + t / tempo."""
    distortions: list[str] = field(default_factory=list)


def _draw(rng: Generator, limits: Range) -> float:
    return float(rng.uniform(*limits))


def _rms(samples: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def speech_level(samples: FloatArray, frame: int = 320) -> float:
    """Root mean square of the loudest 60% of 20 ms frames: the level without the pauses."""
    count = len(samples) // frame
    if count == 0:
        return _rms(samples)
    power = np.square(samples[: count * frame].reshape(count, frame), dtype=np.float64).mean(1)
    return float(np.sqrt(np.sort(power)[int(0.4 * count) :].mean()))


def shelf_sos(kind: str, hz: float, gain_db: float) -> Any:
    """A shelving biquad, slope 1 (Robert Bristow-Johnson's Audio EQ Cookbook)."""
    amplitude = 10 ** (gain_db / 40)
    w = 2 * np.pi * hz / SAMPLE_RATE
    cos, alpha = np.cos(w), np.sin(w) / 2 * np.sqrt(2.0)
    root = 2 * np.sqrt(amplitude) * alpha
    sign = 1.0 if kind == "low" else -1.0
    plus, minus = amplitude + 1, amplitude - 1
    b0 = amplitude * (plus - sign * minus * cos + root)
    b1 = sign * 2 * amplitude * (minus - sign * plus * cos)
    b2 = amplitude * (plus - sign * minus * cos - root)
    a0 = plus + sign * minus * cos + root
    a1 = -sign * 2 * (minus + sign * plus * cos)
    a2 = plus + sign * minus * cos - root
    return np.array([[b0, b1, b2, a0, a1, a2]]) / a0


def stretch(samples: FloatArray, factor: float, frame: int = 640) -> FloatArray:
    """Change the length by 1/factor and keep the pitch (WSOLA: Verhelst and Roelands, 1993)."""
    hop, search = frame // 2, frame // 4
    window = np.hanning(frame).astype(np.float32)
    count = int((len(samples) / factor - frame) // hop)
    if count < 2 or factor == 1.0:
        return samples
    padded = np.pad(samples, (search, frame + hop + search + int(hop * factor)))
    out = np.zeros(count * hop + frame, dtype=np.float32)
    weight = np.full_like(out, 1e-3)
    at = search
    for index in range(count):
        out[index * hop : index * hop + frame] += padded[at : at + frame] * window
        weight[index * hop : index * hop + frame] += window
        natural = padded[at + hop : at + hop + frame]
        ideal = search + int((index + 1) * hop * factor)
        region = padded[ideal - search : ideal + search + frame]
        if len(region) < frame + 2 * search or len(natural) < frame:
            break
        match = signal.correlate(region[::2], natural[::2], mode="valid")
        at = ideal - search + 2 * int(np.argmax(match))
    return out / weight


def noise(rng: Generator, colour: str, count: int) -> FloatArray:
    """Noise of unit power: white, pink (1/f), brown (1/f^2), hum, crackle or babble-like."""
    white = rng.standard_normal(count).astype(np.float32)
    if colour in ("pink", "brown"):
        padded = fft.next_fast_len(count, real=True)
        spectrum = fft.rfft(white, padded)
        frequency = np.maximum(fft.rfftfreq(padded, 1 / SAMPLE_RATE), 20.0)
        spectrum /= (frequency ** (0.5 if colour == "pink" else 1.0)).astype(np.float32)
        white = fft.irfft(spectrum, padded)[:count].astype(np.float32)
    elif colour == "hum":
        base = rng.choice([50.0, 60.0, 110.0, 400.0]) * rng.uniform(0.98, 1.02)
        # Whole turns are dropped in double precision, so that the sines may be single.
        turns = np.arange(count) * (base / SAMPLE_RATE) % 1.0
        phase = (2 * np.pi * turns).astype(np.float32)
        white *= 0.3
        for k in range(1, 24):
            if base * k < SAMPLE_RATE / 2:
                strength = np.float32(rng.uniform(0.2, 1.0) / k**0.5)
                white += strength * np.sin(phase * k + np.float32(rng.uniform(0, 6.28)))
    elif colour == "crackle":
        hits = rng.random(count) < rng.uniform(5, 60) / SAMPLE_RATE
        bursts = np.where(hits, rng.standard_normal(count) * 12.0, 0.0)
        decay = signal.lfilter([1.0], [1.0, -rng.uniform(0.8, 0.98)], bursts)
        white = (decay + 0.15 * white).astype(np.float32)
    elif colour == "babble":
        # Syllable-rate bursts in formant bands: the spectrum and rhythm of voices, no words.
        total = np.zeros(count, dtype=np.float32)
        for _ in range(5):
            low = rng.uniform(250, 1800)
            sos = signal.butter(2, [low, low * 1.6], "bandpass", fs=SAMPLE_RATE, output="sos")
            points = max(4, int(count / SAMPLE_RATE * rng.uniform(3, 6)))
            envelope = np.interp(
                np.linspace(0, points, count),
                np.arange(points + 1),
                rng.gamma(0.7, 1.0, points + 1),
            )
            voice = signal.sosfilt(sos, rng.standard_normal(count)) * envelope
            total += voice.astype(np.float32)
        white = total
    return white / max(_rms(white), 1e-9)


@cache
def _codecs() -> tuple[str, ...]:
    return ("ulaw", "gsm", "adpcm")


def through_codec(samples: FloatArray, codec: str) -> FloatArray:
    """8 kHz telephony and back: G.711 mu-law, GSM 06.10 full rate, or IMA ADPCM."""
    subtype = {"ulaw": "ULAW", "gsm": "GSM610", "adpcm": "IMA_ADPCM"}[codec]
    peak = max(float(np.abs(samples).max()), 1e-6)
    low = soxr.resample(samples / peak * 0.7, SAMPLE_RATE, 8000)
    buffer = io.BytesIO()
    soundfile.write(buffer, low, 8000, format="WAV", subtype=subtype)
    buffer.seek(0)
    decoded, _ = soundfile.read(buffer, dtype="float32")
    back = soxr.resample(decoded, 8000, SAMPLE_RATE)[: len(samples)]
    back = np.pad(back, (0, len(samples) - len(back)))
    return np.asarray(back * (peak / 0.7), dtype=np.float32)


def _band(rng: Generator, settings: RadioSettings, met: Conditions) -> Any:
    kind = rng.random()
    if kind < settings.narrow:
        met.band = "narrow"
        met.low_hz = _draw(rng, settings.narrow_low_hz)
        met.high_hz = _draw(rng, settings.narrow_high_hz)
    elif kind < settings.narrow + settings.wide:
        met.band = "wide"
        met.low_hz = _draw(rng, settings.wide_low_hz)
        met.high_hz = _draw(rng, settings.wide_high_hz)
    else:
        return None
    order = int(rng.integers(2, 6))
    edges = [met.low_hz, met.high_hz]
    return signal.butter(order, edges, "bandpass", fs=SAMPLE_RATE, output="sos")


def _echo(rng: Generator, samples: FloatArray) -> FloatArray:
    length = int(SAMPLE_RATE * rng.uniform(0.02, 0.15))
    decay = np.exp(-6.9 * np.arange(length) / length)
    tail = rng.standard_normal(length) * decay * (rng.random(length) < 0.05)
    tail[0] = 1.0
    tail[1:] *= rng.uniform(0.2, 0.7)
    echoed: FloatArray = signal.fftconvolve(samples, tail)[: len(samples)].astype(np.float32)
    return echoed


def _squelch(rng: Generator, samples: FloatArray, settings: RadioSettings) -> FloatArray:
    """Cut off what is weak for longer than the hang time; one in three leaves a faint rest."""
    frame = SAMPLE_RATE // 200
    threshold = speech_level(samples) * 10 ** (_draw(rng, settings.squelch_db) / 20)
    hang = max(1, round(_draw(rng, settings.squelch_hang_ms) * SAMPLE_RATE / 1000 / frame))
    rest = 0.03 if rng.random() < 1 / 3 else 0.0
    power = np.square(np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame)).mean(1)
    loud = power > threshold**2
    is_open = np.convolve(loud, np.ones(hang), "full")[: len(loud)] > 0
    gain = np.repeat(np.where(is_open, 1.0, rest), frame)[: len(samples)]
    gated: FloatArray = (samples * gain).astype(np.float32)
    return gated


def transmit(
    samples: FloatArray, rng: Generator, settings: RadioSettings
) -> tuple[FloatArray, Conditions]:
    """Send a clip over a radio drawn from `settings`.

    Args:
        samples: mono float32, shape (n,), 16 kHz; any level.

    Returns:
        (samples as received, float32 within [-1, 1]; what was done).
    """
    met = Conditions()
    x = np.asarray(samples, dtype=np.float32)
    if rng.random() < settings.stretch:
        clean = len(x)
        x = stretch(x, _draw(rng, settings.stretch_factor))
        met.tempo = clean / max(1, len(x))
        met.distortions.append("stretch")
    if rng.random() < settings.echo:
        x = _echo(rng, x)
        met.distortions.append("echo")
    before, after = (int(_draw(rng, settings.lead_s) * SAMPLE_RATE) for _ in range(2))
    x = np.pad(x, (before, after))
    met.lead_s = before / SAMPLE_RATE
    for kind, hz in (("low", _draw(rng, (200, 700))), ("high", _draw(rng, (1800, 4000)))):
        gain = _draw(rng, settings.shelf_db)
        if rng.random() < settings.shelf:
            x = signal.sosfilt(shelf_sos(kind, hz, gain), x).astype(np.float32)
            met.distortions.append(f"{kind} shelf")
    if rng.random() < settings.clip:
        ceiling = _draw(rng, settings.clip_peak) * float(np.abs(x).max())
        x = np.clip(x, -ceiling, ceiling)
        met.distortions.append("clipping")
    sos = _band(rng, settings, met)
    met.noise = str(rng.choice(list(settings.colours)))
    met.snr_db = _draw(rng, settings.snr_db)
    hiss = noise(rng, met.noise, len(x))
    if sos is not None:
        x = signal.sosfilt(sos, x).astype(np.float32)
        hiss = signal.sosfilt(sos, hiss).astype(np.float32)
    level = speech_level(x)
    x = x + hiss * (level / max(_rms(hiss), 1e-9) * 10 ** (-met.snr_db / 20))
    if rng.random() < settings.codec:
        met.codec = str(rng.choice(list(_codecs())))
        x = through_codec(x, met.codec)
    if rng.random() < settings.squelch:
        x = _squelch(rng, x, settings)
        met.distortions.append("squelch")
    if rng.random() < settings.dropouts:
        for _ in range(int(rng.integers(1, 5))):
            gap = int(_draw(rng, settings.dropout_ms) / 1000 * SAMPLE_RATE)
            start = int(rng.integers(0, max(1, len(x) - gap)))
            x[start : start + gap] = 0.0
        met.distortions.append("drop-outs")
    met.level_dbfs = _draw(rng, settings.level_dbfs)
    x = x * (10 ** (met.level_dbfs / 20) / max(_rms(x), 1e-9))
    return np.clip(x, -1.0, 1.0).astype(np.float32), met
