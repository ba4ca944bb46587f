# SPDX-License-Identifier: Apache-2.0
"""A Whisper with fewer tokens writes whatever it wrote, and scores what is left as before."""

from __future__ import annotations

import json

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer

from turret_ai.errors import ModelError
from turret_ai.learn.asr import narrowing, tokens

TEXTS = (
    "heading is three two zero, target is red drone",
    "the heading of the other helicopter is three three zero",
    "electromagnetic pulse",
    "tell the tower there are three others there",
)


def public(texts: tuple[str, ...] = TEXTS, languages: tuple[str, ...] = ("en", "de")) -> Tokenizer:
    """A tokenizer as public Whispers have it: languages, and no timestamps."""
    told = json.loads(tokens.train(texts * 20, 330, 15).to_str())
    told["added_tokens"] = []
    made = Tokenizer.from_str(json.dumps(told))
    first, second, *rest = tokens.SPECIALS
    names = [first, second, *(f"<|{name}|>" for name in languages), *rest]
    made.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in names])
    return made


BEFORE = tokens.Labels(public())
AFTER = narrowing.narrowed(BEFORE, 10, ["electromagnetic pulse"])


@given(st.text())
def test_any_text_can_still_be_written(text: str) -> None:
    ids = AFTER.tokenizer.encode(text, add_special_tokens=False).ids
    assert AFTER.tokenizer.decode(ids) == BEFORE.tokenizer.decode(
        BEFORE.tokenizer.encode(text, add_special_tokens=False).ids
    )


def test_what_is_named_is_written_as_before_and_the_rest_in_smaller_pieces() -> None:
    def pieces(labels: tokens.Labels, text: str) -> list[str]:
        found: list[str] = labels.tokenizer.encode(text, add_special_tokens=False).tokens
        return found

    assert AFTER.size < BEFORE.size
    kept, lost = " electromagnetic pulse", " helicopter"
    assert pieces(AFTER, kept) == pieces(BEFORE, kept)
    assert len(pieces(AFTER, lost)) > len(pieces(BEFORE, lost))


def test_the_special_tokens_stay_in_order_and_languages_go() -> None:
    ids = [AFTER.special(name) for name in tokens.SPECIALS]
    assert ids == list(range(AFTER.size - len(ids), AFTER.size))
    assert AFTER.tokenizer.token_to_id("<|en|>") is None
    assert AFTER.prompt == [AFTER.start, AFTER.no_timestamps]
    assert AFTER.first_timestamp == AFTER.size
    again = narrowing.narrowed(AFTER, 10, ["electromagnetic pulse"])
    assert again.tokenizer.to_str() == AFTER.tokenizer.to_str()


def _whisper(size: int) -> transformers.WhisperForConditionalGeneration:
    torch.manual_seed(1)
    return transformers.WhisperForConditionalGeneration(
        transformers.WhisperConfig(
            vocab_size=size,
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            pad_token_id=BEFORE.end,
            bos_token_id=BEFORE.end,
            eos_token_id=BEFORE.end,
            decoder_start_token_id=BEFORE.start,
            suppress_tokens=[3, BEFORE.start],
            begin_suppress_tokens=[BEFORE.end],
        )
    ).eval()


def test_what_is_left_is_scored_as_before() -> None:
    stamps = 1501
    whisper = _whisper(BEFORE.size + stamps)
    features = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(2))

    def scores(labels: tokens.Labels) -> torch.Tensor:
        body = labels.tokenizer.encode(" electromagnetic pulse", add_special_tokens=False).ids
        given_ids = torch.tensor([[labels.start, labels.no_timestamps, *body]])
        with torch.no_grad():
            found: torch.Tensor = whisper(
                input_features=features, decoder_input_ids=given_ids
            ).logits[0]
        return found

    before = scores(BEFORE)
    narrowing.narrow(whisper, BEFORE, AFTER, 15.0)
    after = scores(AFTER)
    assert after.shape[1] == AFTER.size + 751 == whisper.config.vocab_size
    names = sorted(AFTER.tokenizer.get_vocab(), key=AFTER.tokenizer.token_to_id)
    same = before[:, [BEFORE.tokenizer.token_to_id(name) for name in names]]
    torch.testing.assert_close(after[:, : AFTER.size], same)
    first = BEFORE.first_timestamp
    torch.testing.assert_close(after[:, AFTER.size :], before[:, first : first + 751])
    assert whisper.config.decoder_start_token_id == AFTER.start
    assert AFTER.start in whisper.config.suppress_tokens
    assert whisper.config.begin_suppress_tokens == [AFTER.end]


def test_a_model_that_is_not_for_the_tokenizer_is_refused() -> None:
    with pytest.raises(ModelError, match="more tokens"):
        narrowing.narrow(_whisper(BEFORE.size - 5), BEFORE, AFTER, 15.0)
