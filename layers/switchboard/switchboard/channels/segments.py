"""How many segments Twilio bills for an SMS.

Twilio, "What is the SMS character limit" and "What is GSM-7 character encoding": 160 characters of GSM-7 or 70 of UCS-2
are one segment; of a longer message each segment carries 153 or 67, because a header joins them. The contract tests
compare the count with Twilio's own package `sms-segments-calculator`.
"""

from switchboard.channels.graphemes import graphemes

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each is an escape and a character: two septets
GSM_7 = _BASIC | _EXTENSION

_GSM_7_SEPTETS = (160, 153)  # of the only segment, of one of several
_UCS_2_UNITS = (70, 67)


def is_gsm_7(text: str) -> bool:
    """Tell whether each character of a text is in GSM-7; one that is not has the whole text sent as UCS-2."""
    return GSM_7.issuperset(text)


def count_segments(text: str) -> int:
    """Return how many segments a text is; nothing is one. No segment ends inside a character of a reader's."""
    if is_gsm_7(text):
        sizes, (alone, joined) = [1 + (character in _EXTENSION) for character in text], _GSM_7_SEPTETS
    else:
        one_by_one = text.replace("\r\n", "\n\n")
        sizes, (alone, joined) = [utf_16_units(each) for each in graphemes(one_by_one)], _UCS_2_UNITS
    if sum(sizes) <= alone:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > joined:
            segments, used = segments + 1, 0
        used += size
    return segments


def utf_16_units(text: str) -> int:
    """Return a text's length as Twilio counts it: most emoji are two."""
    return len(text) + sum(character > "\uffff" for character in text)
