#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-netlink as far as it needs no kernel: keys, and wrong command lines,
# which are refused with a sentence before anything else is tried.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"

# RFC 7748, section 6.1: Alice's pair
secret='dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo='
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	refused 1 "$refuses_words" sss-netlink "$@"
}

### Keys

check "a key goes into a file" sss-netlink key generate a.key
is "which its owner alone may read" "$(command stat -c %a a.key)" 600
is "and holds 32 bytes in base64" "$(base64 -d a.key | wc -c)" 32
check "a key file is not written over" refuses 'File exists' key generate a.key
check "the EID of a key has 52 characters" sh -c 'sss-netlink key eid a.key | grep -qxE "[a-z2-7]{52}"'
check "two keys are two" [ "$(sss-netlink key generate | tee b.key)" != "$(cat a.key)" ]
chmod 600 b.key
is "a file and standard input do both" "$(sss-netlink key eid b.key)" "$(sss-netlink key eid - <b.key)"
is "RFC 7748's key has its EID" "$(echo "$secret" | sss-netlink key eid)" "$eid"
is "abbreviated, too" "$(echo "$secret" | sss-netlink k e)" "$eid"

for mode in 640 604 660; do
	chmod $mode a.key
	check "a key file of mode $mode is refused" refuses 'chmod 600' key eid a.key
	check "for a host as well" refuses 'chmod 600' host add x private-key a.key
	check "and for a peer" refuses 'chmod 600' peer add "$eid" psk a.key
done
chmod 400 a.key
check "one that is only to be read is not" sh -c "sss-netlink key eid a.key >out"
check "nor is a pipe" sh -c 'cat a.key | sss-netlink key eid >out'

check "a missing key file is named" refuses '"none.key"' key eid none.key
for text in '' 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LC=' "$secret$secret" "$eid" '****'; do
	echo "$text" >bad.key
	chmod 600 bad.key
	check "no key: '$text'" refuses 'is no key file' key eid bad.key
done
head -c 300 /dev/zero >bad.key
check "no key: 300 zeros" refuses 'is no key file' key eid bad.key

seen='a key on the command line is seen by everybody'
check "a key for a file name is refused" refuses "$seen" key eid "$secret"
check "for a host's" refuses "$seen" host add x private-key "$secret"
check "for a setting" refuses "$seen" host add x "$secret"
check "for a host" refuses "$seen" host add "$secret"
check "for a peer's EID" refuses "$seen" peer add "$secret"
check "for a peer's secret" refuses "$seen" peer add "$eid" psk "$secret"
check "the refusal does not repeat it" sh -c '! grep -qF "$1" err' sh "$secret"

### Command lines

check "no object" sh -c '! sss-netlink 2>err && grep -q ^Usage: err'
check "unknown object" refuses 'unknown object "hots"' hots
check "unknown option" refuses 'unknown option "frob"' -frob host
check "unknown commands" refuses 'unknown command "host frob"' host frob
check "of a key" refuses 'unknown command "key frob"' key frob
check "of a peer" refuses 'unknown command "peer frob"' peer frob
check "of what is only shown" refuses 'there is only "show"' stream frob
check "of a channel" refuses 'unknown command "channel frob"' channel frob
for command in rekey close; do
	check "no peer to $command" refuses 'the EID of a peer is missing' channel $command
	check "no EID to $command" refuses 'is no EID' channel $command nobody
	check "a setting of $command" refuses 'unknown setting "port"' channel $command "$eid" port 1
	check "too much to $command" refuses 'one argument too many' channel $command "$eid" host a b
done
check "no network namespace of that name" refuses 'there is no network namespace' -netns nowhere host show
check "no name" refuses 'the name of a host is missing' host add
check "a name too long" refuses 'at most 15 bytes' host add abcdefghijklmnop
check "unknown setting" refuses 'unknown setting "frob"' host add x frob
check "no value" refuses 'port is missing' host add x port
for port in 65536 -1 +1x x 0x10 +10 ' 10' 10abc 18446744073709551626 ''; do
	check "port '$port'" refuses 'port is a number up to 65535' host add x port "$port"
done
for mode in 888 +660 ' 660' 0x1b 1000; do
	check "not octal: $mode" refuses 'mode is an octal number' host add x mode "$mode"
done
check "no such padding" refuses 'padding is none, buckets or full' host set x padding some
check "neither on nor off" refuses 'stealth is "on" or "off"' host set x stealth yes
check "no such user" refuses 'owner is a number' host add x owner no-such-user
check "nothing to set" refuses 'what shall change' host set x
check "too much to delete" refuses 'one argument too many' host del x y
check "too much to show" refuses 'one argument too many' service show x
for text in '' nobody "${eid}a"; do
	check "nobody to browse: '$text'" refuses 'is no EID' service show remote "$text"
done
check "too much after stats" refuses '"y" is one argument too many' stats show x y
for text in '' nobody "${eid}a" "${eid#q}" 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; do
	check "no EID: '$text'" refuses 'is no EID' peer add "$text"
done
for text in '' 10.9.0.2 10.9.0.2: :9660 fd09::2:9660 '[fd09::2]' '[]:9660' '[fd09::2:9660'; do
	check "no endpoint: '$text'" refuses 'is not ADDR:PORT' peer add "$eid" endpoint "$text"
done
for port in 70000 +9 0x9 ' 9' 9x; do
	check "an endpoint's port '$port'" refuses 'with a port up to 65535' peer add "$eid" endpoint "10.9.0.2:$port"
done
check "none and some" refuses 'goes with no other' peer set "$eid" endpoint none endpoint 10.9.0.2:9
set -- a
while [ $# -lt 19 ]; do set -- "$@" endpoint 10.9.0.2:9; done
shift
check "nine endpoints" refuses 'at most 8 endpoints' peer add "$eid" "$@"

check "access for somebody else" refuses 'access is for' host set x access friends
check "a rule for nobody" refuses 'an EID, or "anyone",' access add
check "a limit that is no number" refuses 'max-streams' access add "$eid" max-streams many
check "deleting a limit" refuses 'unknown setting' access del "$eid" max-streams 3
check "a service without a name" refuses 'a service has 1 to 45 bytes' access add anyone service ''

for object in '' key host peer service stream channel access stats config agent monitor; do
	# shellcheck disable=SC2086 # no word for none
	check "help for ${object:-all}" sh -c "sss-netlink $object help | grep -q ^Usage:"
done
for help in -h -help --help; do
	check "sss-netlink $help" sh -c "sss-netlink $help | grep -q ^Usage:"
done
if [ -e /proc/net/sss_stat ]; then
	skip "what is said without the module" "it is loaded"
else
	for object in 'host show' 'host add x' 'peer show' 'stats' 'monitor' '-json service show'; do
		# shellcheck disable=SC2086 # words
		check "without the module: $object" fails_with 'module is not loaded' sss-netlink $object
	done
fi
if [ -w /dev/full ]; then
	check "what cannot be written is a failure" sh -c '! sss-netlink key generate >/dev/full 2>err && grep -q cannot err'
fi
finish
