# SPDX-License-Identifier: Apache-2.0
"""A plan's parameters as the YAML file that nodes of both runtimes read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from turret_ai.graph.description import Plan


def nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` to `{"a": {"b": 1}}`."""
    tree: dict[str, Any] = {}
    for name, value in dotted.items():
        *folders, leaf = name.split(".")
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch[leaf] = value
    return tree


def as_document(plan: Plan) -> dict[str, Any]:
    """The parameter file's content. Nodes are named in full: under a wildcard, a misspelt parameter
    would be ignored."""
    namespace = f"/{plan.namespace.strip('/')}".rstrip("/")
    return {
        f"{namespace}/{entry.executable}": {"ros__parameters": nested(entry.parameters)}
        for entry in plan.nodes
        if entry.parameters
    }


def write(plan: Plan, file: Path) -> list[str]:
    """Write the plan's parameters.

    Returns:
        The `--params-file` words for a process: the plan's own first, the user's file on top.
    """
    file.write_text(yaml.safe_dump(as_document(plan)), encoding="utf-8")
    words = ["--params-file", str(file)]
    if plan.params_file:
        words += ["--params-file", plan.params_file]
    return words
