"""The letters of a text: what is left of it without marks of punctuation, symbols and signs that nobody sees."""

import re
import unicodedata

VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # says how the sign before it is drawn, and is not seen


def letters_in(text: str) -> str:
    """Return the letters, digits and spaces of a text of any script, with the marks on them, such as vowel signs.

    >>> letters_in("\u0915\u093f\u0924\u093e\u092c!") == "\u0915\u093f\u0924\u093e\u092c"
    True
    >>> letters_in("for you \u2764\ufe0f")
    'for you '
    """
    kept, is_written = [], False
    for each in text:
        is_mark = unicodedata.category(each).startswith("M") and not VARIANT.match(each)
        is_written = each.isalnum() or (is_written and is_mark)
        if is_written or each.isspace():
            kept.append(each)
    return "".join(kept)
