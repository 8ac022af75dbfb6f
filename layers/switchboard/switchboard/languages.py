"""Which of six languages a text is in, by the little words that it has; and sentences of ours in each of them."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from switchboard.errors import Misconfigured

MAX_CHARACTERS = 2000  # that are looked at
MAX_SENTENCE_CHARACTERS = 500  # it stands in one part of a reply, with some of the answer behind it
MIN_HINTED = 4  # letters of a word whose endings say something
MIN_SHARE = 1 / 4  # more of a text's words must speak for a language
MIN_LEAD = 1.25  # over the next language


class Language(StrEnum):
    """The languages that are known, by their ISO 639-1 codes."""

    ENGLISH = "en"
    GERMAN = "de"
    SPANISH = "es"
    FRENCH = "fr"
    PORTUGUESE = "pt"
    ITALIAN = "it"


_WORDS = {
    Language.ENGLISH: """
        a about after again all already also am an and any anybody anyone anything are as ask at away be because been
        before bike bikes bread broken but buy by bye call can cannot cancel card change cheap check close closed come
        could cost customer damaged day deliver delivery did didn do does doesn don done each evening ever every find
        first fix for free from fridays get getting give go going gonna good got had has have having he hello help her
        here hey hi him his home hour hours how human i if in instead into is isn it its just kind know last late like
        long look lot made make many may me mean might mine missing money monday month more morning most much must my
        near need new next nice no nobody not nothing now number of off often old on one only open opening or order
        ordered other our out over own paid pay people person phone please possible price question quick really
        receive received refund rent repair return right same saturday say see sell send sent she should size so some
        somebody someone something soon sorry speak still stop store sunday sure take talk tell than thank thanks that
        the their them then there these they thing think this those three through time to today tomorrow tonight too
        track two until up us use very wait want wanna was wasn way we week weekend well went were what when where
        which while who whom whose why will with without won work works would wrong yeah yes yesterday yet yo you your
        yours
    """,
    Language.GERMAN: """
        abend aber abgeholt abholen alle allem allen alles als also am an andere anderen anfrage angekommen antwort
        auch auf aus ausgeliefert bei beim bekomme bekommen bestellen bestellnummer bestellt bestellung bevor bezahlen
        bezahlt bin bis bisschen bist bitte brauche brauchen brot bräuchte bräuchten da dabei dafür damit danke dann
        das dass daß dein deine dem den denn der des die dies diese diesem diesen dieser dieses dir doch dort drei du
        durch dürfen ein eine einem einen einer eines einmal er erst es etwas euch euer eure fahrrad falsch fehlt
        freitag für fuer funktioniert gab ganz geben gegen geht gekauft geld geliefert genau gerne geöffnet geschickt
        geschlossen gestern gibt ging grüße gut guten gute haben habe habt hallo hat hatte hätte hätten heute hi hilfe
        helfen hier ich ihm ihn ihnen ihr ihre ihren ihrer im immer ins ist ja jemand jetzt kann kannst kaputt kauf
        kaufen kein keine keinen kommt können könnt könnte könnten konnte kosten kostet kunde lange lieber lieferung
        liefern machen macht man mein meine meinem meinen meiner mehr mich mir mit mitarbeiter möchte möchten moin
        moment montag morgen morgens muss müssen nach nachmittag nächste nächsten neu neue nein nicht nichts noch
        nochmal nun nur ob oder offen ohne öffnet paket preis rad rechnung reparatur reparieren rückgabe samstag schon
        sehr sein seine seit sich sie sind so soll sollte sondern sonntag stehe tag tage termin über uhr um und uns
        unser unsere vielen viel vom von vor wann warte warten warum was wegen weil welche welchen welcher welches
        wenn wer werde werden wie wieder wieviel will wir wird wo woche wollen wollte wurde würde würden zahlen zu zum
        zur zurück zwei zwischen
    """,
    Language.SPANISH: """
        abierto abierta abiertos abren abrir ahora algo alguien algún alguna alquilar antes aquí así aun aunque aún
        ayer ayuda ayudar ayudarme bicicleta bien buen buena buenas buenos busco cada cambiar casa cerrado cierran
        cliente cómo como comprar compra compré con cuál cuáles cuándo cuando cuánta cuánto cuántos cuesta cuestan de
        del desde devolver devolución día días dinero disculpa disculpe domingo donde dónde dos el ella ellos en
        encargo entrega entregar entre enviar envían envío era eres es esa ese eso está estaba estado están estar
        estas estáis este esto estoy favor fue gracias gustaría ha había hablar hace hacer hacia haga hago han hasta
        hay he hemos hola hora horario horas hoy humano ir la las le les llega llegado llegar lo los lunes luego
        mañana más martes me mejor mes mi mientras mis momento mucha muchas mucho muy nada nadie necesita necesito
        ningún no noches nos nosotros nuestra nuestro nueva nuevo número nunca o otra otro pagar pagado pan para pedí
        pedido pedir pero persona podría podrían poner por porque precio precios pregunta problema puede pueden puedo
        pues que qué queda queremos quería querría quién quiere quiero quisiera recibido recibir reembolso reparar
        roto sábado saber se sea semana señor ser si sí siempre sigue sin sobre sois solo sólo son soy su sus también
        tarde tardes tengo tenéis tenía tiempo tiene tienen tienda todavía todo todos trabajo tres tu tus un una unas
        uno unos usted ustedes va vale vamos veces van venden ver viernes voy vuestra vuestro y ya yo
    """,
    Language.FRENCH: """
        acheter acheté ai aide aider ainsi alors allez après argent arrivé as attends au aucun aucune aujourd aussi
        autre aux avait avec avez avoir avons beaucoup besoin bien bonjour bonne bonsoir boutique c ça cassé ce cela
        celle celui ces cet cette chez client combien coucou commande commander commandé comme comment contre coûte
        coûtent d dans de déjà demain demande depuis des deux dimanche dire dois doit donc du elle elles en encore
        entre envoyer envoyé es est et étaient était été êtes être eux faire fait fermé fermés fermez faut fois font
        heure heures hier hui ici il ils j jamais je jeudi jour jours jusqu l la le les leur leurs livraison livrer
        livré livrez louer lui lundi m ma magasin mais maintenant marche mardi matin me meilleur même merci mercredi
        mes mieux moi moins mois mon n ne ni non nos notre nous nouveau nouvelle numéro on ont ou où oui ouvert
        ouverts ouverte ouvrez ouvrir pain par parce parler pas payer payé pendant personne petit peu peut peuvent
        peux plaît plus plusieurs possible pour pourquoi pourrais pourriez pouvez prendre près prix puis puisque qu
        quand que quel quelle quelles quelqu quels qui quoi recevoir reçu remboursement rendre renvoyer réparer retour
        rien s sa sais salut samedi sans semaine sera serait ses seulement si soir soit somme sommes son sont souhaite
        sous suis sur t ta te temps tes toi ton toujours tous tout toute toutes très trois trop tu un une va vais vélo
        vélos vendez vendredi vers veux voilà voir vos votre voudrais voulez vous vraiment vrai y
    """,
    Language.PORTUGUESE: """
        a à aberta aberto abre abrem abrir acho agora ainda ajuda ajudar alguém algum alguma alugar amanhã antes ao
        aos apenas após aquele aqui as assim até atendente atendimento bem bicicleta boa boas bom cadê cancelar casa
        cedo cliente com como comprar compra comprei contato custa custam da das de dela dele depois desde devolver
        devolução dia dias dinheiro do dois domingo dos é e ela ele eles em encomenda encomendar então entrega
        entregar entregue entregam era essa esse está estão estava este estes estou eu falar falta faz fazem fazer
        fechado fecha fecham feira fica fiz foi fui funciona funcionamento gente gostaria há hoje hora horário horas
        isso isto já lá lhe loja mais mandar mas me mesmo meu meus minha minhas muita muito na nada não nas nem nenhum
        ninguém no noite nos nós nossa nosso nova novo nunca o obrigada obrigado oi olá onde ontem os ou outra outro
        pagar pago paguei pão para pela pelo pedido pedi pode podem poderia poderiam pois por porque porquê posso pra
        prazo precisava preciso preço preços problema produto qual quais quando quanta quanto quantos que quem queria
        quero rastrear recebi receber reembolso se segunda seja sem semana senhor ser será seu seus sexta sim só sobre
        somos sou sua suas sábado tá também tarde tem têm temos tenho ter teria terça tinha toda todo todos trabalho
        tudo um uma umas uns vai valor veio vendem ver vocês você vou
    """,
    Language.ITALIAN: """
        a abbiamo acquistare adesso agli ai aiutarmi aiuto al alcuni alla alle allora altra altro anche ancora aperta
        aperti aperto apre aprite aspetto arrivato avere avete aveva bene bicicletta buon buona buonasera buongiorno c
        capito che chi chiedere chiuso chiudete ci ciao cliente col come compra comprare comprato con consegna
        consegnare consegnate contattare cosa così costa costano cui da dagli dal dalla davvero degli dei del della
        delle dello deve devo di dice dicono dispiace domani domenica domanda dopo dove dovrei due e è ecco ed ero
        essere fa fare fatto fino fra funziona già giorni giorno gli grazie ha hai hanno ho i ieri il in indietro
        insieme io l la lavoro le lei li lo loro lui lunedì ma mai mattina me meglio meno mentre mese mi mia mie miei
        mio molta molto momento ne negozio nei nel nella nelle nessun nessuno no noi noleggiare non nostra nostro
        nulla numero nuova nuovo o oggi ogni operatore ora orari orario ordinato ordine ore oppure pacco pagare pagato
        pane parlare per perché perfetto pero però persona piacere più po poi poco posso possono possibile potete
        potrebbe potrei pranzo prego prezzi prezzo prima problema può puoi qual quale quali qualche qualcosa qualcuno
        quando quanta quanti quanto quasi quella quello questa questi questo qui reso ricevuto riparare rimborso rotta
        rotto sabato salve sapere scusa scusate se sei senza sera settimana si sì siamo siete solo sono sopra spedire
        spedito spedizione sta stata stato stesso su sua subito suo sul sulla tanto te tempo ti tra tre tu tua tuo
        tutta tutti tutto un una uno va vanno vedere vendete venerdì vi voglio voi volevo vorrei vorremmo vostra
        vostro
    """,
}
_HINTS = (  # of words that are in no list: endings and letters that one language has, or hardly any other
    (
        Language.GERMAN,
        r"ß|ung(?:en)?$|keit$|heit$|lich(?:e[nrms]?)?$|^ge\w+t$|schl|tz$|^[bvwf]\w*ä\w+[etn]$",
    ),
    (Language.SPANISH, r"ñ|ci[oó]n$|ciones$|amos$|ía[ns]?$|ieron$|dad$|lla$|ll[oa]s$"),
    (Language.FRENCH, r"[êèœûîë]|eaux?$|ées?$|eux$|euse$|ez$|oir$|ment$|aient$"),
    (Language.PORTUGUESE, r"ã|õ|ç[ãõ]o|ções$|nh[oa]s?$|lh[oa]s?$|agem$|mente$|ência$|ei$"),
    (
        Language.ITALIAN,
        r"zion[ei]$|zz|gli|tà$|ggi|cch|iamo$|mente$|etto$|etta$|ssi|tt[oaie]$|ebbe$|\w{4}[aei]re$",
    ),
)
_TOKEN = re.compile(r"[^\W\d_]+")
_ADDRESS = re.compile(r"[@/\\]|www\.")  # in links and e-mail addresses, which are in no language


def parse_sentences(setting: str, *, ours: Mapping[Language, str], name: str) -> Mapping[Language, str]:
    """Return the sentences that a setting means: `on` ours, `off` or nothing none, else its own in every language.

    Raise `Misconfigured`, which names the setting, for a long text and for a single word, such as `true`: YAML makes
    that of `on`.
    """
    sentence = setting.strip()
    if sentence.lower() == "on":
        return ours
    if sentence.lower() in {"", "off"}:
        return {}
    if re.fullmatch(r"[\w-]+", sentence, re.ASCII) or len(sentence) > MAX_SENTENCE_CHARACTERS:
        raise Misconfigured(
            f"{name} is {setting[:50]!r}: it must be on, off, or a sentence of at most"
            f" {MAX_SENTENCE_CHARACTERS} characters"
        )
    return dict.fromkeys(Language, sentence)


def language_of(text: str) -> Language | None:
    """Return the language that most words of a text speak for; None where few do, or another has nearly as many."""
    written = unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).lower().split()
    words = [word for each in written if not _ADDRESS.search(each) for word in _TOKEN.findall(each)]
    scores = dict.fromkeys(Language, 0.0)
    for word in words:
        for language in (of_it := _languages_of(word)):
            scores[language] += 1 / len(of_it)
    scores[Language.SPANISH] += text.count("¿") + text.count("¡")
    (best, score), (_, next_score), *_ = sorted(scores.items(), key=lambda item: -item[1])
    is_sure = score > MIN_SHARE * len(words) and score >= MIN_LEAD * next_score
    return best if is_sure else None


def _languages_of(word: str) -> tuple[Language, ...]:
    """Return the languages that a word speaks for: those that have it, else those whose letters it has."""
    hinted = (language for language, hint in _HINTS if len(word) >= MIN_HINTED and re.search(hint, word))
    return _known().get(word) or tuple(hinted)


@cache  # made when the first text is looked at, and not when a function starts
def _known() -> Mapping[str, tuple[Language, ...]]:
    """Return the languages of each word; a word may be written without its accents."""
    known: dict[str, tuple[Language, ...]] = {}
    for language, text in _WORDS.items():
        words = text.split()
        for word in {*words, *map(_without_accents, words)}:
            known[word] = (*known.get(word, ()), language)
    return known


def _without_accents(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
