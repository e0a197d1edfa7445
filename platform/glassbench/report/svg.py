"""From a renderer's SVG to markup that a page may carry: known elements only, page colours, ids of its own."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from markupsafe import Markup

INKS = {
    "ink": "#0a0b01",
    "quiet": "#0a0b02",
    "grid": "#0a0b03",
    "page": "#0a0b04",
    "series-1": "#0a0b11",
    "series-2": "#0a0b12",
    "series-3": "#0a0b13",
    "series-4": "#0a0b14",
    "series-5": "#0a0b15",
    "series-6": "#0a0b16",
    "series-7": "#0a0b17",
    "series-8": "#0a0b18",
    "series-9": "#0a0b19",
    "series-10": "#0a0b20",
}
"""Stand-in colours that charts are drawn with; each becomes a class the style sheet colours for light and dark."""

SERIES = tuple(name for name in INKS if name.startswith("series-"))

_NAMES = {colour: name for name, colour in INKS.items()}
_SPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {"svg", "g", "path", "rect", "line", "circle", "text", "tspan", "defs", "clipPath"}
_ATTRIBUTES = {
    *("d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "r", "cx", "cy", "width", "height", "transform", "viewBox"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity"),
    *("fill-opacity", "stroke-opacity", "text-anchor", "font-size", "font-weight", "clip-path", "id"),
}
_DEFAULTS = {("opacity", "1"), ("stroke-width", "1"), ("font-weight", "normal"), ("transform", "translate(0,0)")}
_FRACTION = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_LOCAL = re.compile(r"url\(#([\w-]+)\)")
_GEOMETRY = ("d", "transform", "x", "y", "x2", "y2", "width", "height")


def clean_svg(source: str, *, uid: str, label: str) -> Markup:
    """Return an inline picture that carries no script, link, style or outside reference.

    Args:
        source: SVG text whose colours are those of `INKS`.
        uid: Prefix that makes its ids unique within the page.
        label: What the picture says, for screen readers.
    """
    root = ET.fromstring(source)
    width, height = root.get("width", "0"), root.get("height", "0")
    ids: dict[str, str] = {}
    picture = _copy(root, uid, ids)
    for name in ("width", "height"):
        picture.attrib.pop(name, None)
    picture.attrib |= {
        "viewBox": root.get("viewBox", f"0 0 {width} {height}"),
        "class": "picture",
        "role": "img",
        "aria-label": label,
        "style": f"max-width:{float(width):.0f}px",
    }
    return Markup(ET.tostring(picture, encoding="unicode"))


def _copy(element: ET.Element, uid: str, ids: dict[str, str]) -> ET.Element:
    copy = ET.Element(_local(element), _attributes(element, uid, ids))
    copy.text = element.text
    if described := element.get("aria-label"):
        title = ET.SubElement(copy, "title")
        title.text = described
    for child in _worthwhile(element):
        kept = _copy(child, uid, ids)
        if kept.tag == "g" and not kept.attrib:
            copy.extend(kept)
        elif kept.tag != "g" or len(kept):
            copy.append(kept)
    return copy


def _worthwhile(element: ET.Element) -> Iterable[ET.Element]:
    for child in element:
        drawn = child.get("display") != "none" and not child.get("d", "M").startswith("M0,0h0")
        if _local(child) in _ELEMENTS and drawn and child.get("d") != "" and not _invisible(child):
            yield child


def _invisible(element: ET.Element) -> bool:
    unfilled = element.get("fill") in ("none", "transparent") or "fill" not in element.attrib
    background = element.get("class") in ("background", "foreground") or _local(element) == "rect"
    return background and unfilled and element.get("stroke") in (None, "none", "transparent")


def _attributes(element: ET.Element, uid: str, ids: dict[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    classes: list[str] = []
    for name, value in element.attrib.items():
        if name in ("fill", "stroke") and value.lower() in _NAMES:
            classes.append(f"{name[0]}-{_NAMES[value.lower()]}")
        elif name in _ATTRIBUTES and (name, value) not in _DEFAULTS:
            kept[name] = _value(name, value, uid, ids)
    if classes:
        kept["class"] = " ".join(classes)
    return kept


def _value(name: str, value: str, uid: str, ids: dict[str, str]) -> str:
    if name == "id":
        return _id(value, uid, ids)
    if "url(" in value:
        found = _LOCAL.fullmatch(value)
        return f"url(#{_id(found[1], uid, ids)})" if found else "none"
    return _FRACTION.sub(_rounded, value) if name in _GEOMETRY else value


def _id(value: str, uid: str, ids: dict[str, str]) -> str:
    return ids.setdefault(value, f"{uid}-{len(ids)}")


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _local(element: ET.Element) -> str:
    return element.tag.removeprefix(_SPACE) if isinstance(element.tag, str) else ""
