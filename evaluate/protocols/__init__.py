"""Protocols of benchmarks: prompts, a kind of judge, rules for one image, and what is averaged.

They decide what is counted. Who judges is the user's choice and part of a number's name.
"""

from typing import TYPE_CHECKING

from diptych.lookup import resolve

if TYPE_CHECKING:
    from diptych.evaluate.protocols.contract import Protocol

# To add one: a module with a Protocol, a line here (alphabetical), a test against numbers that upstream published.
PROTOCOLS: dict[str, str] = {
    "bizgeneval": "diptych.evaluate.protocols.bizgeneval:BIZGENEVAL",
    "dpg": "diptych.evaluate.protocols.dpg:DPG",
    "drawn_questions": "diptych.evaluate.protocols.drawn:DRAWN_QUESTIONS",
    "dsg": "diptych.evaluate.protocols.dsg:DSG",
    "genai_bench": "diptych.evaluate.protocols.genai_bench:GENAI_BENCH",
    "geneval": "diptych.evaluate.protocols.geneval:GENEVAL",
    "geneval2": "diptych.evaluate.protocols.geneval2:GENEVAL2",
    "hpsv2": "diptych.evaluate.protocols.hpsv2:HPSV2",
    "hpsv2_1": "diptych.evaluate.protocols.hpsv2:HPSV2_1",
    "longtext": "diptych.evaluate.protocols.longtext:LONGTEXT",
    "longtext_zh": "diptych.evaluate.protocols.longtext:LONGTEXT_ZH",
    "oneig_alignment": "diptych.evaluate.protocols.oneig:ONEIG_ALIGNMENT",
    "oneig_alignment_zh": "diptych.evaluate.protocols.oneig:ONEIG_ALIGNMENT_ZH",
    "oneig_reasoning": "diptych.evaluate.protocols.oneig:ONEIG_REASONING",
    "oneig_reasoning_zh": "diptych.evaluate.protocols.oneig:ONEIG_REASONING_ZH",
    "oneig_text": "diptych.evaluate.protocols.oneig:ONEIG_TEXT",
    "oneig_text_zh": "diptych.evaluate.protocols.oneig:ONEIG_TEXT_ZH",
    "partiprompts": "diptych.evaluate.protocols.partiprompts:PARTIPROMPTS",
    "partiprompts_hps_v2_1": "diptych.evaluate.protocols.partiprompts:PARTIPROMPTS_HPS",
    "partiprompts_pick_score": "diptych.evaluate.protocols.partiprompts:PARTIPROMPTS_PICK",
    "t2i_compbench_3d_spatial": "diptych.evaluate.protocols.t2i_compbench:SPATIAL_3D",
    "t2i_compbench_color": "diptych.evaluate.protocols.t2i_compbench:COLOR",
    "t2i_compbench_complex": "diptych.evaluate.protocols.t2i_compbench:COMPLEX",
    "t2i_compbench_non_spatial": "diptych.evaluate.protocols.t2i_compbench:NON_SPATIAL",
    "t2i_compbench_numeracy": "diptych.evaluate.protocols.t2i_compbench:NUMERACY",
    "t2i_compbench_shape": "diptych.evaluate.protocols.t2i_compbench:SHAPE",
    "t2i_compbench_spatial": "diptych.evaluate.protocols.t2i_compbench:SPATIAL",
    "t2i_compbench_texture": "diptych.evaluate.protocols.t2i_compbench:TEXTURE",
    "t2i_corebench": "diptych.evaluate.protocols.t2i_corebench:T2I_COREBENCH",
    "tifa": "diptych.evaluate.protocols.tifa:TIFA",
    "tiif_long": "diptych.evaluate.protocols.tiif:TIIF_LONG",
    "tiif_mini_long": "diptych.evaluate.protocols.tiif:TIIF_MINI_LONG",
    "tiif_mini_short": "diptych.evaluate.protocols.tiif:TIIF_MINI_SHORT",
    "tiif_short": "diptych.evaluate.protocols.tiif:TIIF_SHORT",
    "tiif_text_long": "diptych.evaluate.protocols.tiif:TIIF_TEXT_LONG",
    "tiif_text_mini_long": "diptych.evaluate.protocols.tiif:TIIF_TEXT_MINI_LONG",
    "tiif_text_mini_short": "diptych.evaluate.protocols.tiif:TIIF_TEXT_MINI_SHORT",
    "tiif_text_short": "diptych.evaluate.protocols.tiif:TIIF_TEXT_SHORT",
    "unigenbench": "diptych.evaluate.protocols.unigenbench:UNIGENBENCH",
    "unigenbench_long": "diptych.evaluate.protocols.unigenbench:UNIGENBENCH_LONG",
    "unigenbench_zh": "diptych.evaluate.protocols.unigenbench:UNIGENBENCH_ZH",
    "unigenbench_zh_long": "diptych.evaluate.protocols.unigenbench:UNIGENBENCH_ZH_LONG",
    "wise": "diptych.evaluate.protocols.wise:WISE",
    "wise_legacy": "diptych.evaluate.protocols.wise:WISE_BEFORE",
}


def find_protocol(name: str) -> "Protocol":
    """Return a protocol by its name.

    Raises:
        ConfigError: If there is none of that name.
    """
    protocol: Protocol = resolve(PROTOCOLS, "protocol", name)
    return protocol
