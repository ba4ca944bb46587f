# SPDX-License-Identifier: Apache-2.0
"""A node's parameters: one pydantic model here, ROS parameters with dotted names outside."""

from __future__ import annotations

import difflib
import math
import types as python_types
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from turret_ai.errors import ConfigError
from turret_ai.ros.arguments import Setting
from turret_ai.ros.parameter_files import flatten
from turret_ai.settings import Settings

INT64 = (-(2**63), 2**63 - 1)


class NoParameters(Settings):
    """The parameters of a node that has none."""


class Kind(IntEnum):
    """rcl_interfaces/msg/ParameterType."""

    NOT_SET = 0
    BOOL = 1
    INTEGER = 2
    DOUBLE = 3
    STRING = 4
    BYTE_ARRAY = 5
    BOOL_ARRAY = 6
    INTEGER_ARRAY = 7
    DOUBLE_ARRAY = 8
    STRING_ARRAY = 9

    @property
    def text(self) -> str:
        """For messages: "double", "string array"."""
        return self.name.lower().replace("_", " ")


_SCALARS = {bool: Kind.BOOL, int: Kind.INTEGER, float: Kind.DOUBLE, str: Kind.STRING}
_ARRAYS = {
    Kind.BOOL: Kind.BOOL_ARRAY,
    Kind.INTEGER: Kind.INTEGER_ARRAY,
    Kind.DOUBLE: Kind.DOUBLE_ARRAY,
    Kind.STRING: Kind.STRING_ARRAY,
}

READ_ONLY = "is read-only: set it at start"
"""Why most parameters can't be changed at run time."""

STANDARD = ("use_sim_time", "start_type_description_service")
"""Parameters that every ROS node has, beside its own."""


@dataclass(frozen=True, slots=True)
class Specification:
    """One parameter: what ROS is told about a field of the model.

    minimum, maximum: None where there is none; `open_*` where the bound itself is excluded.
    """

    name: str
    kind: Kind
    default: Any
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    choices: tuple[Any, ...] = ()
    dynamic: bool = False
    optional: bool = False

    @property
    def constraint(self) -> str:
        """The range or the choices in words, "" without any."""
        if self.choices:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        low, high = self.minimum, self.maximum
        if low is not None and high is not None:
            left, right = "(" if self.open_minimum else "[", ")" if self.open_maximum else "]"
            return f"{left}{low:g}, {high:g}{right}"
        if low is not None:
            return f"{'>' if self.open_minimum else '>='} {low:g}"
        if high is not None:
            return f"{'<' if self.open_maximum else '<='} {high:g}"
        return ""


# -- from the model ------------------------------------------------------------------------------


@cache
def specify(model: type[BaseModel]) -> tuple[Specification, ...]:
    """The parameters of a model, nested models with dotted names.

    Raises:
        TypeError: a field's type has no counterpart in ROS (a mistake in the model).
    """
    return tuple(_specify(model, "", None))


def _specify(model: type[BaseModel], prefix: str, given: BaseModel | None) -> list[Specification]:
    found: list[Specification] = []
    for name, info in model.model_fields.items():
        if given is not None:
            default = getattr(given, name)
        elif info.is_required():
            default = None
        else:
            default = info.get_default(call_default_factory=True)
        annotation, optional = _strip(info.annotation)
        full = f"{prefix}{name}"
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            nested = default if isinstance(default, BaseModel) else None
            found.extend(_specify(annotation, f"{full}.", nested))
            continue
        kind, choices = _kind(annotation, full)
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        found.append(
            Specification(
                full,
                kind,
                to_plain(default),
                info.description or "",
                **_bounds(info),
                choices=choices,
                dynamic=bool(extra.get("dynamic", False)),
                optional=optional,
            )
        )
    return found


def _strip(annotation: Any) -> tuple[Any, bool]:
    """Without Annotated and `| None`."""
    if get_origin(annotation) is Annotated:
        return _strip(get_args(annotation)[0])
    if get_origin(annotation) in (Union, python_types.UnionType):
        left = [each for each in get_args(annotation) if each is not type(None)]
        if len(left) == 1:
            return _strip(left[0])[0], True
    return annotation, False


def _kind(annotation: Any, name: str) -> tuple[Kind, tuple[Any, ...]]:
    origin = get_origin(annotation)
    if origin is Literal:
        choices = get_args(annotation)
        return _SCALARS[type(choices[0])], choices
    if origin in (list, tuple) or str(origin).endswith("Sequence'>"):
        inner, _ = _strip(get_args(annotation)[0])
        kind, choices = _kind(inner, name)
        if kind in _ARRAYS:
            return _ARRAYS[kind], choices
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            choices = tuple(member.value for member in annotation)
            return _SCALARS[type(choices[0])], choices
        if issubclass(annotation, Path):
            return Kind.STRING, ()
        if annotation is bytes:
            return Kind.BYTE_ARRAY, ()
        if annotation in _SCALARS:
            return _SCALARS[annotation], ()
    raise TypeError(f"parameter {name}: {annotation} has no counterpart among ROS's parameters")


def _bounds(info: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in info.metadata:
        for each in entry if isinstance(entry, annotated_types.GroupedMetadata) else (entry,):
            if isinstance(each, annotated_types.Ge):
                found.update(minimum=each.ge)
            elif isinstance(each, annotated_types.Gt):
                found.update(minimum=each.gt, open_minimum=True)
            elif isinstance(each, annotated_types.Le):
                found.update(maximum=each.le)
            elif isinstance(each, annotated_types.Lt):
                found.update(maximum=each.lt, open_maximum=True)
    return found


def to_plain(value: Any) -> Any:
    """A field's value as ROS holds it: bool, int, float, str, bytes, None or a list of such."""
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple, array)):  # numbers come from rclpy as arrays
        return [to_plain(each) for each in value]
    return value


def kind_of(value: Any) -> Kind | None:
    """The ROS type of a plain value; None if it has none. An empty list is a string array."""
    if value is None:
        return Kind.NOT_SET
    if isinstance(value, bytes):
        return Kind.BYTE_ARRAY
    if isinstance(value, (list, tuple)):
        if not value:
            return Kind.STRING_ARRAY
        kinds = {kind_of(each) for each in value}
        if kinds == {Kind.INTEGER, Kind.DOUBLE}:
            kinds = {Kind.DOUBLE}
        only = kinds.pop()
        return _ARRAYS.get(only) if only is not None and not kinds else None
    return _SCALARS.get(type(value))


def values(model: BaseModel) -> dict[str, Any]:
    """Dotted names and plain values of an instance."""
    found: dict[str, Any] = {}
    for specification in specify(type(model)):
        place: Any = model
        for part in specification.name.split("."):
            place = getattr(place, part)
        plain = to_plain(place)
        if specification.kind is Kind.DOUBLE and isinstance(plain, int):
            plain = float(plain)
        if specification.kind is Kind.DOUBLE_ARRAY:
            plain = [float(each) for each in plain]
        found[specification.name] = plain
    return found


# -- to the model --------------------------------------------------------------------------------


def resolve(
    model: type[BaseModel],
    settings: Mapping[str, Setting],
    overrides: Mapping[str, Any] | None = None,
    node: str = "",
) -> BaseModel:
    """The validated instance: defaults, then the program's overrides, then what the user set.

    Args:
        settings: from files and the command line; unknown ones meant for many nodes are ignored.
        overrides: from the program, nested or with dotted names.
        node: for messages.

    Raises:
        ConfigError: a name is unknown, a type wrong, or a value out of range.
    """
    known = {specification.name: specification for specification in specify(model)}
    given = dict.fromkeys(known)
    given.update({name: specification.default for name, specification in known.items()})
    place = f" of {node}" if node else ""
    for name, value in flatten(dict(overrides or {})).items():
        if name not in known:
            raise ConfigError(_unknown(name, known, f"{place} (from the program)"))
        given[name] = value if isinstance(value, BaseModel) else to_plain(value)
    for name, setting in settings.items():
        if name in STANDARD or name.startswith("qos_overrides."):
            continue
        if name not in known:
            if setting.exact:
                raise ConfigError(_unknown(name, known, f"{place} ({setting.origin})"))
            continue
        given[name] = check_type(known[name], setting.value, f"{place} ({setting.origin})")
    return _validate(model, given, place)


def change(
    current: BaseModel, changes: Mapping[str, Any], node: str = "", fixed: str = READ_ONLY
) -> BaseModel:
    """A new instance with some parameters changed at run time.

    fixed: why those that aren't dynamic can't be changed now; "": they can.

    Raises:
        ConfigError: unknown, of the wrong type, out of range, or not to be changed at run time.
    """
    known = {specification.name: specification for specification in specify(type(current))}
    place = f" of {node}" if node else ""
    given = values(current)
    for name, value in changes.items():
        if name not in known:
            raise ConfigError(_unknown(name, known, place))
        if fixed and not known[name].dynamic:
            raise ConfigError(f"parameter {name}{place} {fixed}")
        given[name] = check_type(known[name], to_plain(value), place)
    return _validate(type(current), given, place)


def check_type(specification: Specification, value: Any, place: str = "") -> Any:
    """The value, an integer turned into the double that is asked for.

    Raises:
        ConfigError: it is of another type.
    """
    wanted, kind = specification.kind, kind_of(value)
    if specification.optional and kind is Kind.NOT_SET:
        return None
    if kind is wanted or (isinstance(value, list) and not value and wanted in _ARRAYS.values()):
        return [float(v) for v in value] if wanted is Kind.DOUBLE_ARRAY else value
    if kind is Kind.INTEGER and wanted is Kind.DOUBLE:
        return float(value)
    if kind is Kind.INTEGER_ARRAY and wanted is Kind.DOUBLE_ARRAY:
        return [float(each) for each in value]
    got = kind.text if kind is not None else type(value).__name__
    hint = ""
    if wanted is Kind.STRING and kind in (Kind.INTEGER, Kind.DOUBLE, Kind.BOOL):
        hint = f"; to give text, quote it twice: '\"{value}\"'"
    raise ConfigError(
        f"parameter {specification.name}{place}: must be {_article(wanted.text)}"
        f"{_range(specification)}, got {_article(got)}, {value!r}{hint}"
    )


def _article(word: str) -> str:
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"


def _range(specification: Specification) -> str:
    return f" ({specification.constraint})" if specification.constraint else ""


def _unknown(name: str, known: Mapping[str, Specification], place: str) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        hint = f"did you mean {close[0]}?"
    else:
        hint = f"there are {', '.join(known)}" if known else "the node has none"
    return f"parameter {name}{place} is unknown: {hint}"


def _validate(model: type[BaseModel], given: Mapping[str, Any], place: str) -> BaseModel:
    known = {specification.name: specification for specification in specify(model)}
    nested: dict[str, Any] = {}
    required = _required(model)
    for name, value in given.items():
        if value is None and name in required:
            continue
        *path, last = name.split(".")
        place_in = nested
        for part in path:
            place_in = place_in.setdefault(part, {})
        place_in[last] = value
    try:
        return model.model_validate(nested)
    except ValidationError as error:
        lines = []
        for each in error.errors():
            name = ".".join(str(part) for part in each["loc"] if not isinstance(part, int))
            lines.append(f"parameter {name or '(all)'}{place}{_problem(each, known.get(name))}")
        raise ConfigError("; ".join(dict.fromkeys(lines))) from error


def _required(model: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, info in model.model_fields.items():
        annotation, _ = _strip(info.annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found |= _required(annotation, f"{prefix}{name}.")
        elif info.is_required():
            found.add(f"{prefix}{name}")
    return found


def _problem(error: Any, specification: Specification | None) -> str:
    value = error.get("input")
    if error["type"] == "missing":
        return f" must be given{_range(specification) if specification else ''}"
    if (
        specification is not None
        and specification.constraint
        and error["type"]
        in (
            "greater_than",
            "greater_than_equal",
            "less_than",
            "less_than_equal",
            "literal_error",
            "enum",
        )
    ):
        what = "" if specification.choices else "in "
        if not specification.constraint.startswith(("[", "(")):
            what = ""
        return f": must be {what}{specification.constraint}, got {value!r}"
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f": {text}" + (f", got {value!r}" if not isinstance(value, dict) else "")


# -- for ROS -------------------------------------------------------------------------------------


def describe(
    specification: Specification,
    descriptor: type[Any],
    ranges: tuple[Any, Any],
    adjustable: bool = False,
) -> Any:
    """A rcl_interfaces/ParameterDescriptor.

    descriptor, ranges: the classes ParameterDescriptor and (FloatingPointRange, IntegerRange).
    adjustable: whether a node that isn't configured takes other values.
    """
    made = descriptor(
        name=specification.name,
        type=int(specification.kind),
        description=specification.description,
        additional_constraints=_beside_range(specification),
        read_only=not (specification.dynamic or adjustable),
        dynamic_typing=specification.optional,
    )
    low, high = specification.minimum, specification.maximum
    if low is None and high is None:
        return made
    if specification.kind in (Kind.DOUBLE, Kind.DOUBLE_ARRAY):
        made.floating_point_range = [
            ranges[0](
                from_value=-math.inf if low is None else float(low),
                to_value=math.inf if high is None else float(high),
                step=0.0,
            )
        ]
    elif specification.kind in (Kind.INTEGER, Kind.INTEGER_ARRAY):
        first = INT64[0] if low is None else math.ceil(low) + int(specification.open_minimum)
        last = INT64[1] if high is None else math.floor(high) - int(specification.open_maximum)
        made.integer_range = [ranges[1](from_value=first, to_value=last, step=0)]
    return made


def _beside_range(specification: Specification) -> str:
    """What FloatingPointRange and IntegerRange can't say."""
    if specification.choices or specification.open_minimum or specification.open_maximum:
        return specification.constraint
    return ""
