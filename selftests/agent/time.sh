#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the agent does as time goes by, in virtual time: entries are renewed before they
# end, servers that do not answer cost a bounded wait, and are tried ever more rarely.
# shellcheck disable=SC2154 # key() makes names
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

wait_step=0.5
nobody=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
world_up
for ns in alice bob; do
	n=$((${n:-0} + 1))
	settings $ns $n 'TimeToLive = 4'
	sss-netlink -netns $ns config load $ns.conf
done
server
answering
agent alice
agent bob
said alice event=registered
said bob event=registered
sleep 60
is "after fifteen times to live nothing has expired" "$(metric sss_regserver_expired_total)" 0
check "both are there" entries 2
refreshed=$(metric 'sss_regserver_requests_total{op="refresh"')
echo "# $refreshed refreshes of two in 60 s"
check "renewed twice in each, and not much more often" [ "$refreshed" -ge 60 ]
check "nor all the time" [ "$refreshed" -le 110 ]

# A server that hangs
kill -STOP "$server"
before=$(date +%s)
check "a server that does not answer is waited for, then it is a timeout" \
	status 4 'no answer' on alice sss-cat -w 60 "$nobody" s p
took=$(($(date +%s) - before))
check "after 8 seconds" [ $took -ge 7 ]
check "and not much more" [ $took -le 9 ]
kill -CONT "$server"
check "it answers again, and both are there" wait_for 60 entries 2

# A server that is not there
sss-netlink -netns srv host del srv
killed "$server"
sleep 30
lost=$(grep -c event=server-lost alice.log)
sleep 1200
tries=$(($(grep -c event=server-lost alice.log) - lost))
echo "# $tries tries in 20 minutes"
check "one that is gone is tried on" [ $tries -ge 3 ]
check "and more and more rarely" [ $tries -le 12 ]
before=$(date +%s)
check "who is asked for meanwhile is not waited for for long" \
	status 4 'no answer' on alice sss-cat -w 60 "$nobody" s p
check "8 seconds" [ $(($(date +%s) - before)) -le 9 ]
sss-netlink -netns srv host add srv private-key srv.key
server
wait_step=20
check "it comes back, and both register in time" wait_for 600 entries 2
finish
