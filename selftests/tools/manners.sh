#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# sss-netlink's manners, as far as they need no kernel: abbreviations, options,
# batches, colours, completion.
set -eu
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
cleanup_add 'rm -rf "$work"'
cd "$work"
eid=quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva
secret='dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo='
(umask 077 && echo $secret >'my key')
mkdir state
echo "$eid $(date +%s) 192.0.2.7:9660 [2001:db8::7]:9660" >state/peers
echo "$eid 1 192.0.2.8:9660" >>state/peers
printf '[Agent]\nStateDirectory = %s/state\n' "$work" >sss.conf

# refuses WORDS ARGS...
refuses()
{
	refuses_words=$1
	shift
	refused 1 "$refuses_words" sss-netlink "$@"
}

### Abbreviations

is "objects and commands" "$(sss-netlink k e 'my key')" $eid
is "a whole word is no abbreviation" "$(sss-netlink stream help | head -n 1 | cut -c-6)" Usage:
check "an object that might be several" refuses 'object "s" might be any of these: service, stream, stats' s
check "a few letters more" refuses 'object "st" might be any of these: stream, stats' st
check "a command" refuses 'command "host" "s" might be any of these: set, show' host s
check "a setting" refuses 'setting "p" might be any of these: private-key, port, padding' host add x p
check "an option" refuses 'option "b" might be any of these: brief, batch' -b key eid
is "list is show" "$(sss-netlink key list 2>&1 $eid)" "$(sss-netlink key show $eid)"
check "delete is del" refuses 'the name of a host is missing' host delete
check "help on all" sh -c 'sss-netlink help | grep -q ^Usage:'
for object in $(sss-netlink -complete '' | grep -vx help); do
	check "help on $object" sh -c "sss-netlink $object help | grep -q '^Usage: sss-netlink $object'"
done

### Answers

for version in -V -Version --version; do
	check "$version tells what this is" sh -c "sss-netlink $version | grep -qE '^sss-netlink [0-9.]+ of AF_SSS'"
done
is "all programs have one version" "$(for program in sss-netlink sss-cat sss-regserver sss-qlog; do
	$program --version | cut -d' ' -f2
done | sort | uniq -c | sed 's/^ *//')" "4 $(sss-netlink -V | cut -d' ' -f2)"
peers="agent peers sss.conf"
# shellcheck disable=SC2086 # words
set -- $peers
is "text" "$(sss-netlink "$@" | sed 's/age-s [0-9]*/age-s N/')" \
	"eid $eid age-s N endpoint 192.0.2.7:9660 endpoint [2001:db8::7]:9660"
is "-json" "$(sss-netlink -json "$@" | sed 's/:[0-9]*,/:N,/')" \
	"[{\"eid\":\"$eid\",\"age-s\":N,\"endpoints\":[\"192.0.2.7:9660\",\"[2001:db8::7]:9660\"]}]"
check "-pretty is over several lines" [ "$(sss-netlink -json -pretty "$@" | wc -l)" -gt 4 ]
check "and is the same JSON" sh -c 'sss-netlink -j -p "$@" | python3 -c "import json, sys; [x] = json.load(sys.stdin); assert len(x[\"endpoints\"]) == 2"' sh "$@"
is "-brief is values alone" "$(sss-netlink -brief "$@" | sed 's/ [0-9][0-9]* / N /; s/  */ /g')" \
	"$eid N 192.0.2.7:9660,[2001:db8::7]:9660"
set -- agent show sss.conf
is "where there is no value" "$(sss-netlink -brief "$@" | sed 's/  */ /g')" 'stopped - sss.conf'
is "-json -brief has as few" "$(sss-netlink -json -brief "$@")" '[{"state":"stopped","file":"sss.conf"}]'

### sss-qlog, and the examples

for text in '' 'no trace at all' '\000\377\200'; do
	# shellcheck disable=SC2059 # escapes
	printf "$text\n" >trace
	check "no event in ${#text} characters" refused 1 'trace: there is no event of AF_SSS in it' sss-qlog trace
done
printf '\n x-1 [0] 1.5: sss_packet_sent: net=1 channel=2 len=9\n' >trace
check "half an event" refused 1 'trace:2: an sss_packet_sent that is not whole' sss-qlog trace
printf ' x-1 [0] 1.5: sss_packet_sent: net=1 channel=2 number=7 len=9\n' >trace
check "a whole one" sh -c 'sss-qlog trace | python3 -m json.tool >out && grep -q transport:packet_sent out'
check "no file" refused 1 'none: No such file' sss-qlog none
check "a folder" refused 1 'state: Is a directory' sss-qlog state
[ ! -w /dev/full ] || check "no room for it" fails_with 'sss-qlog: output: No space' sh -c 'sss-qlog trace >/dev/full'
if [ -e /proc/net/sss_stat ]; then
	skip "what the examples say without the module" "it is loaded"
else
	check "without the module: hello-listen" refused 1 'hello: the sss module is not loaded: run "modprobe sss"' hello-listen
	check "hello-connect" refused 1 'hello: the sss module is not loaded: run "modprobe sss"' hello-connect $eid
fi

### Colours

esc=$(printf '\033')
# on_terminal ARGS...: what it writes there, whatever standard output is here
on_terminal()
{
	script -qec "sss-netlink $*" /dev/null </dev/null
}
for always in -color -color=always --color=always -c; do
	check "$always" sh -c "sss-netlink $always agent show sss.conf | grep -q '$esc\\[31mstopped$esc\\[0m'"
done
check "EIDs and addresses" sh -c "sss-netlink -c agent peers sss.conf | grep -q '$esc.36m$eid$esc.0m.*$esc.35m192.0.2.7:9660$esc.0m'"
check "in columns as well" sh -c "sss-netlink -c -brief agent peers sss.conf | grep -q '$esc.36m$eid$esc.0m'"
check "errors" sh -c "sss-netlink -c hots 2>&1 | grep -q '^$esc.31msss-netlink: .*$esc.0m'"
check "never in JSON" sh -c "! sss-netlink -c -json agent show sss.conf | grep -q '$esc'"
for never in '' -color=never -color=auto; do
	check "none with '$never' here" sh -c "! sss-netlink $never agent show sss.conf | grep -q '$esc'"
done
check "auto: on a terminal" sh -c '! [ -z "$1" ]' sh "$(on_terminal -color=auto agent show sss.conf | grep "$esc")"
check "but not with NO_COLOR" [ -z "$(NO_COLOR=1 on_terminal -color=auto agent show sss.conf | grep "$esc")" ]
check "which may be empty" [ -n "$(NO_COLOR='' on_terminal -color=auto agent show sss.conf | grep "$esc")" ]
check "none on a terminal unless asked for" [ -z "$(on_terminal agent show sss.conf | grep "$esc")" ]
check "no such thing" refuses '-color is "always", "auto" or "never", not "often"' -color=often key eid
check "other options have no value" refuses 'unknown option "json=x"' -json=x key eid

### Batches

cat >lines <<'END'
# A remark, and nothing

key eid 'my key'   # a remark
  key	eid "my key"
key eid my\ key
key \
  eid \
  "my"' key'
key eid 'my key'#x
key eid "my key"
END
status=0
sss-netlink -batch lines >out 2>err || status=$?
is "it ends at the first error" $status 1
is "which is told with file and line" "$(cat err)" \
	"sss-netlink: lines:9: cannot read key file \"my key#x\": No such file or directory"
is "after what was before" "$(sort out | uniq -c | sed 's/^ *//')" "4 $eid"
status=0
sss-netlink -force -batch lines >out 2>err || status=$?
is "-force goes on" "$(wc -l <out)" 5
is "and fails in the end" $status 1
is "with the same error" "$(wc -l <err)" 1
sss-netlink -batch - <lines >out 2>err || true
check "from standard input" grep -q '^sss-netlink: -:9: ' err
is "with the same results" "$(wc -l <out)" 4
check "line by line, as they come" sh -c "
	mkfifo in out.fifo
	sss-netlink -batch - <in >out.fifo & exec 3>in 4<out.fifo
	echo \"key eid 'my key'\" >&3; read line <&4; [ \"\$line\" = $eid ] || exit
	echo \"key eid 'my key'\" >&3; read line <&4; [ \"\$line\" = $eid ] || exit
	exec 3>&-; wait \$!"
printf 'key eid -\nkey eid "my key"\n' >stdin
check "a command does not eat the others" sh -c '! sss-netlink -force -batch - <stdin >out 2>err'
is "so the next one is done" "$(cat out)" $eid
printf 'key eid -\n' >one
is "of a file, it has standard input" "$(sss-netlink -batch one <'my key')" $eid
printf -- '-json key eid "my key"\n' >one
is "a line may have options" "$(sss-netlink -batch one)" "[{\"eid\":\"$eid\"}]"
printf 'key eid "my key"\n' >one
is "and has those of the whole" "$(sss-netlink -json -batch one)" "[{\"eid\":\"$eid\"}]"
for line in 'key eid "x' "key eid 'x" 'key eid "x\"'; do
	printf '\n%s\n' "$line" >one
	check "not closed: $line" refuses 'one:2: a quote is not closed' -batch one
done
printf 'key eid my\000key\n' >one
check "no text" refuses 'one:1: a zero byte' -batch one
awk 'BEGIN { for (i = 0; i < 300; i++) printf "x "; print "" }' >one
check "too many words" refuses 'one:1: more than 256 words' -batch one
printf 'key eid "my key"' >one
is "the last line need not end" "$(sss-netlink -batch one)" $eid
printf 'key eid \134' >one
check "nor go on" refuses 'one:1: cannot read key file' -batch one
: >one
is "an empty one" "$(sss-netlink -batch one 2>&1)" ''
check "a missing one" refuses 'cannot read "none"' -batch none
check "a folder" refuses 'cannot read "state"' -batch state
check "too much" refuses 'one argument too many' -batch one key
check "no file" refuses 'a file of commands is missing' -batch
printf -- '-batch one\n' >two
check "one in another" sss-netlink -batch two
printf -- '-batch two\n' >two
check "but not in itself without end" refuses 'is one in itself?' -batch two

### Completion: what the program knows, and what bash makes of it

# shellcheck source=selftests/tools/complete.sh
. "$top/selftests/tools/complete.sh"
completes "" key host peer service stream channel stats access config regserver agent monitor help
completes "s" service stream stats
completes "-" -json -pretty -brief -color -netns -batch -force -help -Version
completes "-json -br" -brief
completes "key " generate eid show read rotate help
completes "k e" eid
completes "host add x " private-key key port default stealth hide-services owner group mode padding access max-streams rate
completes "host add x port 1 padding " none buckets full
completes "host set x default on ac" access
completes "host set x default " on off
completes "host set x access p" peers
completes "access add anyone service x d" deny
completes "access add any" anyone
completes "regserver s" show search
completes "agent s" show sss.conf state stdin
completes "agent -" -v
completes "key eid m" 'my key'
completes "config load sss" sss.conf
completes "-batch st" state stdin
completes "stats " show help
completes "nothing " 
completes "host frob "
check "installed" grep -q 'share/bash-completion/completions/sss-netlink' "$top/userspace/Makefile"
finish
