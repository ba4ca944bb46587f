# SPDX-License-Identifier: Apache-2.0
"""The first picture after the camera stood still is searched, and only that one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from turret_ai.see.lookout import Look, Lookout


def test_the_first_picture_exposed_after_standing_still_is_searched_once():
    lookout = Lookout()
    lookout.on_command("u1", "red drone")
    assert lookout.on_image(5) is None
    lookout.on_turret(True, "u1", 10)
    assert lookout.on_image(9) is None  # exposed while the camera moved
    assert lookout.on_image(11) == Look("u1", "red drone", 11)
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


def standing(max_age_ns: int = 100) -> Lookout:
    """The operator has said heading and target, and the camera stands at the heading since 10."""
    lookout = Lookout(max_age_ns)
    lookout.on_guess("u1")
    lookout.on_turret(False, "u1", 5)
    assert lookout.on_image(6) is None
    lookout.on_turret(False, "u1", 10, at_goal=True)
    return lookout


def test_a_picture_is_looked_at_ahead_and_serves_whatever_target_the_command_names():
    lookout = standing()
    assert lookout.on_image(9) is None  # exposed while the camera still moved
    look = lookout.on_image(20)
    assert look == Look("u1", "", 20, ahead=True)
    lookout.on_looked(look)
    assert lookout.on_command("u1", "blue drone") is None
    assert not lookout.take(look), "nobody waits for it yet"
    due = Look("u1", "blue drone", 20, ahead=True)
    assert lookout.on_turret(True, "u1", 110, at_goal=True) == due
    assert lookout.on_image(111) is None
    assert lookout.take(look) == due and not lookout.take(look)
    assert lookout.on_turret(True, "u1", 112, at_goal=True) is None  # told once


def test_a_command_that_comes_after_the_turrets_word_is_served_as_well():
    lookout = standing()
    look = lookout.on_image(20)
    assert lookout.on_turret(True, "u1", 110, at_goal=True) is None
    assert lookout.on_command("u1", "red drone") == Look("u1", "red drone", 20, ahead=True)
    assert lookout.take(look) is not None
    assert lookout.on_command("u1", "red drone") is None


def test_an_old_picture_or_a_turret_that_moved_are_searched_anew():
    for due_ns, moves in ((121, False), (110, True)):
        lookout = standing()
        look = lookout.on_image(20)
        lookout.on_looked(look)
        if moves:
            lookout.on_turret(False, "u1", 30)
            lookout.on_turret(False, "u1", 40, at_goal=True)
        lookout.on_command("u1", "red drone")
        assert lookout.on_turret(True, "u1", due_ns, at_goal=True) is None
        assert lookout.on_image(due_ns + 1) == Look("u1", "red drone", due_ns + 1)


def test_a_look_that_has_ended_serves_before_a_newer_one_that_has_not():
    lookout = standing()
    first = lookout.on_image(20)
    assert lookout.on_image(60) is None  # the first one is young
    assert lookout.on_image(75, busy=True) is None
    second = lookout.on_image(80)
    lookout.on_looked(first)
    lookout.on_command("u1", "red drone")
    due = lookout.on_turret(True, "u1", 110, at_goal=True)
    assert due == Look("u1", "red drone", 20, ahead=True)
    assert lookout.take(first) == due
    lookout.look_again(due)  # it was no clear find
    assert lookout.on_image(111) == Look("u1", "red drone", 111)
    assert second is not None and second.stamp_ns == 80


def test_a_look_ahead_that_fails_while_it_is_due_gives_way_to_the_next_picture():
    lookout = standing()
    look = lookout.on_image(20)
    lookout.on_command("u1", "red drone")
    assert lookout.on_turret(True, "u1", 110, at_goal=True) is not None
    assert lookout.on_image(111) is None
    lookout.look_again(look)
    assert lookout.take(look) is None
    assert lookout.on_image(112) == Look("u1", "red drone", 112)


def test_a_look_ahead_that_fails_before_is_not_repeated_at_once():
    lookout = standing()
    lookout.look_again(lookout.on_image(20))
    assert lookout.on_image(21) is None
    assert lookout.on_image(70) is not None


def test_nothing_is_searched_ahead_where_that_is_off_or_the_target_unknown():
    assert standing(0).on_image(20) is None
    lookout = Lookout(100)
    lookout.on_turret(False, "u1", 10, at_goal=True)
    assert lookout.on_image(20) is None


def test_a_reset_tells_whose_answer_was_still_waited_for():
    lookout = standing()
    look = lookout.on_image(20)
    lookout.on_command("u1", "red drone")
    assert lookout.on_turret(True, "u1", 110, at_goal=True) is not None
    assert lookout.reset() == [("u1", "red drone")]
    assert not lookout.take(look)


events = st.one_of(
    st.tuples(st.just("guess"), st.sampled_from(["u1", "u2"]), st.sampled_from(["a", "b"])),
    st.tuples(st.just("command"), st.sampled_from(["u1", "u2"]), st.sampled_from(["a", "b"])),
    st.tuples(st.just("turret"), st.sampled_from(["", "u1", "u2"]), st.integers(0, 3)),
    st.tuples(st.just("image"), st.booleans(), st.booleans()),
)


@given(st.lists(events, max_size=60))
def test_whatever_comes_a_search_is_for_its_commands_target_and_never_of_a_moving_camera(steps):
    lookout, captions, still_since = Lookout(5), {}, None
    at = None
    for now, (kind, a, b) in enumerate(steps, 1):
        if kind == "guess":
            lookout.on_guess(a)
        elif kind == "command":
            captions[a] = b
            due = lookout.on_command(a, b)
            if due is not None:
                assert (due.utterance_id, due.caption) == (a, b) and a == at
                assert due.ahead and due.stamp_ns >= still_since
        elif kind == "turret":
            searching, at_goal = b >= 2, bool(b % 2) or b >= 2
            if not at_goal or at != a:
                still_since, at = (now if at_goal else None), (a if at_goal else None)
            due = lookout.on_turret(searching, a, now, at_goal)
            if due is not None:
                assert searching and due.ahead and due.utterance_id == a
                assert due.caption == captions[a]
                assert now - 5 <= due.stamp_ns and due.stamp_ns >= still_since
                look = replace(due, caption="")
                assert lookout.take(look) == due
                if not b % 2:
                    lookout.look_again(due)
        else:
            look = lookout.on_image(now, busy=a)
            if look is not None:
                assert look.utterance_id == at and look.stamp_ns >= still_since
                if look.ahead:
                    assert not a and look.utterance_id not in captions
                    assert not look.caption
                    if b:
                        lookout.on_looked(look)
                else:
                    assert look.caption == captions[look.utterance_id]
