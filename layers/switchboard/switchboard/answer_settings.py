"""How a web process answers. The deployment has the same settings, with the same defaults, in template.yaml."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from switchboard.budgets import Budget
from switchboard.channels.sms import SmsSettings
from switchboard.consent_sentences import parse_help
from switchboard.content import Content
from switchboard.disclosure import parse_disclosure
from switchboard.memory import parse_memory
from switchboard.prices import NO_PRICES, PriceTable
from switchboard.turn.context import TurnSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """What the deployment's parameters of these names mean: docs/operations.md, "Settings".

    `trial_addresses` are expressions that must match the whole address. `turns_at_once` is how many conversations are
    answered at the same time; it limits the model's load. `prices` is what `parse_prices` returns for a file such as
    functions/agent/prices.toml; without it, what a reply costs is unknown. `files_folder` has the files that an answer
    may send; in a deployment it is the folder `files` beside assistant.py.
    """

    disclosure_sentence: str = "on"
    fallback_sentence: str = "Sorry, I cannot answer this right now. A colleague will get back to you."
    limit_sentence: str = "Sorry, I can answer no more messages today. Please write again tomorrow."
    voice_note_sentence: str = "Sorry, I cannot listen to voice messages. Please write what it is about."
    help_sentence: str = "on"
    window_template_sid: str = ""
    customer_turns_per_day: int = 200
    turns_per_day: int = 20000
    turns_per_ten_minutes: int = 20
    max_segments: int = 10
    smart_encoding: bool = True
    wait_for_delivery: bool = False
    trial_addresses: tuple[re.Pattern[str], ...] = ()
    answer_within_minutes: int = 5
    max_attempts: int = 3
    max_event_age_minutes: int = 60
    coalesce_seconds: int = 1
    sweep_requests: int = 600
    hand_back_after_minutes: int = 0
    assistant_memory: str = "conversation"
    turns_at_once: int = 10
    prices: PriceTable = NO_PRICES
    files_folder: Path | None = None

    def for_turns(self) -> TurnSettings:
        """Return what a turn needs of them."""
        return TurnSettings(
            disclosure=parse_disclosure(self.disclosure_sentence, name="disclosure_sentence"),
            fallback_sentence=self.fallback_sentence,
            budget=Budget(
                turns_by_customer=self.customer_turns_per_day,
                turns_by_all=self.turns_per_day,
                sentence=self.limit_sentence,
            ),
            answer_within=timedelta(minutes=self.answer_within_minutes),
            max_attempts=self.max_attempts,
            max_event_age=timedelta(minutes=self.max_event_age_minutes),
            turns_per_ten_minutes=self.turns_per_ten_minutes,
            sms=SmsSettings(
                max_segments=self.max_segments,
                smart_encoding=self.smart_encoding,
                wait_for_delivery=self.wait_for_delivery,
            ),
            trial_addresses=self.trial_addresses,
            memory=parse_memory(self.assistant_memory, name="assistant_memory"),
            voice_note_sentence=self.voice_note_sentence.strip(),
            consent=parse_help(self.help_sentence, name="help_sentence"),
            window_template=Content(sid=self.window_template_sid) if self.window_template_sid else None,
            prices=self.prices,
        )
