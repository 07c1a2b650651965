#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the table and bench.json of the figures that bench collected.

Standard input, a line each: ROUND MODE bulk|rr AMOUNT SECONDS BUSY_SECONDS,
ROUND limit seal|open BYTES NANOSECONDS, or ROUND MODE failed. Round 0 warms up.
Of streams: ROUND MODE transact|open BYTES MICROSECONDS, and
ROUND MODE memory ACCEPTED UNACCEPTED.
"""
import json
import statistics
import sys

NAMES = {
    "tcp": "TCP, not encrypted",
    "ktls": "kTLS ChaCha20-Poly1305",
    "wireguard": "TCP in WireGuard",
    "sss": "AF_SSS",
}
SIZES = (32, 1024, 32768)
STREAM_NAMES = {
    "tcp": "one TCP connection",
    "wireguard": "one, in WireGuard",
    "tcpnew": "a TCP connection each",
    "sss": "an AF_SSS stream each",
}


def spread(values):
    """Half the distance between the extremes, in percent of the median."""
    return 50 * (max(values) - min(values)) / statistics.median(values)


def summary(values, digits):
    return {
        "median": round(statistics.median(values), digits),
        "spread_percent": round(spread(values), 1),
        "values": [round(value, digits) for value in values],
    }


def read(lines):
    """({mode: {what: {round: value}}}, failed modes)"""
    figures, failed = {}, set()
    for line in lines:
        number, mode, what, *rest = line.split()
        if what == "failed":
            failed.add(mode)
            continue
        if number == "0":
            continue
        figure = figures.setdefault(mode, {})
        if mode == "limit":
            figure.setdefault(what + "_ns", {})[number] = float(rest[1])
            figure["bytes"] = int(rest[0])
            continue
        if what in ("transact", "open"):
            figure.setdefault(f"{what}_{rest[0]}_us", {})[number] = float(rest[1])
            continue
        if what == "memory":
            figure["accepted_bytes"] = {number: float(rest[0])}
            figure["unaccepted_bytes"] = {number: float(rest[1])}
            continue
        amount, seconds, busy = int(rest[0]), float(rest[1]), float(rest[2])
        if what == "bulk":
            figure.setdefault("bulk_mbit", {})[number] = amount * 8 / seconds / 1e6
            figure.setdefault("cpu_ns_per_byte", {})[number] = busy * 1e9 / amount
        else:
            figure.setdefault("rr_us", {})[number] = seconds * 1e6 / amount
            figure.setdefault("rr_cpu_us", {})[number] = busy * 1e6 / amount
    return figures, failed


def ratio(figures, what, mode, other):
    """Median of the ratios within each round: the machine's speed wanders."""
    mine = figures.get(mode, {}).get(what, {})
    theirs = figures.get(other, {}).get(what, {})
    both = [mine[number] / theirs[number] for number in mine if number in theirs]
    return round(statistics.median(both), 3) if both else None


def add_limit(figures):
    """Sealing and opening on one CPU, as a bulk speed."""
    limit = figures.get("limit")
    if limit:
        limit["bulk_mbit"] = {
            number: limit["bytes"] * 8e3 / (seal + limit["open_ns"][number])
            for number, seal in limit["seal_ns"].items()
        }


def table(figures):
    print(f"{'':24}{'bulk':>10}{'':>7}{'CPU':>10}{'64 B there and back':>21}")
    print(f"{'':24}{'Mbit/s':>10}{'+-':>7}{'ns/byte':>10}{'us':>14}{'+-':>7}")
    for mode, name in NAMES.items():
        figure = figures.get(mode, {})
        if "bulk_mbit" not in figure or "rr_us" not in figure:
            print(f"{name:24}{'failed':>10}")
            continue
        bulk = list(figure["bulk_mbit"].values())
        trip = list(figure["rr_us"].values())
        cpu = statistics.median(figure["cpu_ns_per_byte"].values())
        print(f"{name:24}{statistics.median(bulk):10.0f}{spread(bulk):6.0f}%{cpu:10.2f}"
              f"{statistics.median(trip):14.1f}{spread(trip):6.0f}%")
    if "limit" in figures:
        bulk = list(figures["limit"]["bulk_mbit"].values())
        print(f"{'encryption alone':24}{statistics.median(bulk):10.0f}{spread(bulk):6.0f}%")
        seal, opened = (statistics.median(figures["limit"][what].values())
                        for what in ("seal_ns", "open_ns"))
        print(f"  ({figures['limit']['bytes']} bytes: {seal:.0f} ns to seal, "
              f"{opened:.0f} ns to open)")


def median(figures, mode, what):
    values = figures.get(mode, {}).get(what)
    return statistics.median(values.values()) if values else None


def stream_table(figures):
    print()
    print(f"{'a question, an answer of':26}" + "".join(f"{size:>8} B" for size in SIZES)
          + f"{'open/s':>10}")
    for mode, name in STREAM_NAMES.items():
        print(f"{name:26}", end="")
        for size in SIZES:
            value = median(figures, mode, f"transact_{size}_us")
            print(f"{'failed':>10}" if value is None else f"{value:7.0f} us", end="")
        value = median(figures, mode, "open_1_us")
        print("" if value is None else f"{1e6 / value:10.0f}")
    accepted = median(figures, "sss", "accepted_bytes")
    if accepted is not None:
        print(f"bytes of the kernel's for an idle stream: {accepted:.0f}, "
              f"{median(figures, 'sss', 'unaccepted_bytes'):.0f} before it is accepted")


def main():
    figures, failed = read(sys.stdin)
    add_limit(figures)
    table(figures)
    stream_table(figures)
    ratios = {
        "bulk_to_wireguard": ratio(figures, "bulk_mbit", "sss", "wireguard"),
        "bulk_to_ktls": ratio(figures, "bulk_mbit", "sss", "ktls"),
        "bulk_to_limit": ratio(figures, "bulk_mbit", "sss", "limit"),
        "rr_to_tcp": ratio(figures, "rr_us", "sss", "tcp"),
        "transact_to_new_tcp": ratio(figures, "transact_1024_us", "sss", "tcpnew"),
    }
    targets = [
        ("AF_SSS moves bulk at least as fast as TCP in WireGuard",
         "bulk_to_wireguard", lambda value: value >= 1.0),
        ("AF_SSS moves bulk at least as fast as kTLS",
         "bulk_to_ktls", lambda value: value >= 1.0),
        ("a round trip takes at most 1.3 times TCP's",
         "rr_to_tcp", lambda value: value <= 1.3),
    ]
    print()
    missed = bool(failed)
    if ratios["bulk_to_limit"] is not None:
        print(f"share of encryption alone: {100 * ratios['bulk_to_limit']:.0f} %")
    for text, name, holds in targets:
        value = ratios[name]
        good = value is not None and holds(value)
        missed |= not good
        said = "no figure" if value is None else f"{value:.2f} times"
        print(f"{'reached' if good else 'MISSED':8} {text}: {said}")
    for mode in failed:
        print(f"failed   {NAMES.get(mode, mode)}")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({
            "mtu": 1500,
            "results": {
                mode: {what: summary(list(values.values()), 2)
                       for what, values in figure.items() if isinstance(values, dict)}
                for mode, figure in figures.items()
            },
            "ratios": ratios,
            "failed": sorted(failed),
        }, file, indent=1)
        file.write("\n")
    return 1 if missed else 0


sys.exit(main())
