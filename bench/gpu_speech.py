# SPDX-License-Identifier: Apache-2.0
"""A Whisper of full size (random weights) on a graphics card through CTranslate2"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench.common import Row, Skip

TIMEOUT_S = 180
TOKENS = 32
"""Length that is decoded: a spoken command has some 30 tokens."""
SPECIAL = {
    "<|endoftext|>": 50257, "<|startoftranscript|>": 50258, "<|translate|>": 50358,
    "<|transcribe|>": 50359, "<|startoflm|>": 50360, "<|startofprev|>": 50361,
    "<|nospeech|>": 50362, "<|notimestamps|>": 50363,
}  # fmt: skip
"""Those of the multilingual Whispers, which CTranslate2 asks for."""


def run(quick: bool) -> list[Row]:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise Skip(f"needs the extra `train`: {error}") from error
    import ctranslate2
    import numpy as np

    from bench import _gpu

    dry = _gpu.dry_run(quick)
    _gpu.plain_fp32()
    card = ctranslate2.get_cuda_device_count() > 0
    runs = 3 if quick else 20
    with tempfile.TemporaryDirectory() as folder:
        whisper = _whisper(Path(folder), dry)
        device, kind = ("cuda", "float16") if card else ("cpu", "int8")
        ours = ctranslate2.models.Whisper(
            str(Path(folder) / "ct2"), device=device, compute_type=kind
        )
        features = np.random.default_rng(0).standard_normal((1, 80, 3000)).astype(np.float32)
        view = ctranslate2.StorageView.from_array(features)
        encoded = np.array(ours.encode(view, to_cpu=True), dtype=np.float32)
        encoder = whisper.model.encoder.to(_gpu.device())
        tensor = torch.from_numpy(features).to(_gpu.device())

        def eager() -> Any:
            with torch.inference_mode():
                return encoder(tensor).last_hidden_state

        off = _gpu.difference(encoded, eager().cpu().numpy())
        ours_time = _gpu.timed(lambda: np.array(ours.encode(view, to_cpu=True)), runs)
        theirs = _gpu.timed(eager, runs)
        prompt = [SPECIAL["<|startoftranscript|>"], SPECIAL["<|notimestamps|>"]]
        decode = _gpu.timed(
            lambda: ours.generate(view, [prompt], beam_size=5, max_length=TOKENS), runs
        )
    where = f"{kind}; {_gpu.name()}"
    if not card:
        where += "; CTranslate2 sees no CUDA device (it needs cuBLAS 12)"
    size = "tiny" if dry else "small"
    return [
        Row(f"encoder of a Whisper {size}, 30 s, {device}", ours_time.milliseconds, "ms",
            "eager PyTorch fp32", theirs.milliseconds,
            note=f"largest difference {off:.1e}; {where}"),
        Row(f"encode and decode up to {TOKENS} tokens, beam 5, {device}", decode.milliseconds,
            "ms", note=where),
    ]  # fmt: skip


def _whisper(folder: Path, tiny: bool) -> Any:
    """Random weights, converted to the folder ct2."""
    import ctranslate2
    import torch
    import transformers
    from tokenizers import Tokenizer, models

    torch.manual_seed(0)
    width, layers, heads = (64, 1, 2) if tiny else (768, 12, 12)
    config = transformers.WhisperConfig(
        d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=heads, decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width, vocab_size=51865,
        decoder_start_token_id=SPECIAL["<|startoftranscript|>"],
        eos_token_id=SPECIAL["<|endoftext|>"], bos_token_id=SPECIAL["<|endoftext|>"],
        pad_token_id=SPECIAL["<|endoftext|>"],
    )  # fmt: skip
    whisper = transformers.WhisperForConditionalGeneration(config).eval()
    source = folder / "source"
    whisper.save_pretrained(source)
    words = {f"w{n}": n for n in range(config.vocab_size)}
    for token, number in SPECIAL.items():
        del words[f"w{number}"]
        words[token] = number
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<|endoftext|>"))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", unk_token="<|endoftext|>"
    ).save_pretrained(source)
    (source / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))
    ctranslate2.converters.TransformersConverter(str(source)).convert(
        str(folder / "ct2"), quantization="float16"
    )
    return whisper
