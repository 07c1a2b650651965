#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The figures of Documentation/scale.rst: bench.sh prints each of those that were
measured, and the computed ones are what their formulas give.

scale.py ENTRIES [sss]
"""
import pathlib
import re
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
text = (here / "../../Documentation/scale.rst").read_text()
number, failed = 0, 0


def check(what, good, remark=""):
    global number, failed
    number += 1
    failed += not good
    if not good and remark:
        print(f"# {remark}")
    print(f"{'ok' if good else 'not ok'} {number} {what}")


def rows(section):
    """The lines of its table, behind the head"""
    part = re.search(rf"^{section}\n=+\n(.*?)(^\S[^\n]*\n=+\n|\Z)", text, re.M | re.S).group(1)
    lines = part.split("\n")
    rules = [n for n, line in enumerate(lines) if line.startswith("====")]
    return [line.split(None, 2) for line in lines[rules[1] + 1:rules[2]]]


def measured():
    """{STORE-NAME: number}; "-": that store has none"""
    values = {}
    for row in rows("Measured"):
        for store, value in zip(("sqlite", "redis", "sss"), row[1:2] + row[2].split()):
            if value != "-":
                values[f"{store}-{row[0]}"] = float(value)
    return values


def printed(arguments):
    said = subprocess.run([here / "bench.sh", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return {name: float(value) for name, value in
            (line.split(": ") for line in said.splitlines())}


def evaluate(formula, values):
    return eval(re.sub(r"(?<![\w.])[a-z]+(-[a-z]+)*", lambda m: m[0] if m[0] == "max"
                       else repr(values[m[0]]), formula), {"max": max})


values = measured()
found = printed(sys.argv[1:])
for name, value in values.items():
    if name.startswith("sss-") == ("sss" in sys.argv):
        # memory that was free already may do for a few streams
        least = -1e6 if name.endswith("-stream-bytes") else 1e-9
        check(f"{name} is measured", found.get(name, least - 1) >= least,
              f"bench.sh: {found.get(name)}")
check("and nothing that is not in scale.rst", not set(found) - set(values),
      f"{set(found) - set(values)}")
values.update((name, float(value)) for name, value, *_ in rows("Assumed"))
for name, value, formula in rows("Computed"):
    values[name] = evaluate(formula, values)
    check(f"{name} follows", abs(float(value) - values[name]) <= 0.02 * values[name],
          f"{formula} = {values[name]:.4g}, not {value}")
print(f"1..{number}")
sys.exit(failed > 0)
