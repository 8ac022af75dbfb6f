"""Search what an assistant knows, by SQLite's full-text search (FTS5) over an index in memory.

A question finds the chunks that have most of its words, by weight: a rare word counts more (BM25's inverse document
frequency), and one that stands nowhere counts most. "Do you sell cars?" does not find "We sell bicycles". Of
those equally good, the first ones are taken: files begin with what is general.
"""

import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from threading import Lock
from weakref import finalize

from switchboard.agents.knowledge.chunks import Chunk, read_folder
from switchboard.agents.knowledge.days import days_meant
from switchboard.agents.knowledge.phrases import in_a_word
from switchboard.agents.knowledge.stop_words import SAYS_LESS, STOP_WORDS
from switchboard.agents.knowledge.synonyms import GENERAL_SYNONYMS, base_forms, synonym_table
from switchboard.errors import Misconfigured

MIN_COVERAGE = 0.42  # of the question's words, by weight; with less, a chunk is about something else
AS_GOOD_AS_THE_BEST = 0.75  # a chunk that covers less than this share of what the best one covers is left out
MAX_WORDS = 40  # of a question; the others are not searched for, so that a long question stays cheap
HEADINGS_WEIGH = 0.5  # a word in a heading counts half

_WORD = re.compile(r"[^\W\d_]\w*")  # a number alone finds any other use of that number
_COMPOUND = re.compile(r"\b[^\W\d_]+(?:-[^\W\d_]+)+")  # tune-up: customers also write tuneup
_ENDING = re.compile(r"['\u2019]\w+")
_TELLS_WHAT_HAPPENS = ("ing", "ed")
_MIN_MISSPELT_LENGTH = 5  # in shorter words one letter makes another word: cars, cards
_CLOSE = 0.85  # one letter wrong in seven, or one missing in five


class Knowledge:
    """The chunks of a folder, which is read once: by `load`, or else by the first search. Any thread may search.

    Without a folder nothing is known.

    `synonyms` are groups of words, in lower case, that mean the same in these chunks and in questions about them. They
    are joined to those of `GENERAL_SYNONYMS`.
    """

    def __init__(self, folder: Path | None = None, *, synonyms: Iterable[Sequence[str]] = ()) -> None:
        self._folder = folder
        self._synonyms = tuple(map(tuple, synonyms))
        self._lock = Lock()
        self._index: _Index | None = None

    def load(self) -> None:
        """Read the folder. Raise `Misconfigured` where it has no text, or where Python's SQLite lacks FTS5."""
        with self._lock:
            if self._folder is not None:
                self._loaded(self._folder)

    def search(self, question: str, *, limit: int = 3) -> list[Chunk]:
        """Return the best chunks for a question, in the order of the files; an empty list where none fits.

        Raise `Misconfigured` as `load` does.
        """
        with self._lock:
            return [] if self._folder is None else self._loaded(self._folder).search(question, limit)

    def _loaded(self, folder: Path) -> "_Index":
        if self._index is None:
            self._index = _read(folder, self._synonyms)
            finalize(self, self._index.database.close)
        return self._index


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """A table of facts (its rowid is the place in `chunks`) and the words that stand in it."""

    database: sqlite3.Connection
    chunks: list[Chunk]
    vocabulary: set[str]
    synonyms: Mapping[str, tuple[str, ...]]

    def search(self, question: str, limit: int) -> list[Chunk]:
        words = self._words_asked(question)
        if not words:
            return []
        found = {word: self._found(word) for word in words}
        weights = {word: self._weight(word, found=len(found[word])) for word in words}
        asked = sum(weights.values())
        coverage = {
            place: sum(weights[word] * found[word].get(place, 0.0) for word in words) / asked
            for place in set().union(*found.values())
        }
        best = max(coverage.values(), default=0.0)
        enough = max(MIN_COVERAGE, best * AS_GOOD_AS_THE_BEST)
        ranked = sorted(coverage, key=lambda place: (-round(coverage[place], 2), place))
        chosen = [place for place in ranked if coverage[place] >= enough][:limit]
        return [self.chunks[place] for place in sorted(chosen)]

    def _words_asked(self, question: str) -> list[str]:
        """Return the first words that carry meaning, each once; a misspelt one as the word it was meant to be."""
        asked = (word for word in _words(in_a_word(question)) if word in self.synonyms or word not in STOP_WORDS)
        known = map(self._as_known, islice(dict.fromkeys(asked), MAX_WORDS))
        return list({self.synonyms.get(word, (word,)): word for word in known}.values())

    def _as_known(self, word: str) -> str:
        """Return a word as it stands in the synonyms or in the chunks; as it is, where it is in neither."""
        if form := next((form for form in base_forms(word) if form in self.synonyms), None):
            return form
        if len(word) < _MIN_MISSPELT_LENGTH or self._found(word):
            return word
        alike = sorted(known for known in self.vocabulary if known[0] == word[0])
        return next(iter(get_close_matches(word, alike, n=1, cutoff=_CLOSE)), word)

    def _weight(self, word: str, *, found: int) -> float:
        """Return how much a word counts; one that stands nowhere and says only what happens or how, less."""
        rarity = _rarity(found, among=len(self.chunks))
        if found:
            return rarity
        if not SAYS_LESS.isdisjoint(base_forms(word)):
            return rarity / 4
        return rarity / 2 if word.endswith(_TELLS_WHAT_HAPPENS) else rarity

    def _found(self, word: str) -> dict[int, float]:
        """Return the places of the chunks with a word, and how much it says of each."""
        query = "SELECT rowid FROM chunks WHERE chunks MATCH ?"
        below = self.database.execute(query, (f"topic : ({self._expression(word)})",))
        within = self.database.execute(query, (f"text : ({self._expression(word)})",))
        return {place: HEADINGS_WEIGH for (place,) in below} | {place: 1.0 for (place,) in within}

    def _expression(self, word: str) -> str:
        """Write a word and its synonyms for FTS5, quoted: a bare `?` or `'` is a syntax error there."""
        return " OR ".join(f'"{synonym}"' for synonym in self.synonyms.get(word, (word,)))


def _read(folder: Path, synonyms: Sequence[tuple[str, ...]]) -> _Index:
    chunks = list(read_folder(folder))
    if not chunks:
        raise Misconfigured(f"the knowledge folder is empty: put a *.md file with text into {folder.name}/")
    # Every use is under the one lock, whichever thread has it.
    database = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        database.execute("CREATE VIRTUAL TABLE chunks USING fts5(topic, text, tokenize = 'porter unicode61')")
    except sqlite3.OperationalError as error:
        database.close()
        raise Misconfigured(f"the knowledge needs a Python whose SQLite has FTS5: {error}") from None
    database.executemany(
        "INSERT INTO chunks (rowid, topic, text) VALUES (?, ?, ?)",
        [(place, chunk.topic, " ".join([chunk.text, *days_meant(chunk.text)])) for place, chunk in enumerate(chunks)],
    )
    texts = [f"{chunk.topic} {chunk.text}".lower() for chunk in chunks]
    compounds = {(compound.replace("-", ""), compound) for text in texts for compound in _COMPOUND.findall(text)}
    table = synonym_table([*GENERAL_SYNONYMS, *synonyms, *sorted(compounds)])
    known = {word for text in texts for word in _words(text)}
    return _Index(database=database, chunks=chunks, vocabulary=known.union(table) - STOP_WORDS, synonyms=table)


def _words(text: str) -> list[str]:
    """Return the words of a text; what follows an apostrophe (what's, don't) is not a word of its own."""
    return _WORD.findall(_ENDING.sub("", text.lower()))


def _rarity(number: int, *, among: int) -> float:
    """Return BM25's inverse document frequency, in the form that stays positive."""
    return math.log(1 + (among - number + 0.5) / (number + 0.5))
