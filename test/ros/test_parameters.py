# SPDX-License-Identifier: Apache-2.0
"""Parameters: a pydantic model on one side, ROS's dotted names, types and ranges on the other."""

from __future__ import annotations

import math
from array import array
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from turret_ai.aim.settings import AimSettings
from turret_ai.errors import ConfigError
from turret_ai.ros.arguments import Setting
from turret_ai.ros.parameters import Kind, change, kind_of, resolve, specify, values


class Colour(str, Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Group(BaseModel):
    """Nested."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    threshold: float = Field(0.5, ge=0.0, le=1.0, description="share")
    size: int = Field(4, gt=0, le=9)


class Model(BaseModel):
    """Each kind of parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rate: float = Field(30.0, gt=0.0, json_schema_extra={"dynamic": True})
    name: str = "x"
    path: Path = Path("/tmp")
    mode: Literal["fast", "slow"] = "fast"
    colour: Colour = Colour.RED
    limit: float | None = None
    labels: tuple[str, ...] = ("a",)
    weights: list[float] = [1.0]
    group: Group = Group(threshold=0.25)
    low: int = 1
    high: int = 2

    @model_validator(mode="after")
    def ordered(self) -> Model:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


def settings(exact: bool = True, **given_values: Any) -> dict[str, Setting]:
    return {k.replace("__", "."): Setting(v, "-p", exact) for k, v in given_values.items()}


def test_nested_models_become_dotted_names_with_their_own_defaults() -> None:
    found = {each.name: each for each in specify(Model)}
    assert list(found)[8:10] == ["group.threshold", "group.size"]
    assert found["group.threshold"].default == 0.25
    assert found["group.threshold"].constraint == "[0, 1]"
    assert found["group.size"].constraint == "(0, 9]"
    assert found["mode"].constraint == "one of fast, slow"
    assert found["labels"].kind is Kind.STRING_ARRAY
    assert found["rate"].dynamic
    assert not found["name"].dynamic


def test_defaults_alone_make_the_model() -> None:
    assert resolve(Model, {}) == Model()


def test_what_the_user_sets_wins_over_the_program() -> None:
    made = resolve(Model, settings(group__size=7), {"group": {"size": 5, "threshold": 0.75}})
    assert isinstance(made, Model)
    assert (made.group.size, made.group.threshold) == (7, 0.75)


def test_texts_become_paths_and_choices() -> None:
    made = resolve(Model, settings(path="/a", colour="blue", labels=["p", "q"]))
    assert isinstance(made, Model)
    assert (made.path, made.colour, made.labels) == (Path("/a"), Colour.BLUE, ("p", "q"))


def test_an_integer_is_taken_for_a_double() -> None:
    made = resolve(Model, settings(rate=5, weights=[1, 2]))
    assert values(made)["rate"] == 5.0
    assert values(made)["weights"] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("given_values", "complaint"),
    [
        ({"rates": 1.0}, "rates.*unknown: did you mean rate"),
        ({"rate": "fast"}, "rate.*must be a double .> 0., got a string, 'fast'"),
        ({"rate": 0.0}, r"rate.*must be > 0, got 0\.0"),
        ({"rate": True}, "rate.*must be a double"),
        ({"name": 5}, "name.*must be a string, got an integer, 5; to give text"),
        ({"group__threshold": 1.5}, r"group\.threshold.*must be in \[0, 1\], got 1\.5"),
        ({"group__size": 2.5}, r"group\.size.*must be an integer"),
        ({"mode": "medium"}, "mode.*must be one of fast, slow, got 'medium'"),
        ({"colour": "green"}, "colour.*must be one of red, blue"),
        ({"labels": [1, 2]}, "labels.*must be a string array"),
        ({"labels": ["a", 2]}, "labels.*must be a string array"),
        ({"low": 3}, "low must not be above high"),
        ({"group": 3}, "group.*unknown"),
    ],
)
def test_a_wrong_parameter_is_refused_with_name_and_range(
    given_values: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        resolve(Model, settings(**given_values), node="/n")


def test_an_unknown_name_meant_for_many_nodes_is_not_this_nodes_business() -> None:
    assert resolve(Model, settings(exact=False, device="gpu")) == Model()


def test_a_range_counts_also_for_settings_meant_for_many_nodes() -> None:
    with pytest.raises(ConfigError, match="rate"):
        resolve(Model, settings(exact=False, rate=-1.0))


def test_only_dynamic_parameters_change_at_run_time() -> None:
    made = resolve(Model, {})
    assert values(change(made, {"rate": 2.0}))["rate"] == 2.0
    as_rclpy_gives_it = {"weights": array("d", [2.0, 0.5])}
    assert values(change(made, as_rclpy_gives_it, fixed=""))["weights"] == [2.0, 0.5]
    with pytest.raises(ConfigError, match=r"name.*read-only"):
        change(made, {"name": "y"})
    with pytest.raises(ConfigError, match="must be > 0"):
        change(made, {"rate": -2.0})
    with pytest.raises(ConfigError, match="unknown"):
        change(made, {"speed": 2.0})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_taken_exactly_within_its_range(value: float) -> None:
    if 0.0 <= value <= 1.0:
        assert values(resolve(Model, settings(group__threshold=value)))["group.threshold"] == value
    else:
        with pytest.raises(ConfigError, match=r"group\.threshold"):
            resolve(Model, settings(group__threshold=value))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(max_size=5),
            "labels": st.lists(st.text(max_size=3), max_size=3),
            "group__size": st.integers(1, 9),
            "rate": st.floats(1e-3, 1e6),
            "limit": st.none() | st.floats(-1e6, 1e6),
        },
    )
)
def test_values_of_an_instance_make_the_same_instance(given_values: dict[str, Any]) -> None:
    made = resolve(Model, settings(**given_values))
    again = resolve(Model, {k: Setting(v, "", True) for k, v in values(made).items()})
    assert again == made


@given(st.lists(st.one_of(st.booleans(), st.integers(), st.floats(), st.text()), max_size=4))
def test_only_lists_of_one_kind_have_a_ros_type(items: list[Any]) -> None:
    kinds = {type(each) for each in items}
    fits = len(kinds) <= 1 or kinds == {int, float}
    assert (kind_of(items) is not None) == fits


def test_the_controllers_settings_are_parameters() -> None:
    found = values(resolve(AimSettings, settings(limits__yaw_max=1, deadlines__see=2.5)))
    assert found["limits.yaw_max"] == 1.0
    assert found["deadlines.see"] == 2.5
    assert math.isnan(found["fixed_camera_pitch"])
