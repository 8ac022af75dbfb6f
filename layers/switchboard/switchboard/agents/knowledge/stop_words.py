"""English words that a search leaves out, because they say nothing about what is asked."""

_WORDS = """
a about actually after again all also always am an and any anybody anyone anything are as ask at away be because been
before being bought bring btw but buy by can cannot cant come comes coming could couldn currently cuz day did didn do
does doesn doesnt doing don dont eight else even ever every five for four from further get gets getting give go goes
going gonna good got gotta guy guys had happens has hasn have haven having he hello help her here hers hey hi him his
home house how however i if im in information into is isn it its ive just kind kinda kindly know let like little ll
lol look looking lot m made make makes making many may maybe me mean might mine more morning most much must my near
need needs next nice nine no nope nor not now of off offer often ok okay on once one only or other our ours out over
own people please pls plz possible question quick r re really right s same say see seven shall she should show six so
some somebody someone something sometimes somewhere soon sorry still such sure t take takes tell ten than thank thanks
that the their theirs them then there these they thing things think this those three through thru thx time times to
today together tomorrow tonight too try two u under until up ur us use usually ve very wanna want wanted was wasn way
we week well went were what whats when where wheres whether which while who whom whose why will with without won
wonder wondering work works would y ya yea yeah yep yes yesterday yet you your yours yourself
"""

STOP_WORDS = frozenset(_WORDS.split())
