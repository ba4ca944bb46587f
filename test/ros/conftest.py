# SPDX-License-Identifier: Apache-2.0
"""Every file of this folder has a DDS domain of its own, kept to this machine."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator

import pytest

collect_ignore = []
if importlib.util.find_spec("cyclonedds") is None:  # a ROS installation need not have it
    collect_ignore = ["test_interfaces.py", "test_processes.py"]

_domains = itertools.count(os.getpid() % 90 + 10)


@pytest.fixture(scope="module", autouse=True)
def domain() -> Iterator[int]:
    """A private ROS_DOMAIN_ID for the tests of a file."""
    number = 10 + next(_domains) % 90
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_DOMAIN_ID", str(number))
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.delenv("CYCLONEDDS_URI", raising=False)
        yield number


@pytest.fixture(autouse=True)
def fresh_context() -> Iterator[None]:
    """Nodes of a test are gone before the next."""
    yield
    from turret_ai.ros import RUNTIME

    if RUNTIME == "dds":
        from turret_ai.ros.dds import context

        if context._default is not None:
            context._default.close()
            context.set_default_context(None)
