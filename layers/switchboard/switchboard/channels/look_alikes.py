"""Typographic characters, and those of GSM-7 that read the same.

One curly quote makes an SMS of 160 characters three segments. Twilio's "Smart Encoding" replaces such characters too,
but only for the senders of a messaging service that has it on; and it also replaces letters and signs.
"""

import unicodedata

_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′‹›ʹʻʼʽ´`ˈˊˋ", "'"),
        **dict.fromkeys("“”„‟″«»ʺ〝〞", '"'),
        **dict.fromkeys("‐‑‒–—―−⁃", "-"),
        **dict.fromkeys("•‣◦●▪∙⁌⁍", "-"),  # of lists
        **dict.fromkeys(
            "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),  # nothing to see
        **dict.fromkeys("\u2028\u2029\u0085\v", "\n"),
        "…": "...",
        "‥": "..",
        "→": "->",
        "←": "<-",
        "×": "x",
        "⁄": "/",
        "∕": "/",
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
    }
)


def with_look_alikes(text: str) -> str:
    """Return a text with each typographic character replaced, and letters and their accents put together."""
    return unicodedata.normalize("NFC", text).translate(_LOOK_ALIKES)
