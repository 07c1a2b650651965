#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-cat by names: pinned ones work, new ones only by --accept-new and if they are
# unmistakable, and one that belongs to another key now is refused loudly.
# shellcheck disable=SC2154 # key() and eval make names
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/agent/world.sh
. "$(dirname "$0")/world.sh"

export HOME="$work/home"
unset XDG_CONFIG_HOME
mkdir "$HOME"
known=$HOME/.config/sss/known_names
world_up
settings alice 1
settings bob 2 '[Profile]' 'HostName = Bobs laptop' 'Owner = Bob' 'Keywords = chess' \
	'Public = HostName, Keywords'
server
for ns in alice bob; do
	sss-netlink -netns $ns config load $ns.conf
	agent $ns
	eval "${ns}_agent=$agent"
	said $ns event=registered
done
answering

# cat NAME [OPTION...]: its exit status and words, as status() has them
named()
{
	named_status=$1 named_words=$2
	shift 2
	status "$named_status" "$named_words" on alice sss-cat -w 20 -C alice.conf "$@" s p
}

check "a name that is not pinned is not looked for" named 2 'no name that is pinned here' 'bobs laptop'
check "with --accept-new it is, and found" echoes 'bobs laptop' -C alice.conf --accept-new
check "the EID is printed" grep -q "$bob_eid" err
is "and pinned" "$(cat "$known")" "$bob_eid bobs laptop"
is "for this user alone" "$(command stat -c %a "$known")" 600
check "from then on the name is enough" echoes 'bobs laptop' -C alice.conf
check "what is not public is not found" named 1 'nobody who says to be "Bob"' --accept-new Bob
settings alice 1
sed -i '/RegistrationServer/,/Endpoint/d' alice.conf
check "nowhere to look" named 1 'no registration server answers' --accept-new chess
settings alice 1 '[Peer]' "EID = $bob_eid" 'Name = robert'
check "a name in the settings is pinned" echoes robert -C alice.conf
settings alice 1 '[Peer]' "EID = $srv_eid" 'Name = bobs laptop'
sed -i '/RegistrationServer/,/Endpoint/d' alice.conf
check "two that disagree" named 5 'refused: the EID behind "bobs laptop" has changed' 'bobs laptop'
settings alice 1

# Bob has another key, and so is another one
kill "$bob_agent"
wait "$bob_agent"
sss-netlink -netns bob config unload
old=$bob_eid
rm bob.key
key bob
settings bob 2 '[Profile]' 'HostName = Bobs laptop' 'Keywords = chess' 'Public = all' \
	'[Host]' 'Name = carol' "PrivateKeyFile = $work/carol.key" 'Port = 9663' \
	'[Profile]' 'Host = carol' 'Keywords = chess' 'Public = all'
key carol
sss-netlink -netns bob config load bob.conf
agent bob
check "another one says to be bob" said bob 'event=registered.*host=bob'
check "and carol is there" said bob 'event=registered.*host=carol'
check "a name that many have" named 1 'might be any of these' --accept-new chess
is "they are listed" "$(grep -c "$bob_eid\|$carol_eid" err)" 2
is "and none is pinned" "$(wc -l <"$known")" 1

for option in '' --accept-new; do
	# shellcheck disable=SC2086 # a word or none
	check "the name now belongs to another key${option:+, $option}" \
		named 5 'WARNING: THIS NAME NOW BELONGS TO ANOTHER KEY' $option 'bobs laptop'
	check "both are named" sh -c 'grep -q "$1" err && grep -q "$2" err' sh "$old" "$bob_eid"
	check "and where to change it" grep -q "line 1 of $known" err
done
is "the pin stays" "$(cat "$known")" "$old bobs laptop"
is "and nothing was sent" "$(sss-netlink -netns alice channel show | grep -c "$bob_eid")" 0
finish
