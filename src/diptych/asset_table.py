"""The files that diptych can download, each fixed to a revision and its bytes; ``assets`` says how they are had."""

from collections.abc import Sequence
from dataclasses import dataclass

from diptych.asset_families import COMPBENCH_FILES, CORE_DIMENSIONS, ONEIG_EN, ONEIG_ZH, WISE_LEGACY


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
_BIZGENEVAL = "https://raw.githubusercontent.com/microsoft/BizGenEval/39e1bdcdf86ec7cae88f57cc53c6e0d352126340/assets"
_COMPBENCH = (
    "https://raw.githubusercontent.com/Karine-Huang/T2I-CompBench/1b7094991a57f3c22abdd4f6e8ba6c1a15517073"
    "/examples/dataset"
)
_CORE = "https://raw.githubusercontent.com/KlingTeam/T2I-CoReBench/ebf7b7a0ac0da088f4664c50012b6b483ac6f02b/data"
_DPG = "https://raw.githubusercontent.com/TencentQQGYLab/ELLA/3c228f1dc6c4d3cad0a47493816151a419f14db3/dpg_bench"
_DSG = "https://raw.githubusercontent.com/j-min/DSG/7330119a39f76ff90e619a8bd3ff321e71aa986b/dsg/data"
_GENAI = (  # what BaiqiL/GenAI-Bench has on the hub, in a repository with revisions
    "https://raw.githubusercontent.com/PenghaoYin/ImageEvalKit/85b5e1511b867688fa37edee304ee0adc953e941"
    "/benchmarks/genai/eval_prompts/genai1600"
)
_GENEVAL = "https://raw.githubusercontent.com/djghosh13/geneval/af4902f24d3ca90ebbb446dd9891a59e0f82725f/prompts"
_GENEVAL2 = "https://raw.githubusercontent.com/facebookresearch/GenEval2/a6e82d2289e8d418f27f0adee77908b07060eea3"
_LAION_NSFW = (
    "https://raw.githubusercontent.com/LAION-AI/CLIP-based-NSFW-Detector/d6bb8fe31fd4aecbfed7dfb62df4fe5858bfc014"
)
_LONGTEXT = "https://raw.githubusercontent.com/X-Omni-Team/X-Omni/2b8237bb3789638c290eeda3e83ed81bd3652c3b/textbench"
_NSFWJS = (
    "https://raw.githubusercontent.com/infinitered/nsfwjs/d55a54c51f14380670064cc129b2ea51029c5e46/models/mobilenet_v2"
)
_ONEIG = "https://raw.githubusercontent.com/OneIG-Bench/OneIG-Benchmark/41b49831e79e6dde5323618c164da1c4cf0f699d"
_PARTI = "https://raw.githubusercontent.com/google-research/parti/5a657978134374ce28973948331b319adef164bd"
_TIFA = "https://raw.githubusercontent.com/Yushi-Hu/tifa/8e37050f44ab4ee681e4251f3c8a9d4cc86e901e/tifa_v1.0"
_UNIGEN = "https://raw.githubusercontent.com/CodeGoat24/UniGenBench/49d0bcebb0b9418d975d3957c2fee10f34811d14/data"
_WISE = "https://raw.githubusercontent.com/PKU-YuanGroup/WISE/eb51174483a5de2e34e8614cf9dfb3319ee7fcd0"

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
    "bizgeneval": Asset(
        f"{_BIZGENEVAL}/bizgeneval.jsonl",
        "f82e1931d97cafbfbaf9fd40f731f9ff6f2be6c0033f43596d55294394233a71",
        2628659,
        "MIT",
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
    "genai-bench": Asset(
        f"{_GENAI}/genai_image.json",
        "a7e15e46786b64f5d3518d3450b2b5a86438f2b946e8d093dcaf0d5c5c094b1e",
        1372744,
        "Apache-2.0",
    ),
    "genai-bench-skills": Asset(
        f"{_GENAI}/genai_skills.json",
        "8df390cb89d0584389747c69acecd03615ffc229c1db71a90e4abd3d12d9a3d2",
        64714,
        "Apache-2.0",
    ),
    "geneval-metadata": Asset(
        f"{_GENEVAL}/evaluation_metadata.jsonl",
        "5c48e0813e812e3c373fa5c8ed07a8f0a483be30272b4427b0559c8048e67c13",
        85209,
        "MIT",
    ),
    "geneval2-data": Asset(
        f"{_GENEVAL2}/geneval2_data.jsonl",
        "09233adbc9f877fba205f1a20efa4a8640e7e62a91dfd55893562bed8a928e43",
        423220,
        "CC BY-NC 4.0",
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
    "longtext-en": Asset(
        f"{_LONGTEXT}/text_prompts.jsonl",
        "a2130769e72bd8560470a066114cdac87f80f1eb071ba6bc0f7033225a9be0d8",
        203974,
        "Apache-2.0",
    ),
    "longtext-zh": Asset(
        f"{_LONGTEXT}/text_prompts_zh.jsonl",
        "6512cd121ac093e8113e114d76eb2c0ce967c220b18e2049e1063554ce496758",
        169494,
        "Apache-2.0",
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
    **{
        f"oneig-{language}-{name}": Asset(f"{_ONEIG}/{place}", sha256, size, "no licence stated")
        for language, files in (("en", ONEIG_EN), ("zh", ONEIG_ZH))
        for name, (place, sha256, size) in sorted(files.items())
    },
    "partiprompts": Asset(
        f"{_PARTI}/PartiPrompts.tsv",
        "fab29e41bb512a169b56acab4cf2a41dcb675e285df2efcde6640c7dd3c440eb",
        123107,
        "Apache-2.0",
    ),
    **{
        f"t2i-compbench-{name}": Asset(f"{_COMPBENCH}/{name}.txt", sha256, size, "MIT")
        for name, (sha256, size) in COMPBENCH_FILES.items()
    },
    **{
        f"t2i-corebench-{name}": Asset(f"{_CORE}/{name}.json", sha256, size, "Apache-2.0")
        for name, (sha256, size) in sorted(CORE_DIMENSIONS.items())
    },
    "tifa-v1": Asset(
        f"{_TIFA}/tifa_v1.0_question_answers.json",
        "",
        None,
        "Apache-2.0",
        git_blob="6a563f9c157e5b2a24b9f4936edd3934a8a70add",
    ),
    "unigenbench-en": Asset(
        f"{_UNIGEN}/test_prompts_en.csv",
        "f82e8ce854985ef963378eaaf8ce12f2e3a57dd6f53e1aea84a61fbeadfe4459",
        358387,
        "CC BY 4.0",
    ),
    "unigenbench-en-long": Asset(
        f"{_UNIGEN}/test_prompts_en_long.csv",
        "5d2c3d642cc4923504b662ad15b425c2d161a137884701881e00c2691a697253",
        762228,
        "CC BY 4.0",
    ),
    "unigenbench-zh": Asset(
        f"{_UNIGEN}/test_prompts_zh.csv",
        "7ff2d2131e68e6182f43a28ecf03d070f7735788f3c5420db3f83141492e8cb3",
        306315,
        "CC BY 4.0",
    ),
    "unigenbench-zh-long": Asset(
        f"{_UNIGEN}/test_prompts_zh_long.csv",
        "6e281a5781878584db932a3bfd16dc51afb195566eb7a30c17fb9c09fd3b1776",
        641006,
        "CC BY 4.0",
    ),
    **{
        f"wise-{name}": Asset(f"{_WISE}/WISE_legacy/data/{name}.json", sha256, size, "no licence stated")
        for name, (sha256, size) in sorted(WISE_LEGACY.items())
    },
    "wise-verified": Asset(
        f"{_WISE}/data_verified/merge.json",
        "10f2690624ed8f03f21bd3e9c535e26f791da8bab67ac857903bede65985b82d",
        406621,
        "no licence stated",
    ),
}


def joined_source(names: Sequence[str]) -> str:
    """Return where assets of one folder are from: the URL of the one, or of the folder.

    >>> joined_source(["dsg-1k"]) == ASSETS["dsg-1k"].url, joined_source(["dsg-1k", "dsg-1k"])
    (True, 'https://raw.githubusercontent.com/j-min/DSG/7330119a39f76ff90e619a8bd3ff321e71aa986b/dsg/data')
    """
    urls = [ASSETS[name].url for name in names]
    return urls[0] if len(urls) == 1 else urls[0].rpartition("/")[0]
