"""What programs write into the images that they make: prompt, seed, sampler and so on, a module for each program.

A picture may say anything, also what nobody meant: what is no text, too long, nested too deeply or of a wrong type is
a row with the reason, and what is not said stays null.
"""

from collections.abc import Mapping
from typing import NamedTuple

from diptych.errors import named_line
from diptych.generate.imported.tools.hidden import hidden_texts
from diptych.generate.imported.tools.said import Reader, ToolSays
from diptych.generate.imported.tools.texts import BadText, image_texts
from diptych.lookup import import_attribute

# To add one: a module with a function that takes texts and the file's name, a line here, a test. The first that knows
# an image has it: programs that write into the same key as others come before these.
TOOLS: dict[str, str] = {
    "diptych": "diptych.generate.imported.tools.diptych:read_diptych",
    "swarmui": "diptych.generate.imported.tools.swarmui:read_swarmui",
    "fooocus": "diptych.generate.imported.tools.fooocus:read_fooocus",
    "invokeai": "diptych.generate.imported.tools.invokeai:read_invokeai",
    "novelai": "diptych.generate.imported.tools.novelai:read_novelai",
    "a1111": "diptych.generate.imported.tools.infotext:read_infotext",
    "comfyui": "diptych.generate.imported.tools.comfyui:read_comfyui",
    "midjourney": "diptych.generate.imported.tools.midjourney:read_midjourney",
}
MAX_PROBLEM = 200


class ToolReading(NamedTuple):
    """Which program made an image, as the image says, and what it says; or why that cannot be read.

    Attributes:
        tool: Of ``TOOLS``; None where nobody is known.
        says: What it says.
        problem: Why that, or a part of it, cannot be read; None where all of it can, or where nothing is.
    """

    tool: str | None
    says: ToolSays
    problem: str | None = None


NOTHING = ToolReading(None, ToolSays())


def read_tool(data: bytes, file: str) -> ToolReading:
    """Return what an image says of how it was made.

    Args:
        data: The bytes of its file.
        file: The path of its file, which says something for some programs.
    """
    for texts_of in (image_texts, hidden_texts):
        try:
            texts = texts_of(data)
        except BadText as error:
            return ToolReading(None, ToolSays(), str(error)[:MAX_PROBLEM])
        found = _known(texts, file)
        if found is not NOTHING:
            return found
    return NOTHING


def _known(texts: Mapping[str, str], file: str) -> ToolReading:
    for tool, target in TOOLS.items():
        read: Reader = import_attribute(target)
        try:
            says = read(texts, file)
        except Exception as error:  # one image ends here, with its reason: its metadata may be of any shape
            return ToolReading(tool, ToolSays(), f"{tool}: {named_line(error)}"[:MAX_PROBLEM])
        if says is not None:
            return ToolReading(tool, says, f"{tool}: {says.unclear}"[:MAX_PROBLEM] if says.unclear else None)
    return NOTHING
