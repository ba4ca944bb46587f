# SPDX-License-Identifier: Apache-2.0
"""The user's cache: believed only while it is whole, and never missed where there is none."""

import os

import numpy as np
import pytest

from turret_ai import kept
from turret_ai.kept import Shelf


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_kept_is_found_with_its_note(cache):
    shelf = Shelf("things")
    assert shelf.find("a") is None
    shelf.keep("a", lambda file: file.write_bytes(b"12"), {"colour": [1, 2]})
    file, note = shelf.find("a")
    assert (file.read_bytes(), note) == (b"12", {"colour": [1, 2]})


@pytest.mark.parametrize("spoilt", ["a", "a.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\xfe"])
def test_a_spoilt_file_is_not_believed(cache, spoilt, content):
    shelf = Shelf("things")
    shelf.keep("a", lambda file: file.write_bytes(b"12"), {})
    if content is None:
        (shelf.folder / spoilt).unlink()
    else:
        (shelf.folder / spoilt).write_bytes(content)
    assert shelf.find("a") is None


def test_the_oldest_are_forgotten(cache):
    shelf = Shelf("things", most=2)
    for place, name in enumerate("abc"):
        shelf.keep(name, lambda file: file.write_bytes(b"1"), {})
        os.utime(shelf.folder / f"{name}.json", (place, place))
    assert shelf.find("a") is None
    assert len(list(shelf.folder.iterdir())) == 4


def test_without_a_place_to_keep_things_nothing_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    shelf = Shelf("things")
    shelf.keep("a", lambda file: file.write_bytes(b"12"), {})
    assert shelf.find("a") is None


def test_the_key_follows_every_word_and_file(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("1")
    keys = {kept.key(["a", "b"], [file]), kept.key(["ab"], [file])}
    file.write_text("2")
    keys.add(kept.key(["a", "b"], [file]))
    assert len(keys) == 3


def test_a_kept_panorama_is_the_painted_one(cache):
    from turret_ai.simulate import scene as scenes
    from turret_ai.simulate.world import World

    scene = scenes.load("harbour")
    painted, again = World(scene), World(scene)
    assert (cache / "turret_ai" / "panoramas").is_dir()
    assert np.array_equal(painted.panorama.image, again.panorama.image)
    assert painted.light == again.light


def test_a_kept_decoding_graph_is_the_made_one(cache):
    from turret_ai.hear import graph_store

    made, again = graph_store.load(), graph_store.load()
    assert len(list((cache / "turret_ai" / "graphs").iterdir())) == 2
    assert made.words == again.words
    assert made.fst.num_states == again.fst.num_states
    assert str(made.fst.to_str())[:10_000] == str(again.fst.to_str())[:10_000]
