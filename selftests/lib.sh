# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For test scripts: results as TAP, waiting, two namespaces, bad networks,
# failing allocations. A script sources this, then:
#
#   check "what must hold" command...    a result from the command's status
#   skip "what" "why"                    a result that could not be had
#   finish                               the plan, and the script's exit status
#
# Cleanup runs by itself when the script ends.

SSS_TOP=${SSS_TOP:-$(cd "$(dirname "$0")/.." && pwd)}
tap_number=0
tap_failed=0

pass()
{
	tap_number=$((tap_number + 1))
	echo "ok $tap_number $1"
}

fail()
{
	tap_number=$((tap_number + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_number $1"
}

skip()
{
	tap_number=$((tap_number + 1))
	echo "ok $tap_number $1 # SKIP $2"
}

check()
{
	tap_what=$1
	shift
	if "$@"; then
		pass "$tap_what"
	else
		fail "$tap_what"
	fi
}

# skip_all WHY: the whole script cannot run here.
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 4
}

finish()
{
	echo "1..$tap_number"
	exit $((tap_failed > 0))
}

# is WHAT GOT WANTED: a check that shows both when they differ.
is()
{
	[ "$2" = "$3" ] || echo "# $1: got '$2', wanted '$3'"
	check "$1" [ "$2" = "$3" ]
}

# fails_with WORDS COMMAND...: the command fails and says so in these words.
fails_with()
{
	wanted=$1
	shift
	if said=$("$@" 2>&1); then
		echo "# succeeded: $*"
		return 1
	fi
	case $said in
	*"$wanted"*) return 0 ;;
	esac
	echo "# $*: said '$said', wanted '$wanted'"
	return 1
}

# status WANTED WORDS COMMAND...: this exit status, these words among its errors, which
# are in the file err then, and what else it said in out.
status()
{
	want=$1 words=$2 got=0
	shift 2
	"$@" </dev/null >out 2>err || got=$?
	[ "$got" = "$want" ] && grep -qF -- "$words" err && return
	echo "# $*: status $got, said '$(cat err)', wanted '$words'"
	return 1
}

# refused STATUS WORDS COMMAND...: the same, with one line, and nothing is put out.
refused()
{
	status "$@" || return
	[ ! -s out ] && [ "$(wc -l <err)" = 1 ] && return
	echo "# more than one sentence: '$(cat out err)'"
	return 1
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails at the deadline.
# Looks every $wait_step seconds: in virtual time, looking is all that takes long.
wait_step=0.05
wait_for()
{
	wait_until=$(($(date +%s%N) / 1000000 + $1 * 1000))
	shift
	until "$@"; do
		[ $(($(date +%s%N) / 1000000)) -lt $wait_until ] || return 1
		sleep $wait_step
	done
}

### Namespaces

# on NS COMMAND...: runs it in the namespace.
on()
{
	on_ns=$1
	shift
	ip netns exec "$on_ns" "$@"
}

# pair [MTU]: namespaces alice and bob at the two ends of a cable.
#   alice 10.9.0.1 fd09::1 on "wire", bob 10.9.0.2 fd09::2 on "wire"
pair()
{
	drop_pair
	ip netns add alice
	ip netns add bob
	ip link add wire netns alice mtu "${1:-1500}" type veth peer name wire netns bob mtu "${1:-1500}"
	for pair_end in alice:1 bob:2; do
		pair_ns=${pair_end%:*} pair_n=${pair_end#*:}
		ip -n "$pair_ns" addr add "10.9.0.$pair_n/24" dev wire
		ip -n "$pair_ns" addr add "fd09::$pair_n/64" dev wire nodad
		ip -n "$pair_ns" link set lo up
		ip -n "$pair_ns" link set wire up
	done
	cleanup_add drop_pair
}

drop_pair()
{
	for pair_ns in alice bob; do
		# Programs left in it would keep it alive.
		ip netns pids "$pair_ns" 2>/dev/null | xargs -r kill -9 2>/dev/null
		ip netns del "$pair_ns" 2>/dev/null || true
	done
}

# plain NS...: packets cross its wire one by one, as on an ordinary path. What a
# queue discipline sees are still GSO batches, which netem loses or delays whole:
# they are split behind it (stream_file.c has a way to split them before).
plain()
{
	for plain_ns; do
		on "$plain_ns" ethtool -K wire tso off gso off gro off \
			tx-udp-segmentation off >/dev/null
	done
}

# netem NS ARGS...: what leaves NS suffers from now on; without ARGS no longer.
netem()
{
	netem_ns=$1
	shift
	if [ $# = 0 ]; then
		tc -n "$netem_ns" qdisc del dev wire root 2>/dev/null || true
		return
	fi
	modprobe -q sch_netem || true
	tc -n "$netem_ns" qdisc replace dev wire root netem "$@"
}

# drop_each NS N: of what arrives at NS, every Nth packet is lost: exactly.
drop_each()
{
	on "$1" nft "add table inet sss_drop; add chain inet sss_drop in { type filter hook input priority -300; }"
	on "$1" nft "add rule inet sss_drop in iifname wire numgen inc mod $2 == 0 counter drop"
}

### The module's counters

# stat NAME [NS]: a counter or gauge of /proc/net/sss_stat.
stat()
{
	# shellcheck disable=SC2016 # awk's own $
	${2:+ip netns exec "$2"} awk -v name="$1" '$1 == name { print $2 }' /proc/net/sss_stat
}

gauge_names()
{
	sed -n '/define SSS_GAUGE_LIST/,/^$/s/.*X([A-Z_]*, "\(.*\)").*/\1/p' "$SSS_TOP/kernel/base/mib.h"
}

# gauges_zero [NS]: nothing of the module lives there, now or within 10 s.
gauges_zero()
{
	wait_for 10 gauges_zero_now "${1-}" && return
	gauges_show "${1-}" 2>&1 | sed 's/^/# still there: /'
	return 1
}

gauges_zero_now()
{
	[ -e /proc/net/sss_stat ] && [ -z "$(gauges_show "$1")" ]
}

gauges_show()
{
	gauge_names | ${1:+ip netns exec "$1"} awk '
		NR == FNR { value[$1] = $2; next }
		!($1 in value) { print $1, "missing"; next }
		value[$1] != 0 { print $1, value[$1] }' /proc/net/sss_stat -
}

### Failing allocations, in the module only

# failslab PROBABILITY [TIMES]: from now on this share (percent) of the
# allocations that the module's code asks for fails. Needs the debug kernel.
failslab()
{
	fail_attr=/sys/kernel/debug/failslab
	[ -d $fail_attr ] || return 1
	fail_text=$(cat /sys/module/sss/sections/.text)
	fail_size=$(objdump -h -j .text /run/out/sss.ko | awk '$2 == ".text" { print $3 }')
	echo "$fail_text" >$fail_attr/require-start
	printf '0x%x\n' $((fail_text + 0x$fail_size)) >$fail_attr/require-end
	echo 20 >$fail_attr/stacktrace-depth
	echo N >$fail_attr/ignore-gfp-wait
	echo N >$fail_attr/task-filter
	echo 0 >$fail_attr/verbose
	echo 1 >$fail_attr/interval
	echo "${2:--1}" >$fail_attr/times
	echo "$1" >$fail_attr/probability
	cleanup_add failslab_off
}

failslab_off()
{
	echo 0 >/sys/kernel/debug/failslab/probability
}

### Cleanup

cleanups=''

# cleanup_add COMMAND: run when the script ends, last added first.
cleanup_add()
{
	cleanups="$1
$cleanups"
}

run_cleanups()
{
	trap - EXIT INT TERM
	eval "$cleanups"
}
trap run_cleanups EXIT
trap 'run_cleanups; exit 130' INT TERM
