"""Send: post the missing parts of a frozen reply, in order. How a POST ends decides what becomes of the reply."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from switchboard.channels.channel import Channel
from switchboard.channels.files import carries, most_bytes
from switchboard.conversation import FILE_GONE, PendingReply, TurnOutcome
from switchboard.errors import NotSent, Permanent, SendRefused, Transient, Unknown
from switchboard.events import Marker, Sent
from switchboard.files import FileIsGone, content_type_of, is_url, name_in
from switchboard.ports import Fenced
from switchboard.turn.context import Step, TurnContext
from switchboard.turn.result import Deferred, Ended, RetryReason, Sending, ended, outcome_when_sent
from switchboard.turn.timing import (
    DELIVERY_LOOK_SECONDS,
    DELIVERY_LOOKS,
    MIN_LEASE_FOR_FETCH,
    MIN_LEASE_FOR_LOOK,
    MIN_LEASE_FOR_SEND,
    MIN_LEASE_FOR_UPLOAD,
    look_interval,
)


def send(turn: TurnContext, sending: Sending) -> Ended | Deferred:
    """Post each missing part once, and return how the reply ended, or that it must wait."""
    reply, sent = sending.reply, dict(sending.sent)
    missing = [part for part in range(len(reply.parts)) if part not in sent]
    for part in missing:
        marker = Marker(turn=reply.turn, part=part)
        file = reply.file_of(part)
        try:
            media_sid = _upload(turn, reply, file) if file else ""
            if part != missing[0]:
                _wait_for_delivery(turn, reply, sent[part - 1])
            _check_lease(turn, MIN_LEASE_FOR_SEND)
            if part != missing[0] or file:
                _check_fencing_token(turn)
            sent[part] = turn.ports.messenger.send_message(
                turn.conversation.sid,
                body=reply.parts[part],
                marker=marker,
                content=reply.content if part == len(reply.text_parts) - 1 else None,
                media_sid=media_sid,
            )
        except FileIsGone:
            return ended(replace(sending, sent=sent), TurnOutcome.REFUSED, rule=FILE_GONE)
        except SendRefused as error:
            rule = f"twilio_{error.code or 'refused'}"
            return ended(replace(sending, sent=sent), TurnOutcome.REFUSED, rule=rule)
        except NotSent as error:
            never_left = [number for number in missing if number >= part]
            return _deferred(turn, sending, error, never_left=never_left, may_be_committed=bool(sent))
        except Unknown as error:
            return _deferred(turn, sending, error, never_left=(), may_be_committed=True)
        turn.observe(Step.SEND, f"part {part + 1} of {len(reply.parts)}")
    return ended(replace(sending, sent=sent), outcome_when_sent(reply.kind))


def _wait_for_delivery(turn: TurnContext, reply: PendingReply, before: Sent) -> None:
    """Wait until the SMS before has arrived, or has failed, where that is wanted: a few seconds at most.

    Where Twilio does not say, the next one is sent all the same.
    """
    if reply.channel is not Channel.SMS or not turn.settings.sms.wait_for_delivery:
        return
    for _ in range(DELIVERY_LOOKS):
        if turn.lease_until - turn.now() < MIN_LEASE_FOR_SEND + MIN_LEASE_FOR_LOOK:
            return
        try:
            if turn.ports.messenger.is_settled(turn.conversation.sid, before.message_sid):
                return
        except (Transient, Permanent):
            return
        turn.ports.pause(DELIVERY_LOOK_SECONDS)


def _upload(turn: TurnContext, reply: PendingReply, name: str) -> str:
    """Upload a file right before its POST, and return its SID; empty where it is sent as a link. It is kept nowhere.

    Twilio deletes what no message has after five minutes, and one SID is good for one message: whoever sends the part
    again uploads the file again.
    """
    if is_url(name):
        return _upload_fetched(turn, reply, name)
    content = turn.ports.files.read(name)
    _check_lease(turn, MIN_LEASE_FOR_UPLOAD)
    sid = turn.ports.messenger.upload(content=content, content_type=content_type_of(name), filename=name)
    turn.observe(Step.SEND, "upload")
    return sid


def _upload_fetched(turn: TurnContext, reply: PendingReply, url: str) -> str:
    """Fetch a file and upload it; return its SID, or nothing where the link is sent in its place.

    Whatever another host does costs the reply no other try: only Twilio, away for a moment, does. A turn that thought
    may have too little time left; one that only sends has as much as the function ever has.
    """
    channel = reply.channel or Channel.OTHER
    if reply.looks and turn.lease_until - turn.now() < MIN_LEASE_FOR_FETCH:
        return ""
    _check_lease(turn, MIN_LEASE_FOR_FETCH)
    try:
        file = turn.ports.fetcher.fetch(url, max_bytes=most_bytes(channel)) if turn.ports.fetcher else None
    except (Permanent, Transient):
        file = None
    turn.observe(Step.SEND, "fetch")
    if file is None or file.content_type != content_type_of(name_in(url)):
        return ""
    if not carries(channel, content_type=file.content_type, size=len(file.content)):
        return ""
    _check_lease(turn, MIN_LEASE_FOR_UPLOAD)
    try:
        sid = turn.ports.messenger.upload(content=file.content, content_type=file.content_type, filename=name_in(url))
    except SendRefused:
        return ""
    turn.observe(Step.SEND, "upload")
    return sid


def _check_lease(turn: TurnContext, needed: timedelta) -> None:
    """Raise `NotSent` if the lease might end before the POST does."""
    if turn.lease_until - turn.now() < needed:
        raise NotSent(f"{turn.conversation.sid}: too little of the lease is left for a POST")


def _check_fencing_token(turn: TurnContext) -> None:
    """Raise `Fenced` if the conversation was taken away since the part before."""
    token = turn.ports.conversations.read_fencing_token(turn.conversation.sid)
    if token != turn.conversation.fencing_token:
        raise Fenced(f"{turn.conversation.sid}: the conversation was taken between two parts")


def _deferred(
    turn: TurnContext,
    sending: Sending,
    error: Transient | Unknown,
    *,
    never_left: Collection[int],
    may_be_committed: bool,
) -> Deferred:
    """Return the reply for later. Parts that never left get their POST back; what may be on its way gets time."""
    now = turn.now()
    wait = look_interval(sending.reply.looks) if may_be_committed else timedelta(0)
    reply = replace(
        sending.reply,
        send_attempts=tuple(n - (part in never_left) for part, n in enumerate(sending.reply.send_attempts)),
        verify_not_before=now + wait,
    )
    return Deferred(
        reason=RetryReason.LOOKING if may_be_committed else RetryReason.RETRY,
        retry_at=reply.verify_not_before,
        reply=reply,
        cause=str(error),
        tried_since=reply.frozen_at,
    )
