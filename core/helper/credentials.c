/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups, ids, the five capability sets, no_new_privs and the seccomp filter, in the only order that works. */

#include "config.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

static int get_capabilities(struct capabilities *ret)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	ret->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int set_capabilities(const struct capabilities *c)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable },
		{ (uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32), (uint32_t)(c->inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* Those the running kernel knows. */
static uint64_t known_capabilities(void)
{
	uint64_t mask = 0;

	for (unsigned int n = 0; n < 64 && prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0; n++)
		mask |= UINT64_C(1) << n;
	return mask;
}

static uint64_t wish(const struct mrg_spec *spec, enum mrg_field field, uint64_t value, uint64_t otherwise)
{
	return mrg_fields_has(&spec->set, field) ? value : otherwise;
}

/* A set that names every capability there is means "all we have"; one that names some means those. */
static int check_held(const struct capabilities *want, uint64_t have, struct mrg_error *err)
{
	uint64_t sum = want->permitted | want->effective | want->inheritable | want->ambient;
	uint64_t missing = sum & ~have, known;
	unsigned int n;

	if (!missing)
		return 0;
	known = known_capabilities();
	if ((sum & known) == known)
		return 0;
	n = (unsigned int)__builtin_ctzll(missing);
	if (!(known >> n & 1))
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the running kernel does not know capability %u", n);
	return mrg_error_set(err, -MRG_E_PERMISSION, "cannot give the container CAP_%s: we do not have it ourselves",
			     capability_name(n) ? capability_name(n) : "?");
}

int capabilities_wanted(const struct mrg_helper_process *p, uid_t uid, struct capabilities *ret, struct mrg_error *err)
{
	const struct mrg_spec *spec = p->spec;
	struct capabilities have, want;
	int r = get_capabilities(&have);

	if (r < 0)
		return mrg_error_set(err, r, "cannot read our capabilities: %s", strerror(-r));
	want.bounding = wish(spec, MRG_FIELD_CAP_BOUNDING, spec->cap_bounding, UINT64_MAX);
	want.permitted = wish(spec, MRG_FIELD_CAP_PERMITTED, spec->cap_permitted, uid == 0 ? want.bounding & have.permitted : 0);
	want.effective = wish(spec, MRG_FIELD_CAP_EFFECTIVE, spec->cap_effective, want.permitted);
	want.inheritable = wish(spec, MRG_FIELD_CAP_INHERITABLE, spec->cap_inheritable, 0);
	want.ambient = wish(spec, MRG_FIELD_CAP_AMBIENT, spec->cap_ambient, 0);
	if (p->command && p->command->privileged)
		want.permitted = want.effective = want.bounding & have.permitted;
	r = check_held(&want, have.permitted, err);
	if (r < 0)
		return r;
	want.permitted &= have.permitted;
	want.effective &= have.permitted;
	want.inheritable &= have.permitted;
	want.ambient &= have.permitted;
	*ret = want;
	return 0;
}

static int drop_bounding(uint64_t keep, struct mrg_error *err)
{
	for (unsigned int n = 0; n < 64; n++) {
		if (keep >> n & 1 || prctl(PR_CAPBSET_DROP, n, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* beyond the last one the kernel knows */
			return 0;
		return mrg_error_set(err, -errno, "cannot drop CAP_%s from the bounding set: %s",
				     capability_name(n) ? capability_name(n) : "?", strerror(errno));
	}
	return 0;
}

static int change_groups(const struct identity *who, struct mrg_error *err)
{
	struct capabilities have;
	int code;

	if (setgroups(who->n_groups, who->groups) == 0)
		return 0;
	code = -errno;
	/* In a user namespace made without rights setgroups(2) is denied to all; the groups of who made it are then all there can be. */
	if (code == -EPERM && who->n_groups == 1 && get_capabilities(&have) == 0 && have.effective >> CAP_SETGID & 1)
		return 0;
	return mrg_error_set(err, code, "cannot set the supplementary groups: %s", strerror(-code));
}

/* Keeps the permitted set: what is left of it is decided afterwards. */
static int change_ids(const struct identity *who, struct mrg_error *err)
{
	int r;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return mrg_error_set(err, -errno, "cannot keep capabilities: %s", strerror(errno));
	r = change_groups(who, err);
	if (r < 0)
		return r;
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		r = mrg_error_set(err, -errno, "cannot become group %u: %s", who->gid, strerror(errno));
	else if (setresuid(who->uid, who->uid, who->uid) < 0)
		r = mrg_error_set(err, -errno, "cannot become user %u: %s", who->uid, strerror(errno));
	if (r == -EINVAL)
		mrg_error_hint(err, "the user namespace of the container does not map this id");
	if (r == 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		r = mrg_error_set(err, -errno, "cannot stop keeping capabilities: %s", strerror(errno));
	return r;
}

static int load_filter(const struct mrg_helper_process *p, struct mrg_error *err)
{
	struct sock_fprog program = { .len = (unsigned short)p->filter_length, .filter = p->filter };

	if (!p->filter)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->filter_flags, &program) < 0)
		return mrg_error_set(err, -errno, "cannot load the seccomp filter: %s", strerror(errno));
	return 0;
}

/* Without no_new_privs loading needs CAP_SYS_ADMIN, which the change of ids took out of the effective set. */
static int load_filter_privileged(const struct mrg_helper_process *p, struct mrg_error *err)
{
	struct capabilities now;
	int r;

	if (!p->filter)
		return 0;
	r = get_capabilities(&now);
	now.effective = now.permitted;
	if (r == 0)
		r = set_capabilities(&now);
	if (r < 0)
		return mrg_error_set(err, r, "cannot raise our capabilities: %s", strerror(-r));
	return load_filter(p, err);
}

static int change_capabilities(const struct capabilities *want, struct mrg_error *err)
{
	int r = set_capabilities(want);

	if (r < 0)
		return mrg_error_set(err, r, "cannot set the capabilities: %s", strerror(-r));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return mrg_error_set(err, -errno, "cannot clear the ambient capabilities: %s", strerror(errno));
	for (unsigned int n = 0; n < 64; n++)
		if (want->ambient >> n & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0) {
			mrg_error_set(err, -errno, "cannot make CAP_%s ambient: %s",
				      capability_name(n) ? capability_name(n) : "?", strerror(errno));
			return mrg_error_hint(err, "an ambient capability must be permitted and inheritable too");
		}
	return 0;
}

int credentials_apply(const struct mrg_helper_process *p, const struct identity *who,
		      int (*between)(void *data, struct mrg_error *err), void *data, struct mrg_error *err)
{
	bool no_new_privs = p->spec->no_new_privileges;
	struct capabilities want;
	int r = capabilities_wanted(p, who->uid, &want, err);

	if (r == 0)
		r = drop_bounding(want.bounding, err);
	if (r == 0)
		r = change_ids(who, err);
	if (r == 0)
		r = between(data, err);
	if (r == 0 && !no_new_privs)
		r = load_filter_privileged(p, err);
	if (r == 0)
		r = change_capabilities(&want, err);
	if (r < 0 || !no_new_privs)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mrg_error_set(err, -errno, "cannot set no_new_privs: %s", strerror(errno));
	return load_filter(p, err);
}
