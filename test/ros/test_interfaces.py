# SPDX-License-Identifier: Apache-2.0
"""Message classes without ROS: names, defaults, constants, types, CDR."""

from __future__ import annotations

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from turret_ai.errors import InputError
from turret_ai.ros import RUNTIME, interfaces
from turret_ai.ros.dds import messages, stubs
from turret_ai.ros.interfaces import CameraInfo, DiagnosticStatus, Image, Transcript, Trigger

pytestmark = pytest.mark.skipif(
    RUNTIME != "dds", reason="tests of the plain runtime: set TURRET_AI_RUNTIME=dds"
)


def test_the_type_stub_is_that_of_the_definitions() -> None:
    text = stubs.TARGET.read_text(encoding="utf-8")
    assert text == stubs.stubs(), "run scripts/write_interfaces"


def test_fields_that_are_not_given_are_zero() -> None:
    made = Transcript(text="x")
    assert (made.text, made.confidence, made.header.stamp.sec) == ("x", 0.0, 0)
    assert list(made.alternatives) == []
    assert len(CameraInfo().k) == 9
    assert Transcript() == Transcript()
    assert Transcript() != made


def test_constants_are_class_attributes() -> None:
    assert (Transcript.FINAL, Transcript.EMPTY) == (0, 2)
    assert DiagnosticStatus.ERROR == 2


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="txt"):
        Transcript(txt="x")  # type: ignore[call-arg]


def test_types_can_be_had_by_name_at_run_time() -> None:
    assert interfaces.message("sensor_msgs/msg/Image") is Image
    assert interfaces.message("sensor_msgs/Image") is Image
    assert interfaces.service("std_srvs/srv/Trigger") is Trigger
    assert interfaces.type_name(Image) == "sensor_msgs/msg/Image"
    assert interfaces.type_name(Trigger) == "std_srvs/srv/Trigger"
    for name in ("nope/msg/Nope", "turret_ai/msg/Nope", "x"):
        with pytest.raises(InputError):
            interfaces.message(name)


@pytest.mark.parametrize("name", samples.names())
@pytest.mark.parametrize("seed", [1, 2])
def test_each_message_survives_cdr(name: str, seed: int) -> None:
    made = samples.fill(name, seed)
    found = messages.from_cdr(bytes(messages.to_cdr(made, name)), name)
    assert samples.plain(found) == samples.plain(samples.fill(name, seed))


@pytest.mark.parametrize("name", samples.names())
def test_each_empty_message_survives_cdr(name: str) -> None:
    made = interfaces.message(name)()
    assert messages.from_cdr(bytes(messages.to_cdr(made, name)), name) == made


@given(st.binary(max_size=80))
def test_bytes_that_are_no_message_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    try:
        messages.from_cdr(messages.ENCAPSULATION + raw, "turret_ai/msg/Transcript")
    except InputError:
        return


@given(st.binary(max_size=200))
def test_a_cut_message_is_refused(tail: bytes) -> None:
    whole = bytes(
        messages.to_cdr(samples.fill("turret_ai/msg/Engagement"), "turret_ai/msg/Engagement")
    )
    with pytest.raises(InputError):
        messages.from_cdr(whole[: len(whole) // 2], "turret_ai/msg/Engagement")


def test_numbers_may_come_as_lists_bytes_or_arrays() -> None:
    for data in ([1, 2, 255], b"\x01\x02\xff", np.array([1, 2, 255]), np.array([1, 2, 255], "u1")):
        made = Image(data=data)
        found = messages.from_cdr(
            messages.to_cdr(made, "sensor_msgs/msg/Image"), "sensor_msgs/msg/Image"
        )
        assert found.data.tolist() == [1, 2, 255]


def test_an_image_is_received_without_copying_its_bytes() -> None:
    raw = bytes(messages.to_cdr(Image(data=np.zeros(1000, np.uint8)), "sensor_msgs/msg/Image"))
    assert messages.from_cdr(raw, "sensor_msgs/msg/Image").data.base is not None


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"text": 5}, "text: expected string, got 5"),
        ({"status": 300}, "status: 300 is out of the range of uint8"),
        ({"status": "FINAL"}, "status: expected uint8, got 'FINAL'"),
        ({"confidence": None}, "confidence: expected float32, got None"),
        ({"alternatives": ["x"]}, r"alternatives\[0\]: expected turret_ai/msg/Hypothesis"),
        ({"alternatives": 5}, "alternatives: expected a sequence"),
        ({"header": 5}, "header: expected std_msgs/msg/Header"),
    ],
)
def test_a_value_that_does_not_fit_is_named(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        messages.to_cdr(Transcript(**fields), "turret_ai/msg/Transcript")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [([256], "range of uint8"), ([-1], "range of uint8"), ([0.5], "can't become"), (["x"], "data")],
)
def test_elements_that_do_not_fit_are_named(data: object, complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        messages.to_cdr(Image(data=data), "sensor_msgs/msg/Image")


def test_a_fixed_array_of_another_length_is_refused() -> None:
    with pytest.raises(TypeError, match="k: expected 9 values, got 8"):
        messages.to_cdr(CameraInfo(k=[0.0] * 8), "sensor_msgs/msg/CameraInfo")


def test_the_graph_message_has_the_hash_that_ros_announces() -> None:
    # from share/rmw_dds_common/msg/ParticipantEntitiesInfo.json of Jazzy
    expected = "RIHS01_91a0593bacdcc50ea9bdcf849a938b128412cc1ea821245c663bcd26f83c295e"
    assert messages.type_hash("rmw_dds_common/msg/ParticipantEntitiesInfo") == expected
