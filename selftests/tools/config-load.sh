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
		Owner = 7
		Access = peers
		MaxStreams = 9
		Rate = 8
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
check "and who may connect" grep -q 'name home .*owner 7 .*access peers max-streams 9 rate 8$' first
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

# What is no longer said: as if it had never been; what was made by hand stays
netlink host set work access rules max-streams 3
sed -i '/^Owner/d; /^Access/d; /^MaxStr/d; /^Rate/d; /^Default/d' sss.conf
check "less settings" netlink config load sss.conf
netlink host show >less
check "owner and access go back" grep -q 'name home .*owner 0 .*access anyone max-streams 0 rate 0$' less
check "so does the default host" grep -q 'name home .*default on' less
check "what was set by hand stays" grep -q 'name work .*default off .*access rules max-streams 3 rate 0$' less
netlink host set work access anyone max-streams 0

# psk NAME: the key that both have with each other, by a call
sss-netlink -netns bob host add bob private-key third.key port 9662
bob=$(sss-netlink key eid third.key) me=$(sss-netlink key eid work.key)
ip netns exec bob sss-cat -l -k s p </dev/null >/dev/null 2>&1 &
listener=$!
cleanup_add 'kill $listener 2>/dev/null || true'
wait_for 10 sh -c 'sss-netlink -netns bob service show | grep -q "service s "'
printf '[Peer]\nEID = %s\nHost = work\nEndpoint = 10.9.0.2:9662\nPresharedKeyFile = %s\n' \
	"$bob" "$work/secret.psk" >peers.d/psk.conf
netlink config load sss.conf
check "a key that the other has not" fails_with 'cannot connect' \
	on alice sss-cat -H "$me" -w 2 "$bob" s p
sed -i '/^Preshared/d' peers.d/psk.conf
check "is no longer said" netlink config load sss.conf
check "and not there any more" on alice sh -c "sss-cat -H $me -w 20 $bob s p </dev/null"
kill $listener
sss-netlink -netns bob host del bob
rm peers.d/psk.conf
netlink config load sss.conf

# The record comes first
sed -i 's/9670/9673/' sss.conf
state >before
cat >full.sh <<'END'
mount -t tmpfs -o size=4k none /run/sss
head -c 4096 /dev/zero >/run/sss/full
status=0
sss-netlink -netns alice config load sss.conf || status=$?
ls /run/sss
exit $status
END
status 2 'No space left on device: nothing has changed' unshare -m sh full.sh && ret=0 || ret=1
check "no room for the record" [ "$ret" = 0 ]
is "leaves nothing of it" "$(cat out)" full
state >after
check "and changes nothing" cmp before after
sed -i 's/9673/9670/' sss.conf

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
