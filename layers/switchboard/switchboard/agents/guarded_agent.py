"""An agent of any kind, whose answers are read before they are sent: a function, an HTTP endpoint, another framework.

What `Assistant` declares has a guard of its own (agents/guard.py), which can ask the model once more. Here nobody can
be asked: what must not be sent is refused, and the customer reads the fallback sentence.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from switchboard.agent import Agent, Answer, Question
from switchboard.agents.answer_rules import MAX_CHARACTERS, AnswerRules, shortened
from switchboard.agents.function_agent import as_agent
from switchboard.agents.reasoning import without_reasoning
from switchboard.errors import Permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedAgent:
    """Asks the agent; takes reasoning out of its answer, cuts one that is too long, and refuses what the rules do."""

    agent: Agent
    rules: AnswerRules

    def answer(self, question: Question) -> Answer:
        """Return the agent's answer as it may be sent; raise `Permanent` where it may not."""
        answer = self.agent.answer(question)
        if answer.no_reply:
            return answer
        text = without_reasoning(answer.text)
        sent = shortened(text)
        if text and not sent:
            raise Permanent(
                f"{question.turn}: the answer has {len(text)} characters, and no sentence ends within {MAX_CHARACTERS}"
            )
        if self.rules.refusal("\n".join((sent, *answer.read_beside))):
            raise Permanent(
                f"{question.turn}: the answer was refused: it holds a secret phrase, or a link that is not allowed"
            )
        return replace(answer, text=sent)


def guarded(agent: object, *, secret_phrases: Collection[str] = ()) -> GuardedAgent:
    """Return a function or an agent that never says these phrases, however they are spaced or capitalised."""
    return GuardedAgent(agent=as_agent(agent), rules=AnswerRules(secret_phrases=tuple(secret_phrases)))
