"""Which prompts of which sets a config asks for, in order."""

import inspect
from collections.abc import Sequence

from diptych.config.options import call_with_options
from diptych.errors import ConfigError
from diptych.generate.backends.asked import AskedPrompt
from diptych.generate.config import GenerateConfig, PromptChoice
from diptych.generate.prompts import PROMPT_SETS, Prompt, PromptSet
from diptych.lookup import describe_unknown, resolve


def read_prompts(config: GenerateConfig) -> tuple[dict[str, PromptSet], tuple[AskedPrompt, ...]]:
    """Return the prompt sets of a config by name, and the chosen prompts in order.

    Raises:
        DiptychError: If a set cannot be had, or nothing is chosen from it.
    """
    sets, asked = {}, []
    for number, choice in enumerate(config.prompts):
        where = f"prompts.{number} ({choice.label})"
        found = _read_set(choice, where)
        chosen = _choose(found.prompts, choice)
        if not chosen:
            raise ConfigError(f"{where}: no prompt is left; it has the categories {_categories(found.prompts)}")
        sets[choice.label] = found
        asked += [AskedPrompt(choice.label, prompt, choice.samples or config.samples) for prompt in chosen]
    return sets, tuple(asked)


def _read_set(choice: PromptChoice, where: str) -> PromptSet:
    factory = resolve(PROMPT_SETS, "prompt set", choice.kind)
    options = dict(choice.options)
    # A set that is made to measure takes these itself; of any other they choose afterwards.
    for name in ("categories", "per_category"):
        if name in inspect.signature(factory).parameters and getattr(choice, name) is not None:
            options[name] = getattr(choice, name)
    if choice.path is not None:
        options["path"] = choice.path
    return call_with_options(factory, options, where=where)  # type: ignore[no-any-return]


def _choose(prompts: Sequence[Prompt], choice: PromptChoice) -> list[Prompt]:
    known = {prompt.category for prompt in prompts}
    for category in choice.categories or ():
        if category not in known:
            raise ConfigError(f"prompts ({choice.label}): {describe_unknown('category', category, known - {''})}")
    counts: dict[str, int] = {}
    chosen = []
    for prompt in prompts:
        if choice.categories is not None and prompt.category not in choice.categories:
            continue
        counts[prompt.category] = counts.get(prompt.category, 0) + 1
        if choice.per_category is None or counts[prompt.category] <= choice.per_category:
            chosen.append(prompt)
    return chosen[: choice.limit]


def _categories(prompts: Sequence[Prompt]) -> str:
    return ", ".join(dict.fromkeys(prompt.category for prompt in prompts if prompt.category)) or "none"
