"""A web process: its inboxes, its file, its webhooks."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="a text is forgotten before its turn",
        file=f"{LAYER}/worker.py",
        old="        lease_until = self.clock() + LEASE\n",
        new="        lease_until = self.clock() + LEASE\n        self.store.messages.remove(waiting)\n",
    ),
    Mutant(
        name="a turn that was put off is not tried again",
        file=f"{LAYER}/worker.py",
        old="        again = [each for each in waiting if each not in done]\n",
        new="        self.store.messages.remove(waiting)\n        again = [each for each in waiting if each not in done]\n",
    ),
    Mutant(
        name="a lifecycle event is forgotten before it is applied",
        file=f"{LAYER}/worker.py",
        old="            effect = apply(\n",
        new="            self.store.lifecycle_events.remove([each])\n            effect = apply(\n",
    ),
    Mutant(
        name="two turns of a conversation at once",
        file=f"{LAYER}/worker.py",
        old="            is_free = (kind, sid) not in self._busy\n",
        new="            is_free = True\n",
    ),
    Mutant(
        name="a web process never sweeps",
        file=f"{LAYER}/worker.py",
        old='        if now >= self._next_sweep and self._takes("sweep", ""):\n',
        new="        if False:\n",
    ),
    Mutant(
        name="a web process leaves its notices to its sweeps",
        file=f"{LAYER}/worker.py",
        old="        if result.notice:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a dead letter is gone before it waits again",
        file=f"{LAYER}/worker.py",
        old='            self.store.messages.put(again, id=f"{event_id(again)}-again", due=self.clock())\n',
        new="",
    ),
    Mutant(
        name="what comes later does not wait behind what was put off",
        file=f"{LAYER}/stores/inbox.py",
        old="            if sid not in first or each.number < first[sid].number:\n",
        new="            if sid not in first or each.due < first[sid].due:\n",
    ),
    Mutant(
        name="a webhook that comes twice waits twice",
        file=f"{LAYER}/stores/inbox.py",
        old="        if id not in self.waiting:\n",
        new="        if True:\n",
    ),
    Mutant(
        name="the leases of a process that was killed go on",
        file=f"{LAYER}/stores/sqlite.py",
        old="        _end_leases(conversations, clock())\n",
        new="        pass\n",
    ),
    Mutant(
        name="a POST of a process that was killed gets no time",
        file=f"{LAYER}/stores/sqlite.py",
        old="min(reply.verify_not_before, at + COMMIT_WINDOW)",
        new="at",
    ),
    Mutant(
        name="a call that failed halfway is kept",
        file=f"{LAYER}/stores/sqlite.py",
        old='            self.connection.execute("ROLLBACK")\n',
        new='            self.connection.execute("COMMIT")\n',
    ),
    Mutant(
        name="two processes share a file",
        file=f"{LAYER}/stores/sqlite.py",
        old='"locking_mode = EXCLUSIVE", ',
        new="",
    ),
    Mutant(
        name="a web process says 200 to what Twilio did not sign",
        file=f"{LAYER}/provider.py",
        old="            return HTTPStatus.FORBIDDEN if isinstance(error, NotAuthentic) else HTTPStatus.BAD_REQUEST\n",
        new="            return HTTPStatus.OK\n",
    ),
    Mutant(
        name="a web process accepts nothing",
        file=f"{LAYER}/provider.py",
        old="                worker.accept(event)\n",
        new="                pass\n",
    ),
)
