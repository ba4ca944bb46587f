# SPDX-License-Identifier: Apache-2.0
"""The life cycle of a node as ROS 2 defines it, on both runtimes.

States, transitions and their numbers are those of lifecycle_msgs, the services those of rcl's
lifecycle nodes: `ros2 lifecycle`, launch_ros and lifecycle managers see no difference. rclpy's own
lifecycle node isn't used: it runs a transition inside the service's callback, so that the executor
would stand still, and the node say nothing, while a model loads.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from turret_ai.errors import TurretError
from turret_ai.ros import qos
from turret_ai.ros.interfaces import message, service

if TYPE_CHECKING:
    from turret_ai.ros import Node

ANSWER_LIMIT_S = 600.0
"""How long a call of change_state waits for its answer; a transition may take longer than that."""


class State(IntEnum):
    """The constants of lifecycle_msgs/State."""

    UNKNOWN = 0
    UNCONFIGURED = 1
    INACTIVE = 2
    ACTIVE = 3
    FINALIZED = 4
    CONFIGURING = 10
    CLEANINGUP = 11
    SHUTTINGDOWN = 12
    ACTIVATING = 13
    DEACTIVATING = 14
    ERRORPROCESSING = 15

    @property
    def label(self) -> str:
        """As ROS writes it: "active"."""
        return self.name.lower()


class Transition(IntEnum):
    """What may be asked for; the constants of lifecycle_msgs/Transition."""

    CONFIGURE = 1
    CLEANUP = 2
    ACTIVATE = 3
    DEACTIVATE = 4
    UNCONFIGURED_SHUTDOWN = 5
    INACTIVE_SHUTDOWN = 6
    ACTIVE_SHUTDOWN = 7

    @property
    def label(self) -> str:
        """As ROS writes it: "configure"; the three ways to shut down have one label."""
        return self.name.rpartition("_")[2].lower()


_SUCCESS, _FAILURE, _ERROR = range(3)
_ENDS = ("transition_success", "transition_failure", "transition_error")

# rcl's default machine. Asked for: start, meanwhile, then after success, failure and error. The
# number of an end is the first one's plus 0, 1 or 2.
_WAYS: dict[Transition, tuple[State, State, int, tuple[State, State, State]]] = {
    Transition.CONFIGURE: (
        State.UNCONFIGURED,
        State.CONFIGURING,
        10,
        (State.INACTIVE, State.UNCONFIGURED, State.ERRORPROCESSING),
    ),
    Transition.CLEANUP: (
        State.INACTIVE,
        State.CLEANINGUP,
        20,
        (State.UNCONFIGURED, State.INACTIVE, State.ERRORPROCESSING),
    ),
    Transition.ACTIVATE: (
        State.INACTIVE,
        State.ACTIVATING,
        30,
        (State.ACTIVE, State.INACTIVE, State.ERRORPROCESSING),
    ),
    Transition.DEACTIVATE: (
        State.ACTIVE,
        State.DEACTIVATING,
        40,
        (State.INACTIVE, State.ACTIVE, State.ERRORPROCESSING),
    ),
    **{
        shutdown: (
            start,
            State.SHUTTINGDOWN,
            50,
            (State.FINALIZED, State.FINALIZED, State.ERRORPROCESSING),
        )
        for shutdown, start in (
            (Transition.UNCONFIGURED_SHUTDOWN, State.UNCONFIGURED),
            (Transition.INACTIVE_SHUTDOWN, State.INACTIVE),
            (Transition.ACTIVE_SHUTDOWN, State.ACTIVE),
        )
    },
}
_AFTER_ERROR = (60, (State.UNCONFIGURED, State.FINALIZED, State.FINALIZED))


def _arrows() -> list[tuple[int, str, State, State]]:
    """Every (number, label, start, goal) of the machine."""
    found = [(int(way), way.label, *_WAYS[way][:2]) for way in Transition]
    for _, meanwhile, number, goals in {_WAYS[way][2]: _WAYS[way] for way in Transition}.values():
        found += [(number + end, _ENDS[end], meanwhile, goal) for end, goal in enumerate(goals)]
    number, goals = _AFTER_ERROR
    found += [
        (number + end, _ENDS[end], State.ERRORPROCESSING, goal) for end, goal in enumerate(goals)
    ]
    return found


ARROWS = _arrows()


class LifeCycle:
    """A node's state, and the services that change it.

    Configuring runs in a thread of its own, since models load; the other transitions are quick and
    run where they are asked for. A hook that raises a TurretError has failed: the node stays in the
    state that it was in, and `problem` says why. After any other exception it is unconfigured.
    """

    def __init__(
        self,
        node: Node,
        hooks: Mapping[str, Callable[[], None]],
        on_change: Callable[[], None],
    ) -> None:
        """
        Args:
            hooks: by the label of a transition; those that are missing do nothing.
            on_change: called after every change of state, from whatever thread makes it.
        """
        self._node, self._hooks, self._on_change = node, hooks, on_change
        self._lock = threading.RLock()
        self._state = State.UNCONFIGURED
        self.problem = ""
        """Why the last transition failed, "" after one that did not."""
        self.exception: BaseException | None = None
        """What the last transition raised."""
        self._closed = False
        self._events = node.create_publisher(
            message("lifecycle_msgs/msg/TransitionEvent"), "~/transition_event", qos.STAGE
        )
        for name, kind, handler in (
            ("change_state", "ChangeState", self._on_change_state),
            ("get_state", "GetState", self._on_get_state),
            ("get_available_states", "GetAvailableStates", self._on_get_states),
            ("get_available_transitions", "GetAvailableTransitions", self._on_get_transitions),
            ("get_transition_graph", "GetAvailableTransitions", self._on_get_graph),
        ):
            interface = service(f"lifecycle_msgs/srv/{kind}")
            node.create_slow_service(interface, f"~/{name}", handler)

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    def request(self, transition: Transition) -> Future[bool]:
        """Begin a transition; the future says whether it succeeded. Callable from any thread."""
        done: Future[bool] = Future()
        with self._lock:
            start, meanwhile, _, _ = _WAYS[transition]
            if self._state is not start:
                self._node.get_logger().warning(
                    f"no way to {transition.label} from {self._state.label}"
                )
                done.set_result(False)
                return done
            self._go(int(transition), transition.label, meanwhile)
        if transition is Transition.CONFIGURE:
            threading.Thread(
                target=self._run, args=(transition, done), name="configure", daemon=True
            ).start()
        else:
            self._run(transition, done)
        return done

    def close(self) -> None:
        """The node is being destroyed: say nothing any more."""
        with self._lock:
            self._closed = True

    def _run(self, transition: Transition, done: Future[bool]) -> None:
        hook = self._hooks.get(transition.label)
        end, self.problem, self.exception = _SUCCESS, "", None
        try:
            if hook is not None:
                hook()
        except TurretError as error:
            end, self.problem, self.exception = _FAILURE, str(error), error
        except BaseException as error:
            end, self.exception = _ERROR, error
            self.problem = f"{type(error).__name__}: {error}"
            self._node.get_logger().error(
                f"{transition.label} failed:\n{traceback.format_exc().rstrip()}"
            )
        if end == _FAILURE:
            self._node.get_logger().error(f"{transition.label} failed: {self.problem}")
        _, _, number, goals = _WAYS[transition]
        self._go(number + end, _ENDS[end], goals[end])
        if end == _ERROR:
            first, ends = _AFTER_ERROR
            self._go(first + _SUCCESS, _ENDS[_SUCCESS], ends[_SUCCESS])
        done.set_result(end == _SUCCESS)

    def _go(self, number: int, label: str, goal: State) -> None:
        with self._lock:
            start, self._state = self._state, goal
            if self._closed:
                return
        self._events.publish(
            message("lifecycle_msgs/msg/TransitionEvent")(
                timestamp=self._node.now_ns(),
                transition=_transition(number, label),
                start_state=_state(start),
                goal_state=_state(goal),
            )
        )
        self._on_change()

    # -- services --------------------------------------------------------------------------------

    def _on_change_state(self, request: Any, response: Any) -> Any:
        wanted = request.transition
        chosen = [
            way
            for way in Transition
            if _WAYS[way][0] is self._state
            and (wanted.label == way.label if wanted.label else wanted.id == way)
        ]
        response.success = False
        if not chosen:
            name = wanted.label or f"transition {wanted.id}"
            self._node.get_logger().warning(f"no way to {name} from {self._state.label}")
            return response
        answer: Future[Any] = Future()
        # Whichever comes first answers: the end of the transition, or the limit.
        once = threading.Lock()

        def finish(success: bool) -> None:
            if once.acquire(blocking=False):
                response.success = success
                answer.set_result(response)

        limit = threading.Timer(ANSWER_LIMIT_S, finish, (False,))
        limit.daemon = True

        def ended(done: Future[bool]) -> None:
            limit.cancel()
            finish(done.result())

        done = self.request(chosen[0])
        if not done.done():
            limit.start()
        done.add_done_callback(ended)
        return answer

    def _on_get_state(self, _request: Any, response: Any) -> Any:
        response.current_state = _state(self._state)
        return response

    def _on_get_states(self, _request: Any, response: Any) -> Any:
        response.available_states = [_state(each) for each in State]
        return response

    def _on_get_transitions(self, _request: Any, response: Any) -> Any:
        present = self._state
        response.available_transitions = [_describe(*a) for a in ARROWS if a[2] is present]
        return response

    def _on_get_graph(self, _request: Any, response: Any) -> Any:
        response.available_transitions = [_describe(*arrow) for arrow in ARROWS]
        return response


def _state(state: State) -> Any:
    return message("lifecycle_msgs/msg/State")(id=int(state), label=state.label)


def _transition(number: int, label: str) -> Any:
    return message("lifecycle_msgs/msg/Transition")(id=number, label=label)


def _describe(number: int, label: str, start: State, goal: State) -> Any:
    return message("lifecycle_msgs/msg/TransitionDescription")(
        transition=_transition(number, label), start_state=_state(start), goal_state=_state(goal)
    )
