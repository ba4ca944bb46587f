"""A byte-level BPE tokenizer made from captions: known words are one token, others are spelled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turret_ai.extras import require


def train(captions: Iterable[str], size: int, length: int) -> Any:
    """A `tokenizers.Tokenizer` that lower-cases, drops commas and pads with id 0 to `length`."""
    tk = require("tokenizers", extra="train")
    tokenizer = tk.Tokenizer(tk.models.BPE(unk_token=None))
    tokenizer.normalizer = tk.normalizers.Sequence(
        [tk.normalizers.NFKC(), tk.normalizers.Lowercase(), tk.normalizers.Replace(",", "")]
    )
    tokenizer.pre_tokenizer = tk.pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = tk.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>"],
        initial_alphabet=sorted(tk.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=0, pad_token="<pad>")
    return tokenizer
