"""What a screen reader is told, one line each: Debian's python3-pyatspi listens where Orca would (AT-SPI).

    screen_reader.py

Prints `listening`, then `said WORDS` for what is announced and `focus ROLE NAME` for where the keyboard goes. A line on standard
input asks for everything the program shows: `shown ROLE NAME` for each, then `shown all`.
"""

import sys
import threading

import pyatspi
from gi.repository import GLib


def say(*words):
    print(*words, flush=True)


def line(text):
    return str(text).replace("\n", " ")


def announced(event):
    say("said", line(event.any_data))


def focused(event):
    if event.detail1:
        say("focus", event.source.getRoleName(), line(event.source.name))


def show(node):
    say("shown", node.getRoleName(), line(node.name))
    for index in range(node.childCount):
        show(node.getChildAtIndex(index))


def show_all():
    for program in pyatspi.Registry.getDesktop(0):
        show(program)
    say("shown all")


def asked():
    for _ in sys.stdin:
        GLib.idle_add(show_all)


pyatspi.Registry.registerEventListener(announced, "object:announcement")
pyatspi.Registry.registerEventListener(focused, "object:state-changed:focused")
threading.Thread(target=asked, daemon=True).start()
say("listening")
pyatspi.Registry.start()
