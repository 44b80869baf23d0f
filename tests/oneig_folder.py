"""A folder in the form of OneIG-Bench's repository, with what upstream's files have wrong."""

import json
from pathlib import Path
from typing import Any

from diptych.asset_families import ONEIG_EN, ONEIG_ZH

EN = """category,id,prompt_en,type,prompt_length,class
Anime_Stylization,000,"two boys, red hair","T, P",short,
Anime_Stylization,001,A nun in the style of Pixar,NP,long,Pixar
Portrait,000,A nun,NP,middle,
General_Object,000,A bench,NP,short,
Text_Rendering,000,A poster,NP,long,menu
Knowledge_Reasoning,000,Five peaks,NP,short,geography
"""
ZH = "category,id,prompt_cn,class\nMultilingualism,000,颁奖典礼,\nText_Rendering,000,海报,\n"
ASKED = {"1": "Are there boys?", "2": "Are there two boys?", "3": "Is the hair red?", "4": "Is the hair long?"}
# 2 hangs on 1; 3 on itself and on no question of the prompt; 4 twice on 2, and on nothing that is a number.
PARENTS = {"1": [0], "2": [1, 0], "3": [3, 9], "4": [2, 2, "x"]}


def asked(**changes: Any) -> dict[str, Any]:
    return {"question": json.dumps(ASKED), "dependency": json.dumps(PARENTS), **changes}


def oneig_folder(path: Path, **files: str) -> Path:
    """Write a folder in upstream's form; a file of a name in ``ONEIG_EN`` or ``ONEIG_ZH`` may be another one."""
    one = {"question": {"1": "Is there a nun?"}, "dependency": {"1": [0]}}
    texts = ",id,prompt_en,text_content\n0,000,A poster,\"['Sale:\\nup to', '$\\frac{1}{2}$']\"\n"
    usual = {
        "prompts": EN,
        "anime": json.dumps({"000": asked(), "001": one}),
        "human": json.dumps({"000": one}),
        "object": json.dumps({"000": one}),
        "text": texts,
        "answers": '{"000": "Mount Everest, K2"}',
        **files,
    }
    for name, (place, *_) in ONEIG_EN.items():
        target = path / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(usual[name], "utf-8")
    for name, (place, *_) in ONEIG_ZH.items():
        (path / place).write_text({**usual, "prompts": ZH, "multilingualism": usual["human"]}[name], "utf-8")
    return path
