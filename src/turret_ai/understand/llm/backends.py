# SPDX-License-Identifier: Apache-2.0
"""The language models' runtimes behind one interface; each is imported when it is chosen."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from turret_ai.errors import ConfigError, ModelError
from turret_ai.extras import require
from turret_ai.understand.settings import UnderstandSettings


class Backend(Protocol):
    """Completes a prompt, greedily."""

    def generate(self, prompt: str, schema: dict[str, Any]) -> str:
        """The model's reply.

        Args:
            schema: JSON schema of the answer; backends that can are bound to it.
        """
        ...


def _existing(path: str, what: str) -> Path:
    found = Path(path).expanduser()
    if not path or not found.exists():
        raise ModelError(f"llm_model: {what} {path!r} does not exist")
    return found


class ExLlamaV2:
    """A quantised model on an Nvidia GPU; the logits stay there. Free text: the reply is parsed."""

    def __init__(self, settings: UnderstandSettings) -> None:
        folder = _existing(settings.llm_model, "the model folder")
        api = require("exllamav2", extra="exllamav2")
        generators = require("exllamav2.generator", extra="exllamav2")
        try:
            config = api.ExLlamaV2Config(str(folder))
            config.max_seq_len = settings.llm_context
            config.max_batch_size = 1
            model = api.ExLlamaV2(config)
            model.load()
            cache = api.ExLlamaV2Cache(model, max_seq_len=settings.llm_context, batch_size=1)
            tokenizer = api.ExLlamaV2Tokenizer(config)
        except Exception as error:
            raise ModelError(f"{folder} can't be loaded by exllamav2: {error}") from error
        self._generator = generators.ExLlamaV2BaseGenerator(model, cache, tokenizer)
        self._sampling = generators.ExLlamaV2Sampler.Settings.greedy()
        self._most = settings.llm_max_tokens

    def generate(self, prompt: str, schema: dict[str, Any]) -> str:
        """See `Backend`."""
        reply = self._generator.generate_simple(
            prompt, self._sampling, self._most, completion_only=True
        )
        return str(reply)


class LlamaCpp:
    """A GGUF model by llama.cpp, bound to the JSON schema."""

    def __init__(self, settings: UnderstandSettings) -> None:
        file = _existing(settings.llm_model, "the GGUF file")
        api = require("llama_cpp", extra="llama-cpp")
        self._grammar = require("llama_cpp.llama_grammar", extra="llama-cpp").LlamaGrammar
        try:
            self._model = api.Llama(
                str(file), n_ctx=settings.llm_context, n_gpu_layers=-1, verbose=False
            )
        except Exception as error:
            raise ModelError(f"{file} can't be loaded by llama.cpp: {error}") from error
        self._most = settings.llm_max_tokens

    def generate(self, prompt: str, schema: dict[str, Any]) -> str:
        """See `Backend`."""
        grammar = self._grammar.from_json_schema(json.dumps(schema), verbose=False)
        reply = self._model.create_completion(
            prompt, max_tokens=self._most, temperature=0.0, grammar=grammar
        )
        return str(reply["choices"][0]["text"])


class Transformers:
    """A model of Hugging Face's transformers, bound to the JSON schema by llguidance."""

    def __init__(self, settings: UnderstandSettings) -> None:
        folder = _existing(settings.llm_model, "the model folder")
        self._torch = require("torch", extra="llm")
        self._api = require("transformers", extra="llm")
        self._guide = require("llguidance", extra="llm")
        guide_hf = require("llguidance.hf", extra="llm")
        # llguidance.torch compiles its mask at first use and so needs a C++ compiler.
        self._masks = require("llguidance.numpy", extra="llm")
        try:
            self._tokenizer = self._api.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = self._api.AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True
            )
            self._guided = guide_hf.from_tokenizer(
                self._tokenizer, n_vocab=self._model.config.vocab_size
            )
        except Exception as error:
            raise ModelError(f"{folder} can't be loaded by transformers: {error}") from error
        self._device = "cuda" if self._torch.cuda.is_available() else "cpu"
        self._model.to(self._device).eval()
        self._settings = settings

    def generate(self, prompt: str, schema: dict[str, Any]) -> str:
        """See `Backend`."""
        matcher_type = self._guide.LLMatcher
        # spaces without end would satisfy the grammar and never the reader
        grammar = matcher_type.grammar_from_json_schema(schema, {"whitespace_flexible": False})
        matcher = matcher_type(self._guided, grammar)
        masks, vocabulary = self._masks, self._model.config.vocab_size
        bits = masks.allocate_token_bitmask(1, vocabulary)
        told = 0

        def bind(ids: Any, scores: Any) -> Any:
            nonlocal told
            fresh = ids[0, start:].tolist()
            for token in fresh[told:]:
                matcher.consume_token(token)
            told = len(fresh)
            masks.fill_next_token_bitmask(matcher, bits, 0)
            allowed = np.zeros(scores.shape[1], bool)
            known = np.unpackbits(bits.view(np.uint8), bitorder="little")[: len(allowed)]
            allowed[: len(known)] = known
            forbidden = self._torch.from_numpy(~allowed).to(scores.device)
            return scores.masked_fill(forbidden, -math.inf)

        room = self._settings.llm_context - self._settings.llm_max_tokens
        given = self._tokenizer(prompt, return_tensors="pt")["input_ids"][:, -room:]
        given = given.to(self._device)
        start = given.shape[1]
        with self._torch.inference_mode():
            out = self._model.generate(
                given,
                attention_mask=self._torch.ones_like(given),
                max_new_tokens=self._settings.llm_max_tokens,
                max_time=self._settings.llm_timeout,
                do_sample=False,
                logits_processor=self._api.LogitsProcessorList([bind]),
                pad_token_id=self._tokenizer.eos_token_id,
            )
        return str(self._tokenizer.decode(out[0, start:], skip_special_tokens=True))


BACKENDS: dict[str, type[ExLlamaV2] | type[LlamaCpp] | type[Transformers]] = {
    "exllamav2": ExLlamaV2,
    "llama_cpp": LlamaCpp,
    "transformers": Transformers,
}


def load(settings: UnderstandSettings) -> Backend:
    """The configured backend with its model loaded.

    Raises:
        ConfigError: no backend of that name.
        ModelError: the model is missing or broken.
        MissingExtraError: the backend isn't installed.
    """
    if settings.llm_backend not in BACKENDS:
        raise ConfigError(f"llm_backend: {settings.llm_backend!r} is none of {sorted(BACKENDS)}")
    return BACKENDS[settings.llm_backend](settings)
