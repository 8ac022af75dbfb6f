"""English words that mean the same when customers write to a business, whatever it sells."""

from collections.abc import Iterable, Mapping, Sequence

_GROUPS = """
much cost price pricing charge fee rate expensive cheap cheaper cheapest pricey budget spend
ship shipping deliver delivery
parcel package shipment stuff
where address location located directions find street avenue route
card credit debit visa mastercard amex contactless
kid child children toddler
fix repair mend broken broke
book booking appointment reserve reservation slot
phone telephone call
email mail
job vacancy vacancies career apply application employ
refund reimburse reimbursement money
return exchange back swap
warranty guarantee
estimate quote quotation
discount deal coupon promo
installment instalment installments monthly finance financing
check cheque
class course lesson
pickup collect fetch
clean wash dirty filthy
install mount attach fit
lend loan loaner borrow
license licence
gift present
age older
express urgent
guide map
restroom toilet bathroom
staff team mechanic
pay payment
arrive came
damaged smashed cracked dented bent torn
online website internet
owner own owned owns run
finished done ready
rent rental renting
text sms message whatsapp
"""

# "How long" is answered by a time, and no time asks how long.
ANSWERED_BY = {"long": ("long", "minute", "hour", "day", "week", "month", "year")}

GENERAL_SYNONYMS = tuple(tuple(line.split()) for line in _GROUPS.strip().splitlines())


def synonym_table(groups: Iterable[Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """Return for each word all that mean the same: groups that share a word are one."""
    table: dict[str, tuple[str, ...]] = {}
    for group in groups:
        together = tuple(dict.fromkeys(same for word in group for same in table.get(word, (word,))))
        table.update(dict.fromkeys(together, together))
    return table | ANSWERED_BY


def base_forms(word: str) -> Iterable[str]:
    """Yield a word, and what it may be without an ending: deliveries → delivery, shipped → ship, prices → price."""
    yield word
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _MIN_STEM:
            yield stem + instead
            if stem[-1] == stem[-2]:
                yield stem[:-1]


_MIN_STEM = 3
_ENDINGS = (
    ("ies", "y"),
    ("es", ""),
    ("s", ""),
    ("ing", ""),
    ("ing", "e"),
    ("ied", "y"),
    ("ed", ""),
    ("ed", "e"),
)
