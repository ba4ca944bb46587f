# SPDX-License-Identifier: Apache-2.0
"""Names of nodes, topics, services and parameters: rules, expansion, patterns.

https://design.ros2.org/articles/topic_and_service_names.html
"""

from __future__ import annotations

import re
from functools import cache

from turret_ai.errors import ConfigError

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def check_node_name(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: it is not a ROS node name.
    """
    if not _TOKEN.match(name):
        raise ConfigError(f"{name!r} is not a node name: letters, digits and _, no digit in front")
    return name


def check_namespace(namespace: str) -> str:
    """The namespace with its leading slash and without a trailing one ("/" for the root).

    Raises:
        ConfigError: it is not a ROS namespace.
    """
    parts = [part for part in namespace.split("/") if part]
    if "//" in namespace or not all(_TOKEN.match(part) for part in parts):
        raise ConfigError(f"{namespace!r} is not a namespace such as /turret")
    return "/" + "/".join(parts)


def join(namespace: str, name: str) -> str:
    """namespace "/a" and name "b" to "/a/b"."""
    return f"{namespace.rstrip('/')}/{name}"


def expand(name: str, namespace: str, node: str) -> str:
    """The absolute name of a topic or service: "x", "~/x", "/x" or "{ns}/x" seen from a node.

    Raises:
        ConfigError: it is not a name of a topic or service.
    """
    full = name.replace("{node}", node).replace("{ns}", namespace).replace("{namespace}", namespace)
    full = full.replace("//", "/") if "{" in name else full
    if full == "~" or full.startswith("~/"):
        full = join(namespace, node) + full[1:]
    elif not full.startswith("/"):
        full = join(namespace, full)
    if not all(_TOKEN.match(part) for part in full[1:].split("/")):
        raise ConfigError(f"{name!r} is not a topic or service name: letters, digits, _ and /")
    return full


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = []
    for part in text.strip("/").split("/"):
        parts.append("(/[^/]+)*" if part == "**" else "/" + re.escape(part).replace(r"\*", "[^/]+"))
    return re.compile("".join(parts) + r"\Z")


def matches(pattern: str, full_name: str) -> bool:
    """Whether a node's entry in a parameter file means the node.

    pattern: "/ns/node", "node" (in the root namespace), "/**" (every node), "/*/node", "/**/node".
    """
    return bool(_pattern(pattern).match(full_name))


def is_wildcard(pattern: str) -> bool:
    """Whether a node's entry in a parameter file may mean several nodes."""
    return "*" in pattern
