"""The benchmark of HPDv2: HPS v2 or v2.1 of images of 3,200 prompts in four styles (Wu et al. 2023, arXiv:2306.09341).

Numbers of the two versions do not compare, so that each is a protocol. Source: ``hpsv2/evaluation.py`` of tgxs002/HPSv2
at 866735e.
"""

from collections.abc import Mapping

from diptych.evaluate.protocols.contract import OFFICIAL, JudgingCost, Protocol, ProtocolRule, PublishedScore

README = "README of tgxs002/HPSv2, mean of the four styles"
V2 = {
    "SDXL base 0.9": 27.73,
    "SDXL refiner 0.9": 27.80,
    "DeepFloyd-XL": 27.27,
    "SD 2.0": 27.17,
    "SD 1.4": 26.95,
    "DALL-E 2": 26.95,
}
V2_1 = {
    "SDXL base 0.9": 30.63,
    "SDXL refiner 0.9": 31.34,
    "DeepFloyd-XL": 26.88,
    "SD 2.0": 26.38,
    "SD 1.4": 25.35,
    "DALL-E 2": 25.34,
}
DEFECTS = (
    "In place of an image that is missing, or that is no .jpg, upstream takes the next one, which then counts twice; "
    "here it is left out, and told.",
    "Upstream has other versions by default in score() and evaluate(), and its README names a third way; here each is "
    "a name, and the checkpoint of the encoder has to be that of the name, which no file of it tells.",
    "For one model upstream prints the means of styles 100 times too large; here they are 100 x cosine.",
    "28 texts stand there twice, each with an image of its own; both count, here as there.",
    "No download is fixed, so that nobody checks whether the texts of your folder are upstream's.",
)


def _protocol(name: str, version: str, published: Mapping[str, float]) -> Protocol:
    column = f"hps_{version.replace('.', '_')}"
    return Protocol(
        name=name,
        title=f"HPSv2 by HPS {version}: what people prefer, in four styles",
        prompts="hpsv2",
        n_prompts=3200,
        ability="embeddings",
        cost=JudgingCost(calls=1, tokens=None, images=1, gib=3.7),
        source="Wu et al. 2023, arXiv:2306.09341",
        rules={
            OFFICIAL: ProtocolRule(
                "hps",
                column,
                "100 x cosine of image and prompt; mean over images, and by style with the standard deviation of the "
                "ten means of 80 prompts that follow each other",
                {"version": version},
                block=80,
            ),
        },
        defects=DEFECTS,
        published=tuple(
            PublishedScore(model, f"HPS {version}, official", value, README) for model, value in published.items()
        ),
    )


HPSV2 = _protocol("hpsv2", "v2", V2)
HPSV2_1 = _protocol("hpsv2_1", "v2.1", V2_1)
