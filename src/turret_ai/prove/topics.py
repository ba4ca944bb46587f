# SPDX-License-Identifier: Apache-2.0
"""The topics of a recording: found by relative name in whatever namespace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from turret_ai.errors import InputError
from turret_ai.ros.topics import TOPICS, Topic

SPECS: tuple[Topic, ...] = tuple(topic for topic in TOPICS if topic.role != "local")
"""What a recording holds."""
BY_NAME = {spec.name: spec for spec in SPECS}


def spec_of(topic: str) -> Topic | None:
    """The specification of an absolute topic name in whatever namespace, None for a foreign one."""
    matching = [s for s in SPECS if topic == s.name or topic.endswith("/" + s.name.lstrip("/"))]
    return max(matching, key=lambda s: len(s.name), default=None)


def resolve(recorded: Mapping[str, Any], namespace: str | None = None) -> dict[str, str]:
    """The graph's relative names to the topics of a bag, those that it holds.

    Args:
        recorded: the bag's topics by absolute name.
        namespace: of the recorded system; None: found from the topics themselves.

    Raises:
        InputError: two recorded systems, and no namespace that tells which is meant.
    """
    chosen = _namespace(recorded) if namespace is None else "/" + namespace.strip("/")
    prefix = chosen.rstrip("/")
    found = {}
    for spec in SPECS:
        name = spec.name if spec.name.startswith("/") else f"{prefix}/{spec.name}"
        if name in recorded:
            found[spec.name] = name
    return found


def _namespace(recorded: Collection[str]) -> str:
    counts: dict[str, int] = {}
    for spec in SPECS:
        for name in recorded:
            if not spec.name.startswith("/") and name.endswith(f"/{spec.name}"):
                space = name[: -len(spec.name) - 1]
                counts[space] = counts.get(space, 0) + 1
    # "/a/turret/command" is also "command" in "/a/turret": the system has more topics than that.
    best = sorted(counts.items(), key=lambda item: -item[1])
    if len(best) > 1 and best[1][1] * 2 > best[0][1] and best[0][1] > 2:
        spaces = ", ".join(space or "/" for space, _ in best[:2])
        raise InputError(f"the bag holds several systems ({spaces}): say which by --namespace")
    return best[0][0] if best else ""
