#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Alice dials bob's EID, each of them behind a NAT, a registration server outside
# (nats.sh has a picture):
#
#	nat.sh punch	what can be punched: every pairing of three kinds, one NAT for
#			both, bob without one, IPv6 with stateful firewalls
#	nat.sh relay	with a symmetric NAT at one end or both: through the server
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"
# shellcheck source=selftests/agent/nats.sh
. "$(dirname "$0")/nats.sh"

# reaches WHAT: how long it took, and by which path
reaches()
{
	if echo hello | on alice sss-cat -w 30 -I "$bob_eid" s p >out 2>err && [ "$(cat out)" = bob ]; then
		echo "# $1: first byte after $(sed -n 's/^first-byte-us: //p' err) us"
		return
	fi
	sed 's/^/# /' out err alice.log bob.log
	return 1
}

# up [SERVER]: alice and bob have agents, bob listens, both are registered
up()
{
	hosts "$@"
	answering
	registered
}

for ns in alice bob srv; do
	key $ns
done
cleanup_add drop_all
kinds="full address port"

punch()
{
	for a in $kinds; do
		for b in $kinds; do
			world
			pairing "$a" "$b"
			up
			check "$a to $b" reaches "$a to $b"
		done
	done
	world
	inside alice nata 1 2
	inside bob nata 1 3
	nat nata port 10.1.0.2
	up
	check "both behind the same" reaches "both behind the same"
	is "by their private addresses" "$(way alice "$bob_eid")" 'endpoint 10.1.0.3:9660'
	for a in $kinds symmetric; do
		world
		inside alice nata 1 2
		join bob wan 192.0.2.13/24
		nat nata "$a" 10.1.0.2
		up
		check "$a to a public address" reaches "$a to a public address"
	done
	world
	inside alice nata 1 2
	inside bob natb 2 2
	firewall nata
	firewall natb
	up '[2001:db8::1]:9660'
	check "IPv6, two firewalls" reaches "IPv6, two firewalls"
}

relayed()
{
	[ "$(way alice "$bob_eid")" = 'relay 192.0.2.1:9670' ]
}

direct()
{
	way alice "$bob_eid" | grep -q '^endpoint '
}

relay()
{
	for pair in symmetric:symmetric symmetric:port port:symmetric; do
		a=${pair%:*} b=${pair#*:}
		world -r 9670
		pairing "$a" "$b"
		up
		check "$a to $b" reaches "$a to $b"
		check "through the relay" relayed
	done
	# where only one end can begin the relay is for the first moments, if at all
	for pair in symmetric:full symmetric:address address:symmetric full:symmetric; do
		a=${pair%:*} b=${pair#*:}
		world -r 9670
		pairing "$a" "$b"
		up
		check "$a to $b" reaches "$a to $b"
		on alice sss-cat -w 60 "$bob_eid" s p </dev/zero >/dev/null 2>&1 &
		check "and soon directly" wait_for 60 direct
	done
}

case ${1-} in
punch) punch ;;
relay) relay ;;
*) echo "say punch or relay"; exit 2 ;;
esac
finish
