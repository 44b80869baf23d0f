"""T2I-CompBench and T2I-CompBench++: eight sets of 300 prompts (Huang et al. 2023, arXiv:2307.06350; TPAMI 2025).

Each set is one of upstream's ``<category>_val.txt``, a prompt a line, and is judged in its own way: noun phrases are
questions, places are relations, numbers are objects with their counts. Names are those that upstream looks for: a girl
is a person, a ship a boat. The id is the number of the line from 0, the category the set's name, of complex prompts
also which parts upstream averages; their column ``without_adjectives`` is the text that CLIP is to compare with.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diptych.assets import fetch
from diptych.data.checks import parse_checks
from diptych.data.text_records import json_lines
from diptych.errors import DataError
from diptych.generate.prompts import Prompt, PromptSet, read_text, set_of_files
from diptych.generate.prompts.noun_phrases import noun_phrases, without_adjectives
from diptych.generate.prompts.records import RecordPlace
from diptych.storage.store_path import ReadPath

ASSET = "t2i-compbench-{}"
PERSONS = frozenset({"girl", "boy", "man", "woman"})
OTHER_NAMES = {"ship": "boat", "goldfish": "fish", "painting": "picture"}  # in numeracy, as upstream
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
PLACES = "on side of|next to|near|on the left of|on the right of|on the bottom of|on the top of"
SPATIAL = re.compile(rf"an? ([\w ]+?) ({PLACES}) an? ([\w ]+)\.?", re.IGNORECASE)
DEPTH = re.compile(r"an? ([\w ]+?) (in front of|behind|hidden)(?: by)? an? ([\w ]+)\.?", re.IGNORECASE)
AMONG_WORDS = re.compile(rf"\b({PLACES}|on top of)\b")
SPATIAL_PART, ACTION_PART, BOTH_PARTS = "spatial", "action", "spatialaction"  # beside the phrases of a complex prompt

NO_NOUNS = frozenset({"tall"})  # among the phrases of the rule of words

PLAIN = "without_adjectives"  # the column

Found = Mapping[str, Any]  # checks as an object


def t2i_compbench_color(*, path: ReadPath | None = None, phrases: Path | None = None) -> PromptSet:
    """Return the prompts of two coloured things.

    Args:
        path: Upstream's folder ``examples/dataset``; None downloads its files.
        phrases: JSON lines ``{"prompt": ..., "phrases": [...]}`` with the noun phrases to ask of each prompt, such as
            spaCy's, which upstream asks; None takes those of diptych's rule.

    Raises:
        DataError: If a file cannot be had, or a prompt has no phrases.
    """
    return _of_phrases("color", path, phrases)


def t2i_compbench_shape(*, path: ReadPath | None = None, phrases: Path | None = None) -> PromptSet:
    """Return the prompts of things with shapes; arguments and errors as of ``t2i_compbench_color``."""
    return _of_phrases("shape", path, phrases)


def t2i_compbench_texture(*, path: ReadPath | None = None, phrases: Path | None = None) -> PromptSet:
    """Return the prompts of things with textures; arguments and errors as of ``t2i_compbench_color``."""
    return _of_phrases("texture", path, phrases)


def t2i_compbench_spatial(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of two things of which one lies beside, above or below the other.

    Args:
        path: Upstream's folder ``examples/dataset``; None downloads its file.

    Raises:
        DataError: If the file cannot be had or a prompt has another form.
    """
    return _of_lines("spatial", path, lambda text, place: _relation_of(SPATIAL, text, place))


def t2i_compbench_3d_spatial(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of two things of which one is in front of the other or behind it; as the spatial ones."""
    return _of_lines("3d_spatial", path, lambda text, place: _relation_of(DEPTH, text, place))


def t2i_compbench_numeracy(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of things in numbers.

    Args:
        path: Upstream's folder ``examples/dataset``, also with ``new_objects.txt``; None downloads its files.

    Raises:
        DataError: If a file cannot be had or a prompt names no number of things.
    """
    objects = _file("new_objects", path)
    names = _object_names(objects)
    prompts = _files("numeracy", path, lambda text, place: _counts_of(text, names, place))
    return _set(prompts, "numeracy", path, objects, names=("new_objects",))


def t2i_compbench_non_spatial(*, path: ReadPath | None = None) -> PromptSet:
    """Return the prompts of people and things that do something; they bring no checks.

    Raises:
        DataError: If the file cannot be had.
    """
    return _of_lines("non_spatial", path, lambda text, place: {})


def t2i_compbench_complex(*, path: ReadPath | None = None, phrases: Path | None = None) -> PromptSet:
    """Return the complex prompts, each with the parts that upstream averages as its second category.

    Args:
        path: Upstream's folder ``examples/dataset``; None downloads its files.
        phrases: As of ``t2i_compbench_color``, each line with the text ``without_adjectives`` too.

    Raises:
        DataError: If a file cannot be had, or a prompt has no phrases.
    """
    routes = {part: _file(f"complex_val_{part}", path) for part in (SPATIAL_PART, ACTION_PART)}
    parts = {_routed(line): part for part in (ACTION_PART, SPATIAL_PART) for line in _lines(routes[part]).values()}
    given = _given_phrases(phrases)

    def part_of(text: str) -> str:
        return parts.get(_routed(text), BOTH_PARTS)

    def checks_of(text: str, place: RecordPlace) -> Found:
        asked = _questions_of(text, given, place)
        return asked if part_of(text) == ACTION_PART else {**asked, **_relation_within(text)}

    found = _files("complex", path, checks_of, lambda text: ("complex", part_of(text)))
    prompts = [(file, line, replace(one, columns=_plain(one.text, given))) for file, line, one in found]
    others = [*routes.values(), *([phrases] if phrases else [])]
    return _set(prompts, "complex", path, *others, names=[f"complex_val_{part}" for part in routes])


Prompts = list[tuple[ReadPath, int, Prompt]]
ChecksOf = Callable[[str, RecordPlace], Found]


def _of_phrases(category: str, path: ReadPath | None, phrases: Path | None) -> PromptSet:
    given = _given_phrases(phrases)
    prompts = _files(category, path, lambda text, place: _questions_of(text, given, place))
    return _set(prompts, category, path, *([phrases] if phrases else []))


def _of_lines(category: str, path: ReadPath | None, checks_of: ChecksOf) -> PromptSet:
    return _set(_files(category, path, checks_of), category, path)


def _files(
    category: str,
    path: ReadPath | None,
    checks_of: ChecksOf,
    categories_of: Callable[[str], tuple[str, ...]] | None = None,
) -> Prompts:
    file = _file(f"{category}_val", path)
    found: Prompts = []
    for line, text in _lines(file).items():
        place = RecordPlace(file, line)
        categories = categories_of(text) if categories_of else (category,)
        checks = parse_checks(checks_of(text, place), str(place))
        found.append((file, line, Prompt(f"{line - 1:05d}", text, categories, checks)))
    return found


def _set(
    prompts: Prompts, category: str, path: ReadPath | None, *others: ReadPath, names: Sequence[str] = ()
) -> PromptSet:
    """Return the set of some prompts; with phrases of a user's, whose file no asset is, it is not upstream's."""
    files = [_file(f"{category}_val", path), *others]
    assets = [ASSET.format(name) for name in (f"{category}_val", *names)]
    return set_of_files(prompts, files, assets=assets if len(assets) == len(files) else [])


def _file(name: str, path: ReadPath | None) -> ReadPath:
    return path / f"{name}.txt" if path else fetch(ASSET.format(name))


def _lines(file: ReadPath) -> dict[int, str]:
    """Return the lines of a file that are not empty, by their numbers; some of upstream's end as on Windows."""
    lines = enumerate(read_text(file).split("\n"), start=1)
    return {number: line.strip() for number, line in lines if line.strip()}


def _given_phrases(file: Path | None) -> Mapping[str, Any] | None:
    if file is None:
        return None
    return {str(one.get("prompt")).strip(): one for _, one in json_lines(read_text(file), file)}


def _plain(text: str, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    own = given[text].get(PLAIN) if given is not None else None
    return {PLAIN: own if isinstance(own, str) else without_adjectives(text)}


def _questions_of(text: str, given: Mapping[str, Any] | None, place: RecordPlace) -> Found:
    phrases = noun_phrases(text) if given is None else given.get(text, {}).get("phrases")
    if not isinstance(phrases, list) or not phrases:
        raise DataError(f"{place}: {text!r} has no noun phrases; write some in a file and name it as phrases")
    return {"questions": [{"question": f"{phrase}?"} for phrase in phrases]}


def _relation_of(form: re.Pattern[str], text: str, place: RecordPlace) -> Found:
    found = form.fullmatch(text)
    if found is None:
        raise DataError(f"{place}: {text!r} does not say how one thing lies to another, such as 'a cat near a table'")
    return _relation(found[1].split()[-1], found[2], found[3].split()[-1])


def _relation_within(text: str) -> Found:
    """Return how the first thing of a sentence lies to that behind the words of a place; nothing without such words.

    Upstream takes the noun next before these, with a hyphen the last part of it: air of "a cone in mid-air near".
    """
    said = AMONG_WORDS.search(text)
    if said is None:
        return {}
    before, after = noun_phrases(text[: said.end()]), noun_phrases(text[said.end() :])
    if not before or not after:
        return {}
    found = _relation(before[0].split()[-1], said[1], after[0].split()[-1])
    nearest = [phrase for phrase in before if phrase not in NO_NOUNS][-1].split()[-1].rpartition("-")[2].lower()
    relation = found["relations"][0]
    misread = {"misread_first": nearest} if nearest != before[0].split()[-1].lower().rpartition("-")[2] else {}
    return {"relations": [{**relation, **misread}]}


def _relation(first: str, place: str, second: str) -> Found:
    one, other = ("person" if name in PERSONS else name for name in (first.lower(), second.lower()))
    return {"relations": [{"first": one, "place": place.lower(), "second": other}]}


def _object_names(file: ReadPath) -> Mapping[str, str]:
    """Return what one of each thing is called, by that and by what several are called."""
    names = {}
    for line, text in _lines(file).items():
        one, dash, several = text.lower().partition(" - ")
        if not dash:
            raise DataError(f"{file}:{line}: {text!r} is not of the form 'cup - cups'")
        names[several.strip()] = names[one.strip()] = one.strip()
    return names


def _counts_of(text: str, names: Mapping[str, str], place: RecordPlace) -> Found:
    """Return the things of which a prompt names a number: exactly so many, so that one more is one too many."""
    counts = list(_counted(re.findall(r"[\w'-]+", text.lower()), names))
    if not counts:
        raise DataError(f"{place}: {text!r} names no number of things that new_objects.txt knows")
    return {
        "include": [{"class": name, "count": count} for name, count in counts],
        "exclude": [{"class": name, "count": count + 1} for name, count in counts],
    }


def _counted(words: Sequence[str], names: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for number, word in enumerate(words):
        if word not in NUMBERS:
            continue
        for several in (2, 1):  # a name of two words comes first
            if (name := names.get(" ".join(words[number + 1 : number + 1 + several]))) is not None:
                yield "person" if name in PERSONS else OTHER_NAMES.get(name, name), NUMBERS[word]
                break


def _routed(text: str) -> str:
    """Return what of a prompt upstream holds against its lists of parts."""
    return text.split(".")[0].lower()
