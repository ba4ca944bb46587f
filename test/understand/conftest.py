# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from turret_ai.understand import Understander


@pytest.fixture(scope="session")
def understander() -> Understander:
    return Understander()
