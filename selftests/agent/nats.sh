# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # world.sh's
# NATs between alice and bob, beside world.sh:
#
#	alice 10.1.0.2 --- nata 192.0.2.11 ---+
#	                                      +--- wan --- srv 192.0.2.1
#	bob   10.2.0.2 --- natb 192.0.2.12 ---+

ends="alice bob"
all="$ends srv nata natb wan"

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
	chain through { type filter hook forward priority 0;
		iifname wan ct status dnat accept; iifname wan ct state new drop; }'

# nat NS KIND ADDRESS: as RFC 3489 names them. By IPv6 nothing goes through.
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
		}
		table ip6 none { chain through { type filter hook forward priority 0; policy drop; }
		}"
}

# Of IPv6 nothing is translated, but what is new does not come in.
firewall()
{
	on "$1" nft 'table ip6 wall { chain through { type filter hook forward priority 0;
		iifname wan ct state new drop; }
		}'
}

# world [OPTION...]: all of them, without NATs; the server has these options
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

# hosts [SERVER]: alice and bob, or who else is in $ends, have settings and an agent
hosts()
{
	for ns in $ends; do
		rm -rf "$ns.state"
		settings "$ns" 0
		sed -i "s/^Endpoint.*/Endpoint = ${1:-192.0.2.1:9660}/" "$ns.conf"
		sss-netlink -netns "$ns" config load "$ns.conf"
		agent "$ns"
	done
}

# registered: all of them are
registered()
{
	for ns in $ends; do
		said "$ns" event=registered || return
	done
}

# pairing A B: both are behind NATs of these kinds
pairing()
{
	inside alice nata 1 2
	inside bob natb 2 2
	nat nata "$1" 10.1.0.2
	nat natb "$2" 10.2.0.2
}

# way FROM EID: "endpoint ADDRESS:PORT" or "relay ADDRESS:PORT", to which packets go now
way()
{
	sss-netlink -netns "$1" channel show |
		sed -n "/$2/s/.* \(endpoint\|relay\) \([^ ]*\).*/\1 \2/p"
}
