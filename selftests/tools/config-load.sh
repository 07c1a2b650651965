#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# config load and unload: what the files say is in the kernel afterwards, as often
# as one likes; what one error among them leaves is what was there before.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
mkdir peers.d
pair
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
other=32pnw7l3pxa3ju23mhbozzbvg47ygq6iln4gotnn7r7bi34ifnhq
for key in home work third; do
	(umask 077 && sss-netlink key generate $key.key)
done
(umask 077 && wg genpsk >secret.psk)

netlink()
{
	sss-netlink -netns alice "$@"
}

# Hosts and peers as they are, without what the kernel counts
state()
{
	netlink host show
	netlink peer show | sort
}

conf()
{
	cat >sss.conf <<-CONF
		[Host]
		Name = home
		PrivateKeyFile = $work/home.key
		Port = 9661
		Mode = 0660
		Padding = full
		[Host]
		Name = work
		PrivateKeyFile = $work/work.key
		Default = yes
		[RegistrationServer]
		EID = $eid
		Endpoint = 10.9.0.2:9660
		Endpoint = [fd09::2]:9660
	CONF
}

conf
cat >peers.d/bob.conf <<CONF
[Peer]
EID = $other
Name = bob
Host = home
Endpoint = 10.9.0.2:9662
PresharedKeyFile = $work/secret.psk
CONF

check "it loads" netlink config load sss.conf
state >first
is "two hosts" "$(netlink host show | wc -l)" 2
check "with their keys and settings" grep -q \
	"name home eid $(sss-netlink key eid home.key) port 9661 default off .*mode 0660 padding full" first
check "the default one is the one that shall be" grep -q 'name work .*port 9660 default on' first
is "the server is a peer of both" "$(grep -c "$eid host .*endpoint 10.9.0.2:9660 endpoint \[fd09::2\]:9660" first)" 2
check "a peer from peers.d, of its host" grep -q "$other host home .*10.9.0.2:9662" first

# With hosts, as they are numbered: nothing was made anew
check "once more" netlink config load sss.conf
state >again
check "changes nothing" cmp first again

sed -i 's/9661/9670/; s/full/none/; s/\[fd09::2\]:9660/[fd09::2]:9669/' sss.conf
mv peers.d/bob.conf bob.kept
check "other settings" netlink config load sss.conf
check "are taken on" sh -c 'sss-netlink -netns alice host show | grep -q "name home .*port 9670 .*padding none"'
is "of peers, too" "$(netlink peer show | grep -c 'endpoint 10.9.0.2:9660 endpoint \[fd09::2\]:9669$')" 2
is "a peer that is no longer said goes" "$(netlink peer show | grep -c "$other")" 0
netlink peer add "$other" host work endpoint 10.9.0.2:1
check "and once more" netlink config load sss.conf
is "what was added by hand stays" "$(netlink peer show | grep -c "$other host work")" 1
netlink peer del "$other" host work

# Nothing is applied
state >before
printf '[Peer]\nEID = nobody\n' >peers.d/zoe.conf
sed -i 's/9670/9671/' sss.conf
check "one bad line" fails_with 'peers.d/zoe.conf:2: EID' netlink config load sss.conf
state >after
check "changes nothing" cmp before after
rm peers.d/zoe.conf

# What only the kernel finds is taken back
cat >peers.d/zoe.conf <<CONF
[Host]
Name = third
PrivateKeyFile = $work/third.key
Port = 9672
[Peer]
EID = $other
Host = third
Endpoint = 10.9.0.2:1
[Peer]
EID = $other
Host = home
Endpoint = 127.0.0.1:1
CONF
sed -i 's/10.9.0.2:9660/10.9.0.2:9659/' sss.conf
check "what the kernel refuses" fails_with 'peers.d/zoe.conf:9: ' netlink config load sss.conf
state >after
check "is taken back, all of it" cmp before after
rm peers.d/zoe.conf
conf

cp third.key home.key
check "a host that is there with another key is refused" fails_with \
	'sss.conf:1: host "home" is there, with another key' netlink config load sss.conf
state >after
check "and nothing has changed" cmp before after

echo '[Host' >sss.conf
check "it unloads, whatever the files say now" netlink config unload
is "and nothing is left" "$(state)" ''
check "once more" netlink config unload
conf
mv bob.kept peers.d/bob.conf
check "and loads again" netlink config load sss.conf
is "all of it" "$(state | wc -l)" 5
check "for this namespace alone" sss-netlink -netns bob config unload
is "which another one leaves alone" "$(state | wc -l)" 5
check "it ends" netlink config unload
finish
