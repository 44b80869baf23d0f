"""The files that diptych can download, each fixed to a revision and its bytes; ``assets`` says how they are had."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Asset:
    """One file that diptych can download.

    Attributes:
        url: Where upstream publishes it, at a fixed revision.
        sha256: Of its bytes; empty where ``git_blob`` tells them.
        bytes: Its size; None where nobody tells.
        licence: Of the file, as upstream states it.
        git_blob: Of a file of a git repository: the name of its bytes there.
    """

    url: str
    sha256: str
    bytes: int | None
    licence: str
    git_blob: str = ""

    @property
    def digest(self) -> str:
        """What tells its bytes from all others, in hex."""
        return self.sha256 or self.git_blob


_AESTHETIC_V1 = (
    "https://raw.githubusercontent.com/LAION-AI/aesthetic-predictor/6d122adad522ab246644d9dc1c6d7a3810ee255f"
)
_AESTHETIC_V2 = (
    "https://raw.githubusercontent.com/christophschuhmann/improved-aesthetic-predictor"
    "/6934dd81792f086e613a121dbce43082cb8be85e"
)
_DPG = "https://raw.githubusercontent.com/TencentQQGYLab/ELLA/3c228f1dc6c4d3cad0a47493816151a419f14db3/dpg_bench"
_DSG = "https://raw.githubusercontent.com/j-min/DSG/7330119a39f76ff90e619a8bd3ff321e71aa986b/dsg/data"
_GENEVAL = "https://raw.githubusercontent.com/djghosh13/geneval/af4902f24d3ca90ebbb446dd9891a59e0f82725f/prompts"
_LAION_NSFW = (
    "https://raw.githubusercontent.com/LAION-AI/CLIP-based-NSFW-Detector/d6bb8fe31fd4aecbfed7dfb62df4fe5858bfc014"
)
_NSFWJS = (
    "https://raw.githubusercontent.com/infinitered/nsfwjs/d55a54c51f14380670064cc129b2ea51029c5e46/models/mobilenet_v2"
)
_PARTI = "https://raw.githubusercontent.com/google-research/parti/5a657978134374ce28973948331b319adef164bd"
_TIFA = "https://raw.githubusercontent.com/Yushi-Hu/tifa/8e37050f44ab4ee681e4251f3c8a9d4cc86e901e/tifa_v1.0"

# To add one: a line here (alphabetical), with the revision in the URL.
ASSETS: dict[str, Asset] = {
    "aesthetic-v1-b16": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_b_16_linear.pth",
        "8ad3923d7ecf019df20ecd2ab5542a3075fbba0278d239c0371345f3d7fcbde0",
        3047,
        "MIT",
    ),
    "aesthetic-v1-b32": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_b_32_linear.pth",
        "c7b14cead230694acc7b9447974d3cad78003c72da032e402a303b6c2429e85f",
        3047,
        "MIT",
    ),
    "aesthetic-v1-l14": Asset(
        f"{_AESTHETIC_V1}/sa_0_4_vit_l_14_linear.pth",
        "2cd4e60f4f24ae3bcd57b847b13c1f3ba27edc28cc1a7f9ce74ee9f421243cba",
        4071,
        "MIT",
    ),
    "aesthetic-v2-l14": Asset(
        f"{_AESTHETIC_V2}/sac%2Blogos%2Bava1-l14-linearMSE.pth",
        "21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
        3714759,
        "Apache-2.0",
    ),
    "dpg-bench": Asset(
        f"{_DPG}/dpg_bench.csv", "", None, "Apache-2.0", git_blob="98457fc9901943f51ff9a30367250fc292533bed"
    ),
    "dsg-1k": Asset(
        f"{_DSG}/dsg-1k-anns.csv",
        "b7ce06ea8a0478ccfd8fba105ecd26d7d301eb99d5c412987546c4cc8e08917a",
        1906040,
        "Apache-2.0",
    ),
    "geneval-metadata": Asset(
        f"{_GENEVAL}/evaluation_metadata.jsonl",
        "5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13",
        85209,
        "MIT",
    ),
    "inception-2015-12-05": Asset(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        95628359,
        "Apache-2.0",
    ),
    "laion-nsfw-b32": Asset(
        f"{_LAION_NSFW}/clip_autokeras_nsfw_b32.zip",
        "78715ab9d64485167e8c9ade3b8e6761a17a16c24d114bd47431ac1dab46462b",
        231831,
        "MIT",
    ),
    "laion-nsfw-l14": Asset(
        f"{_LAION_NSFW}/clip_autokeras_binary_nsfw.zip",
        "905520bb0336accc73ee282c605d926aef90cf14248889d44b9cee50eef71f8a",
        1094585,
        "MIT",
    ),
    "nsfwjs-mobilenet-v2": Asset(
        f"{_NSFWJS}/model.json",
        "11846416217e68bf1eb7b0e651bcfd305973566453c63275bbd16766ab089979",
        128945,
        "MIT",
    ),
    "nsfwjs-mobilenet-v2-weights": Asset(
        f"{_NSFWJS}/group1-shard1of1",
        "8e7dddbb16acacc1bf1601b1b8a761e730ff934b7f2d7771312b2f000e5f5f13",
        2619461,
        "MIT",
    ),
    "partiprompts": Asset(
        f"{_PARTI}/PartiPrompts.tsv",
        "fab29e41bb512a169b56acab4cf2a41dcb675e285df2efcde6640c7dd3c440eb",
        123107,
        "Apache-2.0",
    ),
    "tifa-v1": Asset(
        f"{_TIFA}/tifa_v1.0_question_answers.json",
        "",
        None,
        "Apache-2.0",
        git_blob="6a563f9c157e5b2a24b9f4936edd3934a8a70add",
    ),
}


def joined_source(names: Sequence[str]) -> str:
    """Return where assets of one folder are from: the URL of the one, or of the folder.

    >>> joined_source(["dsg-1k"]) == ASSETS["dsg-1k"].url, joined_source(["dsg-1k", "dsg-1k"])
    (True, 'https://raw.githubusercontent.com/j-min/DSG/7330119a39f76ff90e619a8bd3ff321e71aa986b/dsg/data')
    """
    urls = [ASSETS[name].url for name in names]
    return urls[0] if len(urls) == 1 else urls[0].rpartition("/")[0]
