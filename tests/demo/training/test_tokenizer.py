import numpy as np
import torch
from tiny_trainings import SHIPPED_CLIP

from diptych.demo.training.tokenizer import CONTEXT, make_text_model, make_tokenizer
from diptych.demo.world.captions import caption_of
from diptych.demo.world.scenes import scene
from diptych.encoders.open_clip import open_clip_encoder


def test_tokenizer_cuts_captions_as_the_standard_one_does() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    small, whole = make_tokenizer(), SimpleTokenizer()
    for seed in range(5000, 5100):
        caption = caption_of(scene(seed))
        tokens = small.convert_ids_to_tokens(small(caption)["input_ids"])
        assert tokens[1:-1] == [whole.decoder[number] for number in whole.encode(caption)]
        assert len(tokens) <= CONTEXT
    assert len(small) < 1100


def test_words_from_elsewhere_fall_into_letters_and_an_end_in_the_text_is_an_end() -> None:
    tokenizer = make_tokenizer()
    assert len(tokenizer("Zündkerze 汉")["input_ids"]) > 6
    assert tokenizer.eos_token_id == len(tokenizer) - 1


def test_text_model_says_what_the_text_tower_of_the_clip_says() -> None:
    tokenizer = make_tokenizer()
    model = make_text_model(SHIPPED_CLIP, tokenizer).eval()
    captions = [caption_of(scene(seed)) for seed in range(8)]
    tokens = tokenizer(captions, padding="max_length", return_tensors="pt")["input_ids"]
    from safetensors.torch import load_file

    projection = load_file(SHIPPED_CLIP / "open_clip_model.safetensors")["text_projection"].float()
    with torch.inference_mode():
        vectors = model(tokens).pooler_output @ projection
    vectors = torch.nn.functional.normalize(vectors, dim=-1).numpy()
    encoder = open_clip_encoder(architecture=str(SHIPPED_CLIP), device="cpu")
    np.testing.assert_allclose(vectors, encoder.texts(captions), atol=2e-3)
