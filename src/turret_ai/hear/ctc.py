# SPDX-License-Identifier: Apache-2.0
"""Our own engine: an acoustic model that tells phones, and a graph of what can be said.

The acoustic model (ONNX, trained by `turret-ai train asr`) gives the probability of each phone
every 30 ms; the graph (`turret_ai.hear.phone_graph`) is made from the vocabulary at start, so that
a new tool or colour is heard without training.
"""

from __future__ import annotations

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from turret_ai.errors import InputError, ModelError
from turret_ai.execution import ExecutionSettings, Session
from turret_ai.hear import graph_store, phone_graph
from turret_ai.hear.lattice_search import search
from turret_ai.hear.level import to_level
from turret_ai.hear.model_card import read_card
from turret_ai.hear.recogniser import Decoded, WindowedRecogniser
from turret_ai.hear.settings import SAMPLE_RATE, RecogniserSettings
from turret_ai.phonetics.phones import PHONES
from turret_ai.share import resolve
from turret_ai.types import FloatArray

_SHORTEST_FRAMES = 16
"""Of the features: the model's blocks look over about as many."""

_SHORTEST_SAMPLES = SAMPLE_RATE // 20
"""No phone is in less."""
_VAGUEST = -1.0
"""Mean log-probability of the likeliest class of a frame. Speech over bad radios has -0.3; a model
that tells next to nothing fits every sentence alike, and the search would not end."""


class CtcRecogniser(WindowedRecogniser):
    """Phones by a network, words by a search of the decoding graph."""

    tells_noise = True

    def __init__(self, settings: RecogniserSettings) -> None:
        """Load the model and build the graph.

        Raises:
            ModelError: the folder is missing, broken, or its model tells other phones.
        """
        super().__init__(settings)
        try:
            folder = resolve(settings.model, "models")
        except InputError as error:
            raise ModelError(str(error)) from error
        self.card = read_card(folder)
        self.calibration = self.card.calibration
        path = folder / "model.onnx"
        if self.card.kind != "ctc" or not path.is_file():
            raise ModelError(f"{folder} is not a model of `turret-ai train asr` of the kind ctc")
        if self.card.phones != PHONES:
            raise ModelError(f"{folder / 'model.yaml'} names other phones than this package knows")
        self._session = Session(path, ExecutionSettings(provider="cpu", threads=settings.threads))
        self._name = folder.name
        frontend = self.card.frontend
        self.window_s = float(frontend.chunk_length)
        self._extractor = FeatureExtractor(
            feature_size=frontend.feature_size,
            hop_length=frontend.hop_length,
            n_fft=frontend.n_fft,
            chunk_length=frontend.chunk_length,
        )
        self.graph = graph_store.load()

    def describe(self) -> dict[str, str]:
        """engine, model and device."""
        return {"engine": "ctc", "model": self._name, "device": "cpu"}

    def log_probabilities(self, samples: FloatArray) -> NDArray[np.float32]:
        """Of the classes, shape (frames, phones + 1), natural logarithm; one window.

        Raises:
            ModelError: the model broke down.
        """
        if self.card.level_dbfs is not None:
            samples = to_level(samples, self.card.level_dbfs)
        features = np.asarray(self._extractor(samples), dtype=np.float32)
        features = features[:, : self.card.frontend.window_frames]  # the extractor adds a frame
        missing = max(_SHORTEST_FRAMES - features.shape[1], features.shape[1] % 2)
        features = np.pad(features, ((0, 0), (0, missing)))
        (scores,) = self._session(features[None])
        told: NDArray[np.float32] = np.asarray(scores, dtype=np.float32)[0]
        if told.shape[1:] != (phone_graph.CLASSES,) or not np.isfinite(told).all():
            raise ModelError(f"the acoustic model {self._name} tells nonsense: shape {told.shape}")
        return told

    def phone_times(self, samples: FloatArray) -> FloatArray | None:
        """See `Recogniser.phone_times`: where another class than the blank is likelier than not."""
        hop = 2 * self.card.frontend.hop_length
        window = int(self.window_s * SAMPLE_RATE)
        found = [np.zeros(0)]
        for first in range(0, len(samples) - _SHORTEST_SAMPLES, window):
            likely = np.exp(self.log_probabilities(samples[first : first + window])[:, 0]) < 0.5
            begins = likely & ~np.concatenate([[False], likely[:-1]])
            found.append((first + np.flatnonzero(begins) * hop) / SAMPLE_RATE)
        return np.concatenate(found, dtype=np.float32, casting="same_kind")

    def decode(self, samples: FloatArray) -> Decoded:
        """See `WindowedRecogniser.decode`; for the mean log-probability see `search`."""
        settings = self.settings
        told = self.log_probabilities(samples)
        if told.max(axis=1).mean() < _VAGUEST:
            return Decoded((), 0.0)
        return search(
            told,
            self.graph,
            lm_scale=settings.lm_scale,
            beam=settings.search_beam,
            alternatives=settings.alternatives,
        )

    def refused(self, decoded: Decoded) -> str:
        """See `WindowedRecogniser.refused`."""
        if decoded.mean_log_prob < self.settings.fit_threshold:
            return f"unintelligible (the words fit the sound by {decoded.mean_log_prob:.1f} nats)"
        return ""
