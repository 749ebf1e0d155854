/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about cgroups: both versions are read, and made to agree; both are written. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/limits.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

#define FILE_MAX_SIZE	128

/* ---- reading ---------------------------------------------------------------------------------------- */

static bool is_file(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.' && *c != '-')
			return false;
	return isalnum((unsigned char)*name) && strlen(name) <= FILE_MAX_SIZE;
}

/* Keys below "lxc.cgroup." that are no files. */
static bool is_other(const char *key)
{
	return strcmp(key, "lxc.cgroup.dir") == 0 || strncmp(key, "lxc.cgroup.dir.", 15) == 0 ||
	       strcmp(key, "lxc.cgroup.relative") == 0 || strncmp(key, "lxc.cgroup.devices.", 19) == 0 ||
	       strncmp(key, "lxc.cgroup2.devices.", 20) == 0 || strcmp(key, LXC_KEPT_DEVICES) == 0 ||
	       strcmp(key, LXC_KEPT_DEVICES2) == 0;
}

/* The last value of a file stands where it was written. */
static void forget_unified(struct mrg_spec *spec, const char *file)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->unified.n; i++)
		if (strcmp(spec->unified.item[i].key, file) != 0)
			spec->unified.item[n++] = spec->unified.item[i];
	spec->unified.n = n;
}

/* A file of cgroup v2 that no field is for: the last value stays, earlier ones only for LXC. */
static int read_unified(struct key_reader *in, struct assignment *item, const char *file)
{
	const struct assignments *list = &lxc_of(in)->config->list;
	struct buffer b = { 0 };
	int r;

	if (!strchr(file, '.')) {
		lxc_judge(item, MRG_DROPPED, "is no file of a controller; kept verbatim for LXC");
		return 0;
	}
	for (struct assignment *earlier = list->item; earlier < item; earlier++)
		if (strcmp(earlier->key, item->key) == 0 && earlier->field == MRG_FIELD_UNIFIED)
			lxc_judge(earlier, MRG_DROPPED, "only the last value of a file has a field; kept verbatim for LXC");
	forget_unified(in->spec, file);
	buffer_addf(&b, "%s=%s", file, item->value);
	r = b.failed ? key_no_memory(in) : key_set(in, MRG_FIELD_UNIFIED, b.text);
	item->field = MRG_FIELD_UNIFIED;
	buffer_deinit(&b);
	return r;
}

static int read_file(struct key_reader *in, struct lxc_side *side, int version, struct assignment *item)
{
	const char *file = item->key + strlen(version == LXC_V2 ? "lxc.cgroup2." : "lxc.cgroup.");
	int field, r;

	if (!is_file(file))
		return key_fail(in, "must name a file of a cgroup");
	if (!*item->value)
		return 0;
	r = lxc_limit_read(side, file, version, item->value, &field, in->err);
	if (r < 0)
		return r == -ENOMEM ? r : key_place(in);
	if (r > 0 && version == LXC_V2)
		return read_unified(in, item, file);
	if (r > 0) {
		lxc_judge(item, MRG_DROPPED, "no field is for this file of cgroup v1; kept verbatim for LXC");
		return 0;
	}
	item->field = field;
	for (struct assignment *earlier = lxc_of(in)->config->list.item; earlier < item && !lxc_limit_collects(file); earlier++)
		if (strcmp(earlier->key, item->key) == 0 && earlier->field == field)
			earlier->note = "without effect: a later line replaces it";
	return 0;
}

static int read_side(struct key_reader *in, struct lxc_side *side, int version)
{
	struct assignment *item;
	int r = 0;

	for (size_t at = 0; r == 0 && (item = lxc_next(in, &at, version == LXC_V2 ? "lxc.cgroup2." : "lxc.cgroup."));)
		if (!is_other(item->key))
			r = read_file(in, side, version, item);
	return r;
}

/* OCI counts memory and swap together. What is not below a limit of memory stays a file of its own. */
static int finish_swap(struct key_reader *in, const struct lxc_side *v1, struct lxc_side *v2)
{
	const struct mrg_spec *limited = mrg_fields_has(&v2->spec->set, MRG_FIELD_MEMORY_LIMIT) ? v2->spec : v1->spec;
	bool has_limit = mrg_fields_has(&limited->set, MRG_FIELD_MEMORY_LIMIT) && limited->memory_limit >= 0;
	char text[64];
	int64_t sum;

	if (!v2->have_swap)
		return 0;
	if (v2->swap >= 0 && !has_limit) {
		snprintf(text, sizeof(text), "memory.swap.max=%" PRId64, v2->swap);
		return mrg_spec_set(in->spec, MRG_FIELD_UNIFIED, text, in->err);
	}
	if (v2->swap >= 0 && __builtin_add_overflow(v2->swap, limited->memory_limit, &sum))
		return key_fail_of(in, "lxc.cgroup2.memory.swap.max", "is too large");
	v2->spec->memory_swap = v2->swap < 0 ? -1 : sum;
	mrg_fields_add(&v2->spec->set, MRG_FIELD_MEMORY_SWAP);
	return 0;
}

/* Weights of v2 are coarser: v1 may say the same in finer grain. */
static bool same_limit(unsigned int field, const struct mrg_spec *v1, const struct mrg_spec *v2)
{
	const struct member *member = &spec_fields[field].value;
	struct buffer a = { 0 }, b = { 0 };
	struct field_place at;
	bool same;

	if (field == MRG_FIELD_CPU_SHARES) {
		uint64_t weight = format_weight_of_shares(v1->cpu_shares);

		return (weight < 1 ? 1 : weight > 10000 ? 10000 : weight) == format_weight_of_shares(v2->cpu_shares);
	}
	if (field == MRG_FIELD_IO_WEIGHT)
		return (v1->io_weight + 2) / 5 == v2->io_weight / 5;
	same = spec_emit_value(&a, member, v1, spec_field_place(&at, field), NULL) == 0 &&
	       spec_emit_value(&b, member, v2, spec_field_place(&at, field), NULL) == 0 &&
	       a.text && b.text && strcmp(a.text, b.text) == 0;
	buffer_deinit(&a);
	buffer_deinit(&b);
	return same;
}

static const char note_differs[] = "differs from what is said for cgroup v2, which counts here; kept verbatim for LXC";

static void keep_v1(struct key_reader *in, unsigned int field)
{
	struct assignment *item;

	for (size_t at = 0; (item = lxc_next(in, &at, "lxc.cgroup."));)
		if (item->field == (int)field && *item->value && !item->note)
			lxc_judge(item, MRG_DROPPED, note_differs);
}

/* Each size of pages is a limit of its own: those of v2, and those that only v1 has. */
static int merge_hugepages(struct key_reader *in, const struct mrg_spec *v1, const struct mrg_spec *v2)
{
	const struct member *member = &spec_fields[MRG_FIELD_HUGEPAGE_LIMITS].value;
	struct assignment *item;
	int r = spec_copy_value(in->spec, member, in->spec, v2);

	for (size_t i = 0; i < v1->hugepage_limits.n && r == 0; i++) {
		const struct mrg_hugepage_limit *limit = &v1->hugepage_limits.item[i], *other = NULL;
		struct mrg_hugepage_limit *added;
		char key[96];

		for (size_t j = 0; j < v2->hugepage_limits.n && !other; j++)
			other = strcmp(v2->hugepage_limits.item[j].page_size, limit->page_size) == 0 ? &v2->hugepage_limits.item[j] : NULL;
		snprintf(key, sizeof(key), "lxc.cgroup.hugetlb.%s.limit_in_bytes", limit->page_size);
		for (size_t at = 0; other && other->limit != limit->limit && (item = lxc_next(in, &at, key));)
			if (*item->value && !item->note)
				lxc_judge(item, MRG_DROPPED, note_differs);
		if (other)
			continue;
		added = spec_list_append(in->spec, (struct list *)&in->spec->hugepage_limits, sizeof(*added));
		if (!added)
			return key_no_memory(in);
		*added = (struct mrg_hugepage_limit){ mrg_spec_strdup(in->spec, limit->page_size), limit->limit };
		r = added->page_size ? 0 : -ENOMEM;
	}
	if (v1->hugepage_limits.n || v2->hugepage_limits.n)
		mrg_fields_add(&in->spec->set, MRG_FIELD_HUGEPAGE_LIMITS);
	return r < 0 ? key_no_memory(in) : 0;
}

static int merge(struct key_reader *in, const struct mrg_spec *v1, const struct mrg_spec *v2)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const struct member *member = &spec_fields[field].value;
		bool first = mrg_fields_has(&v1->set, field), second = mrg_fields_has(&v2->set, field);
		const struct mrg_spec *from = second ? v2 : v1;

		if ((!first && !second) || field == MRG_FIELD_HUGEPAGE_LIMITS)
			continue;
		if (first && second && same_limit(field, v1, v2))
			from = v1;
		else if (first && second)
			keep_v1(in, field);
		if (spec_copy_value(in->spec, member, in->spec, from) < 0)
			return key_no_memory(in);
		mrg_fields_add(&in->spec->set, field);
	}
	return merge_hugepages(in, v1, v2);
}

int lxc_finish_cgroups(struct key_reader *in)
{
	struct lxc_side v1 = { .spec = mrg_spec_new() }, v2 = { .spec = mrg_spec_new() };
	int r = v1.spec && v2.spec ? 0 : key_no_memory(in);

	if (r == 0)
		r = read_side(in, &v1, LXC_V1);
	if (r == 0)
		r = read_side(in, &v2, LXC_V2);
	if (r == 0)
		r = finish_swap(in, &v1, &v2);
	if (r == 0)
		r = merge(in, v1.spec, v2.spec);
	mrg_spec_free(v1.spec);
	mrg_spec_free(v2.spec);
	return r;
}

KEY_READER(lxc_read_cgroup_dir)
{
	struct buffer b = { 0 };
	int r;

	if (!*value)
		return MRG_CARRIED;
	buffer_addf(&b, "/%s", value);
	if (b.failed)
		r = key_no_memory(in);
	else if (value[0] == '/' || !path_is_clean(b.text))
		r = key_fail(in, "must be a relative path without '..', not '%.80s'", value);
	else
		r = key_set(in, MRG_FIELD_CGROUPS_PATH, b.text);
	buffer_deinit(&b);
	return r < 0 ? r : key->verdict;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

/* "SLICE:PREFIX:NAME", without a slash in front, is for runtimes that ask systemd. */
KEY_WRITER(lxc_write_cgroup_dir)
{
	const char *path = out->spec->cgroups_path;

	if (!key_has(out, MRG_FIELD_CGROUPS_PATH))
		return;
	if (path_is_clean(path) && key_line(out, key->name, path + strspn(path, "/")))
		key_report(out, MRG_FIELD_CGROUPS_PATH, MRG_CARRIED, key->name, NULL);
	else
		key_report(out, MRG_FIELD_CGROUPS_PATH, MRG_DROPPED, NULL, "LXC wants a path of the hierarchy: /a/b");
}

KEY_WRITER(lxc_write_cgroups)
{
	const struct mrg_spec *spec = out->spec;

	(void)key;
	lxc_limits_write(out);
	for (size_t i = 0; i < spec->unified.n && key_has(out, MRG_FIELD_UNIFIED); i++) {
		char name[FILE_MAX_SIZE + sizeof("lxc.cgroup2.")];

		snprintf(name, sizeof(name), "lxc.cgroup2.%s", spec->unified.item[i].key);
		if (!is_file(spec->unified.item[i].key) || !key_line(out, name, spec->unified.item[i].value))
			lxc_report_loss(out, MRG_FIELD_UNIFIED, MRG_DROPPED, "a file or a value that no line can hold: '%.60s'",
					spec->unified.item[i].key);
	}
	if (key_has(out, MRG_FIELD_UNIFIED))
		key_report(out, MRG_FIELD_UNIFIED, MRG_CARRIED, "lxc.cgroup2", NULL);
}
