"""Noun phrases of a prompt by a rule of words: what T2I-CompBench asks of an image one by one.

Upstream takes the noun chunks of spaCy's ``en_core_web_sm``, which belongs to no install of diptych; a file of them can
be given instead of this rule. On ``a red car and a blue bowl`` both say the same. In longer sentences the rule may cut
elsewhere, and it asks of no pronoun (``it``, ``which``), of which spaCy makes a phrase too.
"""

import re

LEFT_OUT = frozenset({"top", "the side", "the left", "the right"})  # as upstream

WORD = re.compile(r"[^\W_][\w'\u2019-]*|[,.;:]")
UNITS = ("in front of", "on top of", "next to", "side by side", "a lot of")  # no phrase of their own within


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = _words(
    "a an the this that these those his her its their my your our one two three four five six seven eight nine ten "
    "many several some both each every no another"
)
PREPOSITIONS = _words(
    "about above across against along among around as at before behind below beneath beside between by down during for "
    "from in inside into like near of off on onto out outside over past through to toward towards under up upon while "
    "with within without nearby"
)
PLAIN_VERBS = _words(
    "is are was were be been has have had does do made make makes sits sat lay lies stood stands shone shines hung "
    "hangs fell flew flown swam sank held holds kept told drove fed felt grew left led met rode rose ran slept sped "
    "spun strode swept threw woke wore wrote won reads contains gives tells shows goes comes brings blew drew "
    "struggled seemed became takes rests leans glows"
)
# Verbs where an article or a preposition follows, nouns or adjectives elsewhere.
EITHER = _words(
    "attract bake battle beat boil cast contrast cook create cut decorate display embrace features feature flash "
    "flicker hang highlights hold illuminate jot keep leave measure mix nap perch place play provide read release rest "
    "run serve set shape sit slice spread stack stand stir touch work works write"
)
OTHERS = _words(
    "and or but nor so yet when where which who whom whose what that if than then because although he she it they him "
    "them we you i there here not only just even very also too together otherwise gently neatly lazily gracefully "
    "ominously deliciously seamlessly effortlessly firmly freshly empty alone away back side"
)
# Words that "and" joins into one phrase: a black and white cat.
JOINED = _words("black white red green blue yellow orange purple pink brown gray grey gold silver beige tan")
NO_VERBS = re.compile(
    r"(?:bed|red|seed|shed|sled|ring|king|wing|string|spring|thing|evening|morning|ceiling|building|clothing|painting|"
    r"stitching|flooring|seating|lightning|earring|bedding|railing|sapling)s?"
)
PARTICIPLE = re.compile(r"\w+(?:ed|ing)")
MARKS = frozenset(",.;:")


def noun_phrases(text: str) -> list[str]:
    """Return the noun phrases of an English text in their order, as they stand there.

    >>> noun_phrases("a stop sign and red white line")
    ['a stop sign', 'red white line']
    >>> noun_phrases("A black and white cat sits in a white sink.")
    ['A black and white cat', 'a white sink']
    """
    cut = [text[some[0].start() : some[-1].end()] for some in _phrases(text)]
    return [one for one in cut if one not in LEFT_OUT]


def without_adjectives(text: str) -> str:
    """Return a text of whose noun phrases articles and last words are left.

    spaCy, by which T2I-CompBench leaves out adjectives, keeps nouns before nouns (``coat`` in ``coat rack``).

    >>> without_adjectives("The red hat was on top of the brown coat rack.")
    'The hat was on top of the rack.'
    """
    left, end = [], 0
    for phrase in _phrases(text):
        kept = [one for one in phrase[:-1] if one.group().lower() in DETERMINERS]
        left += [text[end : phrase[0].start()], *(f"{one.group()} " for one in kept), phrase[-1].group()]
        end = phrase[-1].end()
    return "".join(left) + text[end:]


def _phrases(text: str) -> list[list[re.Match[str]]]:
    """Return the words of each noun phrase of a text."""
    found = list(WORD.finditer(text))
    words = [one.group().lower() for one in found]
    inside = _in_units(words)
    phrases: list[list[int]] = []
    for number in range(len(words)):
        if inside[number] or not _is_in_phrase(words, number, inside):
            continue
        if phrases and _goes_on(words, phrases[-1], number):
            phrases[-1].append(number)
        else:
            phrases.append([number])
    return [[found[number] for number in some] for some in phrases if _has_noun(words, some)]


def _in_units(words: list[str]) -> list[bool]:
    """Return whether each word is of a unit such as ``in front of``."""
    inside = [False] * len(words)
    for unit in UNITS:
        parts = unit.split()
        for start in range(len(words) - len(parts) + 1):
            if words[start : start + len(parts)] == parts:
                inside[start : start + len(parts)] = [True] * len(parts)
    return inside


def _is_in_phrase(words: list[str], number: int, inside: list[bool]) -> bool:
    word = words[number]
    if word in DETERMINERS:
        return True
    if word in MARKS or word in PREPOSITIONS or word in PLAIN_VERBS or word in OTHERS or word.isdigit():
        return False
    return not _is_verb(words, number, inside)


def _is_verb(words: list[str], number: int, inside: list[bool]) -> bool:
    """Return whether a word is a verb by what follows: an article or a preposition but ``of``, or the end."""
    word = words[number]
    before = words[number - 1] if number else "."
    after = words[number + 1] if number + 1 < len(words) else "."
    if before in DETERMINERS or not (word in EITHER or PARTICIPLE.fullmatch(word)):
        return False
    if after in DETERMINERS:
        return True
    if NO_VERBS.fullmatch(word):
        return False
    goes_on = (
        any(inside[number + 1 : number + 2])
        or (after in PREPOSITIONS and after != "of")
        or (after in OTHERS and after != "and")
    )
    return goes_on or (after in MARKS and word not in EITHER)


def _goes_on(words: list[str], phrase: list[int], number: int) -> bool:
    """Return whether a word belongs to the phrase before it."""
    between = words[phrase[-1] + 1 : number]
    if words[number] in DETERMINERS:
        return False
    if not between:
        return True
    if between == [","]:  # the smooth, cool floors
        return len(phrase) == 2 and words[phrase[0]] in DETERMINERS
    return between == ["and"] and words[phrase[-1]] in JOINED and words[number] in JOINED


def _has_noun(words: list[str], phrase: list[int]) -> bool:
    return any(words[number] not in DETERMINERS for number in phrase)
