#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-cat and sss-netlink on a running module: what arrives, exit codes,
# answers that scripts can read.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
pair

# identity NS: a host there
identity()
{
	(umask 077 && sss-netlink key generate "$1.key")
	sss-netlink -netns "$1" host add "$1" private-key "$1.key"
	sss-netlink key eid "$1.key" >"$1.eid"
}

identity alice
identity bob
alice=$(cat alice.eid) bob=$(cat bob.eid)
nobody=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
sss-netlink -netns alice peer add "$bob" endpoint 10.9.0.2:9660 endpoint '[fd09::2]:9660'
sss-netlink -netns bob peer add "$alice" endpoint 10.9.0.1:9660

# Bob listens from now on; $receiver is his process.
listen()
{
	ip netns exec bob sss-cat -w 90 "$@" s p </dev/null >received 2>bob.err &
	receiver=$!
	wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
}

listen_ended()
{
	wait "$receiver" || { echo "# bob: status $?, $(cat bob.err)"; return 1; }
}

# answers ARGS...: with -json, kept for the check that follows them all
answers()
{
	answer=$((${answer:-0} + 1))
	{ echo "$*"; sss-netlink -netns alice "$@"; } >"answer.$answer"
}

# Python is slow to start here: once for all.
all_parse()
{
	python3 - answer.* <<-'END'
		import json, sys
		for name in sys.argv[1:]:
		    what, text = open(name).read().split("\n", 1)
		    try:
		        assert isinstance(json.loads(text), list)
		    except Exception as error:
		        sys.exit(f"# {what}: {error}: {text}")
	END
}

# A member of the first object of an answer
member()
{
	python3 -c 'import json, sys; print(json.load(sys.stdin)[0][sys.argv[1]])' "$1"
}

### sss-netlink

check "a host's name is taken" fails_with 'sss-netlink: ' sss-netlink -netns alice host add alice
check "a host that is not there" fails_with 'sss-netlink: ' sss-netlink -netns alice host show nobody
check "so it is with -json, and nothing is printed" sh -c \
	'! sss-netlink -json -netns alice host show nobody 2>/dev/null >out && ! [ -s out ]'
check "settings change" sss-netlink -netns bob host set bob stealth on mode 0640 padding buckets
check "and show" sh -c 'sss-netlink -netns bob host show bob | grep -q "stealth on .*mode 0640 .*padding buckets"'
check "all of it" sss-netlink -netns bob host set bob stealth off mode 0666 padding none
check "who is let in changes" \
	sss-netlink -netns bob host set bob access rules max-streams 7 rate 9
check "and shows" sh -c 'sss-netlink -netns bob host show bob | grep -q "access rules max-streams 7 rate 9"'
check "all of it is undone" sss-netlink -netns bob host set bob access anyone max-streams 0 rate 0
check "a rule" sss-netlink -netns bob access add "$alice" service s max-streams 3 rate 5 host bob
check "a second for the same" fails_with 'There is a rule' \
	sss-netlink -netns bob access add "$alice" service s deny
check "in its place" sss-netlink -netns bob access set "$alice" service s max-streams 4
check "one for everybody" sss-netlink -netns bob access add anyone deny
is "with -json" "$(sss-netlink -netns bob -j access show host bob)" \
	"[{\"eid\":\"anyone\",\"host\":\"bob\",\"deny\":true},{\"eid\":\"$alice\",\"host\":\"bob\",\"service\":\"s\",\"max-streams\":4,\"deny\":false}]"
check "and in words" sh -c 'sss-netlink -netns bob access | grep -q "^eid anyone host bob deny on$"'
check "away" sss-netlink -netns bob access del anyone
check "both" sss-netlink -netns bob access del "$alice" service s
is "none is left" "$(sss-netlink -netns bob access show)" ""
listen -l
for object in 'host show' 'host show alice' 'peer show' 'peer show host alice' 'service show' \
	'stream show' 'channel show' 'stats' 'stats Pkts' 'stats none' 'stats show Pkts' 'h sh' 'p sh'; do
	# shellcheck disable=SC2086 # words
	check "-json $object" answers -json $object
	# shellcheck disable=SC2086
	check "-json -pretty $object" answers -j -p $object
done
check "all of that parses" all_parse
is "a peer's endpoints, best first" \
	"$(sss-netlink -j -n alice p sh | member endpoints)" "['10.9.0.2:9660', '[fd09::2]:9660']"
is "the service" "$(sss-netlink -j -n bob service show | member protocol)" p

### Transfers

check "service show remote tells what bob offers" sh -c \
	'ip netns exec alice sss-netlink service show remote "$1" | grep -qx "service s protocol p kind stream"' sh "$bob"
is "with -json" "$(on alice sss-netlink -j service show remote "$bob")" \
	'[{"service":"s","protocol":"p","kind":"stream"}]'
is "alice offers nothing" "$(on bob sss-netlink -j service show remote "$alice")" '[]'
check "somebody who is not there" fails_with "$nobody: no endpoint of that peer is known: " on alice sss-netlink service show remote "$nobody"
check "text arrives" sh -c 'echo hello | ip netns exec alice sss-cat -w 30 "$1" s p' sh "$bob"
check "and the listener ends" listen_ended
is "it is the text" "$(cat received)" hello

head -c 1000000 /dev/urandom >file
for family in -4 -6; do
	listen -l
	check "$family: a file arrives" status 0 'bytes-sent: 1000000' \
		on alice sss-cat $family -w 60 -I -i file "$bob" s p
	check "$family: the listener ends" listen_ended
	check "$family: it is the file" cmp file received
done
for name in connect-rtts first-byte-us rtt-us packets-lost bytes-resent throughput; do
	check "-I tells $name" grep -qE "^$name: [0-9]+$" err
done

listen -l -o file2
check "-o" on alice sss-cat -w 60 -p "$bob" s p <file 2>err
check "-p shows all of it" grep -q '(100 %)' err
check "-o ends" listen_ended
check "-o has the file" cmp file file2

listen -l -i file
check "a listener sends, too" sh -c 'ip netns exec alice sss-cat -w 60 "$1" s p </dev/null >got' sh "$bob"
check "all of it" cmp file got
check "and ends" listen_ended

ip netns exec bob sss-cat -l -k -i file s p >received 2>bob.err &
receiver=$!
cleanup_add 'kill $receiver 2>/dev/null || true'
wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
for n in 1 2 3; do
	check "-k: caller $n is served" sh -c \
		'echo caller | ip netns exec alice sss-cat -w 60 -H "$2" "$1" s p | cmp -s - file' sh "$bob" "$alice"
done
kill "$receiver"
wait "$receiver" || true
is "-k: all were heard" "$(cat received)" "$(printf 'caller\ncaller\ncaller')"

# Both ways at once, much more than any buffer holds
ip netns exec bob sss-cat -l -w 60 s p <file >received 2>bob.err &
receiver=$!
wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
check "both ways at once" sh -c 'cat file | ip netns exec alice sss-cat -w 60 "$1" s p | cat >got' sh "$bob"
check "the listener ends" listen_ended
check "one way" cmp file received
check "and the other" cmp file got

# The examples of the README
ip netns exec bob hello-listen >received &
receiver=$!
wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service Hello "'
check "the example connects" on alice hello-connect "$bob"
check "the other one hears it" wait "$receiver"
is "and says so" "$(cat received)" 'received: hello, peer'

### What goes wrong

check "no such service" status 1 'no such service' on alice sss-cat "$bob" other p
check "no endpoint" status 1 'no endpoint' on alice sss-cat "$nobody" s p
listen -l
check "no such protocol" status 1 'not by that protocol' on alice sss-cat "$bob" s q
check "taken already" status 1 'already' on bob sss-cat -l s p
check "no such host here" status 1 'no host here has that EID' on bob sss-cat -l -H "$nobody" s q
check "nobody calls" status 4 'nobody called' on bob sss-cat -l -w 0.2 t p
mkfifo quiet
check "nothing happens" status 4 'nothing happened' \
	sh -c 'ip netns exec alice sss-cat -w 0.5 "$1" s p <>quiet' sh "$bob"
wait "$receiver" || true

sss-netlink -netns alice peer add "$nobody" endpoint 10.9.0.2:1 endpoint 10.9.0.77:9660
check "no answer: -w" status 4 'no answer' on alice sss-cat -w 0.5 "$nobody" s p
sss-netlink -netns alice peer set "$nobody" endpoint '[fd09::2]:9660'
check "no endpoint of that family" status 1 'no endpoint' on alice sss-cat -4 -w 5 "$nobody" s p

listen -l -i file
check "standard output that is full" status 3 'No space left' \
	sh -c 'ip netns exec alice sss-cat -w 30 "$1" s p >/dev/full' sh "$bob"
kill "$receiver" 2>/dev/null || true
wait "$receiver" || true

ip netns exec bob sss-cat -l -w 30 -o /dev/full s p </dev/null 2>bob.err &
receiver=$!
wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
check "the peer reads no more" status 3 'sending: ' \
	sh -c 'ip netns exec alice sss-cat -w 30 "$1" s p </dev/zero' sh "$bob"
check "since it could not write" fails_with '' wait "$receiver"
check "and said so" grep -q 'No space left' bob.err

sss-netlink -netns alice host del alice
check "no host" status 1 'no local host' on alice sss-cat "$bob" s p
finish
