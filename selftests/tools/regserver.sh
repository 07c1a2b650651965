#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-netlink regserver, as far as it needs no kernel: servers come into the settings
# and go as a whole, or not at all.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
other=32pnw7l3pxa3ju23mhbozzbvg47ygq6iln4gotnn7r7bi34ifnhq
(umask 077 && sss-netlink key generate home.key)
cat >sss.conf <<CONF
[Host]
Name = home
PrivateKeyFile = $work/home.key
[RegistrationServer]
EID = $other
Endpoint = 192.0.2.9:9660
CONF
made=peers.d/regserver-$eid.conf

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	refused 1 "$refuses_words" sss-netlink "$@"
}

# What there is, all of it
files()
{
	find . -path './*.conf*' -o -path './peers.d*' | sort
	cat sss.conf
	[ ! -d peers.d ] || find peers.d -type f -exec cat {} +
}

# left_alone WORDS ARGS...: refused, and not a trace
left_alone()
{
	files >before
	refuses "$@" && files | cmp -s before -
}

add="regserver add $eid"
# shellcheck disable=SC2086 # words
{
check "no EID" refuses 'the EID of a server is missing' regserver add
check "no address" refuses 'ADDRESS:PORT of the server is missing' $add
check "a bad EID" left_alone 'is no EID' regserver add nobody 192.0.2.1:1 file sss.conf
check "a bad address" left_alone 'Endpoint: "192.0.2.1"' $add 192.0.2.1 file sss.conf
check "nothing of it was made" [ ! -e peers.d ]
check "port 0" left_alone 'Endpoint: "192.0.2.1:0" is not ADDRESS:PORT' $add 192.0.2.1:0 file sss.conf
check "a name that is none" left_alone 'cannot resolve "a..b"' $add a..b:1 file sss.conf
check "more than a line" left_alone 'an endpoint may not be empty, nor hold a line break' $add "192.0.2.1:1
[Host]" file sss.conf
check "a remark" left_alone 'an endpoint may not be empty, nor hold a line break' $add "192.0.2.1:1 #" file sss.conf
check "no such host" left_alone 'there is no [Host] with the Name "work"' $add 192.0.2.1:1 host work file sss.conf
check "no such file" left_alone 'cannot read "none.conf"' $add 192.0.2.1:1 file none.conf
check "a server that is there" left_alone 'a peer with the same EID, as there is at sss.conf:4' \
	regserver add $other 192.0.2.1:1 file sss.conf
check "this machine itself" left_alone 'nothing has changed' \
	regserver add "$(sss-netlink key eid home.key)" 192.0.2.1:1 host home file sss.conf
check "an unknown setting" left_alone 'unknown setting "frob"' $add 192.0.2.1:1 frob
nine=''
for i in 1 2 3 4 5 6 7 8 9; do nine="$nine 192.0.2.1:$i"; done
check "nine addresses" left_alone 'at most 8 endpoints' $add $nine file sss.conf
check "and still nothing was made" [ ! -e peers.d ]

check "a server" sss-netlink $add 192.0.2.1:9660 '[2001:db8::1]:9661' host home file sss.conf 2>err
check "what is to be done is told" grep -q 'no agent runs here with "sss.conf".*systemctl start sss' err
is "it is a file" "$(ls -A peers.d)" "regserver-$eid.conf"
is "that everybody may read" "$(command stat -c %a "$made")" 644
is "the settings have it" "$(sss-netlink config check sss.conf)" 'sss.conf: 1 hosts, 2 peers'
is "with all that was said" "$(sed 1d "$made")" "[RegistrationServer]
EID = $eid
Endpoint = 192.0.2.1:9660
Endpoint = [2001:db8::1]:9661
Host = home"
check "once more" left_alone 'this server is there already' $add 192.0.2.1:9660 file sss.conf

status=0
sss-netlink -json regserver show file sss.conf >shown || status=$?
is "none of them helps: status" $status 2
is "both are shown" "$(python3 -c '
import json
for s in json.load(open("shown")):
    print(s["eid"], s["state"], s["written-at"], *s["endpoints"])')" \
	"$other unreachable sss.conf:4 192.0.2.9:9660
$eid unreachable peers.d/regserver-$eid.conf:2 192.0.2.1:9660 [2001:db8::1]:9661"
for ask in "search x" "lookup $eid"; do
	check "nobody to ask: $ask" sh -c "sss-netlink regserver $ask file sss.conf 2>err; [ \$? = 2 ] && grep -q 'no registration server answers: ' err"
done
mkdir plain
head -n 3 sss.conf >plain/sss.conf
check "no server at all" refuses 'names no registration server: "sss-netlink regserver add"' regserver search x file plain/sss.conf
check "no word" refuses 'a word to search for is missing' regserver search
check "too many" refuses 'words of more than 256 bytes' regserver search "$(printf '%0300d' 0)"
check "a limit" refuses 'limit is a number up to' regserver search x limit many file sss.conf
check "no EID to look up" refuses 'is no EID' regserver lookup nobody

check "one that was written by hand" left_alone 'written down by hand: take it out at sss.conf:4' \
	regserver del $other file sss.conf
check "one that is not there" left_alone 'sss.conf has no such server' \
	regserver del "$(sss-netlink key eid home.key)" file sss.conf
cp sss.conf good.conf
echo '[Hots]' >>sss.conf
check "settings that are wrong" left_alone 'sss.conf:7: there is no section [Hots]' regserver del $eid file sss.conf
check "for adding, too" left_alone 'sss.conf:7: there is no section [Hots]' \
	regserver add "$(sss-netlink key eid home.key)" 192.0.2.1:1 file sss.conf
cp good.conf sss.conf
cp "$made" server
for text in '[Peer]' '# mine' '[RegistrationServer]' ''; do
	cp server "$made"
	echo "$text" >>"$made"
	check "with '$text' by hand in it" left_alone "$made:7 was written by hand" regserver del $eid file sss.conf
done
sed 1d server >"$made"
check "one that was not made by add" left_alone "$made:1 was written by hand" regserver del $eid file sss.conf
sed "s/$eid/$(sss-netlink key eid home.key)/" server >"$made"
check "another server" left_alone 'nothing has changed' regserver del $eid file sss.conf
cp server "$made"
: >"$made.new"
check "it is taken away" sss-netlink regserver del $eid file sss.conf 2>err
is "without a trace" "$(ls -A peers.d)" ''

: >"$made.new"
check "what an attempt left that was cut short is not in the way" sss-netlink $add 192.0.2.1:1 file sss.conf 2>err
check "one waits for the other" sh -c "
	exec 9<sss.conf; flock 9
	timeout 0.3 sss-netlink $add 192.0.2.1:1 file sss.conf 2>err; [ \$? = 124 ] || exit
	timeout 0.3 sss-netlink regserver del $eid file sss.conf 2>err; [ \$? = 124 ]"
check "it is still there" [ -e "$made" ]
printf '%s\n' "regserver del $eid file sss.conf" "$add 192.0.2.1:1 file sss.conf" >lines
check "but not for itself, in a batch" timeout 30 sss-netlink -batch lines 2>err
all=''
for i in 1 2 3 4 5 6 7 8; do
	(umask 077 && sss-netlink key generate "$i.key")
	all="$all $(sss-netlink key eid "$i.key")"
done
# at_once COMMAND [ARGS...]: for all servers together
at_once()
{
	pids=''
	at_once_failed=0
	for one in $all; do
		sss-netlink regserver "$1" "$one" $2 file sss.conf 2>>err &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || at_once_failed=$((at_once_failed + 1))
	done
	return $at_once_failed
}
check "eight at once" at_once add 192.0.2.1:1
is "are all there" "$(sss-netlink config check sss.conf)" 'sss.conf: 1 hosts, 10 peers'
check "and go at once" at_once del ''
is "as if they had not been there" "$(sss-netlink config check sss.conf)" 'sss.conf: 1 hosts, 2 peers'
}
finish
