# SPDX-License-Identifier: Apache-2.0
"""Parse a command out of a transcript, clean and misheard, beside plain regular expressions."""

from __future__ import annotations

import re

from bench.common import Row, race

CLEAN = (
    "Control tower to air defense turrets, deploy surface-to-air missiles, heading three zero "
    "five, target yellow drone.",
    "Engage the grey and white fighter jet at heading zero six five with the machine gun.",
    "Heading is one niner zero, target is red cargo aircraft, tool to deploy is EMP.",
)
MISHEARD = (
    "Control tower to air defence storage, deploy service to air muscles, heading to 35, target is "
    "a great and brown light hair craft.",
    "Engage the gray and white fighter jett at heading 0-65 with the machine done over.",
    "Heading is 190, target is red car go aircraft, tool to deploy is the MP.",
)


_SAID = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
DIGITS = {word: str(i) for i, word in enumerate(_SAID)} | {"niner": "9"}
_WORDS = "|".join(DIGITS)


class PlainRules:
    """What one writes first: regular expressions over digit words, numerals and the names."""

    TOOLS = re.compile(
        r"surface-to-air missiles?|anti-air artillery|electromagnetic pulse|EMP|machine guns?|"
        r"interceptor jets?|drone catchers?",
        re.IGNORECASE,
    )
    COLOUR = r"(?:red|silver|orange|white|brown|black|gr[ea]y|purple|yellow|blue|green)"
    TARGET = re.compile(
        rf"{COLOUR}(?:,? (?:and )?{COLOUR}){{0,2}} (?:camouflage )?(?:drone|helicopter|missile|"
        r"(?:light|cargo|commercial) aircraft|fighter (?:plane|jet))s?",
        re.IGNORECASE,
    )
    HEADING = re.compile(
        rf"\b(?:{_WORDS})(?: (?:{_WORDS})){{2}}\b|\b[0-3]\d[05]\b",
        re.IGNORECASE,
    )

    def parse(self, text: str) -> dict[str, str]:
        """heading, tool, target; "" where nothing matches."""
        text = re.split(r"\brepeat\b", text, flags=re.IGNORECASE)[0]
        heading, tool = self.HEADING.search(text), self.TOOLS.search(text)
        target = self.TARGET.search(text)
        said = heading.group().lower() if heading else ""
        return {
            "heading": said if said.isdigit() else "".join(DIGITS[w] for w in said.split()),
            "tool": tool.group() if tool else "",
            "target": target.group().lower() if target else "",
        }


def run(quick: bool) -> list[Row]:
    from turret_ai.understand import Understander

    understander, plain = Understander(), PlainRules()
    rows = []
    for name, texts in (("clean", CLEAN), ("misheard", MISHEARD)):
        for text in texts:
            ours, theirs = race(
                lambda text=text: understander.parse(text),
                lambda text=text: plain.parse(text),
                runs=30 if quick else 300,
            )
            rows.append(
                Row(
                    f"parse a {name} sentence of {len(text.split())} words",
                    ours.milliseconds,
                    "ms",
                    "plain regular expressions (which get the misheard ones wrong)",
                    theirs.milliseconds,
                    note=ours.note,
                )
            )
    return rows
