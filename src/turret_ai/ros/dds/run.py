# SPDX-License-Identifier: Apache-2.0
"""Running nodes: in a process of their own until a signal, or inside a test until a condition."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from turret_ai.ros.arguments import Arguments
from turret_ai.ros.dds.context import Context, default_context, set_default_context
from turret_ai.ros.dds.node import Node
from turret_ai.ros.process import Stop, run_process

_SLICE_S = 0.5


def run(*factories: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Make nodes and run them until SIGINT or SIGTERM.

    Args:
        factories: each makes a node.
        args: the words of the command line; `sys.argv[1:]` if None.

    Returns:
        The exit code: 0 after a signal, 2 where the settings can't be used.
    """

    def work(arguments: Arguments, stop: Stop) -> None:
        context = Context(arguments)
        set_default_context(context)
        stop.on_force(context.close)
        try:
            for make in factories:
                make()
            arguments.check_unused()
            thread = threading.Thread(target=_loop, args=(context, stop), name="executor")
            thread.start()
            try:
                stop.wait()
            finally:
                context.wake()
                thread.join()
        finally:
            context.close()
            set_default_context(None)

    return run_process(work, args)


def _loop(context: Context, stop: Stop) -> None:
    try:
        with context.spinning():
            while not stop.is_set():
                context.spin_once(_SLICE_S)
    except BaseException as error:  # the main thread must not wait for a dead loop
        stop.fail(error)


def spin_until(condition: Callable[[], object], *nodes: Node, timeout: float = 10.0) -> bool:
    """Run the callbacks of `nodes`' contexts in this thread until a condition holds.

    Returns:
        Whether it held within `timeout` seconds.
    """
    contexts = list({id(node.context): node.context for node in nodes}.values())
    contexts = contexts or [default_context()]
    end = time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        ours = [context for context in contexts if not context.is_spinning]
        for context in ours:
            stack.enter_context(context.spinning())
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not ours:
                time.sleep(min(0.005, left))
            for context in ours:
                context.spin_once(min(0.02 if len(ours) == 1 else 0.002, left))
        return True


@contextlib.contextmanager
def spinning(*nodes: Node) -> Iterator[None]:
    """Run the callbacks of `nodes`' contexts in threads of their own, within a `with` block."""
    contexts = list({id(node.context): node.context for node in nodes}.values())
    ending = threading.Event()

    def loop(context: Context) -> None:
        with context.spinning():
            while not ending.is_set() and not context.closed:
                context.spin_once(0.1)

    threads = [threading.Thread(target=loop, args=(each,), daemon=True) for each in contexts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for context in contexts:
            context.wake()
        for thread in threads:
            thread.join(2.0)
