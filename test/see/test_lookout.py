# SPDX-License-Identifier: Apache-2.0
"""The first picture after the camera stood still is searched, and only that one."""

from turret_ai.see.lookout import Lookout


def test_the_first_picture_exposed_after_standing_still_is_searched_once():
    lookout = Lookout()
    lookout.on_command("u1", "red drone")
    assert lookout.on_image(5) is None
    lookout.on_turret(True, "u1", 10)
    assert lookout.on_image(9) is None  # exposed while the camera moved
    assert lookout.on_image(11) == ("u1", "red drone")
    lookout.on_turret(True, "u1", 12)
    assert lookout.on_image(13) is None


def test_a_turret_that_moves_on_before_a_picture_came_is_not_waited_for():
    lookout = Lookout()
    lookout.on_command("u1", "red drone")
    lookout.on_turret(True, "u1", 10)
    lookout.on_turret(False, "", 12)
    assert lookout.on_image(13) is None


def test_a_reset_forgets_what_was_to_be_searched():
    lookout = Lookout()
    lookout.on_command("u1", "red drone")
    lookout.on_turret(True, "u1", 10)
    lookout.reset()
    assert lookout.on_image(13) is None
