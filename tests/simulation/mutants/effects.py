"""What the tools of a turn change outside: once, under the fencing token, and told to whoever comes next."""

from tests.simulation.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        name="an effect is not written down before it happens",
        file=f"{LAYER}/turn/effects.py",
        old="        self.turn.ports.conversations.begin_effect(self.turn.conversation, effect, so_far=so_far, after=after)\n",
        new="",
        breaks="an_effect_is_written_down_before_it_happens",
    ),
    Mutant(
        name="what an earlier attempt began is run again",
        file=f"{LAYER}/turn/effects.py",
        old="            if known and known.state is EffectState.BEGUN:\n",
        new="            if False:\n",
        breaks="no_effect_happens_twice",
    ),
    Mutant(
        name="an effect is checked while it may still happen",
        file=f"{LAYER}/turn/effects.py",
        old="        if self.turn.now() < begun.settled_by:\n",
        new="        if False:\n",
        breaks="no_effect_happens_twice",
    ),
    Mutant(
        name="a tool that failed is checked at once",
        file=f"{LAYER}/turn/effects.py",
        old="settled_by=self.turn.now() + COMMIT_WINDOW))",
        new="settled_by=self.turn.now()))",
        breaks="no_effect_happens_twice",
    ),
    Mutant(
        name="what nobody knows is answered",
        file=f"{LAYER}/turn/think.py",
        old="    if effects.is_unknown():\n",
        new="    if False:\n",
        breaks="what_an_answer_says_has_happened",
    ),
    Mutant(
        name="a record forgets what its turn has changed",
        file=f"{LAYER}/turn/record.py",
        old="tuple(effect.told() for effect in effects_of(turn).effects)",
        new="()",
        breaks="a_record_tells_the_effects",
    ),
    Mutant(
        name="the turn forgets that it has changed something",
        file=f"{LAYER}/turn/think.py",
        old="    has_effects = bool(effects.kept.effects)\n",
        new="    has_effects = False\n",
        breaks="a_record_tells_the_effects",
    ),
    Mutant(
        name="a zombie begins an effect",
        file=f"{LAYER}/stores/memory.py",
        old="        item = self._fenced(conversation)\n        kept = self.read_effects(item.sid, item.turn)\n",
        new="        item = self.items[conversation.sid]\n        kept = self.read_effects(item.sid, item.turn)\n",
        breaks="no_zombie_begins_an_effect",
    ),
    Mutant(
        name="what certainly did not happen is unknown",
        file=f"{LAYER}/turn/effects.py",
        old="            self._end(replace(effect, state=EffectState.NOT_HAPPENED))\n",
        new="",
    ),
    Mutant(
        name="the result of an effect is not kept",
        file=f"{LAYER}/turn/effects.py",
        old="        return self._end(replace(effect, state=EffectState.HAPPENED, result=result)).result\n",
        new="        return result\n",
    ),
    Mutant(
        name="an effect begins when no time is left",
        file=f"{LAYER}/turn/effects.py",
        old="            self._require_time()  # writing it down may have taken long\n",
        new="",
    ),
    Mutant(
        name="after what nobody knows another effect begins",
        file=f"{LAYER}/turn/effects.py",
        old="            if self.is_unknown():\n",
        new="            if False:\n",
    ),
    Mutant(
        name="the history hides what was changed",
        file=f"{LAYER}/turn/history.py",
        old="        for text in record.effects:\n",
        new="        for text in ():\n",
    ),
    Mutant(
        name="DynamoDB: a zombie begins an effect",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='                {"Update": update.request(self.table.name, conversation.sid)},\n                {\n',
        new="                {\n",
    ),
    Mutant(
        name="DynamoDB: an effect of another worker begins again",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='"ConditionExpression": f"{condition} OR #effect = :effect",',
        new='"ConditionExpression": "attribute_not_exists(nothing)",',
    ),
    Mutant(
        name="DynamoDB: an effect that ended ends again",
        file=f"{LAYER}/aws/dynamodb/turn_store.py",
        old='ConditionExpression="#effect.#token = :token AND #effect.#state = :begun",',
        new='ConditionExpression="#effect.#token = :token AND #effect.#state <> :token",',
    ),
    Mutant(
        name="DynamoDB: the next turn is told of effects that it has not",
        file=f"{LAYER}/aws/dynamodb/updates.py",
        old='"attempts", "has_effects")',
        new='"attempts")',
    ),
)
