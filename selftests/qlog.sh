#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tracepoints during a transfer that loses packets, and the qlog made of them:
# a viewer can read it, and it tells what the counters tell.
set -u
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing 2>/dev/null ||
	skip_all "no tracing in this kernel"
[ -d $tracing/events/sss ] || skip_all "no events in this kernel"
work=$(mktemp -d)
cleanup_add "rm -rf $work"

# host NS
host()
{
	(umask 077 && sss-netlink key generate >"$work/$1.key")
	sss-netlink key eid <"$work/$1.key" | tr -d ' \n-' >"$work/$1.eid"
	on "$1" sss-netlink host add "$1" private-key "$work/$1.key"
	on "$1" sysctl -q net.sss.idle_timeout_ms=200
}

trace_on()
{
	echo mono >"$tracing"/trace_clock
	echo 16384 >"$tracing"/buffer_size_kb
	echo >"$tracing"/trace
	echo 1 >"$tracing"/events/sss/enable
	echo 1 >"$tracing"/tracing_on
	cleanup_add trace_off
}

trace_off()
{
	echo 0 >"$tracing"/events/sss/enable
	echo 0 >"$tracing"/tracing_on
	echo 1408 >"$tracing"/buffer_size_kb
}

no_channels()
{
	[ "$(stat Channels alice)$(stat Channels bob)" = 00 ]
}

# What the counters of NS say, as "NAME VALUE" lines below its namespace's number
counters()
{
	echo "net $(on "$1" readlink /proc/self/ns/net | tr -dc 0-9)"
	on "$1" cat /proc/net/sss_stat
}

agree()
{
	/usr/bin/python3 - "$work/qlog" "$work/alice" "$work/bob" <<'END'
import json, sys

with open(sys.argv[1]) as f:
    qlog = json.load(f)
bad = []


def want(what, got, wanted):
    if got != wanted:
        bad.append(f"{what}: {got}, not {wanted}")


want("version", qlog["qlog_version"], "0.3")
want("format", qlog["qlog_format"], "JSON")
for trace in qlog["traces"]:
    want("side", trace["vantage_point"]["type"] in ("client", "server", "unknown"), True)
    want("time format", trace["common_fields"]["time_format"], "relative")
    want("reference time", trace["common_fields"]["reference_time"] > 0, True)
    last = 0
    for event in trace["events"]:
        want("fields", set(event), {"time", "name", "data"})
        want("category", event["name"].split(":")[0] in
             ("transport", "recovery", "connectivity", "security"), True)
        want("time", event["time"] >= last, True)
        last = event["time"]
        header = event["data"].get("header", {})
        if event["name"] in ("transport:packet_sent", "transport:packet_received",
                             "recovery:packet_lost"):
            want("type", isinstance(header["packet_type"], str), True)
            want("length", event["data"]["raw"]["length"] > 0, True)
            if header["packet_type"] == "1RTT":
                want("number", isinstance(header["packet_number"], int), True)
names = {event["name"] for trace in qlog["traces"] for event in trace["events"]}
want("kinds of events", names >= {
    "transport:packet_sent", "transport:packet_received", "recovery:packet_lost",
    "recovery:metrics_updated", "security:key_updated", "connectivity:mtu_updated",
    "transport:stream_state_updated"}, True)
want("sides", {t["vantage_point"]["type"] for t in qlog["traces"]} >= {"client", "server"}, True)


def count(traces, name, packet_type="1RTT"):
    return sum(1 for trace in traces for event in trace["events"]
               if event["name"] == name and event["data"]["header"]["packet_type"] == packet_type)


for path in sys.argv[2:]:
    with open(path) as f:
        stat = {name: int(value) for name, value in map(str.split, f)}
    traces = [t for t in qlog["traces"] if t["vantage_point"]["name"] == f"net {stat['net']}"]
    messages = sum(stat["HsTx" + kind] for kind in ("Initiate", "Respond", "Cookie", "Reject"))
    want("sent", count(traces, "transport:packet_sent"),
         stat["TxPackets"] + stat["TxErrors"] - messages)
    want("received", count(traces, "transport:packet_received"), stat["RxApplied"])
    want("lost", count(traces, "recovery:packet_lost"), stat["PktsLost"])
    want("INITIATEs sent", count(traces, "transport:packet_sent", "initial"),
         stat["HsTxInitiate"])
    want("RESPONDs received", count(traces, "transport:packet_received", "handshake"),
         stat["HsRxRespond"])
    dropped = {}
    for trace in traces:
        for event in trace["events"]:
            if event["name"] == "transport:packet_dropped":
                data = event["data"]
                dropped[data["trigger"]] = dropped.get(data["trigger"], 0) + data["packets"]
    want("dropped", dropped, {name: value for name, value in stat.items()
                              if "Drop" in name and value and not name.startswith("Data")})
    acked = sum(b - a + 1 for trace in traces for event in trace["events"]
                for frame in event["data"].get("frames", []) for a, b in frame["acked_ranges"])
    want("acknowledged", acked > 0, True)
    print(f"# {stat['net']}: {stat['TxPackets']} packets sent, {stat['PktsLost']} lost")
    if path.endswith("alice"):
        want("something was lost", stat["PktsLost"] > 0, True)
print("\n".join("# " + line for line in bad[:20]))
sys.exit(bool(bad))
END
}

# No event was overwritten before it was read.
all_there()
{
	! grep -hE '^(overrun|dropped events): [1-9]' "$tracing"/per_cpu/cpu*/stats
}

# Fields are numbers, addresses and the names of reasons.
no_secret()
{
	! grep -F -f "$work/alice.key" -f "$work/bob.key" "$work/trace" &&
		! grep ' sss_' "$work/trace" | sed 's/.* sss_[a-z0-9_]*: //' | tr ' ' '\n' |
		grep -vE '^[a-z_]+=([0-9]{1,20}|[][0-9a-f.:]+|[A-Za-z0-9]{1,20})$' | head -n 5 | grep .
}

pair
plain alice bob
trace_on
check "hosts come up" eval 'host alice && host bob'
on alice sss-netlink peer add "$(cat "$work/bob.eid")" endpoint 10.9.0.2:9660
on bob sss-bench sss serve - bench &
cleanup_add "kill $! 2>/dev/null || true"
drop_each bob 20
check "bytes arrive in spite of losses" \
	on alice timeout 60 sss-bench sss bulk "$(cat "$work/bob.eid")" bench 400000
check "and the channel ends" wait_for 20 no_channels
echo 0 >"$tracing"/tracing_on
cat "$tracing"/trace >"$work/trace"
check "all events are there" all_there
counters alice >"$work/alice"
counters bob >"$work/bob"
check "they make a qlog" sh -c "sss-qlog $work/trace >$work/qlog"
check "which is as qlogs are, and agrees with the counters" agree
check "no secret is in them" no_secret
cp "$work/trace" "$work/qlog" "${OUT:-/run/out}" 2>/dev/null || true
finish
