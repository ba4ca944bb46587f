# SPDX-License-Identifier: Apache-2.0
"""The language model's turn: prompt, reply, and a tiny random model that must obey the schema."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai import vocabulary
from turret_ai.errors import MissingExtraError, ModelError
from turret_ai.types import CommandField, CommandStatus, Source
from turret_ai.understand import Understander, UnderstandSettings
from turret_ai.understand.llm import backends, prompt, reply
from turret_ai.understand.llm.fallback import Fallback

WORDS = vocabulary.load()
TEXT = "engage the crimson dirigible at heading zero six five with the plasma mortar"


class Says:
    """A runtime that answers what it is told to, and remembers the questions."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers, self.asked, self.schemas = list(answers), [], []  # type: ignore[var-annotated]

    def generate(self, asked: str, schema: dict[str, Any]) -> str:
        self.asked.append(asked)
        self.schemas.append(schema)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def complete(says: Says, known: list[CommandField], text: str = TEXT, whole: str = TEXT):  # type: ignore[no-untyped-def]
    return Fallback(UnderstandSettings(), WORDS, says).complete(known, text, whole)


HEADING = CommandField("065", 0.99, Source.RULES)
NONE = CommandField()


def test_the_schema_loses_known_fields() -> None:
    built = prompt.build(TEXT, ["target"], WORDS)
    assert "<<question>>" + TEXT in built
    assert "<<function>>" in built
    assert '"target"' in built
    assert '"heading"' not in built
    assert list(prompt.parameters(["tool", "heading"], WORDS)["properties"]) == ["heading", "tool"]


@pytest.mark.parametrize(
    "text",
    [
        '<<function>>control_turret(tool="plasma mortar", target="crimson dirigible")',
        "[control_turret(tool='plasma mortar', target='crimson dirigible')]",
        '{"tool": "plasma mortar", "target": "crimson dirigible"}',
    ],
)
def test_calls_and_objects_are_read(text: str) -> None:
    assert reply.read(text, ["tool", "target"]) == {
        "tool": "plasma mortar",
        "target": "crimson dirigible",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("I can't help with that.", "no function call"),
        ("__import__('os').system('true')", "no function call"),
        ("delete_turret(tool='x', target='y')", "calls"),
        ("control_turret('EMP', target='y')", "no names"),
        ("control_turret(tool=str(1), target='y')", "plain values"),
        ("control_turret(tool='EMP')", "lacks target"),
        ('{"tool": 3, "target": "y"}', "no string"),
        ('{"tool": "a", "target": "b", "fire": "now"}', "unknown field"),
        ('{"tool": "a", "tool": "b", "target": "c"}', "twice"),
        ("(" * 3000, "too long"),
        ("(" * 1500, "no function call"),
    ],
)
def test_anything_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(reply.Nonsense, match=why):
        reply.read(text, ["tool", "target"])


@given(st.text(max_size=300))
def test_any_reply_is_read_or_refused(text: str) -> None:
    try:
        found = reply.read(text, ["tool"])
    except reply.Nonsense:
        return
    assert list(found) == ["tool"]


def test_only_open_fields_are_asked_and_filled() -> None:
    says = Says('control_turret(tool="plasma mortar", target="crimson dirigible")')
    fields, reason = complete(says, [HEADING, NONE, NONE])
    assert [f.value for f in fields] == ["065", "plasma mortar", "crimson dirigible"]
    assert [f.source for f in fields] == [Source.RULES, Source.LLM, Source.LLM]
    assert reason == ""
    assert list(says.schemas[0]["properties"]) == ["tool", "target"]


def test_a_complete_command_asks_nothing() -> None:
    assert complete(Says(), [HEADING, HEADING, HEADING])[1] == ""


def test_what_the_text_does_not_bear_out_is_rejected() -> None:
    says = Says('{"target": "submarine"}')
    fields, reason = complete(says, [HEADING, HEADING, NONE])
    assert fields[2] == NONE
    assert "nothing in the transcript sounds like" in reason


def test_there_is_one_retry_on_the_whole_text() -> None:
    says = Says("no idea", '{"target": "crimson dirigible"}')
    fields, _ = complete(says, [HEADING, HEADING, NONE], "engage", TEXT)
    assert fields[2].value == "crimson dirigible"
    assert len(says.asked) == 2


def test_a_runtime_that_fails_or_hangs_becomes_a_reason() -> None:
    assert "CUDA" in complete(Says(RuntimeError("CUDA")), [HEADING, HEADING, NONE])[1]

    class Hangs:
        def generate(self, asked: str, schema: dict[str, Any]) -> str:
            time.sleep(3.0)
            return ""

    # the limit is the setting's and a second's grace
    slow = Fallback(UnderstandSettings(llm_timeout=0.01), WORDS, Hangs())
    _, reason = slow.complete([HEADING, HEADING, NONE], TEXT, TEXT)
    assert "no answer within" in reason


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of random weights with a byte-level tokenizer, made on the spot."""
    pytest.importorskip("torch").set_num_threads(1)
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("llguidance")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("tiny")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    marks = ["<s>", "</s>"]
    table = {token: i for i, token in enumerate([*letters, *marks])}
    raw = Tokenizer(models.BPE(vocab=table, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>"
    )
    tokenizer.save_pretrained(folder)
    transformers.set_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=len(table),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4096,
        bos_token_id=table["<s>"],
        eos_token_id=table["</s>"],
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def test_a_random_model_bound_to_the_schema_gives_valid_json(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no C++ compiler, as on a fresh machine
    settings = UnderstandSettings(
        llm_backend="transformers",
        llm_model=str(tiny),
        llm_context=4096,
        llm_max_tokens=110,
        llm_timeout=60.0,
    )
    backend = backends.load(settings)
    fields = ["heading", "tool"]
    schema = prompt.parameters(fields, WORDS)
    answer = backend.generate(prompt.build(TEXT, fields, WORDS), schema)
    given = json.loads(answer)
    assert set(given) == set(fields)
    assert len(given["heading"]) == 3
    assert reply.read(answer, fields) == {k: v.strip() for k, v in given.items()}


def test_the_nonsense_of_a_random_model_is_rejected_with_the_reason(tiny: Path) -> None:
    understander = Understander(
        UnderstandSettings(
            llm_backend="transformers",
            llm_model=str(tiny),
            llm_context=4096,
            llm_max_tokens=110,
            llm_timeout=60.0,
        )
    )
    command = understander.parse("hello there my friend")
    assert command.status is CommandStatus.REJECTED
    assert "language model" in command.reason


def test_a_missing_or_broken_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        Understander(UnderstandSettings(llm_backend="llama_cpp", llm_model="/no/model.gguf"))
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises((ModelError, MissingExtraError)):
        Understander(UnderstandSettings(llm_backend="transformers", llm_model=str(tmp_path)))


def test_a_backend_that_is_not_installed_names_its_extra(tmp_path: Path) -> None:
    try:
        import exllamav2  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("exllamav2 is installed")
    with pytest.raises(MissingExtraError, match="exllamav2"):
        Understander(UnderstandSettings(llm_backend="exllamav2", llm_model=str(tmp_path)))


def test_the_tuning_recipe_runs_on_a_tiny_model(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from turret_ai.learn import llm as tuning

    out = tuning.run(
        "llm",
        [
            f"pretrained={tiny}",
            f"out={tmp_path / 'adapter'}",
            "sentences=8",
            "misheard=0",
            "accumulate=4",
            "max_tokens=160",
            "rank=2",
        ],
    )
    losses = [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert len(losses) == 2
    adapter = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
    assert adapter["use_rslora"]
