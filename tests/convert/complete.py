# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every key that an engine documents is known: it has a verdict, the number of its line, and is written back. Speaks TAP.

keys/lxc, keys/nspawn and keys/command list the keys, each with a value that it takes. That the lists miss nothing is found
out from the manual pages of the engines, where these are installed in the version that the lists are of.

Usage: complete.py
"""

import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
COMMAND = os.environ.get("MOORAGE", "moorage")
VERDICTS = ("carried", "approximated", "dropped", "weakens")
# What is said of keys that have no row.
UNKNOWN = "has no field; kept verbatim for"
# Options that only say how systemd-nspawn itself is run, and those that run nothing.
NOT_OF_CONTAINERS = {"-h", "--help", "--version"}
# The manual page of LXC calls lxc.console.size so in one place; liblxc has no such key.
NO_KEYS = {"lxc.conf", "lxc.console.buffer.logfile"}


# ---- converting -----------------------------------------------------------------------------------

def convert(form, target, text, accept=()):
    """The rows of the report, the text, and what was said besides."""
    options = [option for name in accept for option in ("--accept", name)]
    done = subprocess.run([COMMAND, "convert", "--json", "--from", form, "--to", target, *options], input=text, capture_output=True,
                          text=True, timeout=30, check=False)
    if done.stderr.startswith("["):
        rows, end = json.JSONDecoder().raw_decode(done.stderr)
        return rows, done.stdout, done.stderr[end:].strip()
    return [], done.stdout, done.stderr.strip()


def lxc_text(parts):
    return "\n".join(parts) + "\n", parts[-1].split("=")[0].strip()


def nspawn_text(parts):
    lines = []
    for part in parts:
        section, assignment = part.split(".", 1)
        lines += ["[%s]" % section, assignment]
    return "\n".join(lines) + "\n", parts[-1].split("=")[0] + "="


def command_text(parts):
    return "[Service]\nExecStart=systemd-nspawn %s\n" % " ".join(parts), None


def without_loss(form, target, text):
    """The same, whatever it loses."""
    return convert(form, target, text, ["all"])


def check(form, make, entry):
    """What is wrong with what is said of the key, as lines."""
    parts = entry.split(" | ")
    text, source = make(parts)
    rows, _, said = convert(form, "oci", text)
    # An option is reported under its long name, or under that of its key; nothing but it is in the text.
    of_key = [row for row in rows if row["line"] and (row["source"] == source if source else row["source"] != "Service.ExecStart=")]
    if not of_key:
        return ["is in no row of the report: %s %s" % (said, [(row["line"], row["source"]) for row in rows if row["line"]])]
    row, wrong = of_key[-1], []
    if row["verdict"] not in VERDICTS:
        wrong.append("has the verdict '%s'" % row["verdict"])
    if row["line"] != text.count("\n"):
        wrong.append("is in line %d, not in %s" % (text.count("\n"), row["line"]))
    if row["note"] and UNKNOWN in row["note"]:
        wrong.append("has no row")
    if row["verdict"] in ("dropped", "weakens") and not row["note"]:
        wrong.append("is lost without a word")
    _, first, said = without_loss(form, "oci", text)
    _, back, _ = without_loss(form, form, text)
    _, second, _ = without_loss(form, "oci", back)
    if not first or first != second:
        wrong.append("is another when it was written and is read again: %s\n%s\n%s\n%s" % (said, back, first, second))
    return wrong


# ---- the manual pages -------------------------------------------------------------------------------

def manual_page(section, name):
    for directory in ("/usr/share/man", "/usr/local/share/man"):
        for path in glob.glob("%s/man%s/%s.%s*" % (directory, section, glob.escape(name), section)):
            with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
                return file.read().replace("\\-", "-").replace("\\&", "")
    return None


def keys_of_lxc_page(page):
    keys = set(re.findall(r"^.{0,12}\\fB(lxc\.[a-z0-9_.\[\] -]*[a-z0-9_\]])\\fR", page, re.MULTILINE)) - NO_KEYS
    for key in keys:
        if " = " not in key:
            yield re.sub(r"\[i\]", "0", key)


def keys_of_nspawn_page(page):
    section = ""
    for line in page.split("\n"):
        if line.startswith(".SH"):
            section = line.split('"')[1].split("]")[0].strip("[ ").title() if "[" in line else ""
        elif section and re.match(r"^\\fI[A-Z][A-Za-z]+=\\fR(, \\fI[A-Z][A-Za-z]+=\\fR)*,?$", line):
            yield from ("%s.%s" % (section, key) for key in re.findall(r"\\fI([A-Z][A-Za-z]+)=", line))


def options_of_page(page):
    for line in re.findall(r"^\.PP\n((?:\\fB-).*)$", page, re.MULTILINE):
        yield from re.findall(r"(?<![\w-])(--[a-z0-9-]+|-[a-zA-Z])(?![\w-])", re.sub(r"\\f[BIR]", "", line))


def is_listed(form, key, listed):
    if form == "lxc" and "[" in key:
        begin = key.split("[")[0]
        return any(name.startswith(begin) for name in listed)
    return key in listed or key in NOT_OF_CONTAINERS


FORMATS = {
    "lxc": ("lxc", lxc_text, lambda part: part.split("=")[0].strip(), keys_of_lxc_page, ("5", "lxc.container.conf")),
    "nspawn": ("nspawn", nspawn_text, lambda part: part.split("=")[0], keys_of_nspawn_page, ("5", "systemd.nspawn")),
    "command": ("nspawn", command_text, lambda part: re.split("[= ]", part)[0], options_of_page, ("1", "systemd-nspawn")),
}


# ---- all of it ----------------------------------------------------------------------------------------

def check_page(name, entries):
    """What the manual page has and the list has not, or why that is not known."""
    _, _, name_of, keys_of_page, (section, title) = FORMATS[name]
    page = manual_page(section, title)
    if page is None:
        return None, "no manual page %s(%s)" % (title, section)
    listed = {name_of(entry.split(" | ")[-1]) for entry in entries}
    keys = set(keys_of_page(page))
    if len(keys) < len(listed) / 2:
        return ["%d keys found in the manual page, where the list has %d" % (len(keys), len(listed))], None
    return ["%s is not listed" % key for key in sorted(keys) if not is_listed(name, key, listed)], None


def main():
    directory = tempfile.mkdtemp(prefix="mrgt-keys.")
    results = []
    for name, (form, make, *_) in FORMATS.items():
        with open(os.path.join(HERE, "keys", name), encoding="utf-8") as file:
            entries = [line.rstrip("\n").replace("DIRECTORY", directory) for line in file if not line.startswith("#")]
        wrong = [(entry, line) for entry in entries for line in check(form, make, entry)]
        results.append(("%d keys in keys/%s" % (len(entries), name), ["%s: %s" % pair for pair in wrong], None))
        wrong, skip = check_page(name, entries)
        results.append(("the manual page has nothing more than keys/%s" % name, wrong, skip))
    os.rmdir(directory)
    print("1..%d" % len(results))
    for number, (title, wrong, skip) in enumerate(results, 1):
        print("%s %d - %s%s" % ("not ok" if wrong else "ok", number, title, " # SKIP " + skip if skip else ""))
        for line in wrong or []:
            print("# " + line.replace("\n", "\\n"))
    return any(wrong for _, wrong, _ in results)


sys.exit(main())
