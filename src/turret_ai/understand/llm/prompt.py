# SPDX-License-Identifier: Apache-2.0
"""The question put to a language model: a function with the fields that are still open.

The form is that of the gorilla-openfunctions-v2 models: an instruction with the function's JSON
description and the question, answered by a call of the function. Fields that rules or repair know
are left out of the description, so that the model can't unsettle them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from turret_ai.vocabulary import Vocabulary

FUNCTION = "control_turret"
SYSTEM = "You read commands spoken over the radio to a turret and answer with one function call."


def parameters(fields: Sequence[str], words: Vocabulary) -> dict[str, Any]:
    """The JSON schema of the open fields, in the order heading, tool, target."""
    colours, types = ", ".join(words.colour_names), ", ".join(words.type_names)
    described: dict[str, dict[str, Any]] = {
        "heading": {
            "type": "string",
            "pattern": "^[0-3][0-9][05]$",
            "description": "Heading in degrees as three digits, such as 065 for zero six five.",
        },
        "tool": {
            "type": "string",
            "minLength": 2,
            "maxLength": 40,
            "description": f"Tool to deploy, such as {', '.join(words.tool_names)}.",
        },
        "target": {
            "type": "string",
            "minLength": 2,
            "maxLength": 60,
            "description": f"Colours ({colours}) and type ({types}) of the flying target.",
        },
    }
    return {
        "type": "object",
        "properties": {name: described[name] for name in described if name in fields},
        "required": [name for name in described if name in fields],
        "additionalProperties": False,
    }


def build(text: str, fields: Sequence[str], words: Vocabulary) -> str:
    """The prompt for a transcript (already cut at "repeat") and its open fields."""
    function = {
        "name": FUNCTION,
        "description": "Turn the turret to a heading and use a tool on a target.",
        "parameters": parameters(fields, words),
    }
    return (
        f"{SYSTEM}\n### Instruction: <<function>>{json.dumps([function])}\n"
        f"<<question>>{text}\n### Response: "
    )
