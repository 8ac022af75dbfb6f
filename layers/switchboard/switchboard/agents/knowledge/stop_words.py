"""English words that say little of what is asked: a search leaves out the first, and makes less of the others."""

_WORDS = """
a able about across actual actually after afterwards again all also always am an and another any anybody anyone
anything anyway are around as ask at away basically be because been before being best bought bring btw but buy by can
cannot cant certain certainly come comes coming could couldn currently cuz day definitely did didn do does doesn
doesnt doing don dont easily eight either else elsewhere even ever every everything exactly feel figure fine first
five folks for forward four from further get gets getting give glad go goes going gonna good got gotta guess guy guys
had happen happens has hasn have haven having he hello help her here hers hey hi him his home hope hoped hoping house
how however i idea if im in information interested into is isn issue it its ive just keen keep keeping keeps kind
kinda kindly know last later leave left let like likely little ll lol look looking lot lovely m madam made make makes
making many may maybe me mean might mind mine moment more morning most much must my myself near nearly need needs next
nice nine no nope nor not nothing now of off offer often ok okay on once one only option options or other our ours out
over own particular people place placed plan planning please pls plz possible pretty probably problem question quick
quite r rather re really recently regarding right s same saw say see seem seems seen seven shall she should show
single sir six so some somebody someone something sometimes somewhere soon sorry sort specific spot still straight
such suggest suppose sure t take takes tell ten than thank thanks that the their theirs them then there these they
thing things think thinking this those thought three through thru thx till time times to today together tomorrow
tonight too total totally try trying two u under unfortunately until up ur us use usual usually various ve very wanna
want wanted was wasn way we week well went were what whats when whenever where wheres whether which while who whole
whom whose why will wish with without won wonder wondering work works would y ya yea yeah yep yes yesterday yet you
your yours yourself yourselves
"""

STOP_WORDS = frozenset(_WORDS.split())

_SAYS_LESS = """
above accept adjust afford agree ahead allow alone already apart arrange attach available bad bend beside big bigger
blow brand bright build busy carry catch choose clean clear cold comfortable complete connect continue correct cover
crash current cut damage dead decent decide describe different difficult dirty drive drop easy eat empty end enough
enter entire expect expired explain extra fail fair fall fast faulty fetch fill filthy final finish fix follow forget
fresh full funny grab guarantee handle hang hear heavy high hold hot huge important include inflate inside inspect
install instead join jump large lay lead learn lend lift load local loose lose low main maintain match measure meet
mention mini minimum miss modern mount move narrow noisy normal notice old outside park perfect plug popular prefer
prepare present press private protect provide public pull push quiet rainy reach read ready real receive recommend
reduce register regular remain remember remove replace reply report require reserve rub run rusty safe save search
separate serious serve set share shift short similar simple skip slip slow small soft speak special spend stand start
stay steal stick stop stuck suitable supply support switch tall thick thin tight tighten tiny touch transport treat
true turn typical unlock upcoming upgrade urgent useful visit wait walk wash watch weak wear wet wide wobble worry
write wrong
"""

SAYS_LESS = frozenset(_SAYS_LESS.split())  # verbs and adjectives: what a question is about is a noun
