/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of later versions and of other tools: what to say to whom types them. And the global options. */

#include "config.h"

#include "cli/cli.h"

static const struct option_spec global_rows[] = {
	TEXT("backend", "B", "NAME", backend, "this backend only; auto or all: no choice is made"),
	TEXT("format", NULL, "FORMAT", format, "table, wide, json, jsonl, csv, env, name or '{{.Name}}'"),
	TEXT("path lxcpath connect", "P", "DIR|URI", path, "where the engine keeps its containers, if not in its usual place"),
	FLAG("json", NULL, json, "short for --format json; errors are JSON too"),
	FLAG("quiet", "q", quiet, "lists: names only; else: no remarks"),
	FLAG("no-headings noheading noheadings no-legend", NULL, no_headings, "no line of headings"),
	FLAG("no-trunc", NULL, no_trunc, "never cut a column"),
	FLAG("no-pager", NULL, no_pager, "never page (nothing is paged)"),
	TEXT("color colour", NULL, "WHEN", color, "auto, always or never; NO_COLOR and CLICOLOR_FORCE are read"),
	FLAG("explain dry-run", NULL, explain, "run, create, start: print what would be done, do nothing"),
	TEXT("timeout", NULL, "SECONDS", timeout, "give up after this, with status 8"),
	FLAG("help", "h", help, "help"),
	FLAG("version", "V", version, "version"),
	LATER("host", "H", "[USER@]HOST", "other hosts are not in this version"),
	LATER("config", NULL, "FILE", "not in this version; MOORAGE_CONFIG chooses another file"),
	LATER("debug log-level log-format", NULL, NULL, "not in this version"),
	LATER("progress", NULL, "MODE", "not in this version"),
	{ 0 }
};

const struct option_table global_options[] = { { "Everywhere", global_rows }, { NULL, NULL } };

#define LATER_VERB(names_, reason_)          \
	{                                    \
		names_, reason_, NULL, false \
	}
#define IMAGES "images come later"

const struct known_word later_verbs[] = {
	LATER_VERB("pull push images list-images rmi tag pull-tar load "
		   "save commit",
		   IMAGES),
	LATER_VERB("snapshot copy clone checkpoint restore", "snapshots and copies come later"),
	LATER_VERB("volume network secret", "named objects come later"),
	LATER_VERB("prune", "images and volumes come later"),
	LATER_VERB("cp copy-to copy-from file", "copying files comes later; '-v SRC:DST' shows a directory inside"),
	LATER_VERB("mount umount bind", "mounts into a running container come later"),
	LATER_VERB("apply", "there is 'convert', which reads configurations of other tools"),
	LATER_VERB("port", "networks come later"),
	LATER_VERB("diff", "changed files come later"),
	LATER_VERB("health healthcheck", "health checks come later"),
	LATER_VERB("features", "there is 'backends --features --json'"),
	LATER_VERB("config system", "there is the file moorage.conf"),
	{ 0 }
};

/* What other tools call it. Those that are near in meaning are aliases in the table of verbs. */
const struct known_word foreign_verbs[] = {
	{ "build", "moorage does not build images: 'buildah bud', 'mkosi' and 'mmdebstrap' do", NULL, false },
	{ "halt terminate-all", "use 'stop', or 'kill' to power off hard", NULL, false },
	{ "end", "use 'stop'", NULL, false },
	{ "container ct machine domain", "the verb comes first: 'moorage ls', 'moorage start NAME'", NULL, false },
	{ "execute-command enter-namespace lxc-enter-namespace attach-command", "use 'exec NAME -- COMMAND'", NULL,
	  false },
	{ "ssh bash sh", "use 'shell NAME'", NULL, false },
	{ "log journal journalctl", "use 'logs NAME'", NULL, false },
	{ "du df usage", "use 'stats'", NULL, false },
	{ "up", "use 'run' or 'start NAME'", NULL, false },
	{ "down", "use 'stop NAME'", NULL, false },
	{ "dommemstat cgroup setmem setvcpus memtune set-limit",
	  "use 'stats' to look and 'update NAME --memory SIZE --cpus N' to change", NULL, false },
	{ "domrename", "use 'rename OLD NEW'", NULL, false },
	{ "domid dominfo-all", "use 'info NAME'", NULL, false },
	{ "containers list-machines machines", "use 'ls'", NULL, false },
	{ "check-config", "use 'doctor'", NULL, false },
	{ 0 }
};

const struct known_word foreign_options[] = {
	{ "--runtime --engine --driver", "choose a backend with '--backend NAME'", NULL, false },
	{ "--daemon --daemonize", "use '--detach'", NULL, false },
	{ "--no-daemon", "that is so without '--detach'", NULL, false },
	{ "--active --running", "use 'ps', or 'ls --filter state=running'", NULL, false },
	{ "--fancy --fancy-format", "choose columns with '--columns NAME,STATE,...'", NULL, false },
	{ "--output", "use '--format json'", NULL, false },
	{ "--no-truncate --full", "use '--no-trunc'", NULL, false },
	{ "--lines", "use '--tail N'", NULL, false },
	{ "--memory-limit --mem", "use '--memory SIZE'", NULL, false },
	{ "--cpu --vcpus", "use '--cpus N'", NULL, false },
	{ "--latest", "name the container", NULL, false },
	{ "--clear-env --keep-env", "only what '--env' names is passed on", NULL, false },
	{ "--private-network", "that is so without '--network host'", NULL, false },
	{ "--uid", "use '--user UID[:GROUP]'", NULL, false },
	{ "--as-pid2", "use '--init', which is the default", NULL, false },
	{ "--root-directory", "use '--rootfs DIR'", NULL, false },
	{ "--remove --auto-remove", "use '--rm'", NULL, false },
	{ "--spec --config", "use '--from FILE.json'", NULL, false },
	{ "--directory", "use '--rootfs DIR'", NULL, false },
	{ "-1 -2 -9", "a signal is an option's value: '-s 9', or '-s KILL'", NULL, false },
	{ 0 }
};
