/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that are limits and need more than their field: --cpus, --ulimit, --device-read-bps and the like. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cli/spec_build.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define PERIOD_US	100000

/* "0.5": a decimal number without sign or exponent. */
static int parse_decimal(const char *text, double *ret)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits;
	uint64_t whole = 0;
	double fraction = 0, unit = 0.1;

	if (*rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10, digits++)
			fraction += (*rest - '0') * unit;
	}
	if (*rest || digits == 0 || strcspn(text, ".") > 9)
		return -EINVAL;
	for (const char *c = text; *c && *c != '.'; c++)
		whole = whole * 10 + (uint64_t)(*c - '0');
	*ret = (double)whole + fraction;
	return 0;
}

int apply_cpus(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	char quota[32];
	double cpus;
	int r;

	(void)option;
	if (parse_decimal(text, &cpus) < 0 || cpus > 100000)
		return mrg_error_set(err, -MRG_E_INVALID, "must be a number of CPUs such as 0.5 or 2, not '%s'", text);
	if (cpus == 0)
		return mrg_spec_set(b->spec, MRG_FIELD_CPU_QUOTA, "-1", err);
	/* The kernel takes no quota below a millisecond. */
	if (cpus * PERIOD_US < 1000)
		return mrg_error_set(err, -MRG_E_INVALID, "must be at least 0.01, not '%s'", text);
	snprintf(quota, sizeof(quota), "%lld", (long long)(cpus * PERIOD_US + 0.5));
	r = mrg_spec_set(b->spec, MRG_FIELD_CPU_QUOTA, quota, err);
	return r < 0 ? r : mrg_spec_set(b->spec, MRG_FIELD_CPU_PERIOD, "100000", err);
}

static int parse_limit(const char *text, uint64_t *ret)
{
	if (word_in("unlimited infinity -1", text)) {
		*ret = UINT64_MAX;
		return 0;
	}
	return parse_uint64(text, ret);
}

static struct mrg_rlimit *find_rlimit(struct mrg_spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->rlimits.n; i++)
		if (strcmp(spec->rlimits.item[i].type, type) == 0)
			return &spec->rlimits.item[i];
	return NULL;
}

static int set_rlimit(struct mrg_spec *spec, const struct mrg_rlimit *limit, struct mrg_error *err)
{
	struct mrg_rlimit *old = find_rlimit(spec, limit->type);

	if (!old)
		return mrg_spec_add_rlimit(spec, limit, err);
	old->soft = limit->soft;
	old->hard = limit->hard;
	return 0;
}

/* NAME=SOFT[:HARD], the name of getrlimit(2) with or without its prefix, any case. */
int apply_ulimit(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	struct mrg_rlimit limit = { .type = NULL };
	char *at = copy, *name, *soft;
	char type[64];

	(void)option;
	if (!copy)
		return no_memory(err);
	name = next_part(&at, '=');
	soft = next_part(&at, ':');
	if (!name || !soft || parse_limit(soft, &limit.soft) < 0 || (at && parse_limit(at, &limit.hard) < 0))
		return mrg_error_set(err, -MRG_E_INVALID, "must be NAME=SOFT[:HARD], as in nofile=1024:4096, not '%s'", text);
	if (!at)
		limit.hard = limit.soft;
	if (limit.soft > limit.hard)
		return mrg_error_set(err, -MRG_E_INVALID, "the soft limit is above the hard one in '%s'", text);
	if (strncasecmp(name, "RLIMIT_", 7) == 0)
		name += 7;
	snprintf(type, sizeof(type), "RLIMIT_%s", name);
	for (char *c = type; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c -= 'a' - 'A';
	limit.type = type;
	return set_rlimit(b->spec, &limit, err);
}

/* The list that @field stands for. */
static struct mrg_io_limit **rate_list(struct mrg_spec *spec, int field, size_t **ret_n)
{
	switch (field) {
	case MRG_FIELD_IO_READ_BPS:
		*ret_n = &spec->io_read_bps.n;
		return &spec->io_read_bps.item;
	case MRG_FIELD_IO_WRITE_BPS:
		*ret_n = &spec->io_write_bps.n;
		return &spec->io_write_bps.item;
	case MRG_FIELD_IO_READ_IOPS:
		*ret_n = &spec->io_read_iops.n;
		return &spec->io_read_iops.item;
	default:
		*ret_n = &spec->io_write_iops.n;
		return &spec->io_write_iops.item;
	}
}

static int add_rate(struct mrg_spec *spec, int field, const struct mrg_io_limit *limit, struct mrg_error *err)
{
	struct mrg_io_limit **item, *grown;
	size_t *n;

	item = rate_list(spec, field, &n);
	grown = mrg_spec_alloc(spec, (*n + 1) * sizeof(*grown));
	if (!grown)
		return no_memory(err);
	if (*n)
		memcpy(grown, *item, *n * sizeof(*grown));
	grown[(*n)++] = *limit;
	*item = grown;
	mrg_fields_add(&spec->set, (unsigned int)field);
	return 0;
}

/* DEVICE:RATE, where the device is a block device or a file on one. */
int apply_rate(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *path = strdup(text);
	char *rate = path ? strrchr(path, ':') : NULL;
	struct mrg_io_limit limit;
	struct stat st;
	int64_t value;
	dev_t device;

	if (!path)
		return no_memory(err);
	if (!rate || parse_size(rate + 1, &value) < 0 || value < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be DEVICE:RATE, as in /dev/vda:10M, not '%s'", text);
	*rate = '\0';
	if (stat(path, &st) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "cannot use '%s': %s", path, strerror(errno));
	device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	if (!S_ISBLK(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no block device", path);
	limit = (struct mrg_io_limit){ .major = major(device), .minor = minor(device), .rate = (uint64_t)value };
	return add_rate(b->spec, option->field, &limit, err);
}
