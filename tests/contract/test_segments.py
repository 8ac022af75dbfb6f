"""Segments are counted as Twilio's own package `sms-segments-calculator` counts them."""

from collections.abc import Sequence
from random import Random

from switchboard.channels.segments import count_segments
from tests import skips
from tests.contract.test_clients import INSTALLED, ROOT, run_node

GSM_7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡AZÄÖÑÜ§¿azäöñüà"
EXTENSION = "\f^{}\\[~]|€"
PIECES = (
    *("a", "b ", "é", "€", "{", "\n", "\r\n", "’", "—", "ê", "ш", "中", "한", "\u1112\u1161\u11ab", "e\u0301", "क्षि"),
    *(
        "👍",
        "👍🏽",
        "👩🏽‍💻",
        "👨‍👩‍👧",
        "🇩🇪",
        "1️⃣",
        "❤️",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),
)

# Around each limit that Twilio documents: 160 and 153 characters of GSM-7, 70 and 67 of UCS-2, two septets for an
# extension character, two units for most emoji.
LENGTHS = (0, 1, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 201, 202, 305, 306, 307, 459, 460, 1600)
DOCUMENTED = [
    *("a" * length for length in LENGTHS),
    *("’" * length for length in LENGTHS),
    *("a" * length + "€" for length in (151, 152, 153, 158, 159, 304, 305)),
    *("👍" * count for count in (34, 35, 36, 66, 67, 68)),
    *(GSM_7, EXTENSION, GSM_7 + EXTENSION, GSM_7 * 2, EXTENSION * 16, "ç" + GSM_7),
]


def generated(seed: int, count: int) -> Sequence[str]:
    random = Random(seed)  # noqa: S311 -- texts, not secrets
    pools = [random.sample(PIECES, random.randint(1, 6)) for _ in range(count)]
    return ["".join(random.choice(pool) for _ in range(random.randint(0, 200))) for pool in pools]


def test_segments_are_counted_as_twilio_counts_them() -> None:
    if not (INSTALLED.parent / "sms-segments-calculator").exists():
        skips.missing(f"sms-segments-calculator: `make {INSTALLED.relative_to(ROOT)}` installs it")
    texts = [*DOCUMENTED, *generated(seed=1, count=500)]

    counts = run_node("segments.js", texts)

    assert len(DOCUMENTED) >= 60
    assert {text: count for text, count in zip(texts, counts, strict=True) if count_segments(text) != count} == {}
