# SPDX-License-Identifier: Apache-2.0
"""A sentence is complete when heading, tool and target were said."""

import pytest

from turret_ai.understand.completeness import Completeness

WHOLE = "Tool to deploy is EMP, target is purple helicopter, heading is two zero zero."


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (WHOLE, True),
        (WHOLE.split(", heading")[0], False),
        ("Heading is two zero zero.", False),
        ("Control tower to turret Alpha, engage", False),
        ("", False),
        ("Cancel that.", False),
    ],
)
def test_a_command_is_complete_when_all_three_were_said(text: str, complete: bool) -> None:
    assert Completeness()(text) is complete
