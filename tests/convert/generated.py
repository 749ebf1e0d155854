# SPDX-License-Identifier: LGPL-2.1-or-later
"""The report is complete whatever is in a configuration: every key of the source is in it exactly once. Speaks TAP.

The configurations of the folder are taken to pieces and put together at random, for each of the formats that can be read; after each change that
can still be read golden.py finds out, by other means than the command's, what the keys are.

Usage: generated.py [SEED [CHANGES]]     so many changes for each format
"""

import copy
import json
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
# pylint: disable-next=wrong-import-position
from golden import COMMAND, HERE, MISSING, SUFFIX, convert, lines_of

RESTART = 25  # changes, then another file is begun with


# ---- lines: LXC's, and units ------------------------------------------------------------------------

class Lines:
    """Pieces are logical lines with the section that they are in."""

    def __init__(self, text):
        lines = text.split("\n")
        starts = [number for number, _ in lines_of(text)] + [len(lines) + 1]
        self.pieces, section = [], ""
        for begin, end in zip(starts, starts[1:]):
            line = "\n".join(lines[begin - 1:end - 1])
            if line.startswith("["):
                section = line
            elif line.strip():
                self.pieces.append((section, line))

    def take(self, rng):
        return rng.choice(self.pieces)

    def put(self, piece, rng):
        self.pieces.insert(rng.randint(0, len(self.pieces)), piece)

    def drop(self, rng):
        self.pieces.pop(rng.randrange(len(self.pieces)))

    def text(self):
        lines, last = [], ""
        for section, line in self.pieces:
            if section != last:
                lines.append(section)
                last = section
            lines.append(line)
        return "\n".join(lines) + "\n"


# ---- JSON: OCI's, and what engines of Docker's kind show ----------------------------------------------

class Json:
    """Pieces are values with the way to them."""

    def __init__(self, text):
        self.value = json.loads(text)

    def ways(self):
        def walk(value, way):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
                yield way + [key], inner
                yield from walk(inner, way + [key])
        return list(walk(self.value, []))

    def take(self, rng):
        return rng.choice(self.ways())

    def put(self, piece, _rng):
        way, value = piece
        at = self.value
        for key, after in zip(way, way[1:] + [None]):
            inner = copy.deepcopy(value) if after is None else [] if isinstance(after, int) else {}
            if isinstance(at, list) and isinstance(key, int):
                key = min(key, len(at))
                if key == len(at):
                    at.append(inner)
            elif isinstance(at, dict) and isinstance(key, str):
                at.setdefault(key, inner)
            else:
                return
            if after is None:
                at[key] = inner
            at = at[key]

    def drop(self, rng):
        way, _ = self.take(rng)
        at = self.value
        for key in way[:-1]:
            at = at[key]
        del at[way[-1]]

    def text(self):
        return json.dumps(self.value, indent=1) + "\n"


# ---- XML: libvirt's -----------------------------------------------------------------------------------

class Xml:
    """Pieces are elements with the names of those that they are in, and attributes."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)

    def places(self):
        def walk(element, way):
            for inner in element:
                yield way, element, inner
                yield from walk(inner, way + [inner.tag])
        return list(walk(self.root, []))

    def take(self, rng):
        way, _, element = rng.choice(self.places())
        return way, element

    def put(self, piece, rng):
        way, element = piece
        at = self.root
        for tag in way:
            inner = at.find(tag)
            at = ElementTree.SubElement(at, tag) if inner is None else inner
        at.insert(rng.randint(0, len(at)), copy.deepcopy(element))

    def drop(self, rng):
        _, parent, element = rng.choice(self.places())
        if element.attrib and rng.random() < 0.5:
            del element.attrib[rng.choice(sorted(element.attrib))]
        else:
            parent.remove(element)

    def text(self):
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"


KIND = {"lxc": Lines, "nspawn": Lines, "systemd": Lines, "quadlet": Lines, "docker": Json, "oci": Json, "libvirt": Xml}


# ---- changing, and looking -----------------------------------------------------------------------------

def sources(form):
    directory = os.path.join(HERE, form)
    for file in sorted(os.listdir(directory)):
        if file.endswith("." + SUFFIX[form]):
            with open(os.path.join(directory, file), encoding="utf-8") as text:
                yield text.read()


def change(config, others, rng):
    """One of another's pieces comes, or a piece goes."""
    changed = copy.deepcopy(config)
    if rng.random() < 0.7 or len(changed.text()) < 40:
        changed.put(rng.choice(others).take(rng), rng)
    else:
        changed.drop(rng)
    return changed


def look(form, text, target, path):
    """What is wrong, as lines; None: it cannot be read."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    rows, _, status, _ = convert(["--from", form, "--to", target, "--accept", "all"], path)
    return list(MISSING[form](text, rows)) if status in (0, 1) else None


def check(form, targets, rng, changes, path):
    """How many configurations were looked at, and what is wrong with the first that is wrong."""
    others, looked = [KIND[form](text) for text in sources(form)], 0
    config = copy.deepcopy(rng.choice(others))
    for number in range(changes):
        if number % RESTART == RESTART - 1:
            config = copy.deepcopy(rng.choice(others))
        changed = change(config, others, rng)
        wrong = look(form, changed.text(), rng.choice(targets), path)
        if wrong:
            return looked, wrong + changed.text().split("\n")
        if wrong is not None:
            config, looked = changed, looked + 1
    return looked, []


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    changes = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    listed = subprocess.run([COMMAND, "__complete", "--", "convert", "--to", ""], capture_output=True, text=True, timeout=30, check=True).stdout
    targets = [line.split("\t")[0] for line in listed.splitlines() if "\t" in line and not line.startswith("docker\t")]
    failed = False
    print("1..%d\n# seed %d" % (len(KIND), seed))
    with tempfile.NamedTemporaryFile(prefix="mrgt-generated.") as file:
        for number, form in enumerate(KIND, 1):
            looked, wrong = check(form, targets, random.Random(seed), changes, file.name)
            if looked < changes / 4:
                wrong = wrong or ["only %d of %d could be read" % (looked, changes)]
            failed |= bool(wrong)
            print("%s %d - %s: %d configurations put together at random, each key in one row" % ("not ok" if wrong else "ok", number, form, looked))
            for line in wrong:
                print("# " + line)
    return failed


sys.exit(main())
