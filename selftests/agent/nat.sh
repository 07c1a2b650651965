#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Alice dials bob's EID, each of them behind a NAT, a registration server outside
# (nats.sh has a picture):
#
#	nat.sh punch	what can be punched: every pairing of three kinds, one NAT for
#			both, bob without one, IPv6 with stateful firewalls
#	nat.sh both	one pairing of each of the next two
#	nat.sh relay	with a symmetric NAT at one end or both: through the server
#	nat.sh bounded	what one EID may send that way
# shellcheck disable=SC2154 # key() makes names
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/nats.sh
. "$(dirname "$0")/nats.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

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
	# alice's NAT becomes another one, that lets bob in
	(while sleep 1; do echo x; done) | on alice sss-cat -w 60 "$bob_eid" s p >/dev/null 2>&1 &
	on nata nft flush ruleset
	nat nata full 10.1.0.2
	check "a direct path appears, and they move to it" wait_for 60 direct
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

# The same on a kernel that takes its time: what differs is the kernel
both()
{
	world
	pairing port port
	up
	check "port to port" reaches "port to port"
	check "directly" direct
	world -r 9670
	pairing symmetric symmetric
	up
	check "symmetric to symmetric" reaches "symmetric to symmetric"
	check "through the relay" relayed
}

# What one EID sends through the relay is bounded, and in nobody's way: carol and dave
# are beside alice and bob, behind the same NATs
bounded()
{
	ends="alice bob carol dave" all="$all carol dave"
	key carol
	key dave
	world -r 9670 -o relay-rate-per-eid=100
	tc -n nata qdisc replace dev wan root netem delay 10ms rate 20mbit
	pairing symmetric symmetric
	inside carol nata 1 3
	inside dave natb 2 3
	up
	on dave sss-cat -l s p >received 2>dave.err &
	on alice sss-cat -w 30 "$bob_eid" s p </dev/zero >/dev/null 2>&1 &
	check "alice sends as much as she can" wait_for 30 relayed
	sleep 5
	dropped=$(metric sss_regserver_relay_dropped_total)
	before=$(metric sss_regserver_relay_bytes_total)
	sleep 20
	bytes=$(($(metric sss_regserver_relay_bytes_total) - before))
	echo "# $bytes bytes in 20 s, of 100 kB/s"
	check "the relay forwards 100 kB of it a second" [ $bytes -lt 2300000 ]
	check "and not much less" [ $bytes -gt 1000000 ]
	check "the rest is lost" more sss_regserver_relay_dropped_total "$dropped"
	begin=$(date +%s%N)
	check "carol sends dave 300 kB meanwhile" sh -c \
		"head -c 300000 /dev/urandom | ip netns exec carol sss-cat -w 30 $dave_eid s p"
	ms=$((($(date +%s%N) - begin) / 1000000))
	echo "# in $ms ms"
	check "as fast as if she were alone" [ $ms -lt 8000 ]
	is "through the relay, too" "$(way carol "$dave_eid")" 'relay 192.0.2.1:9670'
	check "all of it arrives" wait_for 10 sh -c '[ "$(wc -c <received)" = 300000 ]'
}

case ${1-} in
punch) punch ;;
both) both ;;
relay) relay ;;
bounded) bounded ;;
*) echo "say punch, both, relay or bounded"; exit 2 ;;
esac
finish
