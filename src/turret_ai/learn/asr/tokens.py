# SPDX-License-Identifier: Apache-2.0
"""Token inventories: our own byte-pair vocabulary, or a public Whisper's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from turret_ai.errors import ModelError

SPECIALS = (
    # Whisper's order; faster-whisper asks for each of them by name.
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
TIMESTAMP_S = 0.02
_END_OF_ENGLISH_ONLY = 50256
"""Where public English-only models have their end of text; multilingual ones have it one later."""


def train(texts: Iterable[str], size: int, window_s: int) -> Tokenizer:
    """Learn a byte-level BPE vocabulary and append Whisper's special tokens.

    Args:
        texts: normalised sentences.
        size: text tokens, 256 bytes included.
        window_s: timestamps run from 0 to here.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((f" {text}" for text in texts), trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIALS])
    stamps = [f"<|{i * TIMESTAMP_S:.2f}|>" for i in range(round(window_s / TIMESTAMP_S) + 1)]
    # Timestamps are ordinary tokens in Whisper: `decode` drops special ones.
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in stamps])
    return tokenizer


class Labels:
    """Turns texts into a Whisper's labels and its output back into text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.end = self.special("<|endoftext|>")
        self.start = self.special("<|startoftranscript|>")
        self.no_timestamps = self.special("<|notimestamps|>")
        found = tokenizer.token_to_id("<|nospeech|>")
        self.no_speech = found if found is not None else self.special("<|nocaptions|>")
        # Public files often leave the timestamps out: they follow the other special tokens.
        stamp = tokenizer.token_to_id("<|0.00|>")
        self.first_timestamp = stamp if stamp is not None else self.no_timestamps + 1
        english = tokenizer.token_to_id("<|en|>")
        task = tokenizer.token_to_id("<|transcribe|>")
        self.language: list[int] = []
        # English-only models have the tokens of languages and tasks, but are never given them.
        if english is not None and task is not None and self.end != _END_OF_ENGLISH_ONLY:
            self.language = [int(english), int(task)]

    def special(self, token: str) -> int:
        """The number of a special token.

        Raises:
            ModelError: the tokenizer has none of that name.
        """
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise ModelError(f"the tokenizer is not a Whisper's: it lacks {token}")
        return int(found)

    @property
    def size(self) -> int:
        """Number of tokens, special ones included."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def prompt(self) -> list[int]:
        """What decoding begins with."""
        return [self.start, *self.language, self.no_timestamps]

    def encode(self, text: str, seconds: float | None = None) -> list[int]:
        """The whole sequence, start and end included.

        Args:
            text: normalised; "" for an utterance without speech.
            seconds: for a label with timestamps, the utterance's length.
        """
        if not text:
            return [self.start, self.no_speech, self.end]
        body = self.tokenizer.encode(f" {text}", add_special_tokens=False).ids
        if seconds is None:
            return [*self.prompt, *body, self.end]
        last = self.first_timestamp + round(seconds / TIMESTAMP_S)
        return [self.start, *self.language, self.first_timestamp, *body, last, self.end]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens up to the end, without special tokens and timestamps."""
        body: list[int] = []
        for token in ids:
            if token == self.end:
                break
            if token < min(self.end, self.start):
                body.append(int(token))
        return str(self.tokenizer.decode(body)).strip()


def load(path: Path) -> Labels:
    """Labels of a tokenizer.json.

    Raises:
        ModelError: missing, broken, or not a Whisper's.
    """
    try:
        return Labels(Tokenizer.from_file(str(path)))
    except Exception as error:
        raise ModelError(f"{path} is not a tokenizer that can be read: {error}") from error
