# SPDX-License-Identifier: Apache-2.0
"""Mutated files, messages, bodies and packets: no fault, no hang, no process lost.

    python -m bench._fuzz                     # 100,000 cases, in processes of their own
    python -m bench._fuzz texts --first 4711 --count 1    # one case again

A case is its number: the same one gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from bench._fuzz_targets import TARGETS, Target
from turret_ai.errors import TurretError

SHARES = {
    "sounds": 0.2, "pictures": 0.2, "texts": 0.2, "messages": 0.2, "requests": 0.05, "robot": 0.15,
}  # fmt: skip
PIECE = 5000
"""Cases in one process."""
HANG_S = 900.0
"""A process that takes longer is lost; one that is alone on its core needs about 10 s."""
SLOW_S = 5.0
"""Processor time of one case that counts as a fault."""
MEMORY = 6 << 30
"""Bytes of address space: a case that asks for more fails."""
_ODD = (0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x0A, 0x22, 0x3B, 0x5B, 0x7B)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to eight changes at places that are more often near the beginning."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if not found:
            break
        place = min(int(len(found) * rng.random() ** 2), len(found) - 1)
        match rng.randrange(8):
            case 0:
                found[place] ^= 1 << rng.randrange(8)
            case 1:
                found[place] = rng.choice(_ODD)
            case 2:
                size = rng.choice((2, 4, 8))
                found[place : place + size] = bytes([rng.choice(_ODD)]) * size
            case 3:
                del found[place:]
            case 4:
                del found[place : place + rng.randrange(1, 40)]
            case 5:
                found[place:place] = found[place : place + rng.randrange(1, 200)]
            case 6:
                found[place:place] = rng.randbytes(rng.randrange(1, 20))
            case _:
                found[place : place + 4] = rng.randbytes(4)
    return bytes(found)


def case(target: Target, name: str, number: int) -> tuple[bytes, random.Random]:
    """The bytes of a case, and the random numbers that go on from there."""
    rng = random.Random(f"{name} {number}")
    return mutate(rng.choice(target.samples), rng), rng


def run(name: str, first: int, count: int, target: Target | None = None) -> dict[str, Any]:
    """Feed cases; what came of them."""
    target = target or TARGETS[name]()
    used = refused = 0
    faults: list[dict[str, Any]] = []
    slowest = 0.0
    for number in range(first, first + count):
        data, rng = case(target, name, number)
        began = time.process_time()
        try:
            target.feed(data, rng)
            used += 1
        except TurretError:
            refused += 1
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            faults.append({"case": number, "fault": f"{type(error).__name__}: {error} ({where})"})
        took = time.process_time() - began
        slowest = max(slowest, took)
        if took > SLOW_S:
            faults.append({"case": number, "fault": f"took {took:.1f} s of processor time"})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "used": used, "refused": refused, "faults": faults, "slowest_s": slowest, "peak_mb": peak,
    }  # fmt: skip


def apart(name: str, first: int, count: int) -> dict[str, Any]:
    """`run` in a process of its own; one that is lost is a fault."""
    command = [sys.executable, "-m", "bench._fuzz", name, "--child"]
    command += ["--first", str(first), "--count", str(count)]
    lost = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=HANG_S, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            return found
        lost = f"the process ended with {done.returncode}: {done.stderr[-300:]}"
    except subprocess.TimeoutExpired:
        lost = f"the process did not end in {HANG_S:g} s"
    return {
        "used": 0, "refused": 0, "slowest_s": 0.0, "peak_mb": 0.0,
        "faults": [{"case": f"{first}..{first + count - 1}", "fault": lost}],
    }  # fmt: skip


def main() -> int:
    """Run from the command line; 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--count", type=int, default=100_000, help="cases, of all targets together")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        print(json.dumps(run(arguments.target, arguments.first, arguments.count)))
        return 0
    shares = {arguments.target: 1.0} if arguments.target else SHARES
    faults = total = 0
    for name, share in shares.items():
        left = max(1, round(arguments.count * share))
        first, end = arguments.first, arguments.first + left
        while first < end:
            count = min(PIECE, end - first)
            found = apart(name, first, count)
            done = found["used"] + found["refused"] + len(found["faults"])
            print(
                f"{name} {first}..{first + count - 1}: {found['used']} used, "
                f"{found['refused']} refused, {len(found['faults'])} faults, slowest "
                f"{found['slowest_s']:.2f} s, {found['peak_mb']:.0f} MB",
                flush=True,
            )
            for fault in found["faults"][:20]:
                print(f"  case {fault['case']}: {fault['fault']}", flush=True)
            faults += len(found["faults"])
            total += done
            first += count
    print(f"{total} cases, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
