# SPDX-License-Identifier: Apache-2.0
"""`turret-ai topics|nodes|echo`: a look at the graph without ROS."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turret_ai import documents
from turret_ai.errors import InputError, MissingExtraError, PeerError

if TYPE_CHECKING:
    from turret_ai.ros.dds.discovery import Discovery, TopicInfo

HIDDEN = ("/parameter_events", "/rosout")
LONGEST = 32
"""Elements of a sequence that are shown."""

Wait = Annotated[float, typer.Option(help="seconds to look around", min=0.1, max=60.0)]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object a line")]
All = Annotated[bool, typer.Option("--all", "-a", help="also what every ROS node has")]


@contextlib.contextmanager
def _discovery() -> Iterator[Discovery]:
    try:
        from turret_ai.ros.dds.context import Context
        from turret_ai.ros.dds.discovery import Discovery
    except ImportError as error:
        raise MissingExtraError(
            f"this look at the graph needs cyclonedds and rosbags ({error}): "
            "pip install cyclonedds rosbags, or use `ros2 topic` and `ros2 node`"
        ) from error
    context = Context()
    try:
        found = Discovery(context)
        yield found
        found.close()
    finally:
        context.close()


def topics(
    wait: Wait = 1.5,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="name the nodes")] = False,
    show_all: All = False,
    as_json: AsJson = False,
) -> None:
    """List the topics with type, publishers and subscriptions: `turret-ai topics -v`."""
    with _discovery() as discovery:
        found = discovery.watch(wait)
    shown = [
        info
        for name, info in sorted(found.topics.items())
        if (show_all or name not in HIDDEN) and (info.publishers or info.subscriptions)
    ]
    if as_json:
        for info in shown:
            print(json.dumps(asdict(info)))
        return
    for info in shown:
        counts = f"{len(info.publishers)} publishing, {len(info.subscriptions)} subscribed"
        print(f"{info.name} [{info.type}] {counts}")
        if verbose:
            for word, endpoints in (("from", info.publishers), ("to", info.subscriptions)):
                for each in endpoints:
                    quality = "reliable" if each.reliable else "best effort"
                    print(f"    {word} {each.node} ({quality}{', latched' * each.latched})")
    if not shown:
        _nothing("topics")


def nodes(
    wait: Wait = 1.5,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="name topics and services")
    ] = False,
    show_all: All = False,
    as_json: AsJson = False,
) -> None:
    """List the nodes: `turret-ai nodes -v`."""
    with _discovery() as discovery:
        found = discovery.watch(wait)
    for name, info in sorted(found.nodes.items()):
        if as_json:
            print(json.dumps(asdict(info)))
            continue
        print(name)
        if not verbose:
            continue
        for word in ("publishes", "subscribes", "serves", "calls"):
            names = [each for each in sorted(getattr(info, word)) if show_all or not _usual(each)]
            if names:
                print(f"    {word} {', '.join(names)}")
    if not found.nodes and not as_json:
        _nothing("nodes")


def _usual(name: str) -> bool:
    """Whether every ROS node has it."""
    return name in HIDDEN or name.endswith(("_parameters", "/get_parameter_types", "_atomically"))


def _nothing(what: str) -> None:
    from turret_ai.ros.dds import config

    print(
        f"no {what} in ROS_DOMAIN_ID {config.domain_id()} ({config.discovery_range()})",
        file=sys.stderr,
    )


def echo(
    topic: Annotated[str, typer.Argument(help="such as /transcript")],
    once: Annotated[bool, typer.Option("--once", help="end after the first message")] = False,
    rate: Annotated[float, typer.Option(help="messages a second at most; 0: all", min=0.0)] = 0.0,
    timeout: Annotated[
        float, typer.Option(help="seconds without a message until giving up; 0: never", min=0.0)
    ] = 0.0,
    full: Annotated[bool, typer.Option("--full", help="sequences in full length")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what is published on a topic: `turret-ai echo engagement --once`."""
    name = topic if topic.startswith("/") else f"/{topic}"
    with _discovery() as discovery:
        patience = timeout or (10.0 if once else 3600.0)
        found = discovery.watch(patience, lambda g: bool(_publishers(g.topics, name)))
        info = found.topics.get(name)
        if info is None or not info.publishers:
            near = ", ".join(sorted(found.topics)) or "no topics at all"
            raise PeerError(f"nobody publishes {name} within {patience:g} s; there are {near}")
        _follow(discovery, info, once, rate, timeout, full, as_json)


def _publishers(found: dict[str, TopicInfo], name: str) -> list[Any]:
    return found[name].publishers if name in found else []


def _follow(
    discovery: Discovery,
    info: TopicInfo,
    once: bool,
    rate: float,
    timeout: float,
    full: bool,
    as_json: bool,
) -> None:
    from turret_ai.ros.dds import discovery as dds_discovery
    from turret_ai.ros.dds.endpoint import Reader
    from turret_ai.ros.dds.logger import Logger

    if not dds_discovery.known(info):
        raise InputError(f"{info.name} has type {info.type}, whose definition is not known here")
    last_shown, last_heard, count = float("-inf"), time.monotonic(), 0
    gone: BrokenPipeError | None = None

    def receive(message: Any, _sample: Any) -> None:
        nonlocal last_shown, last_heard, count, gone
        last_heard = time.monotonic()
        if (once and count) or (rate and last_heard - last_shown < 1.0 / rate):
            return
        last_shown = last_heard
        count += 1
        try:
            print(_as_text(to_plain(message, None if full else LONGEST), as_json), flush=True)
        except BrokenPipeError as error:  # `head` has seen enough
            gone = error

    context = discovery.context
    profile = dds_discovery.reading_profile(info)
    reader = Reader(
        context, Logger("turret_ai.echo"), f"rt{info.name}", info.type, profile, receive
    )
    try:
        with context.spinning(), contextlib.suppress(KeyboardInterrupt):
            while not (once and count):
                context.spin_once(0.1)
                if gone is not None:
                    raise gone
                if timeout and time.monotonic() - last_heard > timeout:
                    raise PeerError(f"{info.name}: no message for {timeout:g} s")
    finally:
        reader.close()


def _as_text(plain: Any, as_json: bool) -> str:
    if as_json:
        return json.dumps(documents.finite(plain), allow_nan=False)
    import yaml

    return f"{yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)}---"


def to_plain(value: Any, longest: int | None) -> Any:
    """A message as dictionaries, lists and numbers; sequences cut after `longest` elements."""
    if hasattr(value, "__msgtype__"):
        return {name: to_plain(getattr(value, name), longest) for name in value.__slots__}
    if isinstance(value, (str, bool, int, float)):
        return value
    cut = value if longest is None else value[:longest]
    shown = cut.tolist() if hasattr(cut, "tolist") else [to_plain(each, longest) for each in cut]
    if len(shown) < len(value):
        shown.append(f"... {len(value)} in all")
    return shown
