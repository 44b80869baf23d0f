"""The files of benchmarks whose prompts are several files: names, sha256 and sizes, in upstream's order."""

# The files of T2I-CompBench: prompts, which parts complex ones have, names of things. sha256 and size.
COMPBENCH_FILES = {
    "3d_spatial_val": ("c9953597315f36a5fcb41291bb19bdc6ab5f64a0fa760d691b4854a73f5d1fe9", 7851),
    "color_val": ("1634259756dbc77d13093d907d414480080ec9790a8c97ad09efaea7b2534f2d", 11871),
    "complex_val": ("1b808018b8d9916db3d47d5aa2ef18377a3549a56901a474156f799824cdf3b4", 22724),
    "complex_val_action": ("d49ee4c7f99e3f3379fb8704a54ff5288b83bb412971edf616a4721c2473308e", 17698),
    "complex_val_spatial": ("6c7ac0ab75c7c9080cfc7b421fb059b9b0febb98471707aeedf58771088abc02", 2898),
    "new_objects": ("f39a3d2ff6067d7738673cbf465dc659ccc750776162989a5d9916f1d5f3e231", 1568),
    "non_spatial_val": ("04c56cc9ac441dc9ea6c5157652058bd1635b5308526dd31bb29a1caab9a758d", 17750),
    "numeracy_val": ("dad8df141604b70ba7554bec724e3db0a80023680769b5c514854ea2d2527bbe", 10863),
    "shape_val": ("37e1a276906c7ea9516cbd7ac8501be896006c0c17ca7344f260562834455bae", 15935),
    "spatial_val": ("8707a1d7e42ce3002d95363cf55f74bd043c843ae27108f5125aaaa7840ca988", 9213),
    "texture_val": ("fbb5363515b4a28009e360afaaaf389d2dd2289e50dbb0c6ef4ea0c7fe4f3d4f", 14211),
}

# The dimensions of T2I-CoReBench, each a file, in upstream's order: its sha256 and its size.
CORE_DIMENSIONS = {
    "C-MI": ("20684699d52c75d2553790c8ec4fc9da13550426f297fd06fa739e2399665b94", 331439),
    "C-MA": ("a1c06bf30d6f952bff8a76c0accfd95b7b95d582baae622fd57b694a855a11cd", 292128),
    "C-MR": ("e6c61d517d9c8ccb6925ef9e14affc3157bdfe7bb157fd8bb425454643a62375", 305946),
    "C-TR": ("5cd3bf63a3b592903d7cb880ca6ec457dfe8cdfad0d2c69db51472cba8362a29", 337520),
    "R-LR": ("219895df3fd37f141a971633a7af17c9aca1b54ef4c0b9967292156c7203e3b9", 128080),
    "R-BR": ("f4d3fddd7dabb160f80c21d0ceda9cd155e452e625dfb357ca70b8aae0633d5c", 158614),
    "R-HR": ("012c0d10d350a5edfe39fcaa6c4cc6fc5ab2adb70479e61f8162badf5670a15e", 147828),
    "R-PR": ("ba8494bba888fa2599fded078526153fc0383d8d85a3ba90458199bc395a1e3e", 139254),
    "R-GR": ("48e4e1557766fcedb33d28758c032e434a6a34456655c71f69e002b8f3d60cca", 231381),
    "R-AR": ("c356fe77620c47e9f540c5755e2b08efa3c992c32bd99c47b1851485e98e53b5", 125560),
    "R-CR": ("8a5a0c6fb2de8a8dfc521a22d12f47be19c2ce0cbc8a467f42395e0f51323978", 102767),
    "R-RR": ("5f94745af411bb64b81a12a04dd9248d26380700876111b661d5535eccaa8dcd", 112754),
}

# The files of OneIG-Bench in each language, the prompts first: place in upstream's repository, sha256 and size.
ONEIG_EN = {
    "prompts": ("OneIG-Bench.csv", "e06c65b32252d82406fb1a27f13022b38d432c899a2486eb49ab0c100f83b3e1", 378082),
    "anime": (
        "scripts/alignment/Q_D/anime.json",
        "21ea3d0360e69d72bc5f4cbb93b203d293d16f5c2f626634a52b990119e0a6e3",
        240912,
    ),
    "human": (
        "scripts/alignment/Q_D/human.json",
        "0e92b25c6bc4091cac05fa0f4269b3b37465a7cd43ca2768f55f56149cdbf13b",
        233346,
    ),
    "object": (
        "scripts/alignment/Q_D/object.json",
        "350dfdf72c2da143c78a7544d4c554faf6698c1ba4fcd27c7a9cc9199d487e0e",
        179650,
    ),
    "text": (
        "scripts/text/text_content.csv",
        "ffbf0b588c617b77caf1e9a733496ff5b4704b6534df5fba13201a83f21e0512",
        97314,
    ),
    "answers": (
        "scripts/reasoning/gt_answer.json",
        "e46733770fc0b99632e77e54f59316bcc7f170752680dd0c24d43c722bae402b",
        141383,
    ),
}
ONEIG_ZH = {
    "prompts": ("OneIG-Bench-ZH.csv", "8fc4ae1403db32dbb1203cc457361c3215500b34e741194a53f5002c9d824700", 375669),
    "anime": (
        "scripts/alignment/Q_D/anime_zh.json",
        "171740d2d7158f0da2d907481b5cd97380398e4a45b53f0976ad4d91e01151d4",
        250389,
    ),
    "human": (
        "scripts/alignment/Q_D/human_zh.json",
        "819f13b1efab67bdfba9ca633a37e009013350d148323f5d65b2a467f1789c64",
        248770,
    ),
    "object": (
        "scripts/alignment/Q_D/object_zh.json",
        "19f69cfdf17119ff5400919341c930468a0de5ee06b9c91d8f16ba2365f51498",
        185005,
    ),
    "multilingualism": (
        "scripts/alignment/Q_D/multilingualism_zh.json",
        "63614e72dbd86f1e56ed625a55f73d509323d34b68fb27d8fed0f87a49f69db9",
        148469,
    ),
    "text": (
        "scripts/text/text_content_zh.csv",
        "6250b3be96e9c4fd4c9cb858dd36b5b2dc4fc8fccb8e4ed0317f5da392db9a1a",
        89199,
    ),
    "answers": (
        "scripts/reasoning/gt_answer_zh.json",
        "faaf0849de1fb62829ed49ec5de7f582562847fb01f390b7a4bb106e48f0c116",
        94881,
    ),
}

# The files of WISE's legacy prompts, in the order of their ids: sha256 and size.
WISE_LEGACY = {
    "cultural_common_sense": ("7a59216c768698280cea37caa574b52f3faf054d73b398b9bb6b3161baf8e3aa", 125062),
    "spatio-temporal_reasoning": ("e27d797885ad86e64d857d0cc93d33e04be572a8dcae95692a2c7e7876233f9a", 100831),
    "natural_science": ("b262fae58e413c7a4bd3c3d5a089f8c6529feac227e4b6606be261a949035544", 117085),
}
