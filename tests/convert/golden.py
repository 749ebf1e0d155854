# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations as people write them, and what is made of them. Speaks TAP.

Each FORMAT/NN-NAME.SUFFIX has a FORMAT/NN-NAME.expected beside it:

    $ moorage convert --to FORMAT ...      what is typed; the file comes behind it
    LINE VERDICT SOURCE -> TARGET: NOTE    the report, "-" for what there is none of; (FIELD) is not said by any key
    ! MESSAGE                              the error, and its hint
    = STATUS
    TEXT                                   the result; of a filter of Moorage's in JSON only how long it is

That every key of the source is in the report exactly once is found out here by other means than the command's.

Usage: golden.py [--update] [FORMAT/NAME...]     --update writes what is printed now; the first line stays.
"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
COMMAND = os.environ.get("MOORAGE", "moorage")
SUFFIX = {"lxc": "conf", "nspawn": "nspawn", "libvirt": "xml", "oci": "json", "systemd": "service", "docker": "json", "quadlet": "container"}


# ---- running --------------------------------------------------------------------------------------

def convert(options, path):
    """The report, the error or None, the status and the text."""
    done = subprocess.run([COMMAND, "convert", "--json", *options, path], capture_output=True, text=True, timeout=30, check=False)
    decoder, at, rows, error = json.JSONDecoder(), 0, [], None
    while done.stderr[at:].strip():
        at += len(done.stderr[at:]) - len(done.stderr[at:].lstrip())
        value, at = decoder.raw_decode(done.stderr, at)
        if isinstance(value, list):
            rows = value
        else:
            error = value["error"]
    return rows, error, done.returncode, done.stdout


def show_row(row):
    source = row["source"] or "(%s)" % row["field"].lstrip("/").replace("/", ".")
    note = ": " + row["note"] if row["note"] else ""
    return "%s %s %s -> %s%s" % (row["line"] or "-", row["verdict"], source, row["target"] or "-", note)


def show_text(text):
    """A config.json without the hundreds of rules that a filter of Moorage's is written as."""
    if not text.startswith("{"):
        return text
    spec = json.loads(text)
    seccomp = spec.get("linux", {}).get("seccomp", {})
    if len(seccomp.get("syscalls", [])) > 20:
        seccomp["syscalls"] = "%d rules" % len(seccomp["syscalls"])
    return json.dumps(spec, indent=1) + "\n"


def transcript(first, path):
    rows, error, status, text = convert(first.split()[3:], path)
    # What nobody said and nothing became of is not worth a line.
    lines = [first] + [show_row(row) for row in rows if row["source"] or row["verdict"] != "carried"]
    if error:
        hint = "\n! " + error["hint"] if error["hint"] else ""
        lines.append("! " + error["message"].replace(HERE + "/", "") + hint)
    return "\n".join(lines) + "\n= %d\n%s" % (status, show_text(text)), rows


# ---- what the keys are, without asking the command --------------------------------------------------

def lines_of(text):
    """Logical lines of a text of assignments, by the number of their first."""
    number, begun, joined = 0, 0, ""
    for line in text.split("\n"):
        number += 1
        begun = begun or number
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        yield begun, (joined + line).strip()
        begun, joined = 0, ""


def keys_of_lxc(text, _rows):
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.strip().startswith("#"):
            yield number, line.split("=")[0].strip()


def keys_of_units(text, rows):
    section = ""
    for number, line in lines_of(text):
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and line[0] not in "#;" and section:
            yield number, "%s.%s=" % (section, line.split("=")[0].strip())
    # Options of a command line are keys too; they are told by their name, and are not looked for here.
    for row in rows:
        if row["source"] and row["source"].startswith("-") or row["source"] == "the command":
            yield row["line"], row["source"]


def keys_of_docker(text, _rows):
    for key, value in json.loads(text)[0].items():
        if key in ("HostConfig", "Config"):
            yield from ((None, "%s.%s" % (key, inner)) for inner in value)
        else:
            yield None, key


def leaves(value, place=""):
    if isinstance(value, (dict, list)) and value:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, "%s/%s" % (place, key))
    else:
        yield place


def missing_of_oci(text, rows):
    """A field is reported as a whole: each leaf is in exactly one of them."""
    sources = [row["source"] for row in rows if row["source"]]
    for leaf in leaves(json.loads(text)):
        n = sum(leaf == source or leaf.startswith(source + "/") for source in sources)
        if n != 1:
            yield "%s is in %d rows" % (leaf, n)


def count_leaves(element):
    inside = list(element)
    own = len(element.attrib) + (not inside and (bool((element.text or "").strip()) or not element.attrib))
    return own + sum(count_leaves(child) for child in inside)


def missing_of_libvirt(text, rows):
    sources = Counter(row["source"] for row in rows if row["source"])
    yield from ("%s is in %d rows" % (source, n) for source, n in sources.items() if n > 1)
    n = count_leaves(ElementTree.fromstring(text))
    if n != len(sources):
        yield "there are %d keys and %d rows" % (n, len(sources))


def missing_of_keys(keys):
    def missing(text, rows):
        wanted = Counter((number, key) for number, key in keys(text, rows))
        numbered = all(number for number, _ in wanted)
        got = Counter((row["line"] if numbered else None, row["source"]) for row in rows if row["source"])
        yield from ("line %s: %s is in %d rows, not in %d" % (*key, got[key], wanted[key]) for key in (wanted | got) if wanted[key] != got[key])
    return missing


MISSING = {
    "lxc": missing_of_keys(keys_of_lxc), "nspawn": missing_of_keys(keys_of_units), "systemd": missing_of_keys(keys_of_units),
    "quadlet": missing_of_keys(keys_of_units), "docker": missing_of_keys(keys_of_docker), "oci": missing_of_oci,
    "libvirt": missing_of_libvirt,
}


# ---- comparing --------------------------------------------------------------------------------------

def check(name, update):
    """What is wrong, as lines."""
    form = name.split("/")[0]
    path = os.path.join(HERE, "%s.%s" % (name, SUFFIX[form]))
    expected_path = os.path.join(HERE, name + ".expected")
    with open(expected_path, encoding="utf-8") as file:
        expected = file.read()
    got, rows = transcript(expected.split("\n")[0], path)
    with open(path, encoding="utf-8") as file:
        wrong = list(MISSING[form](file.read(), rows)) if rows else ["there is no report"]
    if update:
        with open(expected_path, "w", encoding="utf-8") as file:
            file.write(got)
    elif got != expected:
        old, new = expected.split("\n"), got.split("\n")
        wrong += ["-" + line for line in old if line not in new] + ["+" + line for line in new if line not in old] or ["lines in another order"]
    return wrong


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    names = arguments or sorted("%s/%s" % (form, re.sub(r"\.expected$", "", file)) for form in SUFFIX
                                for file in os.listdir(os.path.join(HERE, form)) if file.endswith(".expected"))
    failed = False
    print("1..%d" % len(names))
    for number, name in enumerate(names, 1):
        wrong = check(name, "--update" in sys.argv[1:])
        failed |= bool(wrong)
        print("%s %d - %s" % ("not ok" if wrong else "ok", number, name))
        for line in wrong[:40]:
            print("# " + line)
    return failed


if __name__ == "__main__":
    sys.exit(main())
