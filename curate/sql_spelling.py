"""Operators of other languages in SQL, and how SQL spells them."""

import re

IN_QUOTES = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
OPERATOR = re.compile(r"[=<>!&|~≤≥≠]+")
# What other languages and papers write, and what SQL does.
SPELLINGS = {
    "!": "NOT",
    "!<": ">=",
    "!==": "<>",
    "!>": "<=",
    "&": "AND",
    "&&": "AND",
    "<>=": "<>",
    "=!": "<>",
    "=<": "<=",
    "===": "=",
    "=>": ">=",
    "=~": "LIKE or regexp_matches()",
    "|": "OR",
    "||": "OR",
    "~=": "<>, LIKE or regexp_matches()",
    "≠": "<>",
    "≤": "<=",
    "≥": ">=",
}


def spelling_hint(text: str) -> str:
    """Return what SQL writes for the operators of other languages in a condition that it refuses; empty without any.

    >>> spelling_hint("width => 640 && caption = 'a => b'")
    '; for => write >=, for && write AND'
    """
    found = dict.fromkeys(OPERATOR.findall(IN_QUOTES.sub("", text)))
    spelt = ", ".join(f"for {operator} write {SPELLINGS[operator]}" for operator in found if operator in SPELLINGS)
    return f"; {spelt}" if spelt else ""
