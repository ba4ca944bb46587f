# SPDX-License-Identifier: Apache-2.0
"""A turn from transcript to settled aim, and every way in which it can end."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_ai.aim.camera import Camera
from turret_ai.aim.engagement import Engagement
from turret_ai.aim.settings import AimSettings
from turret_ai.aim.turn import BoxReport, Finish, Move, Outcome, State, Stop
from turret_ai.types import (
    Box,
    Command,
    CommandField,
    CommandStatus,
    LocationStatus,
    Source,
    TranscriptStatus,
)
from turret_ai.units import heading_to_yaw

S = 1_000_000_000
FOUND = BoxReport(LocationStatus.FOUND, 0, Box(556, 277, 99, 44))


def command(heading="350", target="blue fighter jet", tool="EMP", status=CommandStatus.OK):
    return Command(
        status,
        *(CommandField(v, 1.0 if v else 0.0, Source.RULES) for v in (heading, tool, target)),
    )


class Bench:
    """An engagement with a turret that goes where it is sent, and a clock."""

    def __init__(self, **options):
        self.engagement = Engagement(AimSettings(**options))
        self.engagement.camera = Camera.from_fov(1520, 870, math.radians(70))
        self.now = 10 * S
        self.yaw = self.pitch = 0.0
        self.actions = []

    @property
    def finishes(self):
        return [a for a in self.actions if isinstance(a, Finish)]

    @property
    def moves(self):
        return [a for a in self.actions if isinstance(a, Move)]

    def hear(self, name="u1", status=TranscriptStatus.FINAL, text="heading three five zero"):
        self.actions += self.engagement.on_transcript(
            name, status, text, self.now - 5 * S, 4.0, self.now, "noise"
        )

    def understand(self, name="u1", what=None, partial=False):
        self.actions += self.engagement.on_command(
            name, what or command(), partial, self.now - 5 * S, self.now
        )

    def joints(self):
        self.now += S // 50
        self.actions += self.engagement.on_joints(
            self.now, self.yaw, self.pitch, (0.0, 0.0), self.now
        )

    def obey(self, samples=6):
        if self.engagement.goal is not None:
            self.yaw, self.pitch = self.engagement.goal.yaw, self.engagement.goal.pitch
        for _ in range(samples):
            self.joints()

    def see(self, name="u1", report=FOUND):
        stamped = BoxReport(report.status, self.now, report.box, report.reason)
        self.actions += self.engagement.on_box(name, stamped, self.now)

    def wait(self, seconds):
        self.now += int(seconds * S)
        self.actions += self.engagement.on_tick(self.now)


def test_a_whole_turn_ends_aimed_at_the_published_direction():
    bench = Bench()
    bench.joints()
    bench.hear()
    bench.understand()
    assert bench.moves[0].goal.yaw == pytest.approx(heading_to_yaw(350.0))
    bench.obey()
    assert bench.engagement.state is State.SEARCHING
    bench.see()
    bench.obey()
    (end,) = bench.finishes
    assert end.outcome is Outcome.AIMED
    assert -math.degrees(end.aim[0]) == pytest.approx(334.7 - 360.0, abs=0.1)
    assert -math.degrees(end.aim[1]) == pytest.approx(26.5, abs=0.1)
    assert end.seconds["total"] > 0
    assert bench.engagement.state is State.IDLE


def test_the_camera_pose_at_the_image_counts_not_the_present_one():
    bench = Bench()
    bench.hear()
    bench.understand()
    bench.obey()
    exposed = bench.now
    bench.yaw += 0.3  # the turret is pushed away while the image is searched
    bench.joints()
    bench.now += S
    bench.actions += bench.engagement.on_box(
        "u1", BoxReport(LocationStatus.FOUND, exposed, FOUND.box), bench.now
    )
    assert -math.degrees(bench.moves[-1].goal.yaw) == pytest.approx(334.7 - 360.0, abs=0.1)


def test_a_box_that_comes_before_the_calibration_waits_for_it():
    bench = Bench()
    camera, bench.engagement.camera = bench.engagement.camera, None
    bench.hear()
    bench.understand()
    bench.obey()
    bench.see()
    assert bench.engagement.state is State.SEARCHING
    assert not bench.finishes
    bench.actions += bench.engagement.on_camera(camera, bench.now)
    bench.obey()
    assert [f.outcome for f in bench.finishes] == [Outcome.AIMED]


def test_a_calibration_that_never_comes_is_named_at_the_deadline():
    bench = Bench()
    bench.engagement.camera = None
    bench.hear()
    bench.understand()
    bench.obey()
    bench.see()
    bench.now += 6 * S
    bench.actions += bench.engagement.on_tick(bench.now)
    assert [f.outcome for f in bench.finishes] == [Outcome.TIMEOUT]
    assert "camera_info" in bench.finishes[0].reason


def test_a_camera_of_fixed_pitch_is_not_thought_to_follow_the_joint():
    bench = Bench(search_pitch=0.0, fixed_camera_pitch=math.radians(-15))
    bench.hear()
    bench.understand()
    bench.obey()
    bench.see()
    assert -math.degrees(bench.moves[-1].goal.pitch) == pytest.approx(26.5, abs=0.1)


def test_a_picked_box_is_aimed_at_without_hearing_and_search():
    bench = Bench()
    bench.joints()
    bench.hear()
    bench.understand()
    picked = BoxReport(LocationStatus.FOUND, bench.now, FOUND.box)
    for _ in range(2):  # told twice, obeyed once
        bench.actions += bench.engagement.on_pick("pick", picked, "picked", bench.now)
    assert bench.engagement.state is State.AIMING
    bench.see("u1")  # the search that it took the place of
    bench.obey()
    superseded, end = bench.finishes
    assert (superseded.utterance_id, superseded.outcome) == ("u1", Outcome.SUPERSEDED)
    assert (end.utterance_id, end.outcome) == ("pick", Outcome.AIMED)
    assert end.command.target.value == "picked"
    bench.actions += bench.engagement.on_pick("pick", picked, "picked", bench.now)
    assert len(bench.finishes) == 2 and bench.engagement.state is State.IDLE


def test_a_picked_box_waits_for_the_calibration_or_ends():
    bench = Bench()
    camera, bench.engagement.camera = bench.engagement.camera, None
    bench.joints()
    picked = BoxReport(LocationStatus.FOUND, bench.now, FOUND.box)
    bench.actions += bench.engagement.on_pick("pick", picked, "picked", bench.now)
    bench.actions += bench.engagement.on_camera(camera, bench.now)
    bench.obey()
    assert [end.outcome for end in bench.finishes] == [Outcome.AIMED]
    nothing = BoxReport(LocationStatus.NOT_FOUND, bench.now, None)
    bench.actions += bench.engagement.on_pick("none", nothing, "picked", bench.now)
    old = BoxReport(LocationStatus.FOUND, S, FOUND.box)
    bench.actions += bench.engagement.on_pick("old", old, "picked", bench.now)
    assert [end.outcome for end in bench.finishes[1:]] == [Outcome.NOT_FOUND, Outcome.TIMEOUT]


def test_a_partial_heading_slews_while_the_operator_still_speaks():
    bench = Bench()
    bench.joints()
    bench.hear(status=TranscriptStatus.PARTIAL)
    bench.understand(what=command(target="", tool=""), partial=True)
    assert len(bench.moves) == 1
    bench.obey()
    bench.hear()
    bench.understand()
    assert len(bench.moves) == 1, "where it stands there, the same heading needs no second move"
    bench.obey()
    bench.see()
    bench.obey()
    assert bench.finishes[0].outcome is Outcome.AIMED


def test_an_early_order_that_was_lost_is_given_again_by_the_whole_command():
    bench = Bench()
    bench.joints()
    bench.hear(status=TranscriptStatus.PARTIAL)
    bench.understand(what=command(target="", tool=""), partial=True)
    bench.hear()
    bench.understand()
    first, again = bench.moves
    assert first.goal == again.goal
    bench.obey()
    assert bench.engagement.state is State.SEARCHING


def test_a_missing_target_slews_and_stops():
    bench = Bench()
    bench.understand(what=command(target="", status=CommandStatus.INCOMPLETE))
    bench.obey()
    assert bench.finishes[0].outcome is Outcome.INCOMPLETE
    assert bench.yaw == pytest.approx(heading_to_yaw(350.0))


def test_a_missing_heading_searches_where_the_camera_looks_now():
    bench = Bench()
    bench.yaw, bench.pitch = 1.0, -0.2
    bench.joints()
    bench.understand(what=command(heading="", status=CommandStatus.INCOMPLETE))
    assert not bench.moves
    bench.obey()
    assert bench.engagement.state is State.SEARCHING
    bench.see()
    bench.obey()
    assert bench.finishes[0].outcome is Outcome.AIMED


def test_nothing_understood_is_incomplete_with_the_reason():
    bench = Bench()
    bench.understand(what=Command(CommandStatus.REJECTED, reason="no command at all"))
    assert bench.finishes[0].outcome is Outcome.INCOMPLETE
    assert "no command" in bench.finishes[0].reason


CALL_OFF = Command(CommandStatus.CANCELLED, reason="called off: cease fire")


@pytest.mark.parametrize("steps", [[], ["obey"], ["obey", "see"], ["obey", "see", "obey"]])
@pytest.mark.parametrize("heard", [True, False])
def test_a_cancellation_ends_what_runs_and_stops_the_turret(steps, heard):
    bench = Bench()
    bench.hear("u1")
    bench.understand("u1")
    for step in steps:
        getattr(bench, step)() if step != "see" else bench.see("u1")
    if heard:
        bench.hear("u2", text="cease fire")
    bench.understand("u2", CALL_OFF)
    assert [a.utterance_id for a in bench.actions if isinstance(a, Stop)] == ["u2"]
    ended = {f.utterance_id: f.outcome for f in bench.finishes}
    assert ended.pop("u2") is Outcome.CANCELLED
    assert ended == {"u1": Outcome.AIMED if steps[2:] else Outcome.SUPERSEDED}
    moves = len(bench.moves)
    bench.see("u1")
    bench.obey()
    bench.wait(60)
    assert len(bench.moves) == moves
    assert bench.engagement.state is State.IDLE


def test_a_cancellation_that_comes_too_late_for_its_turn_stops_the_turret_yet():
    bench = Bench()
    bench.hear("u1", text="cease fire")
    bench.wait(60)
    bench.hear("u2")
    bench.understand("u1", CALL_OFF)
    assert isinstance(bench.actions[-1], Stop)
    assert len(bench.finishes) == 1
    bench.understand("u2")
    bench.understand("u1", CALL_OFF)
    assert isinstance(bench.actions[-1], Move)  # a newer order is not stopped by an older word


@pytest.mark.parametrize("meant", [True, False])
def test_a_cancellation_in_mid_sentence_halts_and_the_whole_sentence_decides(meant):
    bench = Bench()
    bench.hear(status=TranscriptStatus.PARTIAL)
    bench.understand(
        what=command(target="", tool="", status=CommandStatus.INCOMPLETE), partial=True
    )
    assert len(bench.moves) == 1
    bench.understand(what=CALL_OFF, partial=True)
    assert bench.actions[-1] == Stop("u1", bench.now - 5 * S, for_now=True)
    count = len(bench.actions)
    bench.understand(what=CALL_OFF, partial=True)
    bench.understand(
        what=command(target="", tool="", status=CommandStatus.INCOMPLETE), partial=True
    )
    bench.obey()
    assert len(bench.actions) == count, "it stands until all is said"
    bench.hear()
    if meant:
        bench.understand(what=CALL_OFF)
        assert [a.for_now for a in bench.actions if isinstance(a, Stop)] == [True, False]
        assert [f.outcome for f in bench.finishes] == [Outcome.CANCELLED]
    else:
        bench.understand()
        assert len(bench.moves) == 2 and not bench.finishes
        bench.obey()
        bench.see()
        bench.obey()
        assert [f.outcome for f in bench.finishes] == [Outcome.AIMED]


def test_a_cancellation_in_mid_sentence_halts_the_turn_before_too():
    bench = Bench()
    bench.hear("u1")
    bench.understand("u1")
    bench.understand("u2", CALL_OFF, partial=True)
    assert [a.utterance_id for a in bench.actions if isinstance(a, Stop)] == ["u2"]
    assert [f.outcome for f in bench.finishes] == [Outcome.SUPERSEDED]
    bench.hear("u2", status=TranscriptStatus.EMPTY)
    assert bench.engagement.state is State.IDLE


def test_noise_ends_its_own_turn_but_not_the_running_one():
    bench = Bench()
    bench.hear("u1")
    bench.hear("noise", status=TranscriptStatus.EMPTY)
    assert [f.utterance_id for f in bench.finishes] == ["noise"]
    assert bench.engagement.utterance_id == "u1"


def test_a_new_utterance_supersedes_the_old_one():
    bench = Bench()
    bench.hear("u1")
    bench.understand("u1")
    bench.hear("u2")
    assert bench.finishes[0].utterance_id == "u1"
    assert bench.finishes[0].outcome is Outcome.SUPERSEDED
    bench.see("u1")
    assert bench.engagement.utterance_id == "u2"


def test_a_target_above_the_limit_is_aimed_at_as_near_as_can_be_and_reported():
    bench = Bench(limits={"pitch_min": math.radians(-20)})
    bench.understand()
    bench.obey()
    bench.see()
    bench.obey()
    assert bench.finishes[0].outcome is Outcome.LIMITED
    assert "pitch" in bench.finishes[0].reason
    assert bench.pitch == pytest.approx(math.radians(-20))


@pytest.mark.parametrize(("aims", "moves"), [(True, 2), (False, 1)])
def test_an_ambiguous_target_is_aimed_at_only_where_wanted(aims, moves):
    bench = Bench(aim_when_ambiguous=aims)
    bench.understand()
    bench.obey()
    bench.see(report=BoxReport(LocationStatus.AMBIGUOUS, 0, FOUND.box, "two alike"))
    bench.obey()
    assert bench.finishes[0].outcome is Outcome.AMBIGUOUS
    assert len(bench.moves) == moves


def test_not_found_ends_the_turn():
    bench = Bench()
    bench.understand()
    bench.obey()
    bench.see(report=BoxReport(LocationStatus.NOT_FOUND, 0, None, "nothing fits"))
    assert bench.finishes[0].outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (["hear"], "commander"),
        (["hear", "understand"], "turret"),
        (["hear", "understand", "obey"], "locator"),
        (["hear", "understand", "obey", "see"], "joint states"),
    ],
)
def test_every_wait_ends_in_a_timeout_that_names_what_is_missing(steps, names):
    bench = Bench()
    for step in steps:
        getattr(bench, step)()
    bench.wait(60)
    assert bench.finishes[-1].outcome is Outcome.TIMEOUT
    assert names in bench.finishes[-1].reason


def test_a_command_that_comes_too_late_is_not_acted_on_and_says_so():
    bench = Bench()
    bench.now = 400 * S
    said = bench.now - 300 * S
    arguments = (said, 4.0, bench.now, "")
    bench.actions += bench.engagement.on_transcript(
        "u1", TranscriptStatus.FINAL, "heading three five zero", *arguments
    )
    bench.actions += bench.engagement.on_command("u1", command(), False, said, bench.now)
    assert not bench.moves
    [finish] = bench.finishes
    assert finish.outcome is Outcome.TIMEOUT and "296 s after it was said" in finish.reason


def test_a_late_command_does_not_end_the_turn_that_runs():
    bench = Bench(deadlines={"stale": 20.0})
    bench.now = 400 * S
    bench.hear("new")
    bench.understand("new")
    bench.actions += bench.engagement.on_command("old", command(), False, 300 * S, bench.now)
    assert [f.utterance_id for f in bench.finishes] == ["old"]
    assert bench.engagement.utterance_id == "new"


@pytest.mark.parametrize("heading", ["north", "nan", "inf", "3 5 0"])
def test_a_heading_that_is_no_number_ends_its_turn_at_once(heading):
    bench = Bench()
    bench.hear()
    bench.understand(what=command(heading=heading))
    [finish] = bench.finishes
    assert finish.outcome is Outcome.INCOMPLETE and repr(heading) in finish.reason
    assert not bench.moves


def test_a_new_command_is_not_at_its_goal_before_it_moves():
    bench = Bench()
    bench.hear()
    bench.understand()
    bench.obey()
    assert bench.engagement.at_goal
    bench.hear("u2")
    assert bench.engagement.state is State.HEARD and not bench.engagement.at_goal


def test_recorded_joints_count_as_settled_at_any_pitch_and_the_aim_when_it_is_sent():
    bench = Bench(recorded_joints=True)
    bench.hear()
    bench.understand()
    bench.yaw, bench.pitch = heading_to_yaw(350.0) + 2 * math.pi, 0.1
    for _ in range(6):
        bench.joints()
    assert bench.engagement.state is State.SEARCHING
    bench.see()
    assert [f.outcome for f in bench.finishes] == [Outcome.AIMED]


def test_recorded_joints_that_went_elsewhere_are_named():
    bench = Bench(recorded_joints=True)
    bench.hear()
    bench.understand()
    for _ in range(6):
        bench.joints()
    bench.wait(61.0)
    assert "never stood at heading 350" in bench.finishes[0].reason


def test_a_turn_after_a_timeout_works():
    bench = Bench()
    bench.hear()
    bench.wait(60)
    bench.hear("u2")
    bench.understand("u2")
    bench.obey()
    bench.see("u2")
    bench.obey()
    assert [f.outcome for f in bench.finishes] == [Outcome.TIMEOUT, Outcome.AIMED]


def test_a_late_answer_to_an_ended_turn_is_ignored():
    bench = Bench()
    bench.hear()
    bench.wait(60)
    bench.understand()
    assert len(bench.finishes) == 1
    assert bench.engagement.state is State.IDLE


SPOKEN = ["hear", "partial", "noise", "early", "understand", "lost", "cancel", "pick"]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*SPOKEN, "obey", "see", "calibration"]),
        st.sampled_from(["u1", "u2", "u3"]),
        st.floats(0, 3),
    ),
    max_size=40,
)


@given(EVENTS)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_each_utterance_that_began_ends_exactly_once(events):
    bench = Bench()
    camera, bench.engagement.camera = bench.engagement.camera, None
    begun = set()
    for event, name, pause in events:
        bench.wait(pause)
        match event:
            case "hear":
                bench.hear(name)
            case "partial":
                bench.hear(name, status=TranscriptStatus.PARTIAL)
            case "noise":
                bench.hear(name, status=TranscriptStatus.EMPTY)
            case "early":
                bench.understand(name, command(target="", tool=""), partial=True)
            case "understand":
                bench.understand(name)
            case "lost":
                bench.understand(name, Command(CommandStatus.REJECTED, reason="?"))
            case "cancel":
                bench.understand(name, CALL_OFF)
            case "pick":
                picked = BoxReport(LocationStatus.FOUND, bench.now, FOUND.box)
                bench.actions += bench.engagement.on_pick(name, picked, "picked", bench.now)
            case "obey":
                bench.obey()
            case "see":
                bench.see(name)
            case "calibration":
                bench.actions += bench.engagement.on_camera(camera, bench.now)
        if event in SPOKEN:
            begun.add(name)
    for _ in range(3):
        bench.wait(60)
    ended = [f.utterance_id for f in bench.finishes]
    assert sorted(ended) == sorted(begun)
    assert bench.engagement.state is State.IDLE


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        ([], "transcriber"),
        ([], "audio_source"),
        (["hear"], "commander"),
        (["hear", "understand"], "locator"),
        (["hear", "understand"], "simulator"),
        (["hear", "understand", "obey"], "locator"),
    ],
)
def test_the_death_of_a_stage_that_is_waited_for_ends_the_turn_at_once(steps, stage):
    bench = Bench()
    if not steps:
        bench.hear(status=TranscriptStatus.PARTIAL)
    for step in steps:
        getattr(bench, step)()
    bench.actions += bench.engagement.on_lost(stage, "was started anew", bench.now)
    assert [f.outcome for f in bench.finishes] == [Outcome.TIMEOUT]
    assert bench.finishes[0].reason == f"the {stage} was started anew in mid-turn"
    assert bench.engagement.on_lost(stage, "was started anew", bench.now) == []


def test_the_death_of_a_stage_that_has_done_its_part_costs_nothing():
    bench = Bench()
    bench.hear()
    bench.understand()
    for stage in ("audio_source", "transcriber", "commander", "diagnostics"):
        assert bench.engagement.on_lost(stage, "has ended", bench.now) == []
    bench.obey()
    bench.see()
    assert bench.engagement.on_lost("locator", "has ended", bench.now) == []


def test_an_utterance_is_given_up_once_and_late_words_of_it_are_ignored():
    bench = Bench()
    engagement = bench.engagement
    (end,) = engagement.give_up("u7", 5 * S, "nobody works on it", bench.now)
    assert (end.utterance_id, end.stamp_ns, end.outcome) == ("u7", 5 * S, Outcome.TIMEOUT)
    assert engagement.give_up("u7", 5 * S, "nobody works on it", bench.now) == []
    engagement.recall("u8", 6 * S)
    for name in ("u7", "u8"):
        assert engagement.is_over(name, bench.now)
        heard = engagement.on_transcript(
            name, TranscriptStatus.FINAL, "x", bench.now, 1.0, bench.now
        )
        assert heard == []


def test_a_recording_in_a_loop_engages_once_in_each_loop():
    engagement = Engagement(AimSettings())
    ends = []

    def final(now):
        told = engagement.on_transcript(
            "u3", TranscriptStatus.EMPTY, "", 103 * S, 2.0, now, "nothing"
        )
        ends.extend(a for a in told if isinstance(a, Finish))

    for _ in range(3):
        for second in range(100, 110):
            engagement.on_tick(second * S)
            engagement.on_joints(second * S, 0.0, 0.0, None, second * S)
            if second == 101 and ends:
                final(second * S)  # a late word of the loop before
            if second in (105, 106):
                final(second * S)
        engagement.reset(109 * S)
    assert len(ends) == 3


def test_what_is_told_after_the_clock_went_back_ends_and_the_next_loop_counts():
    engagement = Engagement(AimSettings())
    engagement.on_tick(110 * S)
    engagement.on_tick(100 * S)  # a slow recogniser has not yet told what was said at 103 s

    def final(now):
        return engagement.on_transcript("u3", TranscriptStatus.FINAL, "heading", 103 * S, 2.0, now)

    (end,) = final(101 * S)
    assert (end.utterance_id, end.outcome) == ("u3", Outcome.SUPERSEDED)
    assert "clock" in end.reason
    assert final(102 * S) == []
    assert final(106 * S) == []
    assert engagement.utterance_id == "u3", "said again in this loop"


def test_a_clock_that_goes_back_ends_the_running_turn():
    bench = Bench()
    bench.hear()
    bench.engagement.on_tick(bench.now)
    actions = bench.engagement.on_tick(bench.now - 30 * S)
    assert [a.outcome for a in actions] == [Outcome.SUPERSEDED]
    assert "clock" in actions[0].reason
