/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp filter of a container: which one its spec asks for, from the cache or compiled. */

#include "config.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/helper/process.h"
#include "core/seccomp/profile.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define CACHE_FORMAT	3

/* The libseccomp this was built with, since asking the one that is there would mean loading it; and the programs end with the boot. */
static void key_begin(struct buffer *b)
{
	buffer_addf(b, "moorage %s format %d libseccomp %d.%d.%d for %s\n", PACKAGE_VERSION, CACHE_FORMAT, SCMP_VER_MAJOR,
		    SCMP_VER_MINOR, SCMP_VER_MICRO, HOST_CPU);
}

/* With its length, so that no text can pass for two. */
static void key_text(struct buffer *b, const char *text)
{
	if (text)
		buffer_addf(b, "%zu:%s ", strlen(text), text);
	else
		buffer_addf(b, "- ");
}

static void key_strv(struct buffer *b, char *const *strv)
{
	buffer_addf(b, "[%zu] ", strv_length(strv));
	for (; strv && *strv; strv++)
		key_text(b, *strv);
}

static void key_names(struct buffer *b, const seccomp_name *names)
{
	for (; **names; names++) {
		buffer_add(b, *names, strlen(*names));
		buffer_add(b, " ", 1);
	}
	buffer_add(b, "\n", 1);
}

/* The whole of the tables: whoever changes one during development must not get yesterday's filter. */
static void key_profile(struct buffer *b, const struct seccomp_profile *profile, uint64_t caps)
{
	key_begin(b);
	buffer_addf(b, "profile %s caps %llx\n", profile->name, (unsigned long long)caps);
	for (size_t i = 0; profile->allow[i]; i++)
		key_names(b, profile->allow[i]);
	key_names(b, profile->deny);
	for (const struct seccomp_grant *g = profile->grants; g->names; g++) {
		buffer_addf(b, "%u ", g->cap);
		key_names(b, g->names);
	}
	for (size_t i = 0; profile->rules[i]; i++)
		for (const struct seccomp_rule *r = profile->rules[i]; r->name; r++)
			buffer_addf(b, "%s %d %u %u %d %llx\n", r->name, (int)r->op, r->arg, r->value, r->error,
				    (unsigned long long)r->unless);
}

static void key_oci(struct buffer *b, const struct mrg_seccomp *profile)
{
	key_begin(b);
	buffer_addf(b, "oci ");
	key_text(b, profile->default_action);
	buffer_addf(b, "%u ", profile->default_errno_ret);
	key_strv(b, profile->architectures);
	for (size_t i = 0; i < profile->syscalls.n; i++) {
		const struct mrg_seccomp_syscall *call = &profile->syscalls.item[i];

		buffer_addf(b, "\n");
		key_strv(b, call->names);
		key_text(b, call->action);
		buffer_addf(b, "%u ", call->errno_ret);
		for (size_t n = 0; n < call->args.n; n++) {
			const struct mrg_seccomp_arg *arg = &call->args.item[n];

			buffer_addf(b, "%u %llu %llu ", arg->index, (unsigned long long)arg->value,
				    (unsigned long long)arg->value_two);
			key_text(b, arg->op);
		}
	}
}

static int parse_flags(char *const *names, unsigned int *ret, struct mrg_error *err)
{
	static const struct {
		const char *name;
		unsigned int flag;
	} flags[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* we have one thread */
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 }, /* of notifications, of which there are none */
	};
	unsigned int sum = 0;

	for (; names && *names; names++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) && strcmp(flags[i].name, *names) != 0)
			i++;
		if (i == ARRAY_SIZE(flags))
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "/linux/seccomp/flags: '%s' is not supported", *names);
		sum |= flags[i].flag;
	}
	*ret = sum;
	return 0;
}

/* Compiles one of the two that is not NULL. */
static int compile(const struct seccomp_profile *profile, uint64_t caps, const struct mrg_seccomp *oci,
		   struct mrg_helper_process *p, struct mrg_error *err)
{
	if (oci)
		return seccomp_compile_oci(oci, &p->filter, &p->filter_length, err);
	return seccomp_compile_profile(profile, caps, &p->filter, &p->filter_length, err);
}

static int read_or_compile(const struct seccomp_profile *profile, uint64_t caps, const struct mrg_seccomp *oci,
			   struct mrg_helper_process *p, struct mrg_error *err)
{
	struct buffer key = { 0 };
	int r;

	if (oci)
		key_oci(&key, oci);
	else
		key_profile(&key, profile, caps);
	if (!key.failed && seccomp_cache_read(key.text, &p->filter, &p->filter_length) == 0) {
		buffer_deinit(&key);
		return 0;
	}
	r = compile(profile, caps, oci, p, err);
	if (r == 0 && !key.failed)
		seccomp_cache_write(key.text, p->filter, p->filter_length);
	buffer_deinit(&key);
	return r;
}

int seccomp_prepare(const struct mrg_spec *spec, struct mrg_helper_process *p, struct mrg_error *err)
{
	const struct seccomp_profile *profile = NULL;
	uint64_t caps = mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING) ? spec->cap_bounding : UINT64_MAX;
	int r;

	if (spec->seccomp) {
		r = parse_flags(spec->seccomp->flags, &p->filter_flags, err);
		return r < 0 ? r : read_or_compile(NULL, 0, spec->seccomp, p, err);
	}
	if (!spec->seccomp_profile || strcmp(spec->seccomp_profile, "unconfined") == 0)
		return 0;
	profile = seccomp_profile_find(spec->seccomp_profile);
	if (!profile)
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/seccompProfile: there is no profile '%s'",
				     spec->seccomp_profile);
	return read_or_compile(profile, caps, NULL, p, err);
}

/* As moorage-init reads it. */
struct memory {
	uint32_t flags, length;
};

static int write_filter(const struct mrg_helper_process *p, int *ret, struct mrg_error *err)
{
	const struct memory head = { .flags = p->filter_flags, .length = (uint32_t)p->filter_length };
	_cleanup_close_ int fd = memfd_create("moorage-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_all(fd, &head, sizeof(head));

	if (r == 0)
		r = fd_write_all(fd, p->filter, p->filter_length * sizeof(*p->filter));
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0)
		return mrg_error_set(err, r, "cannot hand over the seccomp filter: %s", strerror(-r));
	*ret = take_fd(&fd);
	return 0;
}

int mrg_helper_filter_new(const struct mrg_spec *spec, int *ret_fd, struct mrg_error *err)
{
	struct mrg_helper_process p = { .spec = spec, .init = -1 };
	int fd = -1, r = seccomp_prepare(spec, &p, err);

	if (r == 0 && p.filter)
		r = write_filter(&p, &fd, err);
	free(p.filter);
	if (r == 0)
		*ret_fd = fd;
	return r;
}
