# SPDX-License-Identifier: Apache-2.0
"""Follow craft that fly: speeds, crossings, walls; against SORT and against aiming once

python -m bench.track_lock --plot lock.png              # all cases, and a picture of them
python -m bench.track_lock --kind wall --save wall.json # some of them, kept
python -m bench.track_lock --saved *.json --plot lock.png
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.common import Row

TIMEOUT_S = 7200.0

SPEEDS = (2.0, 5.0, 10.0, 20.0)
SECONDS = 6.0
SETTLED_S = 1.6
"""From the first picture: the aim stands, and one second to catch up with what flew on."""
_KEPT = 50
"""Moments of 20 ms that a case goes on after the wall."""
BACK_S = 0.5
"""A craft that comes from behind a wall should be followed again so soon."""

_CRAFT: tuple[tuple[str, str, list[str]], ...] = (
    ("fighter jet", "canard-delta", ["grey"]),
    ("helicopter", "patrol", ["purple"]),
    ("commercial aircraft", "tri-jet", ["white", "red"]),
)
_SKIES: tuple[dict[str, Any], ...] = (
    {"kind": "airfield", "seed": 101, "mood": "clear"},
    {"kind": "harbour", "seed": 114, "mood": "hazy"},
    {"kind": "desert", "seed": 41, "mood": "clear"},
)
FOLLOWERS = ("lock", "SORT", "aim once")


@dataclass(frozen=True, slots=True)
class Case:
    """A scene, and which of its craft is followed. rate: degrees a second."""

    kind: str
    rate: float
    target: str
    scene: dict[str, Any]


@dataclass(slots=True)
class Result:
    """Of one follower in one case."""

    case: Case
    follower: str
    within: float
    rms: float
    switches: int
    trace: list[tuple[float, float, float]]
    """Seconds, error in half widths, share of the craft that is seen."""

    @property
    def back(self) -> float:
        """Seconds from the first moment after the wall at which the craft is wholly seen until the
        turret keeps within half a width of it to the end; inf: never; nan: there was no wall."""
        hidden = [k for k, (_, _, seen) in enumerate(self.trace) if seen < 0.02]
        after = [k for k, (_, _, seen) in enumerate(self.trace) if seen > 0.98]
        after = [k for k in after if hidden and k > hidden[-1]]
        if not after or len(self.trace) - after[0] < _KEPT:
            return math.nan
        outside = [k for k in range(after[0], len(self.trace)) if self.trace[k][1] >= 1.0]
        if not outside:
            return 0.0
        if len(self.trace) - outside[-1] < _KEPT // 2:
            return math.inf
        return self.trace[outside[-1] + 1][0] - self.trace[after[0]][0]


def orbit(
    number: int, rate: float, heading: float, pixels: float, elevation: float = 17.0
) -> dict[str, Any]:
    """A craft that flies round the turret at `rate` degrees a second, counter-clockwise.

    pixels: its length in the picture. heading: where it is at first, so that the turret's yaw,
    which ends at 250 degrees, suffices.
    """
    from bench import _pursuit
    from turret_ai.simulate import mesh

    kind, variant, colours = _CRAFT[number % len(_CRAFT)]
    far = mesh.load(kind, variant, True).size * _pursuit.CAMERA.fx / pixels
    up = math.radians(elevation)
    return {
        "type": kind,
        "variant": variant,
        "colours": colours,
        "seed": 7 + number,
        "heading": 0.0,
        "elevation": 90.0,
        "distance": far * math.sin(up),
        "attitude": {"course": heading - 90.0},
        "path": {"shape": "circle", "extent": far * math.cos(up), "period": 360.0 / rate},
    }


def _caption(craft: dict[str, Any]) -> str:
    from turret_ai.simulate import livery

    return livery.caption(craft["type"], tuple(craft["colours"]), False)


def _case(
    kind: str, rate: float, number: int, craft: list[dict[str, Any]], walls: list[dict[str, Any]]
) -> Case:
    scene = {
        "name": kind,
        "panorama": _SKIES[number % len(_SKIES)],
        "craft": craft,
        "walls": walls,
    }
    return Case(kind, rate, _caption(craft[0]), scene)


def flights(quick: bool) -> list[Case]:
    """Every speed, without walls and without company."""
    cases = []
    for rate in (10.0,) if quick else SPEEDS:
        for k in range(1 if quick else 2):
            craft = orbit(k, rate, (40.0, 140.0)[k], (80.0, 55.0)[k])
            cases.append(_case("flight", rate, k, [craft], []))
    return cases


def crossings() -> list[Case]:
    """The target flies behind another craft that hovers on its way: the same type in other
    colours, or the like."""
    cases = []
    for k, (colours, rate) in enumerate(((["red"], 8.0), (["green"], 8.0), (["orange"], 12.0))):
        target = orbit(k, rate, 120.0, 80.0)
        kind, variant, _ = _CRAFT[k]
        away = target["distance"] / math.sin(math.radians(17.0))
        other = {
            "type": kind,
            "variant": variant,
            "colours": colours,
            "seed": 3,
            "heading": 120.0 - rate * 3.5,
            "elevation": 17.0,
            "distance": 0.8 * away,
            "attitude": {"course": 120.0 - rate * 3.5 - 90.0},
        }
        cases.append(_case("crossing", rate, k, [target, other], []))
    return cases


def walls(quick: bool) -> list[Case]:
    """The target is wholly behind a wall for a second."""
    cases = []
    for number, rate in enumerate((10.0,) if quick else (5.0, 10.0, 15.0)):
        for k in range(1 if quick else 2):
            pixels = (80.0, 55.0)[k]
            craft = orbit(k, rate, (120.0, 60.0, 260.0)[number], pixels)
            wide = math.degrees(pixels / 621.0) + rate  # its length, and a second's way
            middle = craft["attitude"]["course"] + 90.0 - rate * 3.0 - wide / 2.0
            wall = {"heading": middle, "width": wide, "distance": 8.0, "high": 60.0}
            cases.append(_case("wall", rate, k, [craft], [wall]))
    return cases


def play(case: Case, follower: str, eyes: Any, settings: Any) -> Result:
    """One follower in one case."""
    import numpy as np

    from bench import _pursuit
    from turret_ai.aim.settings import FollowSettings

    world = _pursuit.scene(case.scene)
    limits = world.scene.turret
    made: _pursuit.Follower
    if follower == "lock":
        made = _pursuit.Locked(settings, FollowSettings(), limits)
    elif follower == "SORT":
        made = _pursuit.Sort(limits)
    else:
        made = _pursuit.Once()
    # Long enough for the craft to come out of the wall and be kept.
    seconds = SECONDS if case.kind != "wall" else 6.5 + 2.0 * 8.8 / case.rate
    trial = _pursuit.pursue(world, case.target, made, eyes, seconds, _pursuit.Delays())
    later = [m for m in trial.moments if m.seconds >= SETTLED_S]
    error = np.array([m.error for m in later])
    half = np.array([m.half for m in later])
    return Result(
        case,
        follower,
        float((error < half).mean()),
        math.degrees(math.sqrt(float((error**2).mean()))),
        trial.switches,
        [(m.seconds, m.error / m.half, m.visible) for m in trial.moments],
    )


def measure(quick: bool, say: Any = lambda _: None, kind: str = "") -> list[Result]:
    """Every case, or those of a kind, with every follower."""
    from turret_ai.execution import ExecutionSettings
    from turret_ai.track.eyes import ModelEyes
    from turret_ai.track.settings import TrackSettings

    settings = TrackSettings(execution=ExecutionSettings(threads=1))
    models = ModelEyes(settings)

    def eyes(rgb: Any, window: Any, caption: str) -> Any:
        return models.look(rgb, window, caption)

    results = []
    for case in [*flights(quick), *([] if quick else crossings()), *walls(quick)]:
        if kind and case.kind != kind:
            continue
        for follower in FOLLOWERS:
            if quick and follower == "SORT" and case.kind == "wall":
                continue
            found = play(case, follower, eyes, settings)
            say(
                f"{case.kind} {case.rate:.0f} deg/s {case.target}: {follower} within "
                f"{found.within:.3f} rms {found.rms:.2f} switches {found.switches} "
                f"back {found.back:.2f}"
            )
            results.append(found)
    return results


def rows(results: list[Result]) -> list[Row]:
    """The table's rows."""
    import numpy as np

    made = []

    def some(kind: str, follower: str, rate: float | None = None) -> list[Result]:
        return [
            r
            for r in results
            if r.case.kind == kind and r.follower == follower and rate in (None, r.case.rate)
        ]

    def mean(found: list[Result], what: str) -> float | None:
        values = [float(getattr(r, what)) for r in found]
        if what == "rms":
            return float(np.sqrt(np.mean(np.square(values)))) if values else None
        return float(np.mean(values)) if values else None

    for rate in sorted({r.case.rate for r in results if r.case.kind == "flight"}):
        mine, sort, once = (some("flight", f, rate) for f in FOLLOWERS)
        told = f"{len(mine)} flights of {SECONDS - SETTLED_S:.1f} s; aiming once: "
        made.append(
            Row(
                f"within half a craft's width, {rate:.0f} deg/s",
                mean(mine, "within") or 0.0,
                "share of time",
                "SORT",
                mean(sort, "within"),
                higher_is_better=True,
                note=told + f"{mean(once, 'within'):.3f}",
            )
        )
        made.append(
            Row(
                f"error, {rate:.0f} deg/s",
                mean(mine, "rms") or 0.0,
                "deg RMS",
                "SORT",
                mean(sort, "rms"),
                note=f"aiming once: {mean(once, 'rms'):.1f}",
            )
        )
    mine, sort = some("crossing", "lock"), some("crossing", "SORT")
    if mine:
        made.append(
            Row(
                "identity switches in crossings",
                float(sum(r.switches for r in mine)),
                "switches",
                "SORT",
                float(sum(r.switches for r in sort)),
                note=f"{len(mine)} crossings with a hovering craft of the same type; within half "
                f"a width {mean(mine, 'within'):.3f} of the time, SORT {mean(sort, 'within'):.3f}",
            )
        )
    mine, sort = some("wall", "lock"), some("wall", "SORT")
    if not mine:
        return made
    back = [r.back for r in mine]
    soon = sum(b <= BACK_S for b in back) / len(back)
    made.append(
        Row(
            f"followed again within {BACK_S} s after 1 s behind a wall",
            soon,
            "share of cases",
            "SORT",
            sum(r.back <= BACK_S for r in sort) / len(sort) if sort else None,
            higher_is_better=True,
            note=f"{len(back)} walls, 5 to 15 deg/s; median {float(np.median(back)):.2f} s, worst "
            f"{max(back):.2f} s; switches {sum(r.switches for r in mine)}",
        )
    )
    return made


def plot(results: list[Result], file: Path) -> None:
    """Error over time in units of half a craft's width, one panel for each kind of case."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    kinds = [k for k in ("flight", "crossing", "wall") if any(r.case.kind == k for r in results)]
    figure, axes = pyplot.subplots(1, len(kinds), figsize=(4.2 * len(kinds), 3.2), sharey=True)
    colours = {"lock": "#0b6e4f", "SORT": "#c8553d", "aim once": "#8d99ae"}
    styles = {"lock": "-", "SORT": "--", "aim once": ":"}
    for axis, kind in zip(axes if len(kinds) > 1 else [axes], kinds, strict=True):
        shown = set()
        for result in results:
            if result.case.kind != kind or (kind == "flight" and result.case.rate != 10.0):
                continue
            name = result.follower
            seconds, errors, _ = zip(*result.trace, strict=True)
            axis.semilogy(
                seconds,
                [max(e, 1e-3) for e in errors],
                styles[name],
                color=colours[name],
                linewidth=1.1,
                label=None if name in shown else name,
            )
            shown.add(name)
        axis.axhline(1.0, color="black", linewidth=0.8)
        axis.set_title(
            {"flight": "10 deg/s", "crossing": "crossings", "wall": "behind a wall"}[kind]
        )
        axis.set_xlabel("seconds since the first picture")
        axis.grid(True, alpha=0.3)
    first = axes[0] if len(kinds) > 1 else axes
    first.set_ylabel("error / half a craft's width")
    first.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(file, dpi=130)


def read(data: dict[str, Any]) -> Result:
    """A saved result."""
    known = {name: data[name] for name in ("follower", "within", "rms", "switches")}
    return Result(Case(**data["case"]), **known, trace=[tuple(each) for each in data["trace"]])


def run(quick: bool) -> list[Row]:
    return rows(measure(quick))


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--kind", default="", choices=["", "flight", "crossing", "wall"])
    parser.add_argument("--save", type=Path)
    parser.add_argument("--saved", type=Path, nargs="+")
    given = parser.parse_args()
    if given.saved:
        found = [read(each) for file in given.saved for each in json.loads(file.read_text())]
    else:
        found = measure(given.quick, lambda text: print(text, flush=True), given.kind)
    if given.save:
        given.save.write_text(json.dumps([asdict(each) for each in found]))
    for row in rows(found):
        print(row)
    if given.plot:
        plot(found, given.plot)
