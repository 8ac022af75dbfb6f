"""Settings, read from the environment. What is missing or malformed raises a `Misconfigured` that names the variable.

Defaults stand in template.yaml, and nowhere else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from switchboard.author import AuthorRules
from switchboard.content import Content
from switchboard.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """What the webhook function needs."""

    twilio_secret_id: str
    public_url: str | None
    messages_queue_url: str
    lifecycle_queue_url: str
    author_rules: AuthorRules


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What the agent function needs."""

    twilio_secret_id: str
    twilio_base_url: str | None
    messages_queue_url: str
    messages_dead_letter_queue_url: str
    conversations_table: str
    event_bus_name: str
    assistant_model: str
    disclosure_sentence: str
    assistant_fallback_model: str
    assistant_memory: str
    model_secret_id: str
    fallback_sentence: str
    limit_sentence: str
    voice_note_sentence: str
    help_sentence: str
    window_template: Content | None
    customer_turns_per_day: int
    turns_per_day: int
    answer_within_minutes: int
    max_attempts: int
    max_event_age_minutes: int
    coalesce_seconds: int
    turns_per_ten_minutes: int
    max_segments: int
    smart_encoding: bool
    wait_for_delivery: bool
    trial_addresses: tuple[re.Pattern[str], ...]
    allowed_link_hosts: frozenset[str]
    author_rules: AuthorRules


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """What the lifecycle function needs."""

    twilio_secret_id: str
    twilio_base_url: str | None
    messages_queue_url: str
    lifecycle_queue_url: str
    lifecycle_dead_letter_queue_url: str
    conversations_table: str
    event_bus_name: str
    author_rules: AuthorRules


@dataclass(frozen=True, slots=True, kw_only=True)
class SweeperSettings:
    """What the sweeper function needs."""

    twilio_secret_id: str
    twilio_base_url: str | None
    messages_queue_url: str
    lifecycle_queue_url: str
    conversations_table: str
    event_bus_name: str
    max_event_age_minutes: int
    sweep_requests: int
    hand_back_after_minutes: int
    author_rules: AuthorRules


def webhook_settings(environment: Mapping[str, str]) -> WebhookSettings:
    """Read the webhook function's settings."""
    return WebhookSettings(
        twilio_secret_id=_required(environment, "TWILIO_SECRET_ID"),
        public_url=_url(environment, "PUBLIC_URL"),
        messages_queue_url=_required(environment, "MESSAGES_QUEUE_URL"),
        lifecycle_queue_url=_required(environment, "LIFECYCLE_QUEUE_URL"),
        author_rules=_author_rules(environment),
    )


def agent_settings(environment: Mapping[str, str]) -> AgentSettings:
    """Read the agent function's settings."""
    return AgentSettings(
        twilio_secret_id=_required(environment, "TWILIO_SECRET_ID"),
        twilio_base_url=_url(environment, "TWILIO_BASE_URL"),
        messages_queue_url=_required(environment, "MESSAGES_QUEUE_URL"),
        messages_dead_letter_queue_url=_required(environment, "MESSAGES_DEAD_LETTER_QUEUE_URL"),
        conversations_table=_required(environment, "CONVERSATIONS_TABLE"),
        event_bus_name=_required(environment, "EVENT_BUS_NAME"),
        assistant_model=_required(environment, "ASSISTANT_MODEL"),
        disclosure_sentence=_set(environment, "DISCLOSURE_SENTENCE"),
        assistant_fallback_model=environment.get("ASSISTANT_FALLBACK_MODEL", "").strip(),
        assistant_memory=_required(environment, "ASSISTANT_MEMORY"),
        model_secret_id=environment.get("MODEL_SECRET_ID", "").strip(),
        fallback_sentence=_required(environment, "FALLBACK_SENTENCE"),
        limit_sentence=_required(environment, "LIMIT_SENTENCE"),
        voice_note_sentence=_set(environment, "VOICE_NOTE_SENTENCE").strip(),
        help_sentence=_set(environment, "HELP_SENTENCE"),
        window_template=_content(environment, "WINDOW_TEMPLATE_SID"),
        customer_turns_per_day=_integer(environment, "CUSTOMER_TURNS_PER_DAY", minimum=1),
        turns_per_day=_integer(environment, "TURNS_PER_DAY", minimum=1),
        answer_within_minutes=_integer(environment, "ANSWER_WITHIN_MINUTES", minimum=1),
        max_attempts=_integer(environment, "MAX_ATTEMPTS", minimum=1),
        max_event_age_minutes=_integer(environment, "MAX_EVENT_AGE_MINUTES", minimum=1),
        coalesce_seconds=_integer(environment, "COALESCE_SECONDS", minimum=0),
        turns_per_ten_minutes=_integer(environment, "TURNS_PER_TEN_MINUTES", minimum=1),
        max_segments=_integer(environment, "MAX_SEGMENTS", minimum=1),
        smart_encoding=_switch(environment, "SMART_ENCODING"),
        wait_for_delivery=_switch(environment, "WAIT_FOR_DELIVERY"),
        trial_addresses=_patterns(environment, "TRIAL_ADDRESSES"),
        allowed_link_hosts=_hosts(environment, "ALLOWED_LINK_HOSTS"),
        author_rules=_author_rules(environment),
    )


def messages_queue_url(environment: Mapping[str, str]) -> str:
    """Read the one setting that the agent function needs to give records back where another setting is wrong."""
    return _required(environment, "MESSAGES_QUEUE_URL")


def lifecycle_queue_url(environment: Mapping[str, str]) -> str:
    """Read the one setting that the lifecycle function needs to give records back where another setting is wrong."""
    return _required(environment, "LIFECYCLE_QUEUE_URL")


def lifecycle_settings(environment: Mapping[str, str]) -> LifecycleSettings:
    """Read the lifecycle function's settings."""
    return LifecycleSettings(
        twilio_secret_id=_required(environment, "TWILIO_SECRET_ID"),
        twilio_base_url=_url(environment, "TWILIO_BASE_URL"),
        messages_queue_url=_required(environment, "MESSAGES_QUEUE_URL"),
        lifecycle_queue_url=_required(environment, "LIFECYCLE_QUEUE_URL"),
        lifecycle_dead_letter_queue_url=_required(environment, "LIFECYCLE_DEAD_LETTER_QUEUE_URL"),
        conversations_table=_required(environment, "CONVERSATIONS_TABLE"),
        event_bus_name=_required(environment, "EVENT_BUS_NAME"),
        author_rules=_author_rules(environment),
    )


def sweeper_settings(environment: Mapping[str, str]) -> SweeperSettings:
    """Read the sweeper function's settings."""
    return SweeperSettings(
        twilio_secret_id=_required(environment, "TWILIO_SECRET_ID"),
        twilio_base_url=_url(environment, "TWILIO_BASE_URL"),
        messages_queue_url=_required(environment, "MESSAGES_QUEUE_URL"),
        lifecycle_queue_url=_required(environment, "LIFECYCLE_QUEUE_URL"),
        conversations_table=_required(environment, "CONVERSATIONS_TABLE"),
        event_bus_name=_required(environment, "EVENT_BUS_NAME"),
        max_event_age_minutes=_integer(environment, "MAX_EVENT_AGE_MINUTES", minimum=1),
        sweep_requests=_integer(environment, "SWEEP_REQUESTS", minimum=4),
        hand_back_after_minutes=_integer(environment, "HAND_BACK_AFTER_MINUTES", minimum=0),
        author_rules=_author_rules(environment),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise Misconfigured(f"{name} is not set")
    return value


def _set(environment: Mapping[str, str], name: str) -> str:
    """Return a value that may be empty, and must be set."""
    value = environment.get(name)
    if value is None:
        raise Misconfigured(f"{name} is not set")
    return value


def _url(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name, "").strip()
    if not value:
        return None
    if not re.match(r"https?://[^/]", value):
        raise Misconfigured(f"{name} is {value!r}: it must be a URL that begins with http:// or https://")
    return value


def _integer(environment: Mapping[str, str], name: str, *, minimum: int) -> int:
    value = _required(environment, name)
    if not value.isdecimal() or int(value) < minimum:
        raise Misconfigured(f"{name} is {value!r}: it must be a whole number, at least {minimum}")
    return int(value)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = _required(environment, name)
    if value not in {"on", "off"}:
        raise Misconfigured(f"{name} is {value!r}: it must be on or off")
    return value == "on"


def _content(environment: Mapping[str, str], name: str) -> Content | None:
    sid = environment.get(name, "").strip()
    try:
        return Content(sid=sid) if sid else None
    except Misconfigured as error:
        raise Misconfigured(f"{name}: {error}") from None


def _hosts(environment: Mapping[str, str], name: str) -> frozenset[str]:
    hosts = environment.get(name, "").lower().split()
    for host in hosts:
        if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", host):
            raise Misconfigured(
                f"{name} has {host!r}: it takes hosts such as shop.example.com, without https:// or path"
            )
    return frozenset(hosts)


def _author_rules(environment: Mapping[str, str]) -> AuthorRules:
    return AuthorRules(
        system_authors=frozenset(_required(environment, "SYSTEM_AUTHORS").split()),
        human_addresses=_patterns(environment, "HUMAN_ADDRESSES"),
        visitor_identities=_patterns(environment, "VISITOR_IDENTITIES"),
    )


def _patterns(environment: Mapping[str, str], name: str) -> tuple[re.Pattern[str], ...]:
    """Return the regular expressions of a setting. An error gives their number alone: they may be addresses."""
    patterns: list[re.Pattern[str]] = []
    for number, expression in enumerate(environment.get(name, "").split(), start=1):
        # `whatsapp:+1…` is a valid expression that matches no address: `:+` repeats the colon.
        if re.search(r"(^|:)\+", expression):
            raise Misconfigured(f"{name}: in expression {number}, write \\+ for the plus sign of an address")
        try:
            patterns.append(re.compile(expression))
        except re.error as error:
            raise Misconfigured(f"{name}: expression {number} is not a valid regular expression: {error.msg}") from None
    return tuple(patterns)
