# SPDX-License-Identifier: Apache-2.0
"""Truth and predictions are read, paired and written without surprises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import InputError
from turret_ai.prove import records

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_lines_of_json_are_read_and_blank_lines_skipped(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"key": 0, "transcript": "café"}\n\n{"key": 1}\n', "utf-8")
    assert records.read_jsonl(file) == [{"key": 0, "transcript": "café"}, {"key": 1}]


def test_a_list_in_one_file_is_read_alike(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"key": 0},\n {"key": 1}]')
    assert records.read_jsonl(file) == [{"key": 0}, {"key": 1}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no records"),
        (b'{"key": 0}\n{"key":', r"a\.jsonl:2: not valid JSON"),
        (b'{"key": 0}\n7\n', r"a\.jsonl:2: expected a JSON object"),
        (b"[1, 2]", "list of JSON objects"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_an_unreadable_file_is_named_with_its_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        records.read_jsonl(file)
    with pytest.raises(InputError, match="can't be read"):
        records.read_jsonl(tmp_path / "missing")


def test_predictions_are_paired_by_key_in_the_order_of_the_truth() -> None:
    pairs = records.match(
        [{"key": 2, "x": "b"}, {"key": 7}, {"key": 0, "x": "a"}],
        [{"key": 0}, {"key": 1}, {"key": 2}],
    )
    assert [(p.key, p.prediction and p.prediction["x"]) for p in pairs.pairs] == [
        (0, "a"),
        (1, None),
        (2, "b"),
    ]
    assert pairs.missing == (1,)
    assert pairs.unknown == (7,)
    assert len(pairs.remarks) == 2


def test_a_key_that_appears_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="appears twice"):
        records.match([{"key": 1}, {"key": 1}], [{"key": 1}])
    with pytest.raises(InputError, match="must be a number or a text"):
        records.match([{}], [{"key": 1}])


@given(json_values)
def test_canonical_values_are_stable_and_free_of_nan(value: object) -> None:
    once = records.canonical(value)
    assert records.canonical(once) == once
    records.json.dumps(once, allow_nan=False)


def test_numpy_numbers_are_written_as_numbers(tmp_path: Path) -> None:
    file = records.write_json(tmp_path / "a.json", {"b": np.float32(0.5), "a": np.int64(3)})
    assert file.read_text() == '{\n "a": 3,\n "b": 0.5\n}\n'


def test_a_result_that_cannot_be_written_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="can't write"):
        records.write_json(tmp_path / "folder", {})
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
