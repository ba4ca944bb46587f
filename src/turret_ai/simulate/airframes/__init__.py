# SPDX-License-Identifier: Apache-2.0
"""The builders of airframes, and the file with their numbers (`config/airframes.yaml`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from turret_ai import documents
from turret_ai.errors import ConfigError
from turret_ai.simulate.airframes import (
    drones,
    jet,
    light,
    missiles,
    propeller_fighters,
    rotorcraft,
    transport,
)
from turret_ai.simulate.craft import SPLITS, TYPES, Airframe, Builder, Variant

BUILDERS: dict[str, Callable[..., None]] = {
    "multicopter": drones.multicopter,
    "reconnaissance_drone": drones.reconnaissance,
    "delta_drone": drones.delta,
    "utility_helicopter": rotorcraft.utility,
    "attack_helicopter": rotorcraft.attack,
    "tandem_helicopter": rotorcraft.tandem,
    "coaxial_helicopter": rotorcraft.coaxial,
    "rocket": missiles.rocket,
    "cruise_missile": missiles.cruise,
    "light_single": light.single,
    "light_pusher": light.pusher,
    "transport": transport.transport,
    "propeller_fighter": propeller_fighters.single,
    "twin_propeller_fighter": propeller_fighters.twin,
    "twin_boom_fighter": propeller_fighters.twin_boom,
    "jet": jet.jet,
}
"""What `build` may name. Each adds its parts to an `Airframe`; its keywords are the numbers."""


def read(path: Path | str) -> dict[str, list[Variant]]:
    """The airframes of a file by type, in its order; every type is there.

    Numbers are checked where a variant is built (`Variant.build`), which raises ConfigError.

    Raises:
        ConfigError: not YAML, or an unknown type, builder or split; names the airframe.
    """
    document = documents.read_yaml(path)
    if not isinstance(document, dict):
        raise ConfigError(f"{path} holds no types of craft")
    found: dict[str, list[Variant]] = {name: [] for name in TYPES}
    for type_name, entries in document.items():
        if type_name not in found:
            raise ConfigError(f"{path}: {type_name!r} is none of {', '.join(TYPES)}")
        if not isinstance(entries, dict):
            raise ConfigError(f"{path}: {type_name} holds no airframes")
        found[type_name] = [_variant(path, type_name, str(n), e) for n, e in entries.items()]
    return found


def _variant(path: Path | str, type_name: str, name: str, entry: Any) -> Variant:
    where = f"{path}: {type_name} {name}"
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is not a set of numbers")
    numbers = dict(entry)
    builder, split = numbers.pop("build", None), numbers.pop("split", "train")
    if builder not in BUILDERS:
        raise ConfigError(f"{where}: build is {builder!r}, none of {', '.join(BUILDERS)}")
    if split not in SPLITS:
        raise ConfigError(f"{where}: split is {split!r}, none of {', '.join(SPLITS)}")
    return Variant(type_name, name, split, _checked(where, BUILDERS[builder], numbers))


def _checked(where: str, builder: Callable[..., None], numbers: dict[str, Any]) -> Builder:
    """The builder with its numbers, which are compared with its signature when it is called."""

    def build(frame: Airframe) -> None:
        try:
            _checking(builder)(frame, **numbers)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{where}: {key}: {first['msg']}") from error

    return build


@cache
def _checking(builder: Callable[..., None]) -> Callable[..., None]:
    """Made when it is first needed: a scene is read without building what doesn't fly in it."""
    return validate_call(config=ConfigDict(arbitrary_types_allowed=True))(builder)
