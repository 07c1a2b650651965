#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The YAML specification of the netlink family: valid by the kernel's schema,
the same numbers as uapi/linux/sss.h, and, where the module is loaded, good
enough for the kernel's own ynl to drive it."""

import ctypes
import os
import re
import sys

TOP = os.environ.get("SSS_TOP") or os.path.join(os.path.dirname(__file__), "..")
KERNEL = os.environ.get("SSS_CACHE", "/var/cache/af_sss") + "/source612"
SPEC = TOP + "/Documentation/netlink/specs/sss.yaml"
CLONE_NEWNET = 0x40000000

results = []


def check(what, ok, why=""):
    results.append(ok)
    print(("ok" if ok else "not ok"), len(results), what)
    if not ok and why:
        print("#", why)


def skip_all(why):
    print("1..0 # SKIP", why)
    sys.exit(4)


sys.path.insert(0, KERNEL + "/tools/net/ynl")
try:
    import jsonschema
    import yaml
    from lib import NlError, SpecFamily, YnlFamily
except ImportError as missing:
    skip_all(f"{missing}: python3-yaml, python3-jsonschema or the kernel source is missing")


def enum(header, name):
    body = re.search(r"enum %s \{(.*?)\n\};" % name, header, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    numbers, value = {}, 0
    for entry in filter(None, (part.strip() for part in body.split(","))):
        key, _, number = entry.partition("=")
        value = int(number) if number else value
        if not key.startswith("__"):
            numbers[key.strip()] = value
        value += 1
    return numbers


def c_name(prefix, name):
    return prefix + name.upper().replace("-", "_")


def check_numbers(family):
    with open(TOP + "/uapi/linux/sss.h") as f:
        header = f.read()
    attrs = enum(header, "sss_attr")
    del attrs["SSS_A_UNSPEC"]
    spec = {c_name("SSS_A_", n): a.value for n, a in family.attr_sets["main"].items()}
    check("attributes are numbered as in the header", spec == attrs,
          set(spec.items()) ^ set(attrs.items()))
    cmds = enum(header, "sss_cmd")
    del cmds["SSS_CMD_UNSPEC"]
    spec = {c_name("SSS_CMD_", n): m.req_value if m.req_value is not None else m.rsp_value
            for n, m in family.msgs.items()}
    check("commands are numbered as in the header", spec == cmds,
          set(spec.items()) ^ set(cmds.items()))
    events = enum(header, "sss_event")
    spec = {c_name("SSS_EVENT_", n): e.value for n, e in family.consts["event"].entries.items()}
    check("events are numbered as in the header", spec == events,
          set(spec.items()) ^ set(events.items()))


def refused(family, op, args):
    try:
        family.do(op, args)
    except NlError as error:
        return error.error
    return 0


def drive(schema):
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        skip_all("no right to make a network namespace")
    family = YnlFamily(SPEC, schema)
    monitor = YnlFamily(SPEC, schema)
    monitor.ntf_subscribe("monitor")
    family.do("host-new", {"host-name": "one", "host-flags": {"stealth", "default"}})
    host = family.do("host-get", {})
    check("ynl makes and shows a host", host["host-name"] == "one" and
          host["host-flags"] == {"stealth", "default"} and host["host-port"] == 9660, host)
    endpoint = bytes([2, 0, 0, 80, 192, 0, 2, 1]) + bytes(8)
    family.do("peer-new", {"peer-eid": bytes([9]) + bytes(31),
                           "endpoints": {"endpoint": [endpoint]}})
    peers = family.dump("peer-get", {})
    check("ynl makes and shows a peer", len(peers) == 1 and
          peers[0]["endpoints"]["endpoint"] == [endpoint], peers)
    stats = family.do("stats-get", {})["stats"]["stat"]
    check("ynl shows counters", {"stat-name": "Hosts", "stat-value": 1} in stats, stats)
    for op in ("channel-get", "service-get", "stream-get"):
        check(f"ynl dumps {op}", family.dump(op, {}) == [])
    rule = {"peer-eid": bytes([9]) + bytes(31), "service": "door", "max-streams": 3}
    family.do("access-new", rule)
    rules = family.dump("access-get", {})
    check("ynl makes and shows a rule", len(rules) == 1 and rules[0]["service"] == "door" and
          rules[0]["max-streams"] == 3 and "stream-rate" not in rules[0], rules)
    family.do("access-del", {k: rule[k] for k in ("peer-eid", "service")})
    family.do("host-set", {"host-name": "one", "host-access": "peers", "stream-rate": 7})
    host = family.do("host-get", {})
    check("ynl sets who is let in", host["host-access"] == "peers" and
          host["stream-rate"] == 7 and host["max-streams"] == 0, host)
    for op in ("channel-rekey", "channel-close"):
        check(f"ynl asks for {op}", refused(family, op, {"peer-eid": bytes([9]) + bytes(31)}) == 107)
    check("ynl sees what is refused", refused(family, "host-new", {"host-name": "one"}) == 17)
    family.do("host-del", {"host-name": "one"})
    monitor.check_ntf()
    seen = [event["msg"]["event"] for event in monitor.async_msg_queue]
    check("ynl receives events", seen == ["host-new", "peer-new", "host-del", "peer-del"], seen)


def main():
    schema = KERNEL + "/Documentation/netlink/genetlink.yaml"
    with open(SPEC) as spec, open(schema) as rules:
        try:
            jsonschema.validate(yaml.safe_load(spec), yaml.safe_load(rules))
            check("the specification is valid", True)
        except jsonschema.ValidationError as error:
            check("the specification is valid", False, error.message)
    check_numbers(SpecFamily(SPEC, schema))
    if os.path.exists("/proc/net/sss_stat"):
        drive(schema)
    print(f"1..{len(results)}")
    sys.exit(not all(results))


main()
