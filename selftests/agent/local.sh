#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Peers on the local link find each other without any server, if both want that.
# shellcheck disable=SC2154 # key() and eval make names
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

pair
key alice
key bob

# plain_settings NS yes|no
plain_settings()
{
	cat >"$1.conf" <<-CONF
		[Host]
		Name = $1
		PrivateKeyFile = $work/$1.key
		[Agent]
		StateDirectory = $work/$1.state
		LocalDiscovery = $2
	CONF
}

plain_settings alice yes
plain_settings bob no
for ns in alice bob; do
	check "$ns loads its settings" sss-netlink -netns $ns config load $ns.conf
	agent $ns
	eval "${ns}_agent=$agent"
done
answering
check "who does not want to be found is not" status 1 'no endpoint of that peer is known' \
	on alice sss-cat -w 20 "$bob_eid" s p
on alice tcpdump -i wire -U -w hints udp port 9662 2>/dev/null &
dump=$!
wait_for 10 [ -s hints ]
plain_settings bob yes
# shellcheck disable=SC2154 # set above
kill -HUP "$bob_agent"
check "settings are read again" said bob event=reloaded
check "and the two find each other" echoes "$bob_eid"
check "by a hint" grep -q 'event=found.*how=local\|event=found.*how=known' alice.log
kill $dump
wait $dump 2>/dev/null || true
check "which names nobody" sh -c '! python3 -c "import sys, base64
eid = base64.b32decode(sys.argv[1].upper() + chr(61) * 4)
sys.exit(eid[:8] not in open(sys.argv[2], chr(114) + chr(98)).read())" "$1" hints' sh "$bob_eid"

# From afar: with a hop less left it is no hint
forget
killed "$alice_agent"
rm -rf alice.state
agent alice
on bob nft 'add table ip f; add chain ip f out { type filter hook output priority 0; }
	add rule ip f out udp dport 9662 ip ttl set 254'
on bob nft 'add table ip6 f; add chain ip6 f out { type filter hook output priority 0; }
	add rule ip6 f out udp dport 9662 ip6 hoplimit set 254'
check "what crossed a router is no hint" status 1 'no endpoint of that peer is known' \
	on alice sss-cat -w 20 "$bob_eid" s p
finish
