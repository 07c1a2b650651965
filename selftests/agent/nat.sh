#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Alice dials bob's EID, each of them behind a NAT, a registration server outside:
#
#	alice 10.1.0.2 --- nata 192.0.2.11 ---+
#	                                      +--- wan --- srv 192.0.2.1
#	bob   10.2.0.2 --- natb 192.0.2.12 ---+
#
#	nat.sh punch	what can be punched: every pairing of three kinds, one NAT for
#			both, bob without one, IPv6 with stateful firewalls
#	nat.sh relay	with a symmetric NAT at one end or both: through the server
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

all="alice bob srv nata natb wan"

drop_all()
{
	for ns in $all; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
	done
	wait 2>/dev/null || true	# what is left of them holds the store, say
	for ns in $all; do
		ip netns del "$ns" 2>/dev/null || true
	done
}

# join NS NAME ADDRESS...: to the wan's bridge
join()
{
	ip link add "$2" netns "$1" type veth peer name "$1" netns wan
	ip -n wan link set "$1" master bridge up
	join_ns=$1 join_name=$2
	shift 2
	for address; do
		case $address in
		*:*) ip -n "$join_ns" addr add "$address" dev "$join_name" nodad ;;
		*) ip -n "$join_ns" addr add "$address" dev "$join_name" ;;
		esac
	done
	ip -n "$join_ns" link set "$join_name" up
}

# inside NS NAT N LAST: behind it, at 10.N.0.LAST
inside()
{
	ip netns exec "$2" ip link show lan >/dev/null 2>&1 || {
		ip -n "$2" link add lan type bridge
		ip -n "$2" addr add "10.$3.0.1/24" dev lan
		ip -n "$2" addr add "2001:db8:$3::1/64" dev lan nodad
		ip -n "$2" link set lan up
	}
	ip link add wire netns "$1" type veth peer name "$1" netns "$2"
	ip -n "$2" link set "$1" master lan up
	ip -n "$1" addr add "10.$3.0.$4/24" dev wire
	ip -n "$1" addr add "2001:db8:$3::$4/64" dev wire nodad
	ip -n "$1" link set wire up
	ip -n "$1" route add default via "10.$3.0.1"
	ip -n "$1" route add default via "2001:db8:$3::1"
}

# a NAT lets in what answers something sent, and nothing new
strict='chain in { type filter hook input priority 0; iifname wan ct state new drop; }
	chain through { type filter hook forward priority 0; iifname wan ct state new ct status != dnat drop; }'

# nat NS KIND ADDRESS: as RFC 3489 names them
nat()
{
	case $2 in
	full)
		rules="chain out { type nat hook postrouting priority 100; oifname wan masquerade; }
			chain back { type nat hook prerouting priority -100;
				iifname wan udp dport 9660 dnat to $3:9660; }"
		;;
	address)
		rules="set called { type ipv4_addr; flags dynamic,timeout; timeout 2m; }
			chain note { type filter hook forward priority -1;
				oifname wan update @called { ip daddr }; }
			chain out { type nat hook postrouting priority 100; oifname wan masquerade; }
			chain back { type nat hook prerouting priority -100;
				iifname wan ip saddr @called udp dport 9660 dnat to $3:9660; }"
		;;
	port)
		rules="chain out { type nat hook postrouting priority 100; oifname wan masquerade; }"
		;;
	symmetric)
		rules="chain out { type nat hook postrouting priority 100;
				oifname wan masquerade fully-random; }"
		;;
	esac
	on "$1" nft "table ip nat { $rules
		$strict
		}"
}

# Of IPv6 nothing is translated, but what is new does not come in.
firewall()
{
	on "$1" nft 'table ip6 wall { chain through { type filter hook forward priority 0;
		iifname wan ct state new drop; }
		}'
}

# world: all of them, without NATs
world()
{
	drop_all
	for ns in $all; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	ip -n wan link add bridge type bridge
	ip -n wan link set bridge up
	join srv wan 192.0.2.1/24 2001:db8::1/64
	join nata wan 192.0.2.11/24 2001:db8::11/64
	join natb wan 192.0.2.12/24 2001:db8::12/64
	for ns in srv nata natb; do
		tc -n $ns qdisc add dev wan root netem delay 10ms
	done
	for ns in nata natb; do
		on $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	for ns in srv nata natb; do
		ip -n $ns route add 2001:db8:1::/64 via 2001:db8::11 2>/dev/null || true
		ip -n $ns route add 2001:db8:2::/64 via 2001:db8::12 2>/dev/null || true
	done
	sss-netlink -netns srv host add srv private-key srv.key
	server "$@"
}

# hosts: alice and bob have their settings and an agent; bob listens and is registered
hosts()
{
	for ns in alice bob; do
		rm -rf $ns.state
		settings $ns 0
		sed -i "s/^Endpoint.*/Endpoint = ${1:-192.0.2.1:9660}/" $ns.conf
		sss-netlink -netns $ns config load $ns.conf
		agent $ns
	done
	answering
	for ns in alice bob; do
		said $ns event=registered || return
	done
}

# reaches WHAT: how long it took, and by which path
reaches()
{
	echo hello | on alice sss-cat -w 30 -I "$bob_eid" s p >out 2>err && [ "$(cat out)" = bob ] || {
		sed 's/^/# /' out err alice.log bob.log
		return 1
	}
	echo "# $1: first byte after $(sed -n 's/^first-byte-us: //p' err) us"
}

# path: where alice's packets to bob go
path()
{
	sss-netlink -netns alice channel show | grep -F "$bob_eid" >channel
	cat channel
}

# pairing A B: both kinds of NAT; what follows must hold
pairing()
{
	inside alice nata 1 2
	inside bob natb 2 2
	nat nata "$1" 10.1.0.2
	nat natb "$2" 10.2.0.2
	hosts
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
			pairing $a $b
			check "$a to $b" reaches "$a to $b"
		done
	done
	world
	inside alice nata 1 2
	inside bob nata 1 3
	nat nata port 10.1.0.2
	hosts
	check "both behind the same" reaches "both behind the same"
	path >/dev/null
	check "by their private addresses" grep -qF 10.1.0.3 channel
	for a in $kinds symmetric; do
		world
		inside alice nata 1 2
		join bob wan 192.0.2.13/24
		nat nata "$a" 10.1.0.2
		hosts
		check "$a to a public address" reaches "$a to a public address"
	done
	world
	inside alice nata 1 2
	inside bob natb 2 2
	firewall nata
	firewall natb
	hosts '[2001:db8::1]:9660'
	check "IPv6, two firewalls" reaches "IPv6, two firewalls"
}

relayed()
{
	path | grep -q ' relay 192.0.2.1:9670 '
}

direct()
{
	path | grep -q ' endpoint '
}

relay()
{
	for pair in symmetric:symmetric symmetric:port port:symmetric; do
		a=${pair%:*} b=${pair#*:}
		world -r 9670
		pairing $a $b
		check "$a to $b" reaches "$a to $b"
		check "through the relay" relayed
	done
	# where only one end can begin the relay is for the first moments, if at all
	for pair in symmetric:full symmetric:address address:symmetric full:symmetric; do
		a=${pair%:*} b=${pair#*:}
		world -r 9670
		pairing $a $b
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
