"""Twilio's webhooks and what its REST API answers."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="any token may have signed",
        file=f"{LAYER}/twilio/webhook/verify.py",
        old="    if not any(RequestValidator(token)",
        new="    if False and not any(RequestValidator(token)",
    ),
    Mutant(
        name="two forms, one signature",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old="    reject_ambiguous(form, VALUES)\n",
        new="",
    ),
    Mutant(
        name="a customer's word may be the name of a field",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old="        if text.count(name) != ",
        new="        if text.count(name) < ",
    ),
    Mutant(
        name="a text may be cut before a name that nobody documents",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old='names[: bisect(names, "ConversationSid")]',
        new='names[: bisect(names, "Body")]',
    ),
    Mutant(
        name="attributes may be cut anywhere",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old='if not _is_json(form.get("Attributes") or "{}"):',
        new="if False:",
    ),
    Mutant(
        name="an author may hold the text",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old='if "Body" in (form.get("Author") or ""):',
        new="if False:",
    ),
    Mutant(
        name="media may vanish into another field",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old='WORDS_WE_READ = ("Media", ',
        new="WORDS_WE_READ = (",
    ),
    Mutant(
        name="a status may vanish into another field",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old=', "Status")\nWITH',
        new=")\nWITH",
    ),
    Mutant(
        name="an event type may be cut short",
        file=f"{LAYER}/twilio/webhook/one_meaning.py",
        old="if read and max",
        new="if False and max",
    ),
    Mutant(
        name="another account's events are ours",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old='    if fields.sid("AccountSid", form.get("AccountSid"), prefix="AC") != expected.account_sid:\n',
        new="    if False:\n",
    ),
    Mutant(
        name="a decision dated in the future counts",
        file=f"{LAYER}/twilio/webhook/parse.py",
        old='if updated and at > fields.timestamp("DateUpdated", updated) + MAX_CLOCK_SKEW:',
        new="if False:",
    ),
    Mutant(
        name="a rotated token is not read again",
        file=f"{LAYER}/twilio/webhook/read.py",
        old="        if rotated := self.secrets.refresh():\n",
        new="        if rotated := None:\n",
    ),
    Mutant(
        name="5xx is not sent",
        file=f"{LAYER}/twilio/rest/errors.py",
        old="        if error.status >= SERVER_ERROR:\n            raise Unknown(sentence) from None\n",
        new="",
    ),
    Mutant(
        name="a refused token refuses the message",
        file=f"{LAYER}/twilio/rest/errors.py",
        old="if _passes(error) or error.status in CREDENTIALS:",
        new="if _passes(error):",
    ),
    Mutant(
        name="a reset counts as not sent",
        file=f"{LAYER}/twilio/rest/http.py",
        old="            if _never_left(error):\n",
        new="            if True:\n",
    ),
    Mutant(
        name="a human's words are a customer's",
        file="functions/webhook/app.py",
        old="isinstance(happened, MessageAdded) and happened.author_role is AuthorRole.CUSTOMER",
        new="isinstance(happened, MessageAdded)",
    ),
    Mutant(
        name="a webhook may tell any number",
        file=f"{LAYER}/twilio/fields.py",
        old='_INTEGER = re.compile(r"[0-9]{1,9}")',
        new='_INTEGER = re.compile(r"-?[0-9]+")',
    ),
)
