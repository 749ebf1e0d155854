/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses of a container, as procfs shows them of its first process: no namespace is entered. */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define TABLE_MAX	(16 << 20)
#define SCOPE_GLOBAL	0x00		/* fourth column of if_inet6 */

struct walk {
	int (*found)(const char *address, void *data);
	void *data;
	char **seen;
};

static int tell(struct walk *w, const char *address)
{
	if (strv_contains(w->seen, address))
		return 0;
	return strv_append(&w->seen, address) < 0 ? -ENOMEM : w->found(address, w->data);
}

static int read_table(pid_t pid, const char *name, char **ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, name);
	return fd_read_virtual(AT_FDCWD, path, TABLE_MAX, ret, NULL);
}

/* In fib_trie a line "|-- 10.0.3.5" is followed by its routes; "/32 host LOCAL" says that the address is one of this namespace. */
static int walk_ipv4(struct walk *w, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char address[INET_ADDRSTRLEN] = "";
	char *line, *save;
	int r = read_table(pid, "fib_trie", &text);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save)) {
		char *leaf = strstr(line, "|-- ");

		if (leaf)
			snprintf(address, sizeof(address), "%s", leaf + 4);
		else if (strstr(line, "/32 host LOCAL") && address[0] && strncmp(address, "127.", 4) != 0)
			r = tell(w, address);
	}
	return r;
}

static int walk_ipv6(struct walk *w, pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char *line, *save;
	int r = read_table(pid, "if_inet6", &text);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save)) {
		unsigned int scope, word[4];
		char address[INET6_ADDRSTRLEN];
		struct in6_addr in6;

		if (sscanf(line, "%8x%8x%8x%8x %*x %*x %x", &word[0], &word[1], &word[2], &word[3], &scope) != 5 || scope != SCOPE_GLOBAL)
			continue;
		for (int i = 0; i < 4; i++)
			in6.s6_addr32[i] = htonl(word[i]);
		if (inet_ntop(AF_INET6, &in6, address, sizeof(address)))
			r = tell(w, address);
	}
	return r;
}

static bool shares_network(pid_t pid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

int mrg_addresses(struct mrg_container *c, int (*found)(const char *address, void *data), void *data, struct mrg_error *err)
{
	struct walk w = { .found = found, .data = data };
	_cleanup_view_ struct view view;
	int r = container_look(c, &view, err);
	pid_t pid;

	if (r < 0)
		return r;
	pid = view.run.process.pid;
	if (!state_is_alive(view.state) || pid <= 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run", c->record->name);
	if (shares_network(pid))
		return 1;
	r = walk_ipv4(&w, pid);
	if (r == 0)
		r = walk_ipv6(&w, pid);
	strv_free(w.seen);
	return r < 0 ? mrg_error_set(err, r, "cannot read the addresses of container '%s': %s", c->record->name, strerror(-r)) : r;
}
