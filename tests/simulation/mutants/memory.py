"""What the assistant remembers: older history is replaced by a summary, stored once, under the fencing token."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MEMORY = f"{LAYER}/turn/memory.py"

MUTANTS = (
    Mutant(
        name="a summary is stored beside the reply, whatever the fencing token",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old="        self._update_fenced_with(conversation, update, puts)\n\n    def record_resend",
        new="        for item in puts:\n"
        "            self.table.put(conversation.sid, item)\n"
        "        self._update_fenced_with(conversation, update, [])\n\n    def record_resend",
    ),
    Mutant(
        name="a summary stands before the history, where a long one hides it",
        file=f"{LAYER}/aws/dynamodb/items.py",
        old='SUMMARY = f"{HISTORY}SUMMARY"',
        new='SUMMARY = f"{HISTORY}!SUMMARY"',
    ),
    Mutant(
        name="a summary that failed replaces the history",
        file=MEMORY,
        old="        if self.next is None or not text:\n",
        new="        if self.next is None:\n",
        breaks="the_history_shows_everything_once",
    ),
    Mutant(
        name="the next summary forgets the last one",
        file=MEMORY,
        old="to_summarize=(*first, *newest",
        new="to_summarize=(*newest_that_fit(first, 0), *newest",
        breaks="the_history_shows_everything_once",
    ),
    Mutant(
        name="a summary replaces what comes later to a gap below it",
        file=f"{LAYER}/conversation.py",
        old="item.index <= self.index and not (isinstance(item, Note) and item.index in self.gaps)",
        new="item.index <= self.index",
    ),
    Mutant(
        name="the history is read from above a gap of the summary",
        file=MEMORY,
        old="    last = min(gaps, default=index + 1) - 1\n",
        new="    last = index\n",
    ),
    Mutant(
        name="the history is read from behind the last turn in the summary",
        file=MEMORY,
        old="gaps=gaps, read_from=read_from)",
        new="gaps=gaps, read_from=read_from + 1)",
    ),
    Mutant(
        name="what a removed summary stood for stays hidden",
        file=MEMORY,
        old="    if conversation.history_from and history.summary is None:\n",
        new="    if conversation.history_from < 0:\n",
    ),
    Mutant(
        name="a new summary does not tell from where the history is read",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old="    if remembered.summary:\n",
        new="    if remembered.summary and remembered.customer:\n",
    ),
    Mutant(
        name="a summary reaches above the low watermark",
        file=MEMORY,
        old="        if not is_kept and index < below:\n",
        new="        if not is_kept:\n",
    ),
    Mutant(
        name="what is in the summary is shown beside it",
        file=MEMORY,
        old="    return [each for each in told if not (summary and each.of and summary.covers(each.of))]\n",
        new="    return list(told)\n",
    ),
    Mutant(
        name="a customer's conversations are kept under their address",
        file=MEMORY,
        old="key_of(turn.delivered[0].author, secret=turn.ports.customer_secret) if is_new",
        new="turn.delivered[0].author if is_new",
    ),
    Mutant(
        name="a summary is not quoted",
        file=f"{LAYER}/agents/history.py",
        old="    if entry.role is EntryRole.CUSTOMER:\n",
        new="    if entry.role in {EntryRole.CUSTOMER, EntryRole.SUMMARY}:\n",
    ),
)
