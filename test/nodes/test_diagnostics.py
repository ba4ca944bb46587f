# SPDX-License-Identifier: Apache-2.0
"""The diagnostics node as a process: who is silent, and for how long."""

import re

from probe import Probe, free_domain, node_process

from turret_ai.ros import qos
from turret_ai.ros.interfaces import Clock, DiagnosticArray
from turret_ai.ros.time import to_msg


def test_under_simulated_time_nobody_is_silent_since_1970():
    probe = Probe(free_domain())
    first_ns = 1_795_711_539 * 10**9
    clock = probe.create_publisher(Clock, "/clock", qos.CLOCK)
    ticks = iter(range(10**6))
    probe.create_timer(
        0.02, lambda: clock.publish(Clock(clock=to_msg(first_ns + next(ticks) * 200_000_000)))
    )
    reports = probe.collect(DiagnosticArray, "diagnostics")
    try:
        with node_process(free_domain(), "diagnostics", use_sim_time="true"):

            def told():
                texts = [status.message for report in reports for status in report.status]
                return [text for text in texts if "has never reported" in text]

            assert probe.until(told, 30.0)
            seconds = [int(s) for text in told() for s in re.findall(r"\((\d+) s\)", text)]
            assert max(seconds) < 3600
    finally:
        probe.close()
