# SPDX-License-Identifier: Apache-2.0
"""What the bridge is told for one launch: config/gz_bridge.yaml, less what nobody will read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from turret_ai import share
from turret_ai.graph import temporary
from turret_ai.simulate.gazebo import topics

FILE = "config/gz_bridge.yaml"


def entries(*, truth: bool = True) -> list[dict[str, Any]]:
    """The bridge's entries, as ros_gz_bridge reads them.

    truth: whether the craft's true boxes are wanted. The bridge subscribes to all that it is told
    of as it starts, and Gazebo renders what has a subscriber.
    """
    told = yaml.safe_load(share.path(FILE).read_text(encoding="utf-8"))
    return [each for each in told if truth or each["gz_topic_name"] != topics.TRUTH_BOXES]


def config(*, truth: bool = True) -> Path:
    """A file with those entries, which lasts as long as this process."""
    if truth:
        return Path(share.path(FILE))
    file = temporary.folder("bridge") / "gz_bridge.yaml"
    file.write_text(yaml.safe_dump(entries(truth=truth), sort_keys=False), encoding="utf-8")
    return file
