#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What systemd runs in systemd.sh: "systemctl start sss" brings hosts, peers and the
# agent up, in a sandbox, and "stop" takes them down.
set -eu
# shellcheck source=selftests/lib.sh
. "$SSS_TOP/selftests/lib.sh"

check "process 1 is systemd" grep -q systemd /proc/1/comm
work=$(mktemp -d -p /run)
cleanup_add 'rm -rf "$work"'
cd "$work"
mkdir -p /etc/sss/peers.d
(umask 077 && sss-netlink key generate /etc/sss/home.key && sss-netlink key generate /etc/sss/srv.key)
home=$(sss-netlink key eid /etc/sss/home.key)
srv=$(sss-netlink key eid /etc/sss/srv.key)
sysctl -q -w net.sss.allow_loopback=1
cat >/etc/sss/sss.conf <<CONF
[Host]
Name = home
PrivateKeyFile = /etc/sss/home.key
[Host]
Name = srv
PrivateKeyFile = /etc/sss/srv.key
Port = 9700
[RegistrationServer]
EID = $srv
Endpoint = 127.0.0.1:9700
Host = home
CONF
printf '[Peer]\nEID = %s\nEndpoint = 192.0.2.1:9\n' quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva \
	>/etc/sss/peers.d/alice.conf
echo 'log-level = debug' >/etc/sss/regserver.conf

# property UNIT NAME
property()
{
	systemctl show -p "$2" --value "$1"
}

# of_agent NAME: a line of the agent's status
of_agent()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(property sss MainPID)/status"
}

journal_has()
{
	journalctl -u "$1" --no-pager -o cat | grep -q "$2"
}

hosts()
{
	sss-netlink host show | wc -l
}

agent_runs()
{
	[ "$(property sss ActiveState)" = active ] && [ "$(property sss MainPID)" != "$1" ] &&
		[ "$(property sss MainPID)" != 0 ]
}

check "it starts" systemctl start sss
is "two hosts" "$(hosts)" 2
is "the server and a peer" "$(sss-netlink peer show host home | wc -l)" 2
pid=$(property sss MainPID)
is "the agent runs" "$(cat "/proc/$pid/comm")" sss-netlink
is "with CAP_NET_ADMIN and nothing else" "$(of_agent CapBnd)" 0000000000001000
is "and no new privileges" "$(of_agent NoNewPrivs)" 1
if [ -n "$(of_agent Seccomp_filters)" ]; then
	is "system calls are filtered" "$(of_agent Seccomp)" 2
else
	skip "system calls are filtered" "this kernel cannot"
fi
check "its root is read-only" sh -c 'grep -q " / / ro[, ]" "/proc/$1/mountinfo"' sh "$pid"

check "the registration server starts" systemctl start sss-regserver
check "as somebody of its own" [ "$(command stat -c %u "/proc/$(property sss-regserver MainPID)")" -ge 61184 ]
check "home registers there" wait_for 30 journal_has sss 'event=registered.*host=home'

sss-cat -l s p </dev/null >/dev/null 2>&1 &
listener=$!
wait_for 10 sh -c 'sss-netlink service show | grep -q "service s "'
kill -9 "$pid"
check "an agent that dies is started again" wait_for 20 agent_runs "$pid"
check "and nothing of the kernel's was taken away" kill -0 $listener
check "not even a service" sh -c 'sss-netlink service show | grep -q "service s "'
kill $listener

echo 'Port = 9' >>/etc/sss/sss.conf
check "wrong settings are not loaded" sh -c '! systemctl reload sss 2>/dev/null'
check "the journal has file and line" wait_for 5 journal_has sss \
	'/etc/sss/sss.conf:12: \[RegistrationServer\] has no setting "Port"'
is "and all goes on" "$(property sss ActiveState) $(hosts)" "active 2"
sed -i '$d; s/9700/9701/' /etc/sss/sss.conf
check "right ones are" systemctl reload sss
check "and count" sh -c 'sss-netlink host show srv | grep -q "port 9701"'
check "the agent has them, too" wait_for 20 journal_has sss event=reloaded

check "it stops" systemctl stop sss
is "and nothing is left" "$(hosts) $(sss-netlink peer show | wc -l)" "0 0"
is "no agent either" "$(property sss MainPID)" 0
echo '[Host' >/etc/sss/sss.conf
check "with wrong settings it does not start" sh -c '! systemctl start sss 2>/dev/null'
check "and the journal says why" wait_for 5 journal_has sss '/etc/sss/sss.conf:1: "\[Host": not of the form'
is "nothing was made" "$(hosts)" 0
systemctl stop sss-regserver sss 2>/dev/null || true
# shellcheck disable=SC2154
is "it is home's key all the time" "$(sss-netlink key eid /etc/sss/home.key)" "$home"
finish
