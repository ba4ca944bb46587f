# SPDX-License-Identifier: Apache-2.0
"""Tuning of the fallback language model on commands, by rank-stabilised LoRA (Kalajdzievski 2023).

The loop is plain PyTorch with peft for the adapters: trl would bring data set libraries that
nothing else here needs. `turret-ai train llm llm` runs the shipped configuration.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from turret_ai import vocabulary
from turret_ai.errors import InputError, ModelError
from turret_ai.extras import require
from turret_ai.learn import config as configuration
from turret_ai.learn import sentences
from turret_ai.understand import discourse
from turret_ai.understand.llm import prompt
from turret_ai.understand.words import split

FIELDS = ("heading", "tool", "target")


class LlmConfig(configuration.Section):
    """`config/train/llm.yaml`."""

    pretrained: str = Field(description="A folder or a hub name of a causal language model.")
    out: Path = Field(description="Folder of the adapter and the log.")
    data: tuple[Path, ...] = Field((), description="JSON lines; empty: sentences are made.")
    sentences: int = Field(4000, ge=1)
    misheard: float = Field(0.5, ge=0.0, le=1.0)
    rank: int = Field(16, ge=1)
    alpha: int = Field(16, ge=1)
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    modules: tuple[str, ...] = Field(min_length=1)
    lr: float = Field(2e-4, gt=0.0)
    weight_decay: float = Field(0.01, ge=0.0)
    warmup_steps: int = Field(10, ge=0)
    epochs: int = Field(1, ge=1)
    batch: int = Field(1, ge=1)
    accumulate: int = Field(8, ge=1)
    max_tokens: int = Field(512, ge=32)
    seed: int = 0


def examples(settings: LlmConfig) -> list[tuple[str, str]]:
    """(prompt, answer) pairs; each asks for a random set of fields, as the fallback does."""
    words = vocabulary.load()
    rng = random.Random(settings.seed)
    out = []
    for row in _rows(settings):
        asked = [name for name in FIELDS if rng.random() < 0.6] or [rng.choice(FIELDS)]
        parts = discourse.read(split(str(row["transcript"]))).parts
        text = " ".join(word.text for word in parts[0].words) if parts else ""
        values = ", ".join(f"{name}={json.dumps(str(row[name]))}" for name in asked)
        out.append((prompt.build(text, asked, words), f"<<function>>{prompt.FUNCTION}({values})"))
    return out


def _rows(settings: LlmConfig) -> list[dict[str, Any]]:
    if settings.data:
        rows = []
        for path in settings.data:
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
                rows += [json.loads(line) for line in lines if line.strip()]
            except (OSError, ValueError) as error:
                raise InputError(f"{path} can't be read: {error}") from error
        return rows
    made: list[dict[str, Any]] = [
        dict(s.as_dict(i))
        for i, s in enumerate(sentences.draw(settings.sentences, settings.seed, rare=True))
    ]
    if settings.misheard > 0.0:
        from turret_ai.learn.transcripts import Corrupter

        corrupter = Corrupter(0.6, settings.seed)
        rng = random.Random(settings.seed)
        for row in made:
            if rng.random() < settings.misheard:
                row["transcript"] = corrupter.corrupt(str(row["transcript"]))
    return made


def run(name: str, overrides: Sequence[str]) -> Path:
    """Tune by a configuration; returns the folder of the adapter.

    Raises:
        ConfigError, InputError: of the configuration and the data.
        ModelError: the pretrained model can't be loaded.
        MissingExtraError: torch, transformers or peft isn't installed.
    """
    from rich.console import Console
    from rich.progress import Progress

    settings = configuration.load(name, overrides, LlmConfig)
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    peft = require("peft", extra="train")
    torch.manual_seed(settings.seed)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(settings.pretrained)
        base = transformers.AutoModelForCausalLM.from_pretrained(settings.pretrained)
    except Exception as error:
        raise ModelError(f"{settings.pretrained} can't be loaded: {error}") from error
    lora = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.modules),
        use_rslora=True,
        task_type="CAUSAL_LM",
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = peft.get_peft_model(base, lora).to(device).train()
    pairs = examples(settings)
    size = settings.batch * settings.accumulate
    steps = settings.epochs * math.ceil(len(pairs) / size)
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=settings.lr, weight_decay=settings.weight_decay)
    schedule = transformers.get_cosine_schedule_with_warmup(optimizer, settings.warmup_steps, steps)
    rng = random.Random(settings.seed)
    settings.out.mkdir(parents=True, exist_ok=True)
    log = settings.out / "log.jsonl"
    with Progress(console=Console(stderr=True)) as bar, log.open("w", encoding="utf-8") as file:
        task = bar.add_task("tuning", total=steps)
        step = 0
        for _ in range(settings.epochs):
            rng.shuffle(pairs)
            for at in range(0, len(pairs), size):
                group = pairs[at : at + size]
                total = 0.0
                for k in range(0, len(group), settings.batch):
                    some = group[k : k + settings.batch]
                    ids, labels = _batch(torch, tokenizer, some, settings.max_tokens)
                    loss = model(input_ids=ids.to(device), labels=labels.to(device)).loss
                    (loss * len(some) / len(group)).backward()
                    total += float(loss.detach()) * len(some) / len(group)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                step += 1
                file.write(json.dumps({"step": step, "loss": round(total, 5)}) + "\n")
                bar.advance(task)
    model.save_pretrained(settings.out)
    tokenizer.save_pretrained(settings.out)
    return settings.out


def _batch(
    torch: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], most: int
) -> tuple[Any, Any]:
    """Token numbers and labels, shape (batch, longest); only the answer is learnt."""
    rows = []
    for question, answer in pairs:
        asked = tokenizer(question)["input_ids"]
        told = tokenizer(answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        asked = asked[-max(1, most - len(told)) :]
        rows.append((asked + told, [-100] * len(asked) + told))
    longest = max(len(ids) for ids, _ in rows)
    # what stands behind the answer is masked by causality, and unlearnt by its label
    ids = [row + [tokenizer.eos_token_id] * (longest - len(row)) for row, _ in rows]
    labels = [row + [-100] * (longest - len(row)) for _, row in rows]
    return torch.tensor(ids), torch.tensor(labels)
