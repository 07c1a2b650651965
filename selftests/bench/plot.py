#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Draws what was measured: figures 7 and 9 of the SST paper, and how long messages
take on a path that loses packets: plot.py FOLDER <LINES

The lines are those of transactions_time, priorities_time and blocking_time;
figure7.svg, figure9.svg and blocking.svg are written.
"""
import math
import os
import re
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 440, 70, 40, 180, 50
COLOURS = ("#c02020", "#2050b0", "#208030")


class Axis:
    """Where a value is drawn; logarithmic, or from zero."""

    def __init__(self, values, start, end, logarithmic):
        self.log = logarithmic
        self.low = min(values) if logarithmic else 0
        self.high = max(values)
        self.start, self.end = start, end

    def place(self, value):
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        if self.log:
            tick = 10 ** math.ceil(math.log10(self.low))
            while tick <= self.high:
                yield tick
                tick *= 10
        else:
            step = 10 ** math.floor(math.log10(self.high))
            step = step / 5 if self.high / step < 3 else step
            yield from (step * n for n in range(int(self.high / step) + 1))


def text(x, y, words, anchor="middle", colour="black"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
            f'font-family="sans-serif" font-size="13">{words}</text>')


def draw(title, labels, names, rows, logarithmic):
    """An SVG of lines: rows are x and one y for each name."""
    across = Axis([row[0] for row in rows], LEFT, WIDTH - RIGHT, logarithmic)
    up = Axis([y for row in rows for y in row[1:]], HEIGHT - BOTTOM, TOP, logarithmic)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">',
           '<rect width="100%" height="100%" fill="white"/>',
           text((LEFT + WIDTH - RIGHT) / 2, 22, title),
           text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, labels[0]),
           text(LEFT, TOP - 8, labels[1])]
    for tick in across.ticks():
        x = across.place(tick)
        out.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(text(x, HEIGHT - BOTTOM + 18, f"{tick:,.0f}"))
    for tick in up.ticks():
        y = up.place(tick)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y + 4, f"{tick:,.0f}", "end"))
    for number, name in enumerate(names):
        points = " ".join(f"{across.place(row[0]):.1f},{up.place(row[number + 1]):.1f}"
                          for row in rows)
        colour = COLOURS[number]
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                   'stroke-width="2"/>')
        out.append(text(WIDTH - RIGHT + 12, TOP + 20 * (number + 1), name, "start", colour))
    return "\n".join(out + ["</svg>", ""])


def rows_of(lines, separator):
    pattern = re.compile(r"^# +([0-9.]+)" + separator + r" +([0-9.]+) +([0-9.]+) +([0-9.]+)$")
    found = [pattern.match(line.rstrip()) for line in lines]
    return [tuple(float(n) for n in match.groups()) for match in found if match]


def tail_of(lines):
    found = [re.match(r"^# 1/([0-9]+): ([0-9.]+) ([0-9.]+)$", line) for line in lines]
    return [tuple(float(n) for n in match.groups()) for match in found if match]


def write(name, content):
    with open(os.path.join(sys.argv[1], name), "w", encoding="utf-8") as file:
        file.write(content)


def main():
    lines = sys.stdin.readlines()
    answers, shares = rows_of(lines, ":"), rows_of(lines, "")
    delays = tail_of(lines)
    if not answers or not shares or not delays:
        sys.exit("plot.py: the figures are missing")
    write("figure7.svg", draw(
        "A question and its answer over a DSL line of 50 ms", ("bytes of the answer", "ms"),
        ("an AF_SSS stream each", "one TCP connection", "a connection each"), answers, True))
    write("figure9.svg", draw(
        "Three transfers; priorities change at 5 and 10 s", ("seconds", "KB received"),
        ("first", "second", "third"),
        [(row[0] / 1000, *(n / 1000 for n in row[1:])) for row in shares], False))
    write("blocking.svg", draw(
        "Messages at 2 % loss and 50 ms of round trip", ("one message in so many ...", "takes ms"),
        ("100 AF_SSS streams", "one TCP connection"), delays, True))


main()
