/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs: one row each. Parser, help, completion and manual are made from it. */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/spec_build.h"

/* ---- options of single verbs -------------------------------------------------------------------- */

/* What the tools of an engine made is not swept up unasked. */
#define ALL_TEXT "all that moorage made; with -B all of that backend"
#define NAME_ROW TEXT("name machine", "nM", "NAME", name, "the container, in place of the operand")
#define PROGRESS_ROW TEXT("progress", NULL, "MODE", progress, "auto, none, lines, bar or json")
#define LIST_ROWS                                                                     \
	TEXT("columns", "o", "NAME,...", columns, "columns to show; +NAME adds one"), \
		TEXT("sort", NULL, "COLUMN", sort, "order by this column"),           \
		LIST("filter", "f", "KEY=VALUE", filter,                              \
		     "only those where the column matches; also label=KEY[=VALUE]")
#define TABLES(name_, ...)                                                          \
	static const struct option_spec name_##_options[] = { __VA_ARGS__, { 0 } }; \
	static const struct option_table name_##_tables[] = { { "Options", name_##_options }, { NULL, NULL } }

TABLES(name, NAME_ROW);
TABLES(start, NAME_ROW, FLAG("attach foreground", "aF", attach, "attach to its streams; its exit status is ours"),
       FLAG("interactive", "i", interactive, "attach standard input too"),
       TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running: 'ctrl-p,ctrl-q'"),
       FLAG("sig-proxy", NULL, sig_proxy, "pass signals on (the default)"));
TABLES(stop, NAME_ROW,
       TEXT("time", "t", "SECONDS", time, "time before it is killed; without: that of the container, or 10"),
       FLAG("kill", "k", kill, "kill at once"),
       FLAG("no-kill", NULL, no_kill, "never kill: fail when the time is over"),
       FLAG("no-wait", NULL, detach, "ask for the end and do not wait"), FLAG("all", "a", all, ALL_TEXT),
       FLAG("ignore", NULL, ignore, "a missing container is no failure"));
TABLES(restart, NAME_ROW,
       TEXT("time", "t", "SECONDS", time, "time before it is killed; without: that of the container, or 10"),
       FLAG("all", "a", all, ALL_TEXT), LATER("guest", NULL, NULL, "reboot inside: not in this version"));
TABLES(kill, NAME_ROW, TEXT("signal", "s", "SIGNAL", signal, "name or number; KILL when not given"),
       FLAG("all-processes", NULL, all_processes, "to every process, not the first one only"),
       FLAG("all", "a", all, ALL_TEXT));
TABLES(rm, NAME_ROW, FLAG("force", "f", force, "kill it first; a missing one is no failure"),
       FLAG("ignore", "i", ignore, "a missing container is no failure"), FLAG("all", "a", all, ALL_TEXT),
       FLAG("keep-storage keep-root", NULL, keep_storage, "leave the root that an import or a migration has made for it"),
       LATER("volumes", "v", NULL, "needs volumes: not in this version"),
       LATER("snapshots", NULL, NULL, "needs snapshots: not in this version"));
TABLES(exec, NAME_ROW, FLAG("interactive", "i", interactive, "keep standard input open"),
       FLAG("tty", "t", tty, "give it a terminal"), FLAG("detach", "d", detach, "leave it in the background"),
       LIST("env setenv", "eE", "NAME[=VALUE]", env, "environment variable; without a value: yours"),
       LIST("env-file", NULL, "FILE", env_file, "file of environment variables, one a line"),
       TEXT("user", "u", "NAME|UID[:GROUP]", user, "run as this user of the container"),
       TEXT("workdir chdir", "w", "DIR", workdir, "working directory"),
       FLAG("privileged", NULL, privileged, "keep all capabilities the container may have"),
       TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running: 'ctrl-p,ctrl-q'"),
       FLAG("sig-proxy", NULL, sig_proxy, "pass signals on (the default)"));
TABLES(shell, NAME_ROW, TEXT("user", "u", "NAME|UID[:GROUP]", user, "run as this user of the container"),
       TEXT("workdir chdir", "w", "DIR", workdir, "working directory"),
       LIST("env setenv", "eE", "NAME=VALUE", env, "environment variable"),
       FLAG("privileged", NULL, privileged, "keep all capabilities the container may have"),
       TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running: 'ctrl-p,ctrl-q'"));
TABLES(attach, NAME_ROW, TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running"),
       FLAG("sig-proxy", NULL, sig_proxy, "pass signals on (the default)"));
TABLES(console, NAME_ROW, TEXT("detach-keys", NULL, "KEYS", detach_keys, "keys that leave it running"));
TABLES(logs, TEXT("name machine", "M", "NAME", name, "the container, in place of the operand"),
       FLAG("follow", "f", follow, "go on until it ends"), TEXT("tail lines", "n", "N", tail, "only the last lines"),
       FLAG("timestamps", "t", timestamps, "time in front of each line"),
       TEXT("since", NULL, "TIME", since, "RFC 3339, @SECONDS, or a span: 10m"),
       TEXT("until", NULL, "TIME", until, "the same, for the end"),
       FLAG("raw", NULL, raw, "control characters as they are, also on a terminal"));
TABLES(wait, NAME_ROW, TEXT("time", "t", "SECONDS", time, "give up after this, with status 1"),
       TEXT("state", "s", "STATE,...", states, "wait for one of: created, running, paused, stopped"));
TABLES(ls, FLAG("all", "a", all, "also those that do not run (ls always shows them)"), LIST_ROWS);
TABLES(list, LIST_ROWS);
TABLES(procs, NAME_ROW, LIST_ROWS);
TABLES(stats, NAME_ROW, FLAG("no-stream", NULL, no_stream, "once, not again and again"),
       TEXT("interval", NULL, "SECONDS", interval, "time between two looks"), LIST_ROWS);
TABLES(top, TEXT("name machine", "M", "NAME", name, "the container, in place of the operand"),
       FLAG("batch", "b", batch, "tables, again and again, in place of a screen"),
       TEXT("iterations", "n", "N", iterations, "so many tables; without, and not on a terminal: one"),
       TEXT("interval delay", "d", "SECONDS", interval, "time between two looks; without: 1"), LIST_ROWS);
TABLES(events, NAME_ROW, FLAG("follow", "f", follow, "go on (as it does without)"),
       FLAG("no-stream", NULL, no_stream, "only what is noted already, then end"),
       TEXT("since", NULL, "TIME", since, "first what was noted since then: a time, or a span such as 10m"));
TABLES(audit, NAME_ROW, FLAG("all", "a", all, ALL_TEXT),
       TEXT("pid", NULL, "N", pid, "process N and its container, whoever made it"),
       FLAG("probe", NULL, probe, "also try inside what works; leaves nothing behind"),
       FLAG("facts", NULL, facts, "also what is as it should be"),
       FLAG("diff", NULL, diff, "two containers, or files of audits: where the second is weaker or stronger"),
       TEXT("baseline", NULL, "FILE", baseline, "an audit of before: status 1 where it is weaker now"),
       TEXT("fail-on", NULL, "SEVERITY", fail_on, "status 1 when there is a finding so bad, or worse"), LIST_ROWS);
TABLES(backends, FLAG("features", NULL, features, "which field of the spec which backend honours"), LIST_ROWS);
TABLES(convert, TEXT("from", NULL, "FORMAT", from, "format of the source; without: told from its content"),
       TEXT("to", NULL, "FORMAT", to, "format of the result"),
       TEXT("output", "o", "FILE", output_file, "write it there, whole or not at all; without: standard output"),
       TEXT("name", "n", "NAME", name, "which container, of an inspection of several"),
       LIST("accept", NULL, "KEY", accept, "take the loss of this key, or of this field of the spec; 'all'"),
       FLAG("strict", NULL, strict, "refuse what would be dropped, too"),
       TEXT("columns", NULL, "NAME,...", columns, "columns of the report; +NAME adds one"),
       TEXT("sort", NULL, "COLUMN", sort, "order of the report"),
       LIST("filter", NULL, "KEY=VALUE", filter, "only those rows of the report where the column matches"));
#define MIGRATION_ROWS                                                                                              \
	TEXT("to", NULL, "BACKEND[@[USER@]HOST]", to, "the backend it goes to; on another host, by ssh"),           \
		TEXT("ssh-config", NULL, "FILE", ssh_config, "configuration of ssh, in place of your own"),         \
		TEXT("to-path", NULL, "DIR|URI", to_path, "where its engine keeps containers, if not in its usual place"), \
		TEXT("rename", NULL, "NAME", rename, "call it so from then on"),                                    \
		FLAG("move", NULL, move, "move the root to where the engine keeps roots, wherever it is"),          \
		FLAG("copy", NULL, copy, "copy it there, and leave the root of the source as it is"),               \
		FLAG("in-place", NULL, in_place, "use the root where it is"),                                       \
		TEXT("rebase", NULL, "HOST[:COUNT]|none", rebase, "users of its own, from this id of the host on; or none"), \
		LIST("accept", NULL, "KEY", accept, "take the loss of this key, or of this field of the spec; 'all'"), \
		FLAG("best-effort", NULL, best_effort, "drop what the backend cannot do, unless that weakens it"),  \
		FLAG("no-stop", NULL, no_stop, "refuse one that runs"),                                             \
		FLAG("start", NULL, start_it, "start it also when it did not run")
TABLES(compare, TEXT("backends", NULL, "NAME,...", backends, "which; 'all' are those that there are (the default)"),
       TEXT("root", NULL, "DIR|host", root, "root of the containers; without: one with nothing in it"),
       TEXT("runs", NULL, "N", runs, "how often each is started; without: 20"),
       TEXT("against", NULL, "TOOL,...", against, "raw tools beside them: lxc-execute, systemd-nspawn, virsh, crun, runc, bwrap, podman"),
       TEXT("html", NULL, "FILE", html, "write a page with charts there"),
       TEXT("save", NULL, "FILE", save, "keep the report there, as JSON"),
       FLAG("diff", NULL, diff, "two reports that were kept: what is slower, larger or weaker in the second"));
TABLES(plan, NAME_ROW, MIGRATION_ROWS);
TABLES(migrate, NAME_ROW, MIGRATION_ROWS,
       FLAG("keep", NULL, keep, "keep the configuration of the source for 'rollback' (the default)"),
       FLAG("purge", NULL, purge, "keep nothing of the source; without '--to': of earlier ones"),
       TEXT("health-cmd", NULL, "COMMAND", health_cmd, "shell command that succeeds in it when all is well"),
       TEXT("health-timeout", NULL, "SECONDS", health_timeout, "time for it to be well; without: 60"),
       PROGRESS_ROW);
TABLES(rollback, NAME_ROW, PROGRESS_ROW);
TABLES(export, NAME_ROW, PROGRESS_ROW);
TABLES(import, TEXT("name machine", "nM", "NAME", name, "name of the new container"),
       LIST("accept", NULL, "KEY", accept, "let the configuration have this: a field, 'devices' for device nodes, 'all'"),
       PROGRESS_ROW);
TABLES(help, FLAG("man", NULL, man, "synopsis and options as scdoc text, for the manual"));
TABLES(inspect, NAME_ROW, FLAG("native", NULL, native, "the engine's own text: LXC config, .nspawn, domain XML"),
       LATER("diff", NULL, NULL, "not in this version"));

/* ---- the table ---------------------------------------------------------------------------------- */

#define LIFECYCLE "Lifecycle"
#define INSIDE	  "Inside"
#define OBSERVE	  "Observe"
#define MOVE	  "Move"
#define HOST	  "Host"
#define ONE	  VERB_NAME, .min = 1, .max = 1
#define SOME	  VERB_NAME, .min = 1, .max = -1

const struct verb verbs[] = {
	{ "run", "execute launch spawn", LIFECYCLE, "ROOT [--] [COMMAND...]",
	  "make a container, start it and attach to it",
	  "moorage run --rm -it ./root -- /bin/sh\n"
	  "moorage run --rm host -- ps ax\n"
	  "moorage run -d --name web -m 64M -v ./site:/srv:ro ./root -- /bin/httpd -f\n\n"
	  "ROOT is a directory (with a slash in it), or 'host': a read-only view of this host with a throw-away layer. "
	  "A directory is used in place. The exit status is that of the command; 125 when moorage failed, "
	  "126 when the command cannot be executed, 127 when there is none, 128+n when signal n ended it.",
	  run_tables, VERB_PAYLOAD | VERB_COMMAND | VERB_EXPLAIN, COMPLETE_ROOT, 0, -1, cmd_run },
	{ "create", "define init", LIFECYCLE, "ROOT [--] [COMMAND...]", "make a container, do not start it",
	  "moorage create --name web -B native ./root -- /bin/httpd -f\n"
	  "moorage create --name job --from config.json\n\nPrints the name.",
	  create_tables, VERB_COMMAND | VERB_EXPLAIN, COMPLETE_ROOT, 0, -1, cmd_create },
	{ "start", NULL, LIFECYCLE, "NAME...", "start", "moorage start web\nmoorage start -ai job", start_tables,
	  VERB_EXPLAIN | SOME, .complete = COMPLETE_STOPPED, .run = cmd_start },
	{ "stop", "shutdown poweroff", LIFECYCLE, "NAME...", "ask for the end, kill after a while",
	  "moorage stop web\nmoorage stop -t 2m web db\nmoorage stop --all", stop_tables, SOME,
	  .complete = COMPLETE_ALIVE, .run = cmd_stop },
	{ "kill", "terminate", LIFECYCLE, "NAME...", "send a signal",
	  "moorage kill -s HUP web\n\nAs 'terminate' it kills every process, as machinectl does.", kill_tables, SOME,
	  .complete = COMPLETE_ALIVE, .run = cmd_kill },
	{ "restart", "reboot", LIFECYCLE, "NAME...", "stop and start", "moorage restart web", restart_tables, SOME,
	  .complete = COMPLETE_ANY, .run = cmd_restart },
	{ "pause", "freeze suspend", LIFECYCLE, "NAME...", "freeze all processes", "moorage pause web", name_tables,
	  SOME, .complete = COMPLETE_RUNNING, .run = cmd_pause },
	{ "unpause", "unfreeze thaw resume", LIFECYCLE, "NAME...", "let frozen processes go on", "moorage unpause web",
	  name_tables, SOME, .complete = COMPLETE_PAUSED, .run = cmd_unpause },
	{ "rm", "destroy delete remove undefine", LIFECYCLE, "NAME...", "remove",
	  "moorage rm web\nmoorage rm -f web\n\nA root that 'import' or 'migrate' has made for it goes with it, as one that the tools of its "
	  "engine made; a directory it was given is never removed.", rm_tables,
	  SOME, .complete = COMPLETE_STOPPED, .run = cmd_rm },
	{ "rename", "mv", LIFECYCLE, "OLD NEW", "give another name", "moorage rename web www", name_tables, VERB_NAME,
	  COMPLETE_STOPPED, 2, 2, cmd_rename },
	{ "update", "set limit", LIFECYCLE, "NAME", "change limits, also of a running container",
	  "moorage update -m 128M --cpus 0.5 web\n\nThey hold at once and from then on. The configuration of what others made is not written: there they hold until "
	  "it ends.", update_tables, ONE, .complete = COMPLETE_ANY, .run = cmd_update },
	{ "enable", "autostart", LIFECYCLE, "NAME...", "start with the host", "moorage enable web\n\nBy the engine's own means "
	  "(lxc.start.auto, systemd-nspawn@.service, libvirt's autostart), else by an instance of moorage@.service; an ordinary user's by the user's systemd, "
	  "which begins with the host where loginctl enable-linger says so.",
	  name_tables, SOME, .complete = COMPLETE_ANY, .run = cmd_enable },
	{ "disable", NULL, LIFECYCLE, "NAME...", "do not start with the host", "moorage disable web", name_tables, SOME,
	  .complete = COMPLETE_ANY, .run = cmd_disable },
	{ "export", "export-tar", LIFECYCLE, "NAME FILE", "write a container into one archive",
	  "moorage export web web.tar.zst\n\nRoot, spec, the engine's own configuration and checksums, packed as FILE ends: .tar, .tar.gz, .tar.xz, .tar.zst; without an "
	  "ending zstd, and any other is refused. The container must not run.", export_tables, VERB_NAME, COMPLETE_STOPPED, 2, 2, cmd_export },
	{ "import", "import-tar import-fs", LIFECYCLE, "FILE|DIR", "make a container of an archive or a directory",
	  "moorage import web.tar.zst\nmoorage import -B nspawn --name web rootfs.tar.xz\n\nTakes archives of 'moorage export', tars of a root (gz, xz, zst), "
	  "of an LXC container (config and rootfs), OCI image layouts (oci:DIR:TAG names one of several images) and directories. A configuration "
	  "that reaches out to the host is refused until --accept names what is wanted.", import_tables, 0, COMPLETE_ROOT, 1, 1, cmd_import },
	{ "wait", NULL, LIFECYCLE, "NAME...", "wait for the end; print the exit status",
	  "moorage wait job\nmoorage wait -t 10 job\nmoorage wait -s running,paused web\n\n-1 when nobody can tell how it ended.", wait_tables, SOME,
	  .complete = COMPLETE_ALIVE, .run = cmd_wait },

	{ "exec", NULL, INSIDE, "NAME [--] COMMAND...", "run a command inside",
	  "moorage exec web -- ps ax\nmoorage exec -it -u www-data web -- /bin/sh\n\nThe exit status is that of the "
	  "command, as with run.",
	  exec_tables, VERB_PAYLOAD | VERB_COMMAND | VERB_NAME, COMPLETE_RUNNING, 1, -1, cmd_exec },
	{ "shell", "enter login", INSIDE, "[USER@]NAME [COMMAND...]", "login shell inside",
	  "moorage shell web\nmoorage shell www-data@web", shell_tables, VERB_PAYLOAD | VERB_COMMAND | VERB_NAME,
	  COMPLETE_RUNNING, 1, -1, cmd_shell },
	{ "attach", NULL, INSIDE, "NAME", "connect to the streams of the first process",
	  "moorage attach web\n\nctrl-p,ctrl-q or three times ctrl-] leave it; '--detach-keys' or MOORAGE_DETACH_KEYS "
	  "choose other keys. "
	  "With a command, as lxc-attach has it, this is exec.",
	  attach_tables, VERB_PAYLOAD | VERB_COMMAND | VERB_NAME, COMPLETE_RUNNING, 1, -1, cmd_attach },
	{ "console", NULL, INSIDE, "NAME", "console of a booted container",
	  "moorage console system\n\nThree times ctrl-] leave it.", console_tables, VERB_PAYLOAD | VERB_NAME,
	  COMPLETE_RUNNING, 1, 1, cmd_console },

	{ "ls", NULL, OBSERVE, "", "list all containers",
	  "moorage ls\nmoorage ls --filter state=stopped -q\nmoorage ls --json\nmoorage ls --format '{{.Name}} "
	  "{{.Pid}}'",
	  ls_tables, 0, COMPLETE_NOTHING, 0, 0, cmd_ls },
	{ "ps", "list", OBSERVE, "", "list running containers", "moorage ps\nmoorage ps -a -o +CREATED", ls_tables, 0,
	  COMPLETE_NOTHING, 0, 0, cmd_ps },
	{ "state", "domstate", OBSERVE, "NAME...", "the state in one word", "moorage state web", name_tables, SOME,
	  .complete = COMPLETE_ANY, .run = cmd_state },
	{ "exists", NULL, OBSERVE, "NAME", "status 0 if there is such a container, else 1",
	  "moorage exists web && moorage start web", name_tables, ONE, .complete = COMPLETE_ANY, .run = cmd_exists },
	{ "info", "status dominfo", OBSERVE, "NAME...", "a page for humans", "moorage info web", name_tables, SOME,
	  .complete = COMPLETE_ANY, .run = cmd_info },
	{ "inspect", "show dumpxml", OBSERVE, "NAME...", "everything, as JSON",
	  "moorage inspect web\nmoorage inspect --native lxc:web\nmoorage inspect --format '{{.Status.Pid}}' web\n\n'dumpxml' is with --native.", inspect_tables,
	  SOME, .complete = COMPLETE_ANY, .run = cmd_inspect },
	{ "generate", NULL, OBSERVE, "NAME...", "print a systemd unit for it",
	  "moorage generate web >/etc/systemd/system/web.service", name_tables, SOME, .complete = COMPLETE_ANY,
	  .run = cmd_generate },
	{ "logs", NULL, OBSERVE, "NAME...", "output so far",
	  "moorage logs -f web\nmoorage logs --tail 20 --since 10m web", logs_tables, SOME, .complete = COMPLETE_ANY,
	  .run = cmd_logs },
	{ "stats", "domstats", OBSERVE, "[NAME...]", "what running containers use",
	  "moorage stats\nmoorage stats --no-stream --json web", stats_tables, VERB_NAME, COMPLETE_ALIVE, 0, -1,
	  cmd_stats },
	{ "events", "monitor event", OBSERVE, "[NAME...]", "what happens to containers, as lines of JSON",
	  "moorage events\nmoorage events --since 1h web lxc:db\nmoorage events | jq -r 'select(.type == \"die\") | .name'\n\n"
	  "create, start, die (with code or signal), oom, pause, unpause, rename and remove, of every backend and whoever does it. What moorage does is noted until the "
	  "host is booted again; what engines' own tools do is seen by looking, at least once a second. code and signal are null when nobody knows.",
	  events_tables, VERB_NAME, COMPLETE_ANY, 0, -1, cmd_events },
	{ "metrics", NULL, OBSERVE, "[NAME...]", "figures of all containers, as OpenMetrics text",
	  "moorage metrics\nmoorage metrics >/var/lib/node_exporter/moorage.prom.new && mv /var/lib/node_exporter/moorage.prom.new "
	  "/var/lib/node_exporter/moorage.prom\n\n"
	  "For Prometheus and its like: each sample has the labels backend and name. What cannot be read is told on standard error and counted.",
	  name_tables, VERB_NAME, COMPLETE_ANY, 0, -1, cmd_metrics },
	{ "top", "cgtop", OBSERVE, "[NAME]", "a screen of what running containers use; with NAME: 'procs'",
	  "moorage top\nmoorage top --sort MEMORY -d 5\nmoorage top --json\nmoorage top -b -n 3 -o NAME,CPU%,MEMORY\n\n"
	  "CPU, memory, processes, disks and networks of all backends. Keys choose, sort, filter, send signals, stop, and show the processes of one as a tree: "
	  "h tells which. Not on a terminal, or in another format, it prints one table. CPU% is of one processor.",
	  top_tables, VERB_NAME, COMPLETE_ALIVE, 0, 1, cmd_top },
	{ "procs", NULL, OBSERVE, "NAME", "processes inside", "moorage procs web", procs_tables, ONE,
	  .complete = COMPLETE_ALIVE, .run = cmd_procs },
	{ "audit", NULL, OBSERVE, "[NAME...]", "what the kernel lets a container do",
	  "moorage audit web\nmoorage audit --probe --pid 4711\nmoorage audit --all --fail-on high\nmoorage audit --json web >web.audit && moorage audit "
	  "--baseline ./web.audit web\nmoorage audit --diff web db\n\n"
	  "Reads procfs, whatever the configuration says, and executes nothing; with --probe a program of ours tries inside what the kernel refuses. Each "
	  "finding has its severity, the file it was read from, and what changes it.",
	  audit_tables, VERB_NAME, COMPLETE_ALIVE, 0, -1, cmd_audit },

	{ "convert", NULL, MOVE, "[FILE] --to FORMAT", "a configuration of one system as that of another",
	  "moorage convert --to nspawn /var/lib/lxc/web/config\n"
	  "podman inspect web | moorage convert --to quadlet -o web.container\n"
	  "moorage convert --from oci --to lxc --accept linux.seccomp config.json\n\n"
	  "Formats are lxc, nspawn, libvirt, oci, systemd, quadlet, and docker ('docker inspect' or 'podman inspect', to read only). "
	  "Nothing is asked of any engine. The report on standard error tells of every key of the source what became of it: "
	  "carried, approximated, dropped, or weakens; '--format' is about the report. Status 0: nothing was dropped; "
	  "1: something was; 6: something weakens what confines the container, and nothing is written until '--accept' names it.",
	  convert_tables, VERB_TO, COMPLETE_FILE, 0, 1, cmd_convert },

	{ "plan", NULL, MOVE, "NAME --to BACKEND", "what 'migrate' would do",
	  "moorage plan web --to nspawn\nmoorage plan web --to native --json\n\n"
	  "Root, configuration, network, files that have to change, and the steps in order; nothing is touched. The status is that with which "
	  "'migrate' would refuse.",
	  plan_tables, VERB_TO | ONE, .complete = COMPLETE_ANY, .run = cmd_plan },
	{ "migrate", NULL, MOVE, "NAME --to BACKEND", "give it another backend",
	  "moorage migrate web --to nspawn\nmoorage migrate web --to native --accept lxc.seccomp.profile\n"
	  "moorage migrate web --to lxc@root@host2\nmoorage migrate --purge web\n\n"
	  "It is stopped, its configuration set aside and translated, its root brought over, started again, watched until it is well, and compared: "
	  "nothing may be weaker confined than 'plan' says. After a failure or a signal all is undone; after a crash the next command does that. "
	  "What is lost has to be accepted by name. See moorage-migrate(7).",
	  migrate_tables, VERB_EXPLAIN | VERB_TO | ONE, .complete = COMPLETE_ANY, .run = cmd_migrate },
	{ "rollback", NULL, MOVE, "NAME", "take the last migration back",
	  "moorage rollback web\n\nThe source is there again, with the root as it is now; it runs if the target did.", rollback_tables, ONE,
	  .complete = COMPLETE_ANY, .run = cmd_rollback },

	{ "receive", NULL, MOVE, "", "take a container that another host sends",
	  "moorage receive\n\nThe other side of 'migrate --to BACKEND@HOST', which runs it by ssh: requests come by standard input, answers go to standard output. "
	  "It may be the forced command of a key of ssh.",
	  NULL, 0, COMPLETE_NOTHING, 0, 0, cmd_receive },
	{ "compare", NULL, MOVE, "[FILE | OLD NEW]", "the same root on every backend: times, cost, isolation",
	  "moorage compare\nmoorage compare --backends native,lxc --against lxc-execute,crun --html report.html\n"
	  "moorage compare --save today.json && moorage compare --diff ./yesterday.json ./today.json\nmoorage compare --html report.html today.json\n\n"
	  "Makes containers of its own, in turn, and removes them. What can be seen from outside is read there; a program of ours measures inside, none of the root's is run "
	  "but to boot it. FILE is a report that '--save' has kept: it is shown and nothing is measured. With '--diff' the status is 1 when something is worse.",
	  compare_tables, 0, COMPLETE_FILE, 0, 2, cmd_compare },

	{ "backends", NULL, HOST, "", "backends, and whether they work here",
	  "moorage backends\nmoorage backends --features", backends_tables, 0, COMPLETE_NOTHING, 0, 0, cmd_backends },
	{ "doctor", "checkconfig", HOST, "", "what this host lacks", "moorage doctor", list_tables, 0, COMPLETE_NOTHING,
	  0, 0, cmd_doctor },
	{ "completion", NULL, HOST, "bash|zsh|fish", "completion for a shell",
	  "moorage completion bash >/etc/bash_completion.d/moorage", NULL, 0, COMPLETE_SHELL, 1, 1, cmd_completion },
	{ "help", NULL, HOST, "[VERB | spec | backend NAME]",
	  "this, a verb, the fields of a spec, the options of a backend",
	  "moorage help run\nmoorage help spec\nmoorage help backend native", help_tables, 0, COMPLETE_VERB, 0, 2,
	  cmd_help },
	{ "version", NULL, HOST, "", "version", "moorage version", NULL, 0, COMPLETE_NOTHING, 0, 0, cmd_version },
	{ "__complete", NULL, HOST, "WORD...", "candidates for the last word", NULL, NULL, VERB_HIDDEN | VERB_COMMAND,
	  COMPLETE_NOTHING, 0, -1, cmd_complete },
	{ 0 }
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0 || word_in(v->aliases, name))
			return v;
	return NULL;
}
