# SPDX-License-Identifier: Apache-2.0
"""pocketsphinx: an acoustic model trained on people, and a grammar from the vocabulary.

https://github.com/cmusphinx/pocketsphinx (BSD-2-Clause). It hears human voices better than a model
that was trained on synthetic ones, and it can only say what the grammar allows.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx

from turret_ai import vocabulary
from turret_ai.errors import ModelError
from turret_ai.hear import grammar, ngrams
from turret_ai.hear.equalise import equalise
from turret_ai.hear.level import to_level
from turret_ai.hear.recogniser import Reading, Recogniser
from turret_ai.hear.settings import RecogniserSettings
from turret_ai.phonetics.lexicon import ways
from turret_ai.types import FloatArray, Hypothesis

_LEVEL_DBFS = -20.0
_DITHER = 1.0 / 32768.0
"""Digital silence breaks the feature extraction: noise of one quantisation step mends it."""
_SMALLEST = 1e-300


class SphinxRecogniser(Recogniser):
    """pocketsphinx with a grammar of commands."""

    def __init__(self, settings: RecogniserSettings) -> None:
        """Load the decoder.

        Raises:
            ModelError: it can't be started.
        """
        super().__init__(settings)
        model_of_words = ngrams.estimate(grammar.sentences(vocabulary.load()))
        try:
            with tempfile.TemporaryDirectory() as folder:
                model = Path(folder) / "commands.arpa"
                model.write_text(ngrams.arpa(model_of_words), encoding="ascii")
                dictionary = self._dictionary(
                    Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")),
                    set(model_of_words.words),
                    Path(folder) / "commands.dict",
                )
                self._decoder = pocketsphinx.Decoder(
                    lm=str(model), dict=str(dictionary), samprate=16000, loglevel="FATAL"
                )
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise ModelError(f"pocketsphinx can't be started: {error}") from error
        self._noise = np.random.default_rng(0)

    @staticmethod
    def _dictionary(shipped: Path, wanted: set[str], out: Path) -> Path:
        """The pronunciations of the grammar's words alone: loading the whole takes seconds.

        Words that the wheel's dictionary lacks are said as the understand stage says them.
        """
        lines = []
        found: set[str] = set()
        for line in shipped.read_text(encoding="utf-8").splitlines():
            entry, _, phones = line.partition(" ")
            word = entry.partition("(")[0]
            if word in wanted and phones:
                lines.append(line)
                found.add(word)
        for word in sorted(wanted - found):
            for number, way in enumerate(ways(word)):
                entry = f"{word}({number + 1})" if number else word
                lines.append(f"{entry} {' '.join(way).upper()}")
        for word in sorted(wanted):
            for number, way in enumerate(grammar.radio_ways(word), start=9):
                lines.append(f"{word}({number}) {' '.join(way).upper()}")
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return out

    def describe(self) -> dict[str, str]:
        """engine, model and device."""
        return {"engine": "pocketsphinx", "model": "en-us with a grammar", "device": "cpu"}

    def read(self, samples: FloatArray) -> Reading:
        """See `Recogniser.read`. The score is the acoustic log-likelihood in nats."""
        loud = to_level(equalise(samples), _LEVEL_DBFS)
        loud = loud + self._noise.uniform(-_DITHER, _DITHER, len(loud)).astype(np.float32)
        pcm = np.round(np.clip(loud, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        decoder = self._decoder
        try:
            decoder.start_utt()
            decoder.process_raw(pcm, False, True)
            decoder.end_utt()
        except Exception as error:
            raise ModelError(f"pocketsphinx broke down: {error}") from error
        best = decoder.hyp()
        if best is None or not best.hypstr.strip():
            return Reading((), 0.0, "no words of the grammar were heard")
        score = math.log(max(best.score, _SMALLEST))
        return Reading((Hypothesis(best.hypstr, score),), self._confidence(best))

    def _confidence(self, best: Any) -> float:
        """The posterior of the whole sentence in the lattice, as a mean per word."""
        words = max(1, len(best.hypstr.split()))
        return float(min(1.0, max(best.prob, _SMALLEST) ** (1.0 / words)))
