#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Programs know an EID and nothing else, the machine a registration server and
# nothing else: the agent finds the rest, and survives whatever dies.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

nobody=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
world_up
settings alice 1
settings bob 2
server
for ns in alice bob; do
	check "$ns loads its settings" sss-netlink -netns $ns config load $ns.conf
done
answering
check "without an agent nobody is found" status 1 'no endpoint of that peer is known' \
	on alice sss-cat "$bob_eid" s p
agent alice
alice_agent=$agent
agent bob
bob_agent=$agent
check "both register" said alice event=registered
check "as they are seen from outside" said bob 'event=registered.*seen=10.9.2.2:9660'
check "so there are two entries" entries 2
check "a stream keeps the way to a host open that is listened on" said bob 'event=kept .*on=1'
check "and none to one that is not" sh -c '! grep -q "event=kept .*on=1" alice.log'

# Bob lets nobody in whom he does not call: he was told to
check "alice reaches bob by his EID" echoes "$bob_eid"
check "since they were introduced" grep -q "event=found.*how=introduced.*10.9.2.2:9660" alice.log
check "and bob called, too" grep -q "event=found.*how=called.*10.9.1.2:9660" bob.log
check "an EID that nobody knows is not found" status 1 'no endpoint of that peer is known' \
	on alice sss-cat -w 20 "$nobody" s p

# Alice wants to be introduced to nobody
forget
cp alice.conf alice.conf~
printf '[Profile]\nIntroduce = none\n' >>alice.conf
: >alice.log
kill -HUP $alice_agent
check "alice registers anew" said alice event=registered
check "who wants to be introduced to nobody is not admitted to" status 1 'not allowed to use that host' \
	on bob sss-cat -w 20 "$alice_eid" s p
mv alice.conf~ alice.conf
kill -HUP $alice_agent

# A host that is made anew
: >alice.log
check "alice's host goes" sss-netlink -netns alice config unload
check "the agent hears of it" said alice event=host-gone
check "and comes back" sss-netlink -netns alice config load alice.conf
check "it registers at once" wait_for 5 grep -q event=registered alice.log

check "a second agent refuses" refused 2 "an agent runs here: process $alice_agent, with" \
	on alice timeout 10 sss-netlink agent alice.conf

# Bob moves
registers='sss_regserver_requests_total{op="register"'
before=$(metric "$registers")
forget
ip -n bob addr del 10.9.2.2/24 dev wire
ip -n bob addr add 10.9.2.3/24 dev wire
ip -n bob route replace default via 10.9.2.1
check "bob's address changes, and he registers again" said bob 'event=moved.*new=1'
check "the server was told" wait_for 10 more "$registers" "$before"
check "alice reaches him there" wait_for 20 echoes "$bob_eid"

# The server dies; whoever is not introduced has to be let in
on bob nft flush ruleset
forget
killed $server
check "the server is dead, and what was learnt is enough" echoes "$bob_eid"
check "bob was there" grep -q "event=found.*how=known" alice.log

# The agent dies, streams go on
(echo one; sleep 3; echo two) | on alice sss-cat "$bob_eid" s p >out 2>err &
stream=$!
wait_for 10 sh -c 'sss-netlink -netns bob stream show | grep -q "service s"'
killed $alice_agent
check "the agent is killed, a stream goes on" wait $stream
forget
agent alice
check "another one knows what it knew" echoes "$bob_eid"
check "from its file" grep -q "event=found.*how=known" alice.log
is "which is its own" "$(command stat -c %a alice.state/peers)" 600

# The server comes back with nothing
rm -f db*
server
check "the server comes back with nothing, and both register again" wait_for 40 entries 2

# No way but through the server
killed $server
on srv nft 'add table ip f; add chain ip f thru { type filter hook forward priority 0; policy drop; }'
forget
rm -rf alice.state/peers
killed "$agent"
server --relay 9661
agent alice
check "both register at a relay" wait_for 40 entries 2
check "whom nothing else leads to is reached through it" echoes "$bob_eid"
check "told by the server" grep -q 'event=found.*how=introduced.*relays=1' alice.log

kill $bob_agent
check "an agent that ends" wait $bob_agent
check "takes its entry away" wait_for 5 entries 1
finish
