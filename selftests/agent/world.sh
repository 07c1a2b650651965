# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # key() makes names, and callers use others
# For tests of "sss-netlink agent": alice and bob are behind one router each, and the
# registration server is between them:
#
#	alice 10.9.1.2 --- 10.9.1.1 srv 10.9.2.1 --- 10.9.2.2 bob
#
# Whatever bob did not ask for is dropped on its way in, but for what the server says.

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work" || exit

world_namespaces()
{
	for ns in alice bob srv; do
		ip netns pids $ns 2>/dev/null | xargs -r kill -9 2>/dev/null || true
		ip netns del $ns 2>/dev/null || true
	done
}

# cable NS N: to the server
cable()
{
	ip link add wire netns "$1" type veth peer name "$1" netns srv
	ip -n "$1" addr add "10.9.$2.2/24" dev wire
	ip -n srv addr add "10.9.$2.1/24" dev "$1"
	ip -n "$1" link set lo up
	ip -n "$1" link set wire up
	ip -n srv link set "$1" up
	ip -n "$1" route add default via "10.9.$2.1"
}

# key NAME: makes one; its EID is in $NAME_eid
key()
{
	(umask 077 && sss-netlink key generate "$1.key")
	eval "$1_eid=$(sss-netlink key eid "$1.key")"
}

# settings NS N [LINE...]: NS.conf, with its key, the server, and these lines
settings()
{
	conf=$1.conf server_at=10.9.$2.1
	cat >"$conf" <<-CONF
		[Host]
		Name = $1
		PrivateKeyFile = $work/$1.key
		[RegistrationServer]
		EID = $srv_eid
		Endpoint = $server_at:9660
		[Agent]
		StateDirectory = $work/$1.state
	CONF
	shift 2
	for line; do
		echo "$line" >>"$conf"
	done
}

world_up()
{
	cleanup_add world_namespaces
	world_namespaces
	for ns in alice bob srv; do
		ip netns add $ns
		key $ns
	done
	cable alice 1
	cable bob 2
	on srv sysctl -q -w net.ipv4.ip_forward=1
	on bob nft 'add table ip f; add chain ip f in { type filter hook input priority 0; }
		add rule ip f in ct state established accept
		add rule ip f in ip saddr 10.9.2.1 accept
		add rule ip f in udp dport 9660 drop'
	on bob sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=1 \
		net.netfilter.nf_conntrack_udp_timeout_stream=1
	sss-netlink -netns srv host add srv private-key srv.key
}

# server [OPTION...]: starts it; its figures come from the socket "metrics"
server()
{
	rm -f metrics
	ip netns exec srv sss-regserver -s "sqlite:$work/db" -m "unix:$work/metrics" \
		-o ttl-min=1 "$@" 2>>server.log &
	server=$!
	wait_for 10 [ -S metrics ]
}

# killed PID: at once, and it is gone
killed()
{
	kill -9 "$1"
	wait "$1" 2>/dev/null || true
}

# metric NAME: what the server counts
metric()
{
	python3 - "$work/metrics" "$1" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
		text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
		print(int(sum(float(l.split()[-1]) for l in text.split("\n")
		    if l.startswith(sys.argv[2]))))
	END
}

# more NAME N: the server has counted more than N
more()
{
	[ "$(metric "$1")" -gt "$2" ]
}

# entries N: so many are registered
entries()
{
	[ "$(metric sss_regserver_entries)" = "$1" ]
}

# agent NS: starts it; $agent is its process, NS.log what it says
agent()
{
	: >"$1.log"
	ip netns exec "$1" sss-netlink agent -v "$1.conf" 2>>"$1.log" &
	agent=$!
	wait_for 10 grep -q event=started "$1.log"
}

# said NS WORDS: the agent's log has, or will have, these words
said()
{
	wait_for 20 grep -q -- "$2" "$1.log" && return
	sed 's/^/# /' "$1.log"
	return 1
}

# echoes EID|NAME [OPTION...]: alice connects, and bob answers
echoes()
{
	to=$1
	shift
	echo hello | on alice sss-cat -w 20 "$@" "$to" s p >out 2>err && [ "$(cat out)" = bob ] &&
		return
	echo "# to $to: $(cat out err)"
	sed 's/^/# alice: /' alice.log
	sed 's/^/# bob: /' bob.log
	return 1
}

# forget: alice and bob have no channel any more. Bob's firewall may have kept the
# word of it from him.
forget()
{
	sss-netlink -netns alice channel close "$bob_eid" 2>/dev/null || true
	sss-netlink -netns bob channel close "$alice_eid" 2>/dev/null || true
	wait_for 10 parted
}

parted()
{
	! sss-netlink -netns bob channel show | grep -q "$alice_eid" &&
		! sss-netlink -netns alice channel show | grep -q "$bob_eid"
}

# bob answers whoever comes with a word, from now on
answering()
{
	echo bob >word
	ip netns exec bob sss-cat -l -k -i word s p >/dev/null 2>bob.err &
	listener=$!
	wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
}
