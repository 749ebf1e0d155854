/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program moorage-libvirt: libvirt's client library in a process of its own (agent.h). */

#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "agent.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/library.h"

/* The functions of libvirt that are used. */
struct api {
	LIBRARY_MEMBER(virConnectOpen);
	LIBRARY_MEMBER(virConnectClose);
	LIBRARY_MEMBER(virConnectGetLibVersion);
	LIBRARY_MEMBER(virDomainLookupByName);
	LIBRARY_MEMBER(virDomainFree);
	LIBRARY_MEMBER(virDomainGetXMLDesc);
	LIBRARY_MEMBER(virDomainDefineXML);
	LIBRARY_MEMBER(virDomainUndefine);
	LIBRARY_MEMBER(virDomainCreate);
	LIBRARY_MEMBER(virDomainCreateXMLWithFiles);
	LIBRARY_MEMBER(virDomainDestroy);
	LIBRARY_MEMBER(virDomainSuspend);
	LIBRARY_MEMBER(virDomainResume);
	LIBRARY_MEMBER(virDomainSetAutostart);
	LIBRARY_MEMBER(virSetErrorFunc);
	LIBRARY_MEMBER(virGetLastError);
};

/* Debian's; they bring the library with them. */
#define PACKAGES	"libvirt-daemon-system libvirt-daemon-driver-lxc"

#define SYMBOL(function)	LIBRARY_SYMBOL(struct api, function)
static const struct library_symbol symbols[] = {
	SYMBOL(virConnectOpen), SYMBOL(virConnectClose), SYMBOL(virConnectGetLibVersion), SYMBOL(virDomainLookupByName), SYMBOL(virDomainFree),
	SYMBOL(virDomainGetXMLDesc), SYMBOL(virDomainDefineXML), SYMBOL(virDomainUndefine), SYMBOL(virDomainCreate),
	SYMBOL(virDomainCreateXMLWithFiles), SYMBOL(virDomainDestroy), SYMBOL(virDomainSuspend), SYMBOL(virDomainResume),
	SYMBOL(virDomainSetAutostart), SYMBOL(virSetErrorFunc), SYMBOL(virGetLastError), { NULL, 0 }
};

struct agent {
	const char *uri;
	bool loaded;
	struct api api;
	virConnectPtr connection;	/* NULL: none yet, or it broke */
};

/* A request on its way. */
struct call {
	struct agent_request request;
	char *text;
	int fds[AGENT_FDS_MAX];
	size_t n_fds;
	int32_t value;
	char *answer;
	virDomainPtr created;		/* by this request; NULL: none */
};

/* ---- errors ----------------------------------------------------------------------------------- */

static void be_silent(_unused_ void *data, _unused_ virErrorPtr error)
{
}

static const struct {
	int code;			/* of libvirt */
	int meaning;
} meanings[] = {
	{ VIR_ERR_NO_DOMAIN, MRG_E_NOT_FOUND },
	{ VIR_ERR_DOM_EXIST, MRG_E_EXISTS },
	{ VIR_ERR_OPERATION_INVALID, MRG_E_STATE },
	{ VIR_ERR_XML_ERROR, MRG_E_INVALID },
	{ VIR_ERR_XML_DETAIL, MRG_E_INVALID },
	{ VIR_ERR_XML_INVALID_SCHEMA, MRG_E_INVALID },
	{ VIR_ERR_CONFIG_UNSUPPORTED, MRG_E_UNSUPPORTED },
	{ VIR_ERR_NO_SUPPORT, MRG_E_UNSUPPORTED },
	{ VIR_ERR_OPERATION_UNSUPPORTED, MRG_E_UNSUPPORTED },
	{ VIR_ERR_AUTH_FAILED, MRG_E_PERMISSION },
	{ VIR_ERR_AUTH_UNAVAILABLE, MRG_E_PERMISSION },
	{ VIR_ERR_ACCESS_DENIED, MRG_E_PERMISSION },
	{ VIR_ERR_OPERATION_DENIED, MRG_E_PERMISSION },
	{ VIR_ERR_NO_CONNECT, MRG_E_NO_ENGINE },
	{ VIR_ERR_OPERATION_TIMEOUT, MRG_E_TIMEOUT },
};

/* libvirt's last error as ours. What of it is a reader of the daemon's log for goes on one line. */
static int fail_libvirt(const struct agent *a, struct mrg_error *err)
{
	virErrorPtr last = a->api.virGetLastError();
	int code = EIO;

	for (size_t i = 0; last && i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].code == last->code)
			code = meanings[i].meaning;
	mrg_error_set(err, -code, "%s", last && last->message ? last->message : "libvirt gave no reason");
	for (size_t i = strlen(err->message); i > 0 && (err->message[i - 1] == '\n' || err->message[i - 1] == ' '); i--)
		err->message[i - 1] = '\0';
	for (char *c = err->message; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return -code;
}

/* What to start, or to install. A unit is of use where systemd manages the host. */
static void hint_daemon(struct mrg_error *err)
{
	static const struct {
		bool unit;
		const char *path, *hint;
	} known[] = {
		{ true, "/usr/lib/systemd/system/virtlxcd.socket", "systemctl start virtlxcd.socket" },
		{ true, "/lib/systemd/system/virtlxcd.socket", "systemctl start virtlxcd.socket" },
		{ true, "/usr/lib/systemd/system/libvirtd.service", "systemctl start libvirtd" },
		{ true, "/lib/systemd/system/libvirtd.service", "systemctl start libvirtd" },
		{ false, "/usr/sbin/virtlxcd", "start the daemon: virtlxcd -d" },
		{ false, "/usr/sbin/libvirtd", "start the daemon: libvirtd -d" },
	};
	bool managed = access("/run/systemd/system", F_OK) == 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((managed || !known[i].unit) && access(known[i].path, F_OK) == 0) {
			mrg_error_hint(err, "%s", known[i].hint);
			return;
		}
	mrg_error_hint(err, "apt-get install " PACKAGES);
}

static int fail_connect(const struct agent *a, struct mrg_error *err)
{
	virErrorPtr last = a->api.virGetLastError();
	bool no_driver = last && last->code == VIR_ERR_NO_CONNECT, no_daemon = last && last->code == VIR_ERR_SYSTEM_ERROR;
	int r = fail_libvirt(a, err);

	if (no_driver)
		mrg_error_hint(err, "apt-get install libvirt-daemon-driver-lxc, then restart libvirt's daemon");
	if (!no_daemon)
		return r;
	err->code = -MRG_E_NO_ENGINE;
	mrg_error_prefix(err, "the daemon of libvirt does not answer");
	hint_daemon(err);
	return -MRG_E_NO_ENGINE;
}

/* ---- the connection --------------------------------------------------------------------------- */

static int load(struct agent *a, struct mrg_error *err)
{
	int r = a->loaded ? 0 : library_open("libvirt.so.0", PACKAGES, symbols, &a->api, err);

	if (r < 0 || a->loaded)
		return r;
	a->api.virSetErrorFunc(NULL, be_silent);
	a->loaded = true;
	return 0;
}

/* One that works: a daemon that was started anew since the last request has forgotten us. */
static int connect_to_daemon(struct agent *a, struct mrg_error *err)
{
	unsigned long version;
	int r = load(a, err);

	if (r < 0)
		return r;
	if (a->connection && a->api.virConnectGetLibVersion(a->connection, &version) < 0) {
		a->api.virConnectClose(a->connection);
		a->connection = NULL;
	}
	if (!a->connection)
		a->connection = a->api.virConnectOpen(a->uri);
	return a->connection ? 0 : fail_connect(a, err);
}

/* ---- requests --------------------------------------------------------------------------------- */

/* Does @what to the domain the request names. */
static int on_domain(struct agent *a, const struct call *c, int (*what)(virDomainPtr domain), struct mrg_error *err)
{
	virDomainPtr domain = a->api.virDomainLookupByName(a->connection, c->request.name);
	int r;

	if (!domain)
		return fail_libvirt(a, err);
	r = what(domain) < 0 ? fail_libvirt(a, err) : 0;
	a->api.virDomainFree(domain);
	return r;
}

static int get_version(struct agent *a, struct call *c, struct mrg_error *err)
{
	unsigned long version;

	if (a->api.virConnectGetLibVersion(a->connection, &version) < 0)
		return fail_libvirt(a, err);
	c->value = (int32_t)version;
	return 0;
}

static int get_xml(struct agent *a, struct call *c, struct mrg_error *err)
{
	virDomainPtr domain = a->api.virDomainLookupByName(a->connection, c->request.name);
	int r = 0;

	if (!domain)
		return fail_libvirt(a, err);
	c->answer = a->api.virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (!c->answer)
		r = fail_libvirt(a, err);
	a->api.virDomainFree(domain);
	return r;
}

static int define(struct agent *a, struct call *c, struct mrg_error *err)
{
	virDomainPtr domain = a->api.virDomainDefineXML(a->connection, c->text);

	if (!domain)
		return fail_libvirt(a, err);
	a->api.virDomainFree(domain);
	return 0;
}

static int undefine(struct agent *a, struct call *c, struct mrg_error *err)
{
	return on_domain(a, c, a->api.virDomainUndefine, err);
}

static int start(struct agent *a, struct call *c, struct mrg_error *err)
{
	return on_domain(a, c, a->api.virDomainCreate, err);
}

static int create(struct agent *a, struct call *c, struct mrg_error *err)
{
	c->created = a->api.virDomainCreateXMLWithFiles(a->connection, c->text, (unsigned int)c->n_fds - 1, c->fds, 0);
	return c->created ? 0 : fail_libvirt(a, err);
}

static int destroy(struct agent *a, struct call *c, struct mrg_error *err)
{
	return on_domain(a, c, a->api.virDomainDestroy, err);
}

static int suspend(struct agent *a, struct call *c, struct mrg_error *err)
{
	return on_domain(a, c, a->api.virDomainSuspend, err);
}

static int resume(struct agent *a, struct call *c, struct mrg_error *err)
{
	return on_domain(a, c, a->api.virDomainResume, err);
}

static int set_autostart(struct agent *a, struct call *c, struct mrg_error *err)
{
	virDomainPtr domain = a->api.virDomainLookupByName(a->connection, c->request.name);
	int r;

	if (!domain)
		return fail_libvirt(a, err);
	r = a->api.virDomainSetAutostart(domain, c->request.argument) < 0 ? fail_libvirt(a, err) : 0;
	a->api.virDomainFree(domain);
	return r;
}

static const struct {
	int (*run)(struct agent *a, struct call *c, struct mrg_error *err);
	unsigned int seconds;		/* a daemon that takes longer does not answer any more */
	size_t fds;			/* it needs so many descriptors at least: the lock */
} operations[AGENT_OP_MAX] = {
	[AGENT_VERSION] = { get_version, 10, 0 }, [AGENT_XML] = { get_xml, 10, 0 }, [AGENT_DEFINE] = { define, 20, 1 },
	[AGENT_UNDEFINE] = { undefine, 20, 0 }, [AGENT_START] = { start, 60, 0 }, [AGENT_CREATE] = { create, 60, 1 },
	[AGENT_DESTROY] = { destroy, 45, 0 }, [AGENT_SUSPEND] = { suspend, 15, 0 }, [AGENT_RESUME] = { resume, 15, 0 },
	[AGENT_AUTOSTART] = { set_autostart, 20, 0 },
};

/* ---- the socket ------------------------------------------------------------------------------- */

/* The alarm: whatever the library waits for, this process will not see it. */
static void give_up(_unused_ int signo)
{
	struct agent_answer answer = { .error = {
		.code = -MRG_E_TIMEOUT,
		.message = "the daemon of libvirt does not answer: it was given time enough\nis it stopped, or the host overloaded?",
	} };

	(void)!send(AGENT_SOCKET, &answer, sizeof(answer), MSG_NOSIGNAL);
	_exit(EXIT_FAILURE);
}

static size_t take_descriptors(struct msghdr *message, int fds[AGENT_FDS_MAX])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

/* 1: there is a request; 0: the plugin has gone. */
static int receive(struct call *c)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(AGENT_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = &c->request, .iov_len = sizeof(c->request) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(AGENT_SOCKET, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(c->request))
		return 0;
	c->n_fds = take_descriptors(&message, c->fds);
	c->request.name[sizeof(c->request.name) - 1] = '\0';
	if (c->request.op >= AGENT_OP_MAX || c->request.length > AGENT_TEXT_MAX || c->n_fds < operations[c->request.op].fds)
		return 0;
	c->text = calloc(1, (size_t)c->request.length + 1);
	return c->text && fd_read_all(AGENT_SOCKET, c->text, c->request.length) == (ssize_t)c->request.length;
}

/* What nobody waits for any more is not begun: somebody else may be removing what is left of it. */
static bool is_wanted(void)
{
	struct pollfd plugin = { .fd = AGENT_SOCKET };

	return poll(&plugin, 1, 0) == 0;
}

/* A domain that was made for a plugin that has gone: it has nobody. */
static void undo(struct agent *a, const struct call *c)
{
	if (c->created)
		a->api.virDomainDestroy(c->created);
}

static int answer(struct agent *a, const struct call *c, const struct mrg_error *err)
{
	struct agent_answer answer = {
		.error = *err, .value = c->value, .length = c->answer ? (uint32_t)strlen(c->answer) : 0,
	};
	int r = fd_write_all(AGENT_SOCKET, &answer, sizeof(answer));

	if (r == 0 && c->answer)
		r = fd_write_all(AGENT_SOCKET, c->answer, answer.length);
	if (r < 0)
		undo(a, c);
	return r;
}

/* But the last, which may be a lock: it is let go when all is done. */
static void close_passed(struct call *c)
{
	for (size_t i = 0; i + 1 < c->n_fds; i++)
		close(c->fds[i]);
}

static int serve(struct agent *a, struct call *c)
{
	struct mrg_error err = { 0 };
	int r;

	alarm(operations[c->request.op].seconds);
	r = connect_to_daemon(a, &err);
	if (!is_wanted())
		return -EPIPE;
	if (r == 0)
		r = operations[c->request.op].run(a, c, &err);
	alarm(0);
	if (r < 0 && err.code >= 0)
		fail_errno(&err, r, "libvirt failed");
	close_passed(c);
	r = answer(a, c, &err);
	if (c->created)
		a->api.virDomainFree(c->created);
	if (c->n_fds > 0)
		close(c->fds[c->n_fds - 1]);
	return r;
}

int main(int argc, char **argv)
{
	struct agent a = { .uri = argv[argc > 1 ? 1 : 0] };
	struct sigaction on_alarm = { .sa_handler = give_up }, ignored = { .sa_handler = SIG_IGN };
	struct mrg_error ignored_error;
	struct call c;
	sigset_t none;
	int r = 0;

	/* They were blocked for us, and may be ignored by whoever uses the plugin. */
	sigemptyset(&none);
	if (argc != 2 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 || sigaction(SIGALRM, &on_alarm, NULL) < 0 || sigaction(SIGPIPE, &ignored, NULL) < 0)
		return EXIT_FAILURE;
	/* Ahead of the first request, which will not be long. If it fails, that one tells. */
	alarm(operations[AGENT_VERSION].seconds);
	connect_to_daemon(&a, &ignored_error);
	alarm(0);
	while (r == 0) {
		c = (struct call){ .text = NULL };
		if (!receive(&c))
			break;
		r = serve(&a, &c);
		free(c.text);
		free(c.answer);
	}
	/* The end of the socket ends the connection as well. */
	_exit(r == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
