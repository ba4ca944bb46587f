# SPDX-License-Identifier: Apache-2.0
"""The other process of the tests: `python peer.py ROLE ...`, on whichever runtime it is told."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

sys.path.insert(0, str(Path(__file__).parent))
import samples

from turret_ai.errors import ModelError
from turret_ai.ros import Node, images, interfaces, qos, run
from turret_ai.ros.interfaces import Image, SetBool, String, Trigger
from turret_ai.ros.worker import Worker


def say(**values: object) -> None:
    """A line for the test."""
    print(json.dumps(values), flush=True)


class Vad(BaseModel):
    """A nested group of parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    threshold: float = Field(0.5, ge=0.0, le=1.0, description="probability of speech")


class Parameters(BaseModel):
    """One parameter of each kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    device: str = Field("cpu", description="where models run")
    gain: float = Field(
        1.0, gt=0.0, le=10.0, description="factor", json_schema_extra={"dynamic": True}
    )
    count: int = Field(3, ge=1, le=5, description="how many")
    on: bool = True
    labels: list[str] = ["a", "b"]
    numbers: list[float] = Field([1.0, 2.5], json_schema_extra={"dynamic": True})
    vad: Vad = Vad()


class Everything(Node):
    """Publishes a sample of every message latched, serves, has parameters."""

    def __init__(self) -> None:
        super().__init__("peer", parameters=Parameters)
        for name in samples.names():
            short = name.replace("/msg/", "_").lower()
            publisher = self.create_publisher(interfaces.message(name), f"all/{short}", qos.LATCHED)
            publisher.publish(samples.fill(name))
        deep = qos.QoSProfile(depth=3, durability=qos.DurabilityPolicy.TRANSIENT_LOCAL)
        latched = self.create_publisher(String, "latched3", deep)
        for index in range(5):
            latched.publish(String(data=str(index)))
        self.create_service(SetBool, "set", self._set)
        self.create_service(Trigger, "fail", self._fail)
        self._echo = self.create_publisher(String, "echo", qos.STAGE)
        self.create_subscription(String, "say", self._on_say, qos.STAGE)
        self.create_publisher(String, "best_effort", qos.SENSOR)
        self.ticks = 0
        self.create_timer(0.05, self._tick)
        say(ready=True, parameters=self.parameters.model_dump())

    def _tick(self) -> None:
        self.ticks += 1
        if self.ticks == 1:
            say(spinning=True)

    def _on_say(self, message: String) -> None:
        if message.data == "raise":
            raise RuntimeError("on purpose")
        self._echo.publish(String(data=message.data))

    def _set(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = True
        response.message = f"enabled={request.data}"
        return response

    def _fail(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        raise RuntimeError("on purpose")

    def on_parameters(self, new: Parameters) -> None:
        say(gain=new.gain)


class Listener(Node):
    """Prints what arrives on the topics of Everything, and what its services answer."""

    def __init__(self) -> None:
        super().__init__("listener")
        for name in samples.names():
            topic = f"all/{name.replace('/msg/', '_').lower()}"
            self.create_subscription(
                interfaces.message(name),
                topic,
                lambda message, name=name: say(type=name, message=samples.plain(message)),
                qos.LATCHED,
            )
        deep = qos.QoSProfile(depth=3, durability=qos.DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(String, "latched3", lambda m: say(latched=m.data), deep)
        self._set = self.create_client(SetBool, "set")
        threading.Thread(target=self._call, daemon=True).start()
        say(ready=True)

    def _call(self) -> None:
        self._set.wait_for_service(20.0)
        answers = {self._set.call(SetBool.Request(data=i % 2 == 0), 5.0).message for i in range(50)}
        say(answers=sorted(answers))


class Clocked(Node):
    """Says when its timer of 1 s fires and what time it is then."""

    def __init__(self) -> None:
        super().__init__("clocked")
        self.create_timer(1.0, lambda: say(now=self.now_ns()))
        say(ready=True)


class Camera(Node):
    """Publishes images at a rate."""

    def __init__(self, count: int, rate: float) -> None:
        super().__init__("camera")
        self._publisher = self.create_publisher(Image, "image", qos.IMAGE_PUB)
        self._left = count
        self._pixels = np.random.default_rng(0).integers(0, 255, (870, 1520, 3), np.uint8)
        self.create_timer(1.0 / rate, self._send)
        say(ready=True)

    def _send(self) -> None:
        if self._left and self._publisher.get_subscription_count():
            self._left -= 1
            pixels = self._pixels
            pixels[0, 0, 0] = self._left % 256
            self._publisher.publish(images.to_message(pixels, time.time_ns(), "camera"))


class Viewer(Node):
    """Says how many images arrived whole."""

    def __init__(self) -> None:
        super().__init__("viewer")
        self._count = 0
        self.create_subscription(Image, "image", self._on_image, qos.IMAGE_SUB)
        self.create_timer(0.5, lambda: say(images=self._count))
        say(ready=True)

    def _on_image(self, message: Image) -> None:
        if images.from_message(message).shape == (870, 1520, 3):
            self._count += 1


class Stuck(Node):
    """A worker that never comes back."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self._worker: Worker[int] = Worker(lambda _: time.sleep(60), latest_wins=True)
        self._worker.put(1)
        say(ready=True)

    def destroy_node(self) -> None:
        self._worker.close(30.0)
        super().destroy_node()


class Broken(Node):
    """Fails while it is made; its own clean-up can't work then."""

    def __init__(self) -> None:
        super().__init__("broken")
        raise ModelError("there is no model")

    def destroy_node(self) -> None:
        self._worker.close(1.0)  # type: ignore[attr-defined]


ROLES = {
    "broken": Broken,
    "everything": Everything,
    "listener": Listener,
    "clocked": Clocked,
    "stuck": Stuck,
    "viewer": Viewer,
    "camera": lambda: Camera(120, 30.0),
    "patient_camera": lambda: Camera(1200, 30.0),
}

if __name__ == "__main__":
    _, role, *rest = sys.argv
    sys.exit(run(*(ROLES[each] for each in role.split(",")), args=rest))
