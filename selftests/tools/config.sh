#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss.conf and peers.d, as far as they need no kernel: what is wrong is told with
# file and line, whatever it is.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
mkdir peers.d
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
other=32pnw7l3pxa3ju23mhbozzbvg47ygq6iln4gotnn7r7bi34ifnhq
for key in home work; do
	(umask 077 && sss-netlink key generate $key.key)
done
(umask 077 && wg genpsk >secret.psk)

cat >good.conf <<CONF
# This machine
[Host]
Name = home
PrivateKeyFile = $work/home.key
Port = 9661   # not the usual one
Default = yes
Mode = 0660
Owner = root
Group = 0
Padding = buckets
Access = rules
MaxStreams = 100
Rate = 0
Stealth=no
HideServices = off

[host]
name = work
privatekeyfile = $work/work.key

[Agent]
Register = yes
TellEndpoints = yes
LocalDiscovery = yes
LocalPort = 9662
TimeToLive = 600
StateDirectory = /var/lib/sss

[RegistrationServer]
EID = $eid
Endpoint = 192.0.2.1:9660
Endpoint = [2001:db8::1]:9660

; who we are
[Profile]
HostName = laptop
Owner = Alice Øre
City = Oslo
Region = East
Country = Norway
Keywords = chess, Sibelius ,,free jazz
Public = Owner, Keywords
Introduce = $other

[Profile]
Host = work
HostName = desk
CONF
cat >peers.d/bob.conf <<CONF
[Peer]
EID = $other
Name = bob
Endpoint = 192.0.2.2:9660
PresharedKeyFile = $work/secret.psk
CONF

# refuses WORDS [FILE]: checking fails with these words, a single sentence
refuses()
{
	refused 1 "$1" sss-netlink config check "${2:-bad.conf}"
}

# wrong LINE WORDS TEXT: what is wrong with a file of this text
wrong()
{
	printf '%b\n' "$3" >bad.conf
	check "$2" refuses "bad.conf:$1: $2"
}

host="[Host]\nName = home\nPrivateKeyFile = $work/home.key"
server="$host\n[RegistrationServer]\nEID = $eid\nEndpoint = 192.0.2.1:1"
long=$(printf '%0200d' 0)
is "all there is" "$(sss-netlink config check good.conf)" 'good.conf: 2 hosts, 3 peers'

is "as JSON" "$(sss-netlink -json config check good.conf)" '[{"file":"good.conf","hosts":2,"peers":3}]'
printf '[Profile]\nKeywords = a, b , \t\nPublic = Owner, \t, City,  \nIntroduce = %s , %s ,\t\r\n[Agent]\nStateDirectory = %s\t \n' \
	$eid $other "$work" >lists.conf
check "lists with blanks at their ends" sh -c 'sss-netlink config check lists.conf >out'
rm -rf peers.d.kept && mv peers.d peers.d.kept
is "no peers.d is as an empty one" "$(sss-netlink config check good.conf)" 'good.conf: 2 hosts, 2 peers'
check "no file" refuses 'none.conf: No such file' none.conf
wrong 1 'a setting before the first [section]' 'Name = home'
wrong 2 'not of the form name = value' '[Host]\nName home'
wrong 1 '"[Host": not of the form [section]' '[Host'
wrong 2 'there is no section [Hots]: Host,' '\n[Hots]'
wrong 1 'the line is too long' "[Host]$(printf '%01200d' 0)"
wrong 2 'the line is too long' "\n# $(printf '%01021d' 0)\n[Host]"
wrong 3 'this [Host] has no Name' "\n# $(printf '%01020d' 0)\n[Host]"
wrong 2 'a zero byte' '[Host]\nName = ho\0000me'
wrong 1 'a zero byte' "#$(printf '%01020d' 0)\0000\n[Hots]"

wrong 3 '[Host] has no setting "Nmae"' '\n[Host]\nNmae = home'
wrong 2 'Name: longer than 15 bytes' '[Host]\nName = abcdefghijklmnop'
wrong 2 'Name: the name of a host is missing' '[Host]\nName ='
wrong 2 'PrivateKeyFile: a path from the root on, not "home.key"' '[Host]\nPrivateKeyFile = home.key'
for port in 65536 -1 x 1x +1 0x10 18446744073709551617 ''; do
	wrong 2 'Port: a number from 0 to 65535' "[Host]\nPort = $port"
done
wrong 2 'Default: yes or no, not "maybe"' '[Host]\nDefault = maybe'
wrong 2 'Stealth: yes or no' '[Host]\nStealth = 2'
for mode in 888 0x1ff +660 1000 02000000000000000000660; do
	wrong 2 "Mode: an octal number up to 777, not \"$mode\"" "[Host]\nMode = $mode"
done
wrong 2 'Padding: none, buckets or full, not "some"' '[Host]\nPadding = some'
wrong 2 'Access: anyone, peers or rules, not "nobody"' '[Host]\nAccess = nobody'
wrong 2 'MaxStreams: a number from 0 to 4294967295, not "x"' '[Host]\nMaxStreams = x'
wrong 2 'Rate: a number from 0 to 4294967295, not "4294967296"' '[Host]\nRate = 4294967296'
wrong 2 'Owner: there is no user "no-such-user"' '[Host]\nOwner = no-such-user'
wrong 2 'Group: there is no group "no-such-group"' '[Host]\nGroup = no-such-group'
wrong 2 'this [Host] has no Name' '\n[Host]\nPort = 1\n[Agent]'
wrong 1 'this [Host] has no PrivateKeyFile' '[Host]\nName = home'
wrong 4 'a host of the same Name, as there is at bad.conf:1' "$host\n$host"
wrong 4 'a host with the same PrivateKeyFile' "$host\n[Host]\nName = work\nPrivateKeyFile = $work/home.key"
wrong 5 'another Default host, as there is at bad.conf:1' \
	"$host\nDefault = yes\n[Host]\nName = work\nPrivateKeyFile = $work/work.key\nDefault = yes"

other_host="[Host]\nName = work\nPrivateKeyFile = $work/work.key"
as_home='host "work" has UDP port 9660, as host "home" has at bad.conf:1'
wrong 4 "$as_home" "$host\n$other_host"
wrong 5 "$as_home" "$host\nPort = 9660\n$other_host"
wrong 4 "$as_home" "$host\n$other_host\nPort = 9660"
wrong 5 'host "work" has UDP port 7, as' "$host\nPort = 7\n$other_host\nPort = 7"
for ports in 0/0 9660/9661; do
	printf '%b\n' "$host\nPort = ${ports%/*}\n$other_host\nPort = ${ports#*/}" >two.conf
	check "but ports $ports will do" sh -c 'sss-netlink config check two.conf >out'
done
for name in 'a b' a/b 'a\0001b' 'a\0177' 'a\0302\0240b'; do
	wrong 2 'Name: no control characters, blanks or slashes' "[Host]\nName = $name"
done
wrong 6 'Host: no control characters, blanks or slashes' "$host\n[Peer]\nEID = $eid\nHost = a/b"

wrong 4 'this [Peer] has no EID' "$host\n[Peer]\nEndpoint = 192.0.2.1:1"
wrong 5 'EID: "nobody" is no EID' "$host\n[Peer]\nEID = nobody"
for text in '' '192.0.2.1: 9' 192.0.2.1:+9 192.0.2.1:0x9 192.0.2.1 192.0.2.1: 192.0.2.1:0 192.0.2.1:x :1 2001:db8::1:1 '[2001:db8::1]' 192.0.2.1:65536; do
	wrong 6 "Endpoint: \"$text\" is not ADDRESS:PORT" "$host\n[Peer]\nEID = $eid\nEndpoint = $text"
done
for addr in 0.0.0.0 0.1.2.3 224.0.0.1 239.255.255.255 255.255.255.255 '[::]' '[ff02::1]' '[::ffff:192.0.2.1]' '[fe80::1]'; do
	wrong 6 "Endpoint: no peer can be at " "$host\n[Peer]\nEID = $eid\nEndpoint = $addr:9660"
done
nine=''
while [ ${#nine} -lt 100 ]; do nine="$nine\nEndpoint = 192.0.2.1:1"; done
wrong 14 'Endpoint: not more than 8' "$host\n[Peer]\nEID = $eid$nine$nine"
wrong 5 "Name: \"$eid\" cannot be the name" "$host\n[Peer]\nName = $eid"
wrong 5 'Name: "-x" cannot be the name' "$host\n[Peer]\nName = -x"
wrong 5 'Name: "' "$host\n[Peer]\nName = a\0001b"
wrong 5 'Name: longer than 128 bytes' "$host\n[Peer]\nName = $long"
wrong 5 '[Peer] has no setting "Port"' "$host\n[Peer]\nPort = 1"
wrong 4 'there is no [Host] with the Name "work"' "$host\n[Peer]\nEID = $eid\nHost = work"
wrong 6 'a peer with the same EID, as there is at bad.conf:4' "$host\n[Peer]\nEID = $eid\n[Peer]\nEID = $eid"
wrong 7 'a peer with the same EID, as there is at bad.conf:4' "$server\n[Peer]\nEID = $eid"
wrong 7 'the same Name for another EID, as there is at bad.conf:4' \
	"$host\n[Peer]\nEID = $eid\nName = bob\n[Peer]\nEID = $other\nName = bob"
wrong 4 'this [RegistrationServer] has no Endpoint' "$host\n[RegistrationServer]\nEID = $eid"
wrong 5 '[RegistrationServer] has no setting "Name"' "$host\n[RegistrationServer]\nName = x"

wrong 2 '[Profile] has no setting "Street"' '[Profile]\nStreet = x'
wrong 2 'City: longer than 128 bytes' "[Profile]\nCity = $long"
wrong 2 'City: no UTF-8' '[Profile]\nCity = \0377'
wrong 2 'Keywords: longer than 64 bytes' "[Profile]\nKeywords = a, $long"
wrong 2 'Keywords: not more than 16' '[Profile]\nKeywords = a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q'
wrong 2 'Public: "Street" is none of HostName,' '[Profile]\nPublic = City, Street'
wrong 2 'Introduce: "nobody" is no EID' "[Profile]\nIntroduce = $eid, nobody"
wrong 1 'there is no [Host] with the Name "home"' '[Profile]\nHost = home'
wrong 3 'a [Profile] for the same host, as there is at bad.conf:1' '[Profile]\nCity = x\n[Profile]'
wrong 2 '[Agent] has no setting "x"' '[Agent]\nx = y'
wrong 2 'TimeToLive: a number from 1' '[Agent]\nTimeToLive = 0'
wrong 2 'LocalPort: a number from 1' '[Agent]\nLocalPort = 0'
wrong 2 'LocalDiscovery: yes or no' '[Agent]\nLocalDiscovery = often'
wrong 2 'StateDirectory: a path from the root on' '[Agent]\nStateDirectory = x'

# Keys: read only when all of the files is right
wrong 1 "cannot read key file \"$work/none.key\"" "[Host]\nName = home\nPrivateKeyFile = $work/none.key"
chmod 640 home.key
wrong 1 "others may read key file \"$work/home.key\": run \"chmod 600 $work/home.key\"" "$host"
chmod 600 home.key
(umask 077 && echo nonsense >bad.key)
wrong 1 "\"$work/bad.key\" is no key file" "[Host]\nName = home\nPrivateKeyFile = $work/bad.key"
cp home.key same.key
wrong 4 'the key of host "home" as well' "$host\n[Host]\nName = work\nPort = 1\nPrivateKeyFile = $work/same.key"
chmod 604 secret.psk
wrong 4 "others may read key file \"$work/secret.psk\"" \
	"$host\n[Peer]\nEID = $eid\nPresharedKeyFile = $work/secret.psk"
chmod 600 secret.psk
wrong 4 'this is the EID of host "home" itself' "$host\n[Peer]\nEID = $(sss-netlink key eid home.key)"
wrong 6 'cannot resolve "a..b"' "$host\n[Peer]\nEID = $eid\nEndpoint = a..b:1"

mv peers.d.kept peers.d
printf '[Peer]\nEID = x\n' >peers.d/zoe.conf
check "in peers.d as well" refuses './peers.d/zoe.conf:2: EID: "x"' ./good.conf
printf '[Peer]\nEID = %s\n' "$other" >peers.d/zoe.conf
check "and what two files say of one peer" refuses \
	'./peers.d/zoe.conf:1: a peer with the same EID, as there is at ./peers.d/bob.conf:1' ./good.conf
mv peers.d/zoe.conf peers.d/zoe.conf~
check "only *.conf are read" sh -c "sss-netlink config check good.conf >out"
mkfifo peers.d/pipe.conf
check "what is no file is not waited for" refuses './peers.d/pipe.conf: not a regular file' ./good.conf
rm peers.d/pipe.conf
ln -s /dev/zero peers.d/zero.conf
check "nor read without an end" refuses './peers.d/zero.conf: not a regular file' ./good.conf
rm peers.d/zero.conf
check "no command" fails_with 'a command (check, load, unload) is missing' sss-netlink config
check "unknown command" fails_with 'unknown command "config frob"' sss-netlink config frob
check "help" sh -c 'sss-netlink config help | grep -q ^Usage:'
finish
