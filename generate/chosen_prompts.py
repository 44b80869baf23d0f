"""Which prompts of which sets a config asks for, in order."""

import inspect
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from diptych.config.options import call_with_options
from diptych.errors import ConfigError, DataError
from diptych.generate.backends.asked import AskedPrompt, Request
from diptych.generate.config import GenerateConfig, PromptChoice
from diptych.generate.prompts import PROMPT_SETS, Prompt, PromptSet
from diptych.lookup import describe_unknown, resolve
from diptych.storage.store_path import read_path


class NumberedPrompt(NamedTuple):
    """A prompt, and which of the equal ones of its set it is, from 0."""

    ordinal: int
    prompt: Prompt


def read_prompts(config: GenerateConfig) -> tuple[dict[str, PromptSet], tuple[AskedPrompt, ...]]:
    """Return the prompt sets of a config by name, and the chosen prompts in order; what two sets share stands once.

    Raises:
        DiptychError: If a set cannot be had, or nothing is chosen from it.
    """
    sets = {}
    requests: dict[tuple[Any, ...], list[Request]] = {}
    for number, choice in enumerate(config.prompts):
        found, chosen = choose_prompts(choice, f"prompts.{number} ({choice.label})")
        sets[choice.label] = found
        for ordinal, prompt in chosen:
            request = Request(choice.label, prompt, choice.samples or config.samples)
            requests.setdefault((ordinal, prompt.rendered), []).append(request)
    return sets, tuple(AskedPrompt(ordinal, tuple(asking)) for (ordinal, _), asking in requests.items())


def choose_prompts(choice: PromptChoice, where: str) -> tuple[PromptSet, list[NumberedPrompt]]:
    """Return a prompt set, and those of its prompts that a config chooses, in order.

    Raises:
        DiptychError: If the set cannot be had, or nothing is chosen from it; says where.
    """
    found = _read_set(choice, where)
    chosen = _choose(_numbered(found.prompts), choice)
    if not chosen:
        raise ConfigError(f"{where}: no prompt is left; it has the categories {_categories(found.prompts)}")
    return found, chosen


def _numbered(prompts: Sequence[Prompt]) -> list[NumberedPrompt]:
    """Return all prompts of a set numbered among equal ones, so that choosing fewer of them changes no number."""
    counts: Counter[Any] = Counter()
    found = []
    for prompt in prompts:
        found.append(NumberedPrompt(counts[prompt.rendered], prompt))
        counts[prompt.rendered] += 1
    return found


def _read_set(choice: PromptChoice, where: str) -> PromptSet:
    factory = resolve(PROMPT_SETS, "prompt set", choice.kind)
    options = dict(choice.options)
    # A set that is made to measure takes these itself; of any other they choose afterwards.
    for name in ("categories", "per_category"):
        if name in inspect.signature(factory).parameters and getattr(choice, name) is not None:
            options[name] = getattr(choice, name)
    if choice.path is not None:
        options["path"] = read_path(choice.path)
    found: PromptSet = call_with_options(factory, options, where=where)
    _check(found.prompts, where)
    return found


def _check(prompts: Sequence[Prompt], where: str) -> None:
    """Look at the prompts of a set wherever they are from; a file's own are known by their lines before.

    Raises:
        DataError: If one is empty, or two have the same id.
    """
    seen: set[str] = set()
    for number, prompt in enumerate(prompts, start=1):
        if not prompt.text.strip():
            raise DataError(f"{where}: prompt {number}, with the id {prompt.id!r}, is empty; give it a text")
        if prompt.id in seen:
            raise DataError(f"{where}: prompt {number} has the id {prompt.id!r} of an earlier one; ids must differ")
        seen.add(prompt.id)


def _choose(prompts: Sequence[NumberedPrompt], choice: PromptChoice) -> list[NumberedPrompt]:
    """Return the prompts of the wanted categories; one of several is taken where none of these has enough already."""
    known = {category for _, prompt in prompts for category in prompt.categories}
    for category in choice.categories or ():
        if category not in known:
            raise ConfigError(f"prompts ({choice.label}): {describe_unknown('category', category, known)}")
    counts: Counter[str] = Counter()
    chosen = []
    for numbered in prompts:
        own = numbered.prompt.categories or ("",)
        wanted = own if choice.categories is None else [one for one in own if one in choice.categories]
        is_full = choice.per_category is not None and any(counts[one] >= choice.per_category for one in wanted)
        if wanted and not is_full:
            counts.update(wanted)
            chosen.append(numbered)
    return chosen[: choice.limit]


def _categories(prompts: Sequence[Prompt]) -> str:
    return ", ".join(dict.fromkeys(one for prompt in prompts for one in prompt.categories)) or "none"
