# SPDX-License-Identifier: Apache-2.0
"""Recordings are written completely and read as far as they can be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rosbags.rosbag2.reader import zstd

from turret_ai.errors import InputError
from turret_ai.prove.bag import Bag
from turret_ai.prove.writer import BagWriter, Recorder
from turret_ai.ros.dds.messages import describe, store

STRING = "std_msgs/msg/String"
STATE = "turret_ai/msg/TurretState"
SECOND = 1_000_000_000


def text_message(text: str) -> bytes:
    kind = store().types[STRING]
    return bytes(store().serialize_cdr(kind(data=text), STRING))


def joint_message(stamp_ns: int, yaw: float) -> bytes:
    types = store().types
    stamp = types["builtin_interfaces/msg/Time"](sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
    message = types["sensor_msgs/msg/JointState"](
        header=types["std_msgs/msg/Header"](stamp=stamp, frame_id="base"),
        name=["gimbal_joint"],
        position=np.array([yaw]),
        velocity=np.array([0.0]),
        effort=np.array([]),
    )
    return bytes(store().serialize_cdr(message, "sensor_msgs/msg/JointState"))


def write(path: Path, storage: str = "mcap", count: int = 200, **options: Any) -> Path:
    with BagWriter(path, storage, **options) as bag:
        bag.add_topic("/talk", STRING)
        bag.add_topic("/joint_states", "sensor_msgs/msg/JointState")
        for i in range(count):
            bag.write("/talk", i * SECOND, text_message(f"{i:03d} " + "x" * 20_000))
            bag.write("/joint_states", i * SECOND + 5, joint_message(i * SECOND + 3, i / 10))
    return path


def texts(bag: Bag) -> list[str]:
    return [bag.decode(r).data[:3] for r in bag.records({"/talk"})]


@pytest.mark.parametrize(
    ("storage", "options"), [("mcap", {}), ("mcap", {"compress": True}), ("sqlite3", {})]
)
def test_a_bag_gives_back_what_was_written(
    tmp_path: Path, storage: str, options: dict[str, Any]
) -> None:
    with Bag(write(tmp_path / "bag", storage, **options)) as bag:
        assert not bag.problems
        assert bag.topics["/talk"].count == 200
        assert texts(bag) == [f"{i:03d}" for i in range(200)]
        merged = [r.log_ns for r in bag.records()]
        assert merged == sorted(merged) and len(merged) == 400
        first = next(bag.records({"/joint_states"}))
        assert bag.stamp_ns(first) == 3
        assert bag.decode(first).position[0] == 0.0


def test_a_topic_without_messages_stays_listed(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/turret/state", STATE)
    with Bag(tmp_path / "bag") as bag:
        assert bag.topics["/turret/state"].count == 0
        assert list(bag.records()) == []


def test_the_bag_describes_its_own_types(tmp_path: Path) -> None:
    from rosbags.highlevel import AnyReader

    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/turret/state", STATE)
    with AnyReader([tmp_path / "bag"]) as reader:
        assert STATE in reader.typestore.fielddefs


def test_a_bag_is_complete_although_its_user_failed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/talk", STRING)
        writer.write("/talk", 7, text_message("kept"))
        raise RuntimeError
    with Bag(tmp_path / "bag") as bag:
        assert not bag.problems
        assert [bag.decode(r).data for r in bag.records()] == ["kept"]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        BagWriter(tmp_path)


def cut(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("compress", [False, True])
def test_an_mcap_bag_that_was_cut_off_is_read_up_to_the_cut(tmp_path: Path, compress: bool) -> None:
    path = write(tmp_path / "bag", compress=compress, count=600)
    cut(path / "bag.mcap", 0.5)
    with Bag(path) as bag:
        read = texts(bag)
        assert 200 < len(read) < 500
        assert read == [f"{i:03d}" for i in range(len(read))]
        assert any("magic" in problem for problem in bag.problems)
        assert any("cut off" in problem for problem in bag.problems)


def test_a_recording_without_metadata_or_index_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "bag")
    (path / "metadata.yaml").unlink()
    data = (path / "bag.mcap").read_bytes()
    (path / "bag.mcap").write_bytes(data[: data.rindex(b"serialized_metadata") - 40])
    with Bag(path) as bag:
        assert len(texts(bag)) == 200
        assert any("not closed" in problem for problem in bag.problems)


def test_a_damaged_chunk_costs_only_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", compress=True, count=600)
    file = path / "bag.mcap"
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    file.write_bytes(bytes(data[:-20]))
    with Bag(path) as bag:
        read = texts(bag)
        assert "599" in read and len(read) < 600
        assert any("damaged chunk" in problem for problem in bag.problems)


def test_a_damaged_chunk_of_a_whole_bag_costs_only_itself_too(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", compress=True, count=600)
    file = path / "bag.mcap"
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    file.write_bytes(bytes(data))
    with Bag(path) as bag:
        read = texts(bag)
        assert read == sorted(set(read)) and "599" in read and 500 < len(read) < 600
        assert any("damaged after" in problem for problem in bag.problems)
        assert any("damaged chunk" in problem for problem in bag.problems)


def test_an_sqlite_bag_that_was_cut_off_is_read_up_to_the_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", "sqlite3", count=100)
    cut(path / "bag.db3", 0.5)
    with Bag(path) as bag:
        read = texts(bag)
        assert read == [f"{i:03d}" for i in range(len(read))]
        assert 20 < len(read) < 80
        assert any("reading stopped" in problem for problem in bag.problems)


def test_an_sqlite_recording_with_its_journal_still_beside_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", "sqlite3", count=5)
    import sqlite3

    file = path / "bag.db3"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("INSERT INTO messages SELECT 99, topic_id, 99, data FROM messages LIMIT 1")
    database.commit()
    copy = tmp_path / "copy"
    copy.mkdir()
    for part in path.glob("bag.db3*"):
        shutil.copy(part, copy)
    database.close()
    with Bag(copy) as bag:
        assert len(list(bag.records())) == 11


def test_a_single_file_is_a_bag_too(tmp_path: Path) -> None:
    path = write(tmp_path / "bag")
    with Bag(path / "bag.mcap") as bag:
        assert len(texts(bag)) == 200


def test_an_unknown_type_costs_only_its_topic(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", "sqlite3", count=5)
    shutil.move(path / "bag.db3", tmp_path / "other.db3")
    import sqlite3

    with sqlite3.connect(tmp_path / "other.db3") as database:
        database.execute("UPDATE topics SET type = 'they/msg/Own' WHERE name = '/talk'")
        database.execute("DELETE FROM message_definitions")
    with Bag(tmp_path / "other.db3") as bag:
        assert "they/msg/Own" in bag.topics["/talk"].problem
        assert bag.topics["/joint_states"].problem == ""
        assert sum(1 for _ in bag.records({"/joint_states"})) == 5
        with pytest.raises(InputError, match="unknown"):
            bag.decode(next(bag.records({"/talk"})))


@pytest.mark.parametrize("content", [b"", b"not a bag at all" * 100])
def test_a_file_that_is_no_bag_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    for name in ("x.mcap", "x.db3"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="nothing of the bag"):
            Bag(tmp_path / name)
    with pytest.raises(InputError, match="there is no bag"):
        Bag(tmp_path / "missing")


def test_a_message_that_is_cut_short_is_an_error_of_its_topic(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/joint_states", "sensor_msgs/msg/JointState")
        writer.write("/joint_states", 1, joint_message(1, 0.0)[:20])
    with Bag(tmp_path / "bag") as bag, pytest.raises(InputError, match="joint_states"):
        bag.decode(next(bag.records()))


def test_the_recorder_loses_nothing_and_keeps_its_memory_bounded(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag")
    writer.add_topic("/talk", STRING)
    recorder = Recorder(writer, capacity_bytes=200_000, patience_s=10.0)
    raw = text_message("y" * 50_000)
    most = 0
    for i in range(300):
        assert recorder.put("/talk", raw, i)
        most = max(most, recorder.waiting_bytes)
    recorder.close()
    assert most <= 200_000
    assert not recorder.lost
    with Bag(tmp_path / "bag") as bag:
        assert [r.log_ns for r in bag.records()] == list(range(300))


def test_every_stage_message_has_a_definition_and_a_hash() -> None:
    for name in ("Transcript", "TurretCommand", "TargetBBox", "Engagement"):
        text, digest = describe(f"turret_ai/msg/{name}")
        assert "utterance_id" in text and digest.startswith("RIHS01_")


# -- what other tools make of a recording ---------------------------------------------------------


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize(
    "told",
    [
        {"offered_qos_profiles": []},
        {"offered_qos_profiles": ""},
        {"offered_qos_profiles": "- history: 1\n  depth: 1\n  reliability: 2\n"},
        {"type_description_hash": "RIHS01_00"},
    ],
)
def test_messages_are_read_by_topic_whatever_the_metadata_says(
    tmp_path: Path, storage: str, told: dict[str, Any]
) -> None:
    path = write(tmp_path / "bag", storage)
    metadata = yaml.safe_load((path / "metadata.yaml").read_text())
    for topic in metadata["rosbag2_bagfile_information"]["topics_with_message_count"]:
        topic["topic_metadata"].update(told)
    (path / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    with Bag(path) as bag:
        assert len(texts(bag)) == 200
        assert len(list(bag.records({"/joint_states"}))) == 200
        assert [p for p in bag.problems if "metadata key" not in p] == []


def test_messages_that_are_listed_and_not_there_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", count=3)
    metadata = yaml.safe_load((path / "metadata.yaml").read_text())
    for topic in metadata["rosbag2_bagfile_information"]["topics_with_message_count"]:
        topic["message_count"] = 4825
    (path / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    with Bag(path) as bag:
        assert len(texts(bag)) == 3
        assert bag.problems == ["/talk: listed 4,825, read 3"]


def split(folder: Path, parts: int) -> Path:
    """A recording in files _0.mcap, _1.mcap, ... of one message each, without metadata.yaml."""
    folder.mkdir()
    for number in range(parts):
        part = folder / f"part_{number}"
        with BagWriter(part, "mcap") as bag:
            bag.add_topic("/talk", STRING)
            bag.write("/talk", number * SECOND, text_message(f"{number:03d}"))
        (file,) = part.glob("*.mcap")
        file.rename(folder / f"bag_{number}.mcap")
        shutil.rmtree(part)
    return folder


def test_a_split_recording_without_metadata_is_read_in_the_order_of_its_numbers(
    tmp_path: Path,
) -> None:
    with Bag(split(tmp_path / "bag", 12)) as bag:
        assert texts(bag) == [f"{number:03d}" for number in range(12)]


@pytest.mark.parametrize("ending", [".zstd", ".zst"])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_files_that_were_compressed_are_read_without_metadata(
    tmp_path: Path, ending: str, storage: str
) -> None:
    path = write(tmp_path / "bag", storage, count=20)
    for file in [f for f in path.iterdir() if f.suffix in (".mcap", ".db3")]:
        packed = file.with_name(file.name + ending)
        packed.write_bytes(zstd.compress(file.read_bytes()))
        file.unlink()
    (path / "metadata.yaml").unlink()
    with Bag(path) as bag:
        assert len(texts(bag)) == 20
        assert bag.problems == ["metadata.yaml is missing: the recording was not closed"]
    with Bag(packed) as bag:
        assert len(texts(bag)) == 20


def test_a_compressed_file_that_was_cut_off_is_read_up_to_the_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", count=200)
    (file,) = path.glob("*.mcap")
    content = file.read_bytes()
    pieces = [zstd.compress(content[i : i + 100_000]) for i in range(0, len(content), 100_000)]
    packed = path / f"{file.name}.zstd"
    whole = b"".join(pieces)
    packed.write_bytes(whole[: len(whole) * 3 // 4])
    file.unlink()
    with Bag(packed) as bag:
        assert 0 < len(texts(bag)) < 200
        assert any("zstd" in problem for problem in bag.problems)


@pytest.mark.parametrize("metadata", [True, False])
def test_messages_that_were_compressed_one_by_one_are_read(tmp_path: Path, metadata: bool) -> None:
    path = tmp_path / "bag"
    with BagWriter(path, "sqlite3") as bag:
        bag.add_topic("/talk", STRING)
        for i in range(20):
            packed = zstd.compress(text_message(f"{i:03d}"))
            bag.write("/talk", i * SECOND, packed[:-4] if i == 7 else packed)
    if metadata:
        text = (path / "metadata.yaml").read_text()
        told = yaml.safe_load(text)
        told["rosbag2_bagfile_information"].update(
            compression_format="zstd", compression_mode="MESSAGE"
        )
        (path / "metadata.yaml").write_text(yaml.safe_dump(told))
    else:
        (path / "metadata.yaml").unlink()
    with Bag(path) as bag:
        assert texts(bag) == [f"{i:03d}" for i in range(20) if i != 7]
        assert any("/talk: a damaged zstd message" in problem for problem in bag.problems)
