# SPDX-License-Identifier: Apache-2.0
"""Fixtures of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sockets import free_ports

from turret_ai.act.robomaster.wire import Ports


@pytest.fixture
def ports() -> Ports:
    """Ports of the robot that nobody uses."""
    return free_ports()


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A DDS domain of the test's own, kept to this machine."""
    number = 10 + (os.getpid() * 7 + 3) % 90
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.delenv("CYCLONEDDS_URI", raising=False)
    yield number
    from turret_ai.ros import RUNTIME

    if RUNTIME == "dds":
        from turret_ai.ros.dds import context

        if context._default is not None:
            context._default.close()
            context.set_default_context(None)
