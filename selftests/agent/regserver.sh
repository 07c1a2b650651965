#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-netlink regserver and a running agent: a server that is added is used at once,
# one that is taken away no longer, and both can be asked.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

world_up
for ns in alice bob; do
	settings $ns $ns
	# Without the server: lines of [RegistrationServer]
	sed -i '/^\[Registr/,/^Endpoint/d' $ns.conf
done
cat >>bob.conf <<CONF
[Profile]
HostName = bobs
Owner = Bob Øre
City = Oslo
Keywords = chess, free jazz
Public = all
CONF
mkdir alice bob
mv alice.conf alice
mv bob.conf bob
for ns in alice bob; do
	sss-netlink -netns $ns config load $ns/$ns.conf
done
server

netlink()
{
	sss-netlink -netns alice "$@"
}

# shown NAME: of the first object
shown()
{
	python3 -c 'import json, sys; print(json.load(sys.stdin)[0].get(sys.argv[1], ""))' "$1"
}

is "no agent runs" "$(netlink -brief agent show alice/alice.conf | cut -d' ' -f1)" stopped
is "no server" "$(netlink regserver show file alice/alice.conf)" ''
for ns in bob alice; do
	: >$ns.log
	ip netns exec $ns sss-netlink agent -v $ns/$ns.conf 2>>$ns.log &
	agent=$!
	wait_for 10 grep -q event=started $ns.log
	[ $ns = alice ] || bob_agent=$agent
done
is "the agent is found" "$(netlink -json agent show | shown pid)" "$agent"
is "with its settings" "$(netlink -json agent show | shown file)" "$work/alice/alice.conf"

# The kernel refuses that one: nothing of it stays
files()
{
	find alice -type f | sort
	netlink peer show | sort
}
files >before
check "what the kernel refuses is told" fails_with 'nothing has changed' \
	netlink regserver add "$srv_eid" 224.0.0.1:9660
files >after
check "and nothing has changed" cmp before after
check "nor was the agent told" sh -c '! grep -q event=reloaded alice.log'

check "alice adds a server" netlink regserver add "$srv_eid" 10.9.1.1:9660
check "the agent registers there" said alice event=registered
check "the kernel has it" sh -c "sss-netlink -netns alice peer show | grep -q '$srv_eid.*10.9.1.1:9660'"
check "bob as well" sss-netlink -netns bob regserver add "$srv_eid" 10.9.2.1:9660
check "and registers" said bob event=registered

netlink -json regserver show >out
is "it is reachable" "$(shown state <out)" reachable
is "in so many ms" "$(shown connect-ms <out | tr -d 0-9)" ''
is "where it is written down" "$(shown written-at <out)" "$work/alice/peers.d/regserver-$srv_eid.conf:2"
wait_for 10 sh -c 'sss-netlink -netns alice regserver search chess | grep -q .'
netlink -json regserver search CHESS oslo >out
is "a search finds bob" "$(shown eid <out)" "$bob_eid"
is "his name" "$(shown owner <out)" 'Bob Øre'
is "his words" "$(shown keywords <out)" "['chess', 'free jazz']"
is "and who says so" "$(shown server <out)" "$srv_eid"
check "as text" sh -c "sss-netlink -netns alice regserver search chess |
	grep -q '^eid $bob_eid host-name bobs owner Bob .* city Oslo keyword chess keyword free jazz '"
is "brief" "$(netlink -brief regserver search chess | sed 's/  */ /g')" "$bob_eid bobs Bob Øre Oslo -"
is "nobody has all of these words" "$(netlink regserver search chess bergen)" ''
is "no more than wanted" "$(netlink regserver search chess limit 0 2>/dev/null)" ''
netlink -json regserver lookup "$bob_eid" >out
is "looked up" "$(shown host-name <out)" bobs
is "where he is seen" "$(shown observed <out)" 10.9.2.2:9660
check "an EID that nobody knows" fails_with 'knows this EID' \
	netlink regserver lookup quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
check "alice, who shows nothing" sh -c "sss-netlink -netns bob -json regserver lookup '$alice_eid' >out"
is "is there" "$(shown eid <out)$(shown observed <out)" "$alice_eid"
check "as another host" fails_with 'no registration server answers' netlink regserver search x host none

# A second server, which does not answer
key none
# shellcheck disable=SC2154 # key() makes it
check "a second one" netlink regserver add "$none_eid" 10.9.1.1:9999
netlink -brief regserver search chess >found &
is "one is reachable, one is not" "$(netlink -brief regserver show | awk '{ print $2 }' | sort | xargs)" \
	'reachable unreachable'
wait $! || true
check "the other is asked all the same" grep -q "$bob_eid" found
check "it is taken away" netlink regserver del "$none_eid"
# an agent that was just calling it has to let go first
check "from the kernel, too" wait_for 10 sh -c "! sss-netlink -netns alice peer show | grep -q '$none_eid'"
answering
check "alice reaches bob" echoes "$bob_eid"
check "and remembers where" wait_for 5 sh -c "sss-netlink -netns alice agent peers | grep -q '^eid $bob_eid age-s [0-9]* endpoint 10.9.2.2:9660'"

check "two entries" wait_for 10 entries 2
check "the last one is taken away" netlink regserver del "$srv_eid"
is "without a trace" "$(find alice/peers.d -type f)$(netlink -brief regserver show)" ''
check "and without an entry there" wait_for 10 entries 1
sed -i '/^\[Agent\]/a Register = no' bob/bob.conf
kill -HUP "$bob_agent"
check "who does not register any more has none, either" wait_for 10 entries 0
kill "$agent"
wait "$agent" 2>/dev/null || true
is "the agent has ended" "$(netlink -brief agent show alice/alice.conf | cut -d' ' -f1)" stopped
finish
