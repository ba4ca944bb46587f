# SPDX-License-Identifier: Apache-2.0
"""The builders of airframes, and the file with their numbers (`config/airframes.yaml`)."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
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
from turret_ai.simulate.craft import SPLITS, TYPES, Airframe, Variant

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
_PROPORTION = 0.15
"""Standard deviation of the logarithm of a factor: most airframes of a kind lie within 30%."""
_INHERITED = 0.4


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
    return Variant(type_name, name, split, _checked(where, BUILDERS[builder]), numbers)


def _checked(where: str, builder: Callable[..., None]) -> Callable[..., None]:
    """The builder; its numbers are compared with its signature when it is called."""

    @functools.wraps(builder)
    def build(frame: Airframe, **numbers: Any) -> None:
        try:
            _checking(builder)(frame, **numbers)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{where}: {key}: {first['msg']}") from error

    return build


@functools.cache
def _checking(builder: Callable[..., None]) -> Callable[..., None]:
    """Made when it is first needed: a scene is read without building what doesn't fly in it."""
    return validate_call(config=ConfigDict(arbitrary_types_allowed=True))(builder)


def offspring(parent: Variant, others: Sequence[Variant], rng: Generator) -> Variant:
    """An airframe that nobody has listed: a parent's, with traits of its kin and other proportions.

    Every trait that is no measure (a tail, a gear, how many blades) may come from one of `others`
    of the same builder; every measure is scaled by a factor of its own, log-normal.
    """
    mother = _numbers(parent)
    kin = [_numbers(o) for o in others if _maker(o) is _maker(parent)]
    father = kin[int(rng.integers(len(kin)))] if kin else mother
    numbers: dict[str, Any] = {}
    for key, value in mother.items():
        if isinstance(value, float):
            numbers[key] = value * math.exp(_PROPORTION * float(np.clip(rng.normal(), -2, 2)))
        else:
            numbers[key] = father[key] if rng.random() < _INHERITED else value
    return replace(parent, name=f"{parent.name}-offspring", numbers=numbers)


def _numbers(variant: Variant) -> dict[str, Any]:
    """All numbers of a variant, those of its builder's defaults too."""
    taken = inspect.signature(_maker(variant)).parameters.values()
    defaults = {p.name: p.default for p in taken if p.kind is p.KEYWORD_ONLY}
    return {**defaults, **variant.numbers}


def _maker(variant: Variant) -> Callable[..., None]:
    """The builder itself, without the check of its numbers."""
    maker: Callable[..., None] = inspect.unwrap(variant.builder)
    return maker
