# SPDX-License-Identifier: Apache-2.0
"""A public Whisper's vocabulary made smaller.

Of a small Whisper's decoder most is the output layer: tiny.en's has 51,864 words of 384 weights,
two thirds of what is read for each token. Byte-level BPE (Sennrich et al., 2016) ranks its merges
by frequency, so the first ones are the common words, and any text can still be written: what lost
its token is spelled by shorter ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from turret_ai.errors import ModelError
from turret_ai.learn.asr.tokens import TIMESTAMP_S, Labels


def _merges(model: dict[str, Any]) -> list[tuple[str, str]]:
    # Two spellings: "a b" in older files, ["a", "b"] in newer ones.
    pairs = (m.split(" ") if isinstance(m, str) else m for m in model["merges"])
    return [(str(left), str(right)) for left, right in pairs]


def _wanted(
    vocabulary: dict[str, int], made_of: dict[str, tuple[str, str]], words: Iterable[str]
) -> set[str]:
    """The tokens and all that they are merged from."""
    wanted: set[str] = set()
    waiting = [word for word in words if word in vocabulary]
    while waiting:
        token = waiting.pop()
        if token not in wanted:
            wanted.add(token)
            waiting += made_of.get(token, ())
    return wanted


def narrowed(labels: Labels, merges: int, texts: Iterable[str]) -> Labels:
    """The same tokenizer with fewer tokens, in their former order.

    Those of languages go, so that a multilingual Whisper becomes an English one. Timestamps are
    left out of the tokenizer, as public ones do, but not of the model.

    Args:
        merges: how many of the first merges stay.
        texts: whatever tokens these are written with stay as well.
    """
    told = json.loads(labels.tokenizer.to_str())
    model = told["model"]
    vocabulary: dict[str, int] = model["vocab"]
    pairs = _merges(model)
    made_of = {left + right: (left, right) for left, right in pairs}
    first = [left + right for left, right in pairs[:merges]]
    plain = [token for token in vocabulary if token not in made_of and len(token) == 1]
    written: set[str] = set()
    for text in texts:
        written.update(labels.tokenizer.encode(f" {text}", add_special_tokens=False).tokens)
    wanted = _wanted(vocabulary, made_of, [*plain, *first, *written])
    kept = sorted(wanted, key=vocabulary.__getitem__)
    languages = range(labels.start + 1, labels.special("<|translate|>"))
    stamps = range(labels.first_timestamp, labels.size)
    added = sorted(told["added_tokens"], key=lambda token: int(token["id"]))
    added = [t for t in added if t["id"] not in languages and t["id"] not in stamps]
    numbers = {token: number for number, token in enumerate(kept)}
    model["vocab"] = numbers
    model["merges"] = [list(pair) for pair in pairs if pair[0] + pair[1] in wanted]
    for number, token in enumerate(added, len(kept)):
        token["id"] = number
    told["added_tokens"] = added
    told["post_processor"] = None  # it names tokens by their former numbers
    return Labels(Tokenizer.from_str(json.dumps(told)))


def _former(before: Labels, after: Labels, seconds: float) -> list[int]:
    """For each token of `after`, timestamps up to `seconds` included, its number in `before`."""
    vocabulary = before.tokenizer.get_vocab(with_added_tokens=True)
    mine = sorted(after.tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda i: i[1])
    stamps = round(seconds / TIMESTAMP_S) + 1
    former = [vocabulary[token] for token, _ in mine]
    return [*former, *range(before.first_timestamp, before.first_timestamp + stamps)]


def narrow(whisper: Any, before: Labels, after: Labels, seconds: float) -> Any:
    """Leave the rows of `after`'s tokens in the embedding, which is the output layer as well.

    Args:
        whisper: transformers' WhisperForConditionalGeneration for `before`, changed in place.
        seconds: the longest utterance: later timestamps go.

    Raises:
        ModelError: the model is not for `before`.
    """
    embed = whisper.model.decoder.embed_tokens
    former = _former(before, after, seconds)
    if max(former) >= embed.weight.shape[0]:
        raise ModelError("the tokenizer has more tokens than the Whisper")
    smaller = nn.Embedding(len(former), embed.weight.shape[1])
    with torch.no_grad():
        smaller.weight.copy_(embed.weight[torch.tensor(former)])
    smaller.weight.requires_grad_(embed.weight.requires_grad)
    whisper.model.decoder.embed_tokens = smaller
    whisper.proj_out = nn.Linear(embed.weight.shape[1], len(former), bias=False)
    whisper.config.vocab_size = len(former)
    whisper.tie_weights()
    number = {old: new for new, old in enumerate(former)}
    for config in (whisper.config, whisper.generation_config):
        for name in ("suppress_tokens", "begin_suppress_tokens"):
            tokens = getattr(config, name, None) or []
            setattr(config, name, [number[token] for token in tokens if token in number])
        config.pad_token_id = config.bos_token_id = config.eos_token_id = after.end
        config.decoder_start_token_id = after.start
    return whisper
