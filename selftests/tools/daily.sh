#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-netlink's manners with a kernel: all that can be shown, brief, coloured and as
# JSON; batches that the kernel refuses; completion of what there is.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
pair
for key in alice bob; do
	(umask 077 && sss-netlink key generate $key.key)
	eval "$key=$(sss-netlink key eid $key.key)"
done
# shellcheck disable=SC2154 # made by eval
: "$alice$bob"
printf '%s\n' 'host add bob private-key bob.key port 9670' "peer add $alice" | sss-netlink -netns bob -batch -

netlink()
{
	sss-netlink -netns alice "$@"
}

cat >up <<END
host add home private-key alice.key   # alice
host set home access rules

peer add "$bob" \\
	endpoint 10.9.0.2:9670
access add $bob service Files max-streams 3
access add anyone deny
END
check "a batch" netlink -batch up
printf 'host add work port 9661\nhost add home\nhost add third port 9662\n' >again
status=0
netlink -batch again 2>err || status=$?
is "the kernel refuses a line: status" $status 2
check "it is told with file and line" grep -q '^sss-netlink: again:2: ' err
is "what was before it is done, what is behind it is not" "$(netlink -brief host | awk '{ print $1 }' | xargs)" 'home work'
printf 'host add home\nhost add third port 9662\n' >again
status=0
netlink -force -batch again 2>err || status=$?
is "with -force: status" $status 2
is "and the rest is done" "$(netlink -brief host | awk '{ print $1 }' | xargs)" 'home work third'
printf 'host del work\nhost del third\nhost show\n' | netlink -json -batch - >out
is "results come between" "$(grep -c '"name":"home"' out)" 1

# A stream that neither end ends
mkfifo from_alice from_bob
on bob sss-cat -l s p <from_bob >/dev/null 2>bob.err &
exec 3>from_bob
wait_for 20 sh -c 'sss-netlink -netns bob -brief service | grep -q "^s "'
on alice sss-cat "$bob" s p <from_alice >/dev/null 2>alice.err &
exec 4>from_alice
check "a stream" wait_for 20 sh -c 'sss-netlink -netns alice -brief stream | grep -q ESTAB'

# brief WORDS ARGS...: one line of it is these words
brief()
{
	brief_wanted=$1
	shift
	netlink -brief "$@" | sed 's/  */ /g' >out
	grep -qxE -e "$brief_wanted" out && return
	sed 's/^/# /' out
	return 1
}
check "brief: host" brief "home $alice 9660 rules" host
check "brief: peer" brief "$bob home .*10.9.0.2:9670.*" peer
check "brief: access" brief "$bob home Files off 3 -" access
check "brief: what a rule does not say" brief "anyone home - on - -" access
check "brief: channel" brief "$bob home [^ ]*:9670 up [0-9]+" channel
check "brief: stream" brief "[0-9]+ [0-9-]+ s ESTAB $bob" stream
check "brief: stream, with rates" brief "[0-9]+ [0-9-]+ s ESTAB $bob [0-9]+ [0-9]+" stream show rate
check "brief: stats are those that are not 0" sh -c '
	sss-netlink -netns alice -brief stats >out && [ -s out ] && ! grep -q " 0$" out'
for object in host peer access channel stream; do
	netlink -json -pretty $object >$object.json
	netlink -json -brief $object >$object.brief
done
cat >read.py <<'END'
import json
for name in "host", "peer", "access", "channel", "stream":
    full, brief = (json.load(open(name + end)) for end in (".json", ".brief"))
    assert full and len(full) == len(brief), name
    for f, b in zip(full, brief):
        assert b and b.keys() <= f.keys(), (name, f, b)
    assert name == "access" or len(brief[0]) < len(full[0]), name
END
check "JSON of all, and brief, which is less of the same" python3 read.py
esc=$(printf '\033')
check "coloured: a link that is up" sh -c "sss-netlink -netns alice -color channel | grep -q 'link $esc.32mup$esc.0m'"
check "and a stream" sh -c "sss-netlink -netns alice -color stream | grep -q 'state $esc.32mESTAB$esc.0m'"
check "and errors" sh -c "sss-netlink -netns alice -color host del none 2>&1 | grep -q '^$esc.31msss-netlink: '"

# shellcheck source=selftests/tools/complete.sh
. "$top/selftests/tools/complete.sh"
completes "-netns al" alice
completes "-netns alice host del " home
completes "-netns alice host set " home
completes "-netns bob host show " bob
completes "-netns alice peer del " "$bob"
completes "-netns alice access add " "$bob" anyone
completes "-netns alice peer show host " home
finish
