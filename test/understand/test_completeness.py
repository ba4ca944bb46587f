# SPDX-License-Identifier: Apache-2.0
"""A sentence is complete when heading, tool and target were said, begun with one of them."""

import pytest

from turret_ai.types import Progress
from turret_ai.understand.completeness import Completeness

WHOLE = "Tool to deploy is EMP, target is purple helicopter, heading is two zero zero."


@pytest.mark.parametrize(
    ("text", "progress"),
    [
        (WHOLE, Progress.COMPLETE),
        (WHOLE.split(", heading")[0], Progress.BEGUN),
        ("Heading is two zero zero.", Progress.BEGUN),
        ("Control tower to turret Alpha, engage", Progress.BEGUN),
        ("Target is blue and white.", Progress.BEGUN),
        ("Control tower to turret Alpha", Progress.NONE),
        ("The weather is bad.", Progress.NONE),
        ("", Progress.NONE),
        ("Cancel that.", Progress.NONE),
    ],
)
def test_how_much_of_an_order_was_said(text: str, progress: Progress) -> None:
    assert Completeness()(text) is progress
