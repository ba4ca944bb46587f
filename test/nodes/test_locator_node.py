# SPDX-License-Identifier: Apache-2.0
"""The locator as a process of its own: what it searches while the operator still speaks."""

from pathlib import Path

import numpy as np
from probe import Probe, joined, node_process

from turret_ai.nodes import convert
from turret_ai.ros import images, qos
from turret_ai.ros.interfaces import Image, TargetBBox, TurretCommand, TurretState
from turret_ai.ros.time import to_ns

STUB = str(Path(__file__).with_name("stub_models.py"))


class Turn(Probe):
    """Commander, controller and camera, as far as the locator knows them."""

    def __init__(self, domain):
        super().__init__(domain)
        self.domain = domain
        self.commands = self.create_publisher(TurretCommand, "command", qos.STAGE)
        self.states = self.create_publisher(TurretState, "turret/state", qos.STATE)
        self.pictures = self.create_publisher(Image, "camera/image_raw", qos.IMAGE_PUB)
        self.boxes = self.collect(TargetBBox, "target_bbox")
        self.phase, self.at_goal, self.name, self.red = TurretState.IDLE, False, "", True
        self.filmed = []
        self.create_timer(0.05, self.tell)
        self.create_timer(0.1, self.film)

    def tell(self):
        self.states.publish(
            TurretState(
                header=convert.header(self.now_ns(), "base"),
                utterance_id=self.name,
                phase=self.phase,
                at_goal=self.at_goal,
            )
        )

    def film(self):
        picture = np.full((270, 480, 3), 90, np.uint8)
        if self.red:
            picture[100:130, 200:260] = (255, 0, 0)
        self.filmed.append(self.now_ns())
        self.pictures.publish(images.to_message(picture, self.filmed[-1], "camera"))

    def stand(self, name, phase=TurretState.HEARD):
        self.name, self.phase, self.at_goal = name, phase, True

    def say(self, name, target, partial):
        self.commands.publish(TurretCommand(utterance_id=name, target=target, partial=partial))

    def rest(self):
        self.name, self.phase, self.at_goal = "", TurretState.IDLE, False

    def turn(self, name, meanwhile, target):
        """Say a target, wait a moment with the camera standing, say the whole; the box's message
        and when the search was due."""
        count = len(self.boxes)
        self.stand(name)
        if meanwhile:
            self.say(name, meanwhile, partial=True)
        self.until(lambda: False, 0.7)
        assert len(self.boxes) == count, "nothing is told while the operator speaks"
        self.red = True
        self.say(name, target, partial=False)
        self.until(lambda: False, 0.1)
        due = self.now_ns()
        self.stand(name, TurretState.SEARCHING)
        assert self.until(lambda: len(self.boxes) > count, 10)
        self.rest()
        self.until(lambda: False, 0.2)
        assert len(self.boxes) == count + 1
        return self.boxes[-1], due


turn = joined(Turn)


def test_what_was_found_while_the_operator_spoke_answers_the_whole_command(turn):
    with node_process(turn.domain, "locator", script=STUB):
        assert turn.active("locator")
        box, due = turn.turn("u1", "red drone", "red drone")
        assert box.status == TargetBBox.FOUND and box.caption == "red drone"
        assert due - 2e9 < to_ns(box.header.stamp) < due, "a picture from before the end"
        box, due = turn.turn("u2", "blue drone", "red drone")  # heard wrongly at first
        assert box.status == TargetBBox.FOUND and box.caption == "red drone"
        assert to_ns(box.header.stamp) < due, "what was seen serves another target as well"
        box, due = turn.turn("u3", "", "red drone")  # named at the very end
        assert box.status == TargetBBox.FOUND and to_ns(box.header.stamp) >= due
        turn.red = False  # nothing to be seen yet
        box, due = turn.turn("u4", "red drone", "red drone")
        assert box.status == TargetBBox.FOUND
        assert to_ns(box.header.stamp) >= due


def test_nothing_is_searched_ahead_where_that_is_switched_off(turn):
    with node_process(turn.domain, "locator", script=STUB, ahead_max_age=0.0):
        assert turn.active("locator")
        box, due = turn.turn("u1", "red drone", "red drone")
        assert to_ns(box.header.stamp) >= due
