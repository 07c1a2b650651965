#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-cat's command line: wrong ones are refused with a sentence and exit
# status 2, before a socket is made.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
long=$(printf '%046d' 0)

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	refused 2 "$refuses_words" sss-cat "$@"
}

check "help" sh -c 'sss-cat -h | grep -q ^Usage:'
check "version" sh -c 'sss-cat --version | grep -qxE "sss-cat [0-9.]+"'
check "nothing to do" refuses 'wants EID, SERVICE and PROTOCOL'
check "no protocol" refuses 'wants EID, SERVICE and PROTOCOL' "$eid" s
check "too much" refuses 'wants EID, SERVICE and PROTOCOL' "$eid" s p q
check "listening: no protocol" refuses '-l wants SERVICE and PROTOCOL' -l s
check "listening: an EID" refuses '-l wants SERVICE and PROTOCOL' -l "$eid" s p
check "unknown option" refuses 'unknown option -x' -x "$eid" s p
check "option without value" refuses 'option -w needs a value' "$eid" s p -w
check "-k without -l" refuses '-k goes with -l' -k "$eid" s p
check "-4 with -6" refuses 'exclude each other' -4 -6 "$eid" s p
check "-4 with -l" refuses 'go with connecting' -4 -l s p
for text in '' nobody "${eid}a" "${eid#q}" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
	check "no EID: '$text'" refuses 'is no EID' "$text" s p
	check "-H: no EID: '$text'" refuses 'is no EID' -H "$text" -l s p
done
for text in '' 0 -1 x 1x nan inf 1e30 0x10 +10 ' 10' 1e1 1.2.3 .; do
	check "no timeout: '$text'" refuses 'is no number of seconds' -w "$text" "$eid" s p
done
for option in '' -l; do
	check "${option:-connect}: no service" refuses '1 to 45 bytes' $option ${option:-"$eid"} '' p
	check "${option:-connect}: no protocol" refuses '1 to 45 bytes' $option ${option:-"$eid"} s ''
done
check "a service too long" refuses '1 to 45 bytes' "$eid" "$long" p
check "a protocol too long" refuses '1 to 45 bytes' "$eid" s "$long"
check "no such input" refuses 'cannot open "none"' -i none "$eid" s p
check "no such output" refuses 'cannot open "none/out"' -o none/out "$eid" s p
if [ -e /proc/net/sss_stat ]; then
	skip "what is said without the module" "it is loaded"
else
	check "without the module" fails_with 'module is not loaded' sss-cat "$eid" s p
fi
finish
