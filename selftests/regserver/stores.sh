#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs tests of the registration server on a store that is started for them.
#
#   stores.sh sqlite|redis|cluster COMMAND...
#
# For the command, REGSERVER_STORE is the store's URL, and REGSERVER_CONTROL what
# tests call to get at it:
#
#   stop               all Redis servers, without a last save
#   start              again, with what they had on their disks
#   leave KEY          the key's slot begins to move to another master (ASK)
#   gone KEY           and is there (MOVED)
set -eu
self=$(realpath "$0")

# Redis, one server or three masters, in $dir; their ports are in $dir/ports

start_one()
{
	redis-server --port "$1" --bind 127.0.0.1 --dir "$dir/$1" --daemonize yes \
		--pidfile "$dir/$1/pid" --logfile "$dir/$1/log" --save '' --appendonly yes \
		--appendfsync everysec --cluster-enabled "$cluster" --cluster-node-timeout 2000 \
		--enable-debug-command local >/dev/null
}

answers()
{
	redis-cli -p "$1" ping 2>/dev/null | grep -q PONG
}

# until SECONDS COMMAND...
until_true()
{
	tries=$(($1 * 50))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "# never: $*" >&2; return 1; }
		sleep 0.02
	done
}

start_all()
{
	while read -r port; do
		start_one "$port"
	done <"$dir/ports"
	while read -r port; do
		until_true 10 answers "$port"
		[ "$cluster" = no ] || until_true 15 cluster_up "$port"
	done <"$dir/ports"
}

cluster_up()
{
	[ -e "$dir/joined" ] || return 0
	redis-cli -p "$1" cluster info | grep -q 'cluster_state:ok'
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

stop_all()
{
	for pidfile in "$dir"/*/pid; do
		[ -e "$pidfile" ] || continue
		pid=$(cat "$pidfile")
		kill -9 "$pid" 2>/dev/null || true
		until_true 10 gone "$pid"
		rm -f "$pidfile"
	done
}

# A port that nobody has, and neither its cluster bus (10000 more); both below the
# ports that connections are given, where one in use may come at any time
free_port()
{
	while :; do
		port=$((10000 + $(od -An -N2 -tu2 /dev/urandom) % 10000))
		ss -Htan "( sport = :$port or sport = :$((port + 10000)) )" | grep -q . ||
			{ echo $port; return; }
	done
}

# The first start of a server, on a port that proves to be free
start_new()
{
	for _ in 1 2 3; do
		port=$(free_port)
		mkdir "$dir/$port" 2>/dev/null || continue
		start_one "$port"
		if until_true 10 answers "$port"; then
			echo "$port" >>"$dir/ports"
			return
		fi
		sed 's/^/# /' "$dir/$port/log" >&2
	done
	return 1
}

# A third of the slots for each; they all know the first
join()
{
	first=$(head -n 1 "$dir/ports")
	slot=0
	while read -r port; do
		end=$((slot < 10922 ? slot + 5460 : 16383))
		redis-cli -p "$port" cluster addslotsrange $slot $end >/dev/null
		redis-cli -p "$port" cluster set-config-epoch $((end % 100)) >/dev/null
		[ "$port" = "$first" ] || redis-cli -p "$port" cluster meet 127.0.0.1 "$first" >/dev/null
		slot=$((end + 1))
	done <"$dir/ports"
	touch "$dir/joined"
	while read -r port; do
		until_true 15 cluster_up "$port"
		until_true 15 knows_all "$port"
	done <"$dir/ports"
}

knows_all()
{
	[ "$(redis-cli -p "$1" cluster info | tr -d '\r' | sed -n 's/cluster_known_nodes://p')" = 3 ]
}

node_of()
{
	redis-cli -p "$1" cluster myid
}

# The master of the key's slot, and one that is not
find_masters()
{
	first=$(head -n 1 "$dir/ports")
	slot=$(redis-cli -p "$first" cluster keyslot "$1")
	owner='' other=''
	while read -r port; do
		if redis-cli -p "$port" cluster countkeysinslot "$slot" >/dev/null &&
			redis-cli -p "$port" cluster nodes | grep myself | slot_in "$slot"; then
			owner=$port
		else
			other=$port
		fi
	done <"$dir/ports"
}

# slot_in SLOT: does a line of CLUSTER NODES list it?
slot_in()
{
	awk -v slot="$1" '{
		for (i = 9; i <= NF; i++) {
			n = split($i, r, "-")
			if ($i !~ /^\[/ && slot >= r[1] + 0 && slot <= r[n] + 0) found = 1
		}
	} END { exit !found }'
}

leave()
{
	find_masters "$1"
	printf '%s %s %s\n' "$slot" "$owner" "$other" >"$dir/moving"
	redis-cli -p "$other" cluster setslot "$slot" importing "$(node_of "$owner")" >/dev/null
	redis-cli -p "$owner" cluster setslot "$slot" migrating "$(node_of "$other")" >/dev/null
	redis-cli -p "$owner" cluster getkeysinslot "$slot" 100 | while read -r key; do
		redis-cli -p "$owner" migrate 127.0.0.1 "$other" "$key" 0 5000 >/dev/null
	done
}

arrive()
{
	read -r slot owner other <"$dir/moving"
	node=$(node_of "$other")
	for port in "$other" "$owner"; do
		redis-cli -p "$port" cluster setslot "$slot" node "$node" >/dev/null
	done
}

cleanup()
{
	stop_all
	rm -rf "$dir"
}

run()
{
	kind=$1
	shift
	dir=$(mktemp -d /tmp/regserver.XXXXXX)
	trap cleanup EXIT
	trap 'exit 130' INT TERM
	cluster=no count=1
	[ "$kind" != cluster ] || cluster=yes count=3
	for _ in $(seq $count); do
		start_new
	done
	echo $cluster >"$dir/cluster"
	[ $cluster = no ] || join
	REGSERVER_STORE="redis://127.0.0.1:$(head -n 1 "$dir/ports")"
	[ $cluster = no ] || export REGSERVER_CLUSTER=yes
	export REGSERVER_STORE
	export REGSERVER_CONTROL="$self control $dir"
	"$@"
}

control()
{
	dir=$1
	cluster=$(cat "$dir/cluster")
	case $2 in
	stop) stop_all ;;
	start) start_all ;;
	leave) leave "$3" ;;
	gone) arrive ;;
	esac
}

case $1 in
sqlite)
	shift
	export REGSERVER_STORE=sqlite
	exec "$@"
	;;
control)
	shift
	control "$@"
	;;
*)
	run "$@"
	;;
esac
