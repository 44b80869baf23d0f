"""Which config judges images of a prompt set, and how it takes a dataset of theirs."""

from typing import NamedTuple

from diptych.addresses import Address
from diptych.config.overrides import path_setting, quoted_path

IMAGES = "datasets.images.path"  # in most of them


class SetConfig(NamedTuple):
    """The config of a prompt set.

    Attributes:
        config: Its name.
        protocols: Those that it then has in the place of its own, by their numbers; none leave its own.
        only: A protocol, in YAML, and no other, of the only dataset; empty leaves those of the config.
    """

    config: str
    protocols: tuple[str, ...] = ()
    only: str = ""

    def settings(self, path: Address) -> list[str]:
        """Return what ``--set`` takes so that the config judges a dataset."""
        if self.only:
            return [f"datasets={{images: {{path: {quoted_path(path)}}}}}", f"protocols=[{self.only}]"]
        named = enumerate(self.protocols)
        return [path_setting(IMAGES, path), *(f"protocols.{number}.protocol={name}" for number, name in named)]


# Kind of prompt set -> its config. To add one: a line.
OF_SETS = {
    "bizgeneval": SetConfig("bizgeneval"),
    "coco_captions": SetConfig("coco30k"),
    "dpg": SetConfig("dpg"),
    "dsg": SetConfig("dsg"),
    "genai_bench": SetConfig("genai_bench"),
    "geneval": SetConfig("geneval_score"),
    "geneval2": SetConfig("geneval2"),
    "hpsv2": SetConfig("hpsv2"),
    "longtext": SetConfig("longtext"),
    "longtext_zh": SetConfig("longtext", ("longtext_zh",)),
    "oneig": SetConfig("oneig"),
    "oneig_zh": SetConfig("oneig", ("oneig_alignment_zh", "oneig_text_zh", "oneig_reasoning_zh")),
    "partiprompts": SetConfig("partiprompts"),
    "t2i_compbench_3d_spatial": SetConfig(
        "t2i_compbench_boxes", only="{protocol: t2i_compbench_3d_spatial, judge: owl_deep}"
    ),
    "t2i_compbench_color": SetConfig("t2i_compbench", only="{protocol: t2i_compbench_color, judge: blip}"),
    "t2i_compbench_complex": SetConfig("t2i_compbench_complex"),
    "t2i_compbench_non_spatial": SetConfig(
        "t2i_compbench", only="{protocol: t2i_compbench_non_spatial, encoder: clip}"
    ),
    "t2i_compbench_numeracy": SetConfig("t2i_compbench_boxes", only="{protocol: t2i_compbench_numeracy, judge: owl}"),
    "t2i_compbench_shape": SetConfig("t2i_compbench", only="{protocol: t2i_compbench_shape, judge: blip}"),
    "t2i_compbench_spatial": SetConfig("t2i_compbench_boxes", only="{protocol: t2i_compbench_spatial, judge: owl}"),
    "t2i_compbench_texture": SetConfig("t2i_compbench", only="{protocol: t2i_compbench_texture, judge: blip}"),
    "t2i_corebench": SetConfig("t2i_corebench"),
    "tifa": SetConfig("tifa"),
    "tiif_long": SetConfig("tiif", ("tiif_long", "tiif_text_long")),
    "tiif_mini_long": SetConfig("tiif", ("tiif_mini_long", "tiif_text_mini_long")),
    "tiif_mini_short": SetConfig("tiif"),
    "tiif_short": SetConfig("tiif", ("tiif_short", "tiif_text_short")),
    "unigenbench": SetConfig("unigenbench"),
    "unigenbench_long": SetConfig("unigenbench", ("unigenbench_long",)),
    "unigenbench_zh": SetConfig("unigenbench", ("unigenbench_zh",)),
    "unigenbench_zh_long": SetConfig("unigenbench", ("unigenbench_zh_long",)),
    "wise": SetConfig("wise"),
    "wise_legacy": SetConfig("wise", ("wise_legacy",)),
}
