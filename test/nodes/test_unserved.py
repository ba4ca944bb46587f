# SPDX-License-Identifier: Apache-2.0
"""What a controller learns from the stages' reports, and how a stage keeps its own."""

from turret_ai.nodes import ledger, unserved
from turret_ai.nodes.ledger import Ledger
from turret_ai.nodes.unserved import Unserved
from turret_ai.ros.interfaces import StageState, UtteranceState
from turret_ai.ros.time import to_msg

WORKING, WAITING, ENDED = UtteranceState.WORKING, UtteranceState.WAITING, UtteranceState.ENDED


class Controller:
    def __init__(self):
        self.served = set()
        self.recalled = []
        self.unserved = Unserved(
            lambda name: name in self.served, lambda *told: self.recalled.append(told)
        )

    def hears(self, node, **utterances):
        self.unserved.take(
            StageState(
                stage=node.strip("/"),
                node=node,
                state=StageState.ACTIVE,
                utterances=[
                    UtteranceState(utterance_id=name, status=status, stamp=to_msg(7))
                    for name, status in utterances.items()
                ],
            )
        )


def test_what_nobody_works_on_is_given_up_after_the_grace(monkeypatch):
    monkeypatch.setattr(unserved, "GRACE_S", 0.0)
    controller = Controller()
    controller.hears("/audio_source", u1=WAITING)
    controller.hears("/transcriber", u1=WORKING)
    assert controller.unserved.due() == []
    controller.hears("/transcriber", u1=WAITING)
    controller.hears("/commander", u1=WORKING)
    assert controller.unserved.due() == []
    controller.hears("/commander", u1=WAITING)
    assert controller.unserved.due() == [("u1", 7)]
    assert controller.unserved.due() == []


def test_what_is_served_or_has_ended_is_left_alone(monkeypatch):
    monkeypatch.setattr(unserved, "GRACE_S", 0.0)
    controller = Controller()
    controller.served = {"u1"}
    controller.hears("/transcriber", u1=WAITING, u2=ENDED)
    assert controller.unserved.due() == []
    assert controller.recalled == [("u2", 7)], "ended by a controller before this one"
    controller.hears("/transcriber", u3=ENDED)
    assert controller.recalled == [("u2", 7)], "this controller has ended it itself"


def test_a_dead_stage_leaves_what_it_had_in_hand():
    controller = Controller()
    controller.hears("/transcriber", u1=WORKING, u2=WAITING)
    assert controller.unserved.lost("/transcriber") == [("u1", 7)]
    assert controller.unserved.lost("/transcriber") == []


def test_a_ledger_tells_every_change_once(monkeypatch):
    changes = []
    book = Ledger(lambda: changes.append([(e.utterance_id, int(e.status)) for e in book.entries()]))
    book.working("u1", 5)
    book.working("u1", 5)
    book.answered("u1", 5)
    book.ended("u1")
    book.working("u1", 5)  # a late word
    book.answered("u1", 5)
    assert changes == [[("u1", WORKING)], [("u1", WAITING)], [("u1", ENDED)]]
    monkeypatch.setattr(ledger, "_LATE_S", 0.0)
    book.working("u1", 5)
    assert changes[-1] == [("u1", WORKING)], "the same id again: a recording in a loop"
    assert book.entries()[0].stamp_ns == 5
