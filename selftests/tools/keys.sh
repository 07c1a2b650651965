#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# EIDs as groups and as QR codes, and read back; a scanner reads the code. A key is
# replaced as a whole or not at all.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
secret='dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo='
(umask 077 && echo $secret >a.key)

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	refused 1 "$refuses_words" sss-netlink "$@"
}

### Shown

sss-netlink key show a.key >shown
groups=$(sed -n 's/.* groups //p' shown)
is "13 groups" "$(echo "$groups" | wc -w)" 13
is "of four" "$(echo "$groups" | tr ' ' '\n' | awk '{ print length($0) }' | sort -u)" 4
is "which are the EID" "$(echo "$groups" | tr -d ' ')" $eid
is "an EID is shown as its key is" "$(sss-netlink key show $eid)" "$(cat shown)"
is "as JSON" "$(sss-netlink -json key show a.key)" "[{\"eid\":\"$eid\",\"groups\":\"$groups\"}]"
is "brief, the EID" "$(sss-netlink -brief key show a.key)" $eid

# What a camera sees of a terminal: each character is two pixels above each other
cat >scan.py <<'END'
import sys, zbar
rows = []
for line in sys.stdin.read().split("\n")[1:]:
    if line:
        rows.append([c in "\u2588\u2580" for c in line])
        rows.append([c in "\u2588\u2584" for c in line])
assert len(set(map(len, rows))) == 1
zoom = 4
dark, light = b"\0", b"\xff"
data = b"".join(b"".join((light if on else dark) * zoom for on in row) * zoom for row in rows)
image = zbar.Image(len(rows[0]) * zoom, len(rows) * zoom, "Y800", data)
scanner = zbar.ImageScanner()
scanner.scan(image)
print("\n".join(symbol.data for symbol in image))
END
scan()
{
	PYTHONIOENCODING=utf-8 /usr/bin/python3 scan.py <shown
}

is "a scanner reads the EID in capitals" "$(scan)" "$(echo $eid | tr '[:lower:]' '[:upper:]')"
is "and that is read back" "$(scan | sss-netlink key read)" $eid

### Read back

is "groups" "$(sss-netlink key read "$groups")" $eid
# shellcheck disable=SC2086 # words
is "groups, as words" "$(sss-netlink key read $groups)" $eid
is "with hyphens" "$(sss-netlink key read "$(echo "$groups" | tr ' ' -)")" $eid
is "in capitals" "$(sss-netlink key read "$(echo "$groups" | tr '[:lower:]' '[:upper:]')")" $eid
is "mixed, over several lines" "$(echo "$groups" | sed 's/ /-\n  /4; s/quqp/QuQp/' | sss-netlink key read)" $eid
is "as JSON" "$(sss-netlink -json key read "$groups")" "[{\"eid\":\"$eid\"}]"
check "a wrong character is told with its group" refuses 'group 3: an EID has letters' key read quqp acmj g0tv
check "too few" refuses '13 groups of 4 characters, 52 in all, not 8' key read quqp acmj
check "too many" refuses 'not 53' key read "${eid}a"
check "none" refuses 'not 0' key read
check "nobody's" refuses 'nobody can have this EID' key read aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
check "a private key" refuses 'seen by everybody' key read "$secret"
check "a long text" sh -c 'head -c 100000 /dev/zero | tr "\0" a | { ! sss-netlink key read 2>err; } && grep -q "52 in all" err'

### Replaced

# unchanged: a.key is what it was, and alone
unchanged()
{
	[ "$(cat a.key)" = "$secret" ] && [ "$(echo a.key*)" = a.key ]
}

check "a file that is not there" refuses 'cannot read key file "none"' key rotate none
check "no file" refuses 'a key file is missing' key rotate
echo nonsense >bad.key
chmod 600 bad.key
check "one that is no key" refuses 'is no key file' key rotate bad.key
is "stays" "$(cat bad.key)" nonsense
chmod 640 a.key
check "one that others may read" refuses 'chmod 600' key rotate a.key
chmod 600 a.key
check "nothing has changed so far" unchanged
(umask 077 && echo other >a.key.old-quqpacmj)
check "the name of the old one is taken" refuses 'cannot keep the old key' key rotate a.key
is "what is there stays" "$(cat a.key.old-quqpacmj)" other
rm a.key.old-quqpacmj
check "and nothing has changed" unchanged

# fails_at CALL: while it rotates, this system call fails
fails_at()
{
	status=0
	strace -qq -o trace -e trace="$1" -e inject="$1:error=EIO" \
		sss-netlink key rotate a.key >out 2>err || status=$?
	grep -q INJECTED trace && [ "$status" = 1 ] && [ ! -s out ] && grep -q 'nothing has changed' err && unchanged
}
if strace -qq -o trace true 2>/dev/null; then
	for call in link rename fsync chown; do
		check "if $call fails nothing has changed" fails_at $call
	done
else
	skip "failing system calls" "processes cannot be traced here"
fi
flock -F a.key sleep 100 &
locker=$!
wait_for 5 sh -c '! flock -n a.key true'
check "while somebody else replaces it" refuses 'is being replaced by somebody else' key rotate a.key
kill $locker
wait $locker 2>/dev/null || true
check "nothing has changed" unchanged

chmod 400 a.key
ln -s a.key link.key
check "it is replaced, through a link" sh -c 'sss-netlink -json key rotate link.key >out 2>err'
new=$(sss-netlink key eid a.key)
old_key=a.key.old-quqpacmj
is "the answer has both, and where the old one is" "$(cat out)" \
	"[{\"eid\":\"$new\",\"old-eid\":\"$eid\",\"old-key\":\"$work/$old_key\"}]"
check "what is to be done is told" grep -q 'systemctl restart sss' err
check "it is another" [ "$new" != "$eid" ]
is "the old one is kept" "$(cat $old_key)" "$secret"
is "only the owner reads the new one" "$(command stat -c %a a.key)" 600
is "nor the old one" "$(command stat -c %a $old_key)" 400
check "the link is one" [ -L link.key ]
is "there is nothing else" "$(echo a.key*)" "a.key $old_key"
check "once more" sh -c 'sss-netlink key rotate a.key >out 2>err'
is "and both old ones are there" "$(find . -name 'a.key.old-*' | wc -l)" 2

# Cut short at its worst: the old one has its name already, the new one not its place
cp a.key before
ln a.key "a.key.old-$(sss-netlink key eid a.key | cut -c-8)"
(umask 077 && echo half >a.key.new)
check "after one that was cut short" sh -c 'sss-netlink key rotate a.key >out 2>err'
check "the old one is there" sh -c 'for f in a.key.old-*; do cmp -s $f before && exit; done; exit 1'
check "and nothing half" [ ! -e a.key.new ]
finish
