"""Reactions: the texts in which phones write tapbacks, emoji alone, near misses, and words that ask for an answer."""

import time

import pytest

from switchboard.reactions import MAX_CHARACTERS, Reaction, asks, read_reaction

TAPBACKS = {
    "English, iPhone": """
        Loved “See you at 10”
        Liked "See you at 10"
        liked “See you at 10”
        Disliked “See you at 10”
        Laughed at “See you at 10”
        Emphasized “See you at 10”
        Emphasised “See you at 10”
        Questioned “See you at 10”
        Liked “On Saturday, our weekend day, we open at 9 am…”
        Liked “On Saturday, our weekend day, we
        Liked 'I'm fine'
        Liked ‘I’m fine’
        Liked "He said "yes" and left"
        Liked “He said “yes” and left”
        Liked “He said "yes" and left”
        Reacted 👍🏽 to “See you at 10”
        Reacted with ❓ to "See you at 10"
        Reacted with a sticker to “See you at 10”
        Removed a heart from “See you at 10”
        Removed a like from “See you at 10”
        Removed a dislike from “See you at 10”
        Removed a laugh from “See you at 10”
        Removed an exclamation from “See you at 10”
        Removed a question mark from “See you at 10”
        Removed 👍 from “See you at 10”
        Liked an image
        Loved a movie
        Laughed at an attachment
        Loved an audio message
        Reacted 😂 to an image
        Removed a like from an image
    """,
    "English, Google Messages": """
        👍 to “See you at 10”
        👍 to "See you at 10"
        \u200a\u200b👍\u200b to “\u200aSee you at 10\u200a”\u200a
        \u200aRemoved \u200c❤️\u200c from “\u200aSee you at 10\u200a”\u200a
        👍 to an image
    """,
    "any language, Google Messages": """
        \u200a\u200b❤️\u200b op “\u200atot morgen\u200a”\u200a
        \u200a\u200b😂\u200b till ”\u200avi ses\u200a”\u200a
    """,
    "German": """
        Gefällt „Bis morgen“
        Gefällt „Bis morgen”
        Liebt „Bis morgen“
        Lacht über „Bis morgen“
        Hat über „Bis morgen“ gelacht
        Betont „Bis morgen“
        Hinterfragte „Bis morgen“
        Hat „Bis morgen“ mit „Gefällt mir“ markiert
        Hat „Bis morgen“ mit einem Herz markiert
        Hat mit 👍 auf „Bis morgen“ reagiert
        Reagierte mit 👍 auf „Bis morgen“
        👍 zu „Bis morgen“
        👍 auf »Bis morgen«
        Entfernte 👍 aus „Bis morgen”
        Herz von „Bis morgen“ entfernt
        Hat „Gefällt mir“ von „Bis morgen“ entfernt
        Gefällt ein Bild
        Hat ein Bild mit „Gefällt mir“ markiert
    """,
    "Spanish": """
        Le gustó “hasta mañana”
        Le encantó “hasta mañana”
        No le gustó "hasta mañana"
        Le dio risa “hasta mañana”
        Se rió de “hasta mañana”
        Exclamó por “hasta mañana”
        Enfatizó “hasta mañana”
        Dudó sobre “hasta mañana”
        Le ha gustado «hasta mañana»
        Reaccionó con 😂 a “hasta mañana”
        Ha reaccionado con 😂 a «hasta mañana»
        👍 a “hasta mañana”
        Quitó un corazón de “hasta mañana”
        Quitó un me gusta de “hasta mañana”
        Eliminó 👍 de “hasta mañana”
        Le encantó una imagen
    """,
    "French": """
        A aimé « à demain »
        A adoré « à demain »
        N’a pas aimé « à demain »
        N'a pas aimé « à demain »
        A ri de « trop drôle… »
        A souligné « à demain »
        A mis en évidence « à demain »
        A posé une question sur « à demain »
        S’est interrogé(e) sur « à demain »
        A réagi avec 😂 à « à demain »
        A réagi 😂 à « à demain »
        a attribué la mention « Adore » à « Aujourd'hui, je passe le prendre »
        A attribué la mention « J’aime » à « ok »
        a attribué la mention « Je n’aime pas » à « ok »
        a attribué la mention « Rires » à « ok »
        a ajouté un « J'aime » à « à demain »
        👍 à « à demain »
        A retiré la réaction 😂 à « à demain »
        A retiré un J’aime de « à demain »
        A retiré un cœur de « à demain »
        A retiré la mention « Adore » de « ok »
        A aimé une image
    """,
    "Portuguese": """
        Amou “até amanhã”
        Gostou de “até amanhã”
        Não gostou de “até amanhã”
        Curtiu “até amanhã”
        Riu de “até amanhã”
        Riu-se de “até amanhã”
        Enfatizou “até amanhã”
        Deu ênfase a “até amanhã”
        Questionou “até amanhã”
        Reagiu com 👍 a “até amanhã”
        Reagiu com 👍 à “até amanhã”
        👍 para “até amanhã”
        Removeu um coração de “até amanhã”
        Removeu 👍 de “até amanhã”
        Curtiu uma imagem
    """,
    "Italian": """
        Ha amato “a domani”
        Ha adorato “a domani”
        Ha messo “Mi piace” a “a domani”
        Ha messo un cuore a “a domani”
        Non ha apprezzato “a domani”
        Non è piaciuto “a domani”
        Ha riso per “a domani”
        Ha enfatizzato “a domani”
        Ha evidenziato «a domani»
        Ha reagito con 👍 a “a domani”
        👍 a “a domani”
        Ha rimosso un cuore da “a domani”
        Ha rimosso 👍 da “a domani”
        Ha messo “Mi piace” a un'immagine
        Ha apprezzato un'immagine
    """,
    "emoji alone": """
        👍
        👍🏿
        👍👍 👍
        ❤
        ❤️
        ❤️‍🔥 🙏🏽
        👨‍👩‍👧‍👦
        👩🏽‍🚀
        🇩🇪
        🏴󠁧󠁢󠁥󠁮󠁧󠁿
        ‼️
        ☺️
        ✅
        👎
        💯
    """,
}
MESSAGES = {
    "words beside a tapback": """
        Liked your shop, are you open?
        Liked
        Loved it!
        Liked it a lot
        Liked “Pro 2000”, are you open?
        Liked “Pro 2000” but is it in stock?
        Liked “Pro 2000”?
        Liked "Pro 2000" and "Max 3000"
        Liked 2 “Pro 2000”
        Disliked “Pro”! Call me
        Loved the service, do you repair tandems too?
        Laughed at my old bike but it still runs, can you fix it?
        Removed my name from “the list”, thanks
        Emphasized that I need it by Friday
        Liked an image of yours, is it for sale
    """,
    "somebody speaks of themselves": """
        I liked “Pro 2000”
        Love “Pro 2000”
        Mir gefällt „Pro 2000“
        Gefällt mir: „Pro 2000“
        Gefällt Ihnen „Pro 2000“?
        Me gusta “Pro 2000”
        Me gustó “Pro 2000”
        J'aime « Pro 2000 »
        J’ai adoré « le film »
        Mi piace “Pro 2000”
        Gosto de “Pro 2000”
        Amei “Pro 2000”
    """,
    "another sentence with a quote": """
        You said “We open at 9”
        “We open at 9” is wrong
        What does “See you at 10” mean?
        Question: "do you open?"
        Reacted badly to “the cream”, help
        Reacted well to “your plan”
        A attribué la mention « Bravo » à « ok »
        "See you at 10"
        “See you at 10”
        The “Pro 2000” with the heart
        😍 I want “Pro 2000”
        Can you order "Liked an image"?
    """,
    "words beside an emoji": """
        👍 thanks
        thanks 👍
        👍 when do you open?
        👍1
        👍?
    """,
    "an emoji that says something": """
        1️⃣
        #️⃣
        🔟
        🅰️
        ❓
        ❔❔
        🆘
        🛑
        ❌
        👍 2️⃣
    """,
    "an ordinary answer": """
        ok
        yes
        2
        A
        :)
        An image
    """,
}


def each_line(tables: dict[str, str]) -> list[str]:
    return [line.strip(" ") for table in tables.values() for line in table.split("\n") if line.strip(" ")]


@pytest.mark.parametrize("text", each_line(TAPBACKS))
def test_a_tapback_is_a_reaction(text: str) -> None:
    assert read_reaction(text) is not None


@pytest.mark.parametrize("text", ["", " ", *each_line(MESSAGES)])
def test_a_near_miss_is_a_message(text: str) -> None:
    assert read_reaction(text) is None


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Liked “Shall I book it?”", "Shall I book it?"),
        ("Hat „Bis morgen“ mit „Gefällt mir“ markiert", "Bis morgen"),
        ("a attribué la mention « Adore » à « ok »", "ok"),
        ("\u200a\u200b👍\u200b to “\u200aSee you\u200a”\u200a", "See you"),
        ("Liked an image", ""),
        ("👍", ""),
    ],
)
def test_a_tapback_says_what_it_repeats(text: str, quoted: str) -> None:
    assert read_reaction(text) == Reaction(quoted=quoted)


def test_what_is_longer_than_any_text_of_ours_is_a_message() -> None:
    assert read_reaction(f"Liked “{'x' * MAX_CHARACTERS}”") is None


@pytest.mark.parametrize(
    "text",
    [
        "Shall I bring in a colleague?",
        "We are open on Saturday. Would you like to book? Just come by.",
        "Is it in stock? 😊",
        "Voulez-vous réserver ?",
        "¿Quiere reservar",
        "Θέλετε κράτηση; Ευχαριστώ",
        "هل تريد الحجز؟",
        "予約しますか。",
        "您要预订吗？",
        "Reply YES to confirm your booking.",
        "Your bike is ready. Please confirm.",
        "Let me know which size you need.",
        "Bitte antworten Sie mit JA.",
        "Répondez OUI pour confirmer.",
        "Por favor confirme.",
        "Responda SIM para confirmar.",
        "Rispondi SI per confermare.",
        "We have:\n1. Bikes\n2. Helmets",
        "We have:\n- Bikes\n- Helmets",
        "1) Bikes 2) Helmets",
        "1️⃣ Bikes 2️⃣ Helmets",
    ],
)
def test_a_question_choices_or_a_request_ask_for_an_answer(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "We open at 9 am on Saturday.",
        "Sorry, I cannot answer this right now. A colleague will get back to you.",
        "Sorry, I can answer no more messages today. Please write again tomorrow.",
        "Of course. A colleague takes over and will get back to you here.",
        "See https://example.com/x?id=4&y=2",
        "A tune-up costs $90; a puncture repair costs $18.",
        "I confirm your booking for 2 bikes.",
        "Wir haben Samstag von 9 bis 16 Uhr geöffnet.",
        "",
    ],
)
def test_a_statement_asks_nothing(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize("text", ["„", '"a ', "'a ", "👍\u200d", "“”", '" ', "9️⃣", "\n", ". ", "? ", "e "])
def test_a_text_that_is_made_to_be_slow_is_read_at_once(text: str) -> None:
    begun = time.process_time()

    read_reaction(text * (MAX_CHARACTERS // len(text)))
    asks(text * (32_000 // len(text)))

    assert time.process_time() - begun < 5  # of a text that grows with its square: minutes
