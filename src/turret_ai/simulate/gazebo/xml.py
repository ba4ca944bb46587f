# SPDX-License-Identifier: Apache-2.0
"""Small helpers to write SDF and URDF."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

__all__ = ["Element", "add", "numbers", "to_text"]


def add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """Append a child element."""
    child = ElementTree.SubElement(parent, tag, attributes)
    if text:
        child.text = text
    return child


def numbers(values: Iterable[float]) -> str:
    """Numbers as SDF and URDF write them: separated by blanks, nine digits."""
    return " ".join(f"{float(value) + 0.0:.9g}" for value in values)


def to_text(root: Element) -> str:
    """The document, indented by two blanks."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0"?>\n{body}\n'
