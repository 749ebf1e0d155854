/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of LXC: the order in which they are read and written. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

static const struct key_table tables[] = {
	{ "", lxc_keys },
	{ 0 }
};

static const struct key_syntax syntax = {
	.native = "lxc",
	.sign = "",
	.unknown = "has no field; kept verbatim for LXC",
	.confines = lxc_name_confines,
	.undo = NULL,
	.line = lxc_line,
	.verbatim = lxc_verbatim,
};

/* ---- reading -------------------------------------------------------------------------------- */

struct assignment *lxc_next(struct key_reader *in, size_t *at, const char *key)
{
	struct assignments *list = &lxc_of(in)->config->list;
	size_t length = strlen(key);

	while (*at < list->n) {
		struct assignment *item = &list->item[(*at)++];

		if (key[length - 1] == '.' ? strncmp(item->key, key, length) == 0 : strcmp(item->key, key) == 0) {
			in->now = item;
			return item;
		}
	}
	return NULL;
}

/* The last lxc.mount.fstab counts, and its lines come before every lxc.mount.entry. */
static int read_fstabs(struct lxc_config *config)
{
	for (size_t i = 0; i < config->list.n; i++) {
		const struct assignment *item = &config->list.item[i];

		if (strcmp(item->key, "lxc.mount.fstab") != 0 || item->value[0] != '/' || config->options->keep_includes)
			continue;
		int r = lxc_read_fstab(config, item->value, item->line);

		return r > 0 ? 0 : r;
	}
	return 0;
}

/* Keys that are nothing to be written back. */
static bool is_gone(const char *name)
{
	for (const struct key *key = lxc_keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return key->read == lxc_read_gone;
	return false;
}

/* What is said of lines that carry everything all the same. */
static void add_notes(struct lxc_config *config)
{
	for (size_t i = 0; i < config->list.n; i++) {
		struct assignment *item = &config->list.item[i];

		if (strcmp(item->key, LXC_REPLACED) == 0)
			item->note = "without effect: a later line replaces or clears it";
		else if (item->verdict == MRG_CARRIED && !item->note && strcmp(item->key, config->original[i]) != 0)
			item->note = "an old name, which LXC 5 refuses; written back under the one of today";
		else if (item->verdict == MRG_CARRIED && !item->note && (strstr(item->value, " #") || strstr(item->value, "\t#")))
			item->note = "the '#' belongs to the value: LXC knows no comments behind values";
	}
}

/* What is written together with fields comes behind the rest, where it is read again. */
static int keep_rank(const char *key)
{
	return strcmp(key, "lxc.rootfs.options") == 0 ? 1 : strcmp(key, LXC_KEPT_OPTIONS) == 0 ? 2 : 0;
}

static int keep(struct key_reader *in, const struct assignments *list)
{
	struct assignments kept = { 0 };
	int r = 0;

	for (int rank = 0; rank <= 2; rank++)
		for (size_t i = 0; i < list->n && r == 0; i++)
			if (list->item[i].keep && keep_rank(list->item[i].key) == rank)
				r = assignments_add(&kept, &list->item[i]);
	r = r < 0 ? key_no_memory(in) : keys_keep(in, &kept);
	free(kept.item);
	return r;
}

static int read_config(struct lxc_reader *reader)
{
	static int (*const finish[])(struct key_reader *in) = {
		lxc_finish_root, lxc_finish_command, lxc_finish_caps, lxc_finish_networks, lxc_finish_namespaces,
		lxc_finish_mounts, lxc_finish_sysctls, lxc_finish_cgroups, lxc_finish_device_rules,
	};
	struct lxc_config *config = reader->config;
	struct key_reader *in = &reader->in;
	int r;

	lxc_replace(&config->list);
	in->all = &config->list;
	r = read_fstabs(config);
	if (r == 0)
		r = keys_read(in, &config->list);
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	for (size_t i = 0; i < config->list.n; i++)
		config->list.item[i].keep = config->list.item[i].keep && !is_gone(config->list.item[i].key);
	if (r == 0)
		r = keep(in, &config->list);
	add_notes(config);
	for (size_t i = 0; i < config->list.n; i++)
		config->list.item[i].key = config->original[i];
	return r != 0 ? r : keys_report(in, &config->list);
}

int lxc_config_read(const char *text, size_t length, const struct lxc_read_options *options, struct mrg_spec *spec,
		    const struct report *report, struct mrg_error *err)
{
	struct lxc_config config = { .options = options, .err = err };
	struct lxc_reader reader = {
		.in = { .spec = spec, .err = err, .report = report, .syntax = &syntax, .tables = tables, .late = true },
		.config = &config, .autodev = true, .dev_size = 500000,
	};
	int r = lxc_parse(&config, text, length);

	if (r == 0)
		r = read_config(&reader);
	lxc_config_deinit(&config);
	return r;
}

static int lxc_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report, struct mrg_error *err)
{
	return lxc_config_read(text, length, &(struct lxc_read_options){ 0 }, spec, report, err);
}

/* ---- writing --------------------------------------------------------------------------------- */

const struct json *lxc_kept(const struct key_writer *out, const char *name)
{
	const struct lxc_writer *writer = (const struct lxc_writer *)((const char *)out - offsetof(struct lxc_writer, out));
	const struct json *values = writer->kept ? json_member(writer->kept, name) : NULL;

	return values && values->type == JSON_ARRAY ? values : NULL;
}

void lxc_report_loss(struct key_writer *out, unsigned int field, int verdict, const char *format, ...)
{
	char note[256];
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	/* Names and paths come from anybody. */
	for (char *c = note; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
	key_report(out, field, verdict, NULL, note);
}

/* Lines kept verbatim come first: where both say something, the field counts. */
static void write_config(struct lxc_writer *writer, const struct json *native)
{
	struct key_writer *out = &writer->out;
	const struct json *kept = native ? json_member(native, "lxc") : NULL;
	bool whole = true;

	writer->kept = kept && kept->type == JSON_OBJECT ? kept : NULL;
	if (kept)
		whole = keys_write_native(out, kept);
	keys_write(out, lxc_keys);
	if (key_has(out, MRG_FIELD_NATIVE))
		key_report(out, MRG_FIELD_NATIVE, kept && native->n == 1 && whole ? MRG_CARRIED : MRG_DROPPED,
			   "the keys kept verbatim", "has keys that are not LXC's");
	keys_write_rest(out, "a configuration of LXC cannot say this");
}

static int lxc_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct lxc_writer writer = { .out = { .spec = spec, .report = report, .syntax = &syntax } };
	_cleanup_(json_freep) struct json *native = NULL;
	struct key_writer *out = &writer.out;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	buffer_add(&out->b, "", 0);
	write_config(&writer, native);
	return keys_write_end(out, ret, err);
}

const struct format format_lxc = { .name = "lxc", .read = lxc_read, .write = lxc_write };
