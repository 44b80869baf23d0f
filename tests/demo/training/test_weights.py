from tiny_trainings import CLIP

from diptych.demo.training.caption_rows import CaptionRows
from diptych.demo.training.clip import ClipRecipe


def test_matrices_alone_decay(captioned: CaptionRows) -> None:
    recipe = ClipRecipe(CLIP, captioned)
    decayed, others = recipe.optimiser.param_groups
    assert decayed["weight_decay"] == CLIP.weight_decay
    assert others["weight_decay"] == 0.0
    assert any(weight is recipe.model.token_embedding.weight for weight in others["params"])
    assert {weight.ndim for weight in decayed["params"]} == {2, 4}
