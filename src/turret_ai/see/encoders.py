# SPDX-License-Identifier: Apache-2.0
"""One dual encoder with its description: crops and captions to unit vectors."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from turret_ai.errors import ModelError
from turret_ai.execution import ExecutionSettings, Session, Shapes
from turret_ai.see import description
from turret_ai.see.description import MatcherDescription
from turret_ai.see.evidence import Evidence
from turret_ai.types import FloatArray, ImageArray

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def clean(text: str) -> str:
    """Lower case, no punctuation, single blanks: how SigLIP's texts are written."""
    return " ".join(text.translate(_NO_PUNCTUATION).lower().split())


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatArray = vectors / np.maximum(length, 1e-12)
    return unit.astype(np.float32)


class DualEncoder:
    """A loaded image encoder and text encoder."""

    def __init__(self, name: str, execution: ExecutionSettings, batch: int) -> None:
        """Load by name or folder.

        Args:
            batch: most crops at once, for TensorRT's profile.

        Raises:
            ModelError: not there, broken, or of another kind.
        """
        self.folder, self.about = description.read(name, MatcherDescription)
        about = self.about
        self.image = self._load(
            about.image,
            execution,
            [(n, 3, about.size, about.size) for n in (1, max(1, batch // 2), batch)],
        )
        self.text = self._load(about.text, execution, [(1, about.tokens)] * 3)
        try:
            self.tokenizer = Tokenizer.from_file(str(self.folder / about.tokenizer))
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelError(
                f"{self.folder / about.tokenizer}: not a tokenizer: {error}"
            ) from error
        self.tokenizer.enable_truncation(about.tokens)
        self.tokenizer.enable_padding(length=about.tokens, pad_id=about.pad_id)

    def _load(
        self, file: str, execution: ExecutionSettings, shapes: Sequence[tuple[int, ...]]
    ) -> Session:
        session = Session(self.folder / file, execution)
        if session.provider != "tensorrt":
            return session
        profile = {session.inputs[0]: Shapes(*shapes)}
        return Session(self.folder / file, execution, profile)

    def encode_images(self, crops: ImageArray) -> Evidence:
        """What (n, size, size, 3) RGB uint8 crops show."""
        if not len(crops):
            return Evidence(np.zeros((0, 1), np.float32))
        about = self.about
        pixels = crops[..., ::-1] if about.bgr else crops
        tensor = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        if any(about.mean) or any(s != 1 for s in about.std):
            tensor = (tensor - np.asarray(about.mean, np.float32)[:, None, None]) / np.asarray(
                about.std, np.float32
            )[:, None, None]
        tensor = np.ascontiguousarray(tensor, np.float32)
        results = self.image(tensor)
        named = dict(zip(self.image.outputs, results, strict=True))
        return Evidence(
            _unit(self._vectors(results, self.image)),
            self._head(named, "types", len(about.heads.types)),
            self._head(named, "colours", len(about.heads.colours)),
            None if (c := self._head(named, "craft", int(about.heads.craft))) is None else c[:, 0],
        )

    def _head(
        self, named: Mapping[str, NDArray[np.generic]], name: str, width: int
    ) -> FloatArray | None:
        """An output beside the embedding (n, width), if the description speaks of it."""
        if not width:
            return None
        found = named.get(name)
        if found is None or found.ndim != 2 or found.shape[1] != width:
            raise ModelError(
                f"{self.image.model} should give `{name}` (n, {width}), as its description says"
            )
        return found.astype(np.float32)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """n texts to unit vectors (n, e); longer ones than the model takes are cut."""
        if not texts:
            return np.zeros((0, 1), np.float32)
        if self.about.clean:
            texts = [clean(t) for t in texts]
        ids = np.array([e.ids for e in self.tokenizer.encode_batch(list(texts))], np.int64)
        if self.text.types[0] == "tensor(int32)":
            ids = ids.astype(np.int32)
        # One at a time where the encoder was exported, or its engine built, for a batch of one.
        one = self.text.shapes[0][0] == 1 or self.text.provider == "tensorrt"
        batches = [i[None] for i in ids] if one else [ids]
        vectors = [self._vectors(self.text(b), self.text) for b in batches]
        return _unit(np.concatenate(vectors))

    def _vectors(self, outputs: list[NDArray[np.generic]], session: Session) -> FloatArray:
        found = np.asarray(outputs[0], np.float32)
        if found.ndim != 2:
            raise ModelError(
                f"{session.model} gives {found.shape}: an encoder gives one vector an input (n, e)"
            )
        return found
