# SPDX-License-Identifier: Apache-2.0
"""The first picture after the camera stood still is searched, and only that one."""

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
    lookout.on_guess("u1", "red drone")
    lookout.on_turret(False, "u1", 5)
    assert lookout.on_image(6) is None
    lookout.on_turret(False, "u1", 10, at_goal=True)
    return lookout


def test_a_picture_is_searched_ahead_and_serves_the_whole_command():
    lookout = standing()
    assert lookout.on_image(9) is None  # exposed while the camera still moved
    look = lookout.on_image(20)
    assert look == Look("u1", "red drone", 20, ahead=True)
    lookout.on_answer(look)
    lookout.on_command("u1", "red drone")
    assert not lookout.take(look), "nobody waits for it yet"
    assert lookout.on_turret(True, "u1", 110, at_goal=True) == look
    assert lookout.on_image(111) is None
    assert lookout.take(look) and not lookout.take(look)
    assert lookout.on_turret(True, "u1", 112, at_goal=True) is None  # told once


def test_another_target_an_old_picture_or_a_turret_that_moved_are_searched_anew():
    for caption, due_ns, moves in (
        ("blue drone", 110, False),
        ("red drone", 121, False),
        ("red drone", 110, True),
    ):
        lookout = standing()
        look = lookout.on_image(20)
        lookout.on_answer(look)
        if moves:
            lookout.on_turret(False, "u1", 30)
            lookout.on_turret(False, "u1", 40, at_goal=True)
        lookout.on_command("u1", caption)
        assert lookout.on_turret(True, "u1", due_ns, at_goal=True) is None
        assert lookout.on_image(due_ns + 1) == Look("u1", caption, due_ns + 1)


def test_an_answer_that_is_there_serves_before_a_newer_look_that_has_none():
    lookout = standing()
    first = lookout.on_image(20)
    assert lookout.on_image(60) is None  # the first one is young
    assert lookout.on_image(75, busy=True) is None
    second = lookout.on_image(80)
    lookout.on_answer(first)
    lookout.on_command("u1", "red drone")
    assert lookout.on_turret(True, "u1", 110, at_goal=True) == first
    lookout.look_again(first)  # it was no clear find
    assert lookout.on_image(111) == Look("u1", "red drone", 111)
    assert second is not None and second.stamp_ns == 80


def test_nothing_is_searched_ahead_where_that_is_off_or_the_target_unknown():
    assert standing(0).on_image(20) is None
    lookout = Lookout(100)
    lookout.on_turret(False, "u1", 10, at_goal=True)
    assert lookout.on_image(20) is None


def test_a_reset_tells_whose_answer_was_still_waited_for():
    lookout = standing()
    look = lookout.on_image(20)
    lookout.on_command("u1", "red drone")
    assert lookout.on_turret(True, "u1", 110, at_goal=True) == look
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
            lookout.on_guess(a, b)
        elif kind == "command":
            captions[a] = b
            lookout.on_command(a, b)
        elif kind == "turret":
            searching, at_goal = b >= 2, bool(b % 2) or b >= 2
            if not at_goal or at != a:
                still_since, at = (now if at_goal else None), (a if at_goal else None)
            due = lookout.on_turret(searching, a, now, at_goal)
            if due is not None:
                assert searching and due.ahead and due.utterance_id == a
                assert due.caption == captions[a]
                assert now - 5 <= due.stamp_ns and due.stamp_ns >= still_since
                lookout.on_answer(due) if b % 2 else lookout.look_again(due)
        else:
            look = lookout.on_image(now, busy=a)
            if look is not None:
                assert look.utterance_id == at and look.stamp_ns >= still_since
                if look.ahead:
                    assert not a and look.utterance_id not in captions
                    if b:
                        lookout.on_answer(look)
                else:
                    assert look.caption == captions[look.utterance_id]
