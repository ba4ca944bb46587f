# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON from anywhere: what is wrong is one line, and the same everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from turret_ai import documents, overrides, share, vocabulary
from turret_ai.cli.app import main
from turret_ai.errors import ConfigError, InputError, TurretError
from turret_ai.hear.model_card import read_card
from turret_ai.learn import config as learn_config
from turret_ai.learn.sentences import SentenceMaker
from turret_ai.prove import records, tolerance
from turret_ai.ros import parameter_files
from turret_ai.see import description, manifests, scores
from turret_ai.simulate import scene
from turret_ai.understand import context

BAD = {
    "itself": "a: &a\n  b: *a\n",
    "itself in a list": "- &a [1, *a]\n",
    "deep": "[" * 5000,
    "laughs": "a0: &a0 [x, x]\n"
    + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 30)),
    "unclosed": "a: [1, 2\nb: 3",
    "tab": "a:\n\t- 1",
    "object": "!!python/object:os.system x",
    "date": "a: 2024-13-45",
    "long number": "a: " + "9" * 6000,
    "empty int": 'a: !!int ""',
    "control": "a: \x01",
}
READERS = {
    "vocabulary": vocabulary.load,
    "context": context.load,
    "scene": scene.load,
    "tolerance": tolerance.read_document,
    "parameters": parameter_files.read_parameter_file,
    "training": lambda path: learn_config.load(str(path), [], object),  # type: ignore[type-var]
    "grammar": lambda path: SentenceMaker(grammar=path),
    "speech model": lambda path: read_card(path.parent),
    "model": lambda path: description.read(str(path), description.DetectorDescription),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_tells_what_is_wrong_in_one_line(
    tmp_path: Path, reader: str, bad: str
) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(BAD[bad])
    with pytest.raises(TurretError) as caught:
        READERS[reader](path)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400
    assert "model.yaml" in str(caught.value)


@pytest.mark.parametrize("reader", ["vocabulary", "context", "scene", "parameters", "grammar"])
@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(tmp_path: Path, reader: str, coding: str) -> None:
    shipped = {
        "vocabulary": share.path("config/vocabulary.yaml").read_text(),
        "context": share.path("config/understand_context.yaml").read_text(),
        "scene": "name: x\npanorama: {generate: {style: desert}}\n",
        "parameters": "/**:\n  ros__parameters: {rate: 2.0}\n",
        "grammar": share.path("config/train/sentences.yaml").read_text(),
    }
    plain, marked = tmp_path / "plain.yaml", tmp_path / "marked.yaml"
    plain.write_text(shipped[reader])
    marked.write_bytes(shipped[reader].encode(coding))
    results = []
    for path in (plain, marked):
        try:
            results.append(repr(type(READERS[reader](path))))
        except TurretError as error:
            results.append(str(error).replace(str(path), "FILE"))
    assert results[0] == results[1]


@pytest.mark.parametrize("bad", BAD)
def test_values_on_the_command_line_are_read_by_the_same_rules(bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overrides.apply({}, [f"matching.sharpen={BAD[bad]}"])
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400
    with pytest.raises(ConfigError):
        parameter_files.read_value(BAD[bad], "-p x")


def test_the_command_line_shows_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cyc.yaml"
    path.write_text(BAD["itself"])
    assert main(["render", str(path), "--out", str(tmp_path / "x.png")]) == 2
    told = capsys.readouterr().err
    assert told == f"error: {path} holds an anchor that contains itself\n"


@given(st.text(max_size=200))
def test_any_text_is_a_value_or_one_line(text: str) -> None:
    for parse in (documents.parse_yaml, documents.parse_json):
        try:
            parse(text, "it")
        except TurretError as error:
            assert str(error).startswith("it")
            assert len(str(error).splitlines()) == 1


def test_the_names_of_these_tests_fit_a_line(request: pytest.FixtureRequest) -> None:
    assert max(len(each.nodeid) for each in request.session.items) < 1000


@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_values_survive(value: object) -> None:
    assert documents.parse_yaml(yaml.safe_dump(value), "it") == value


@pytest.mark.parametrize("read", [records.read_jsonl, manifests.read, scores.read])
@pytest.mark.parametrize("bad", ["[" * 100_000, "9" * 6000, "{", '{"a": }', "\xff"])
def test_lines_of_json_are_told_by_their_number(tmp_path: Path, read, bad: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.jsonl"
    path.write_text(bad, encoding="latin-1")
    with pytest.raises(InputError, match=r"a\.jsonl"):
        read(path)


def test_a_line_ends_at_line_ends_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"caption": "grey\u2028drone\x85"}, {"caption": "x"}]
    path.write_text("\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows), newline="")
    assert records.read_jsonl(path) == rows
