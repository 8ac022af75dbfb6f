"""What a turn's reply cost: the parts that Twilio took, by the price table."""

from dataclasses import replace

from switchboard.conversation import RULE_OF_KIND, TurnOutcome
from switchboard.cost import Cost
from switchboard.turn.context import TurnContext
from switchboard.turn.result import Ended


def cost_of(turn: TurnContext, ending: Ended) -> Cost:
    """Return what the sent parts cost. What Twilio refused costs nothing; where a part may have left, nobody knows.

    The price is of one customer: how many others take part in the conversation is not known here.
    """
    reply = ending.reply
    texts = [text for number, text in enumerate(reply.text_parts) if number in ending.sent]
    cost = turn.settings.prices.cost(reply.channel or turn.channel(), turn.delivered[0].author, texts)
    if len(ending.sent) > len(texts):  # a text with a file has a price of its own, which the table does not have
        return replace(cost, messages=len(ending.sent), price=None, currency="")
    if reply.content:  # Meta bills a template by a category that its SID does not tell
        return replace(cost, category=None, price=None, currency="")
    return replace(cost, price=None, currency="") if _may_have_sent_more(ending) else cost


def _may_have_sent_more(ending: Ended) -> bool:
    """Tell whether a part may have left that no list has shown: `unsure`, also of what a rule says."""
    missing = (count for part, count in enumerate(ending.reply.send_attempts) if part not in ending.sent)
    is_by_its_rule = ending.rule == RULE_OF_KIND.get(ending.reply.kind)  # then no outcome says that it is unsure
    return ending.outcome is TurnOutcome.UNSURE or (is_by_its_rule and any(missing))
