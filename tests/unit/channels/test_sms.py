"""An SMS is plain text in few segments; several are numbered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.channels.look_alikes import with_look_alikes
from switchboard.channels.segments import count_segments
from switchboard.channels.sms import SmsSettings, sms_parts
from switchboard.channels.spans import Span, SpannedText
from tests.builders import SMS

AS_IT_IS = SmsSettings(max_segments=10, smart_encoding=False)
FRENCH = (
    "L’atelier est ouvert du lundi au samedi de 9 h à 18 h — passez nous voir : la réparation d’un vélo prend une "
    "heure et revient à 20 euros, pièces incluses."
)


def parts(text: str, settings: SmsSettings = SMS) -> tuple[str, ...]:
    return sms_parts(SpannedText(text=text), settings)


def test_two_curly_quotes_and_a_dash_do_not_triple_the_price() -> None:
    assert len(FRENCH) == 154
    assert count_segments(FRENCH) == 3

    (body,) = parts(FRENCH)

    assert count_segments(body) == 1
    assert body == FRENCH.replace("’", "'").replace("—", "-")


def test_nothing_is_replaced_where_it_is_off() -> None:
    assert parts(FRENCH, AS_IT_IS) == (FRENCH,)


@pytest.mark.parametrize("text", ["“Oui” 👍", "l’été où ça va…", "Ja – «gut»", "naïve œuvre — oui"])
def test_nothing_is_replaced_where_it_saves_nothing(text: str) -> None:
    assert parts(text) == (text,)


def test_no_url_and_no_code_is_changed() -> None:
    url = "https://example.com/l’été—2026"
    text = f"L’été : {url} " + "a" * 60

    (body,) = sms_parts(SpannedText(text=text, spans=(Span(start=8, end=8 + len(url)),)), SMS)

    assert url in body


@given(text=st.text(st.sampled_from("a é’“”—…•→\u00a0👍e\u0301€çш\n"), min_size=1, max_size=400))
def test_replacing_never_costs_a_segment(text: str) -> None:
    replaced, as_it_is = (sum(map(count_segments, parts(text, settings))) for settings in (SMS, AS_IT_IS))

    assert replaced <= as_it_is


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("‘a’ “b” „c“ «d»", '\'a\' "b" "c" "d"'),
        ("9–17 h — ja… ‑", "9-17 h - ja... -"),
        ("a\u00a0b\u202fc\u200bd", "a b cd"),
        ("Menu → 2 × 3", "Menu -> 2 x 3"),
        ("e\u0301", "é"),
        ("ç œ ê ß 1.599,00 € 👍", "ç œ ê ß 1.599,00 € 👍"),
    ],
)
def test_what_is_replaced_reads_the_same(text: str, replaced: str) -> None:
    assert with_look_alikes(text) == replaced


def test_several_are_numbered() -> None:
    bodies = parts(("word " * 700).strip())

    assert [body[:6] for body in bodies] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert " ".join(body[6:] for body in bodies) == ("word " * 700).strip()


@pytest.mark.parametrize("max_segments", [1, 2, 10])
@pytest.mark.parametrize("text", ["word " * 300, "слово " * 100, "👍🏽" * 150])
def test_none_has_more_segments_than_it_may(text: str, max_segments: int) -> None:
    bodies = parts(text, SmsSettings(max_segments=max_segments, smart_encoding=True))

    assert max(map(count_segments, bodies)) <= max_segments
