/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file: what can be told without calling anything. */

#include "config.h"

#include <dlfcn.h>
#include <elf.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/backend_name.h"
#include "tests/certify/elf_file.h"
#include "tests/certify/plugin.h"

#define TOOLCHAIN_DATA	16		/* gcc's and clang's own: a handle in .data, a flag in .bss */
#define LIST_MAX	1024

static struct elf_file open_file(struct trial *t)
{
	struct elf_file elf;
	const char *fault = elf_open(&elf, t->kit->plugin);

	if (fault)
		trial_fail(t, "%s", fault);
	return elf;
}

/* The sanitizers' instrumentation brings data, constructors and imports of its own. */
static bool is_instrumented(const struct elf_file *elf)
{
	for (size_t i = 0; i < elf->n_symbols; i++) {
		const char *name = elf_string(elf, elf->symbol[i].st_name);

		if (strncmp(name, "__asan_", 7) == 0 || strncmp(name, "__ubsan_", 8) == 0)
			return true;
	}
	return false;
}

/* ---- the file --------------------------------------------------------------------------------- */

static void check_owner(struct trial *t, const char *path, bool directory)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		trial_fail(t, "'%s' cannot be looked at", path);
	if (!directory && S_ISLNK(st.st_mode))
		trial_fail(t, "'%s' is a symbolic link", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		trial_fail(t, "'%s' belongs to user %u", path, (unsigned int)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		trial_fail(t, "'%s' is writable by others (mode %04o)", path, (unsigned int)(st.st_mode & 07777));
}

static void is_safe_from_others(struct trial *t)
{
	char path[PATH_SIZE];

	check_owner(t, t->kit->plugin, false);
	snprintf(path, sizeof(path), "%s", t->kit->plugin);
	check_owner(t, dirname(path), true);
}

static void is_a_shared_object(struct trial *t)
{
	struct elf_file elf = open_file(t);

	elf_close(&elf);
}

static void exports_only_the_table(struct trial *t)
{
	struct elf_file elf = open_file(t);
	bool found = false;

	for (size_t i = 1; i < elf.n_symbols; i++) {
		const ElfW(Sym) *symbol = &elf.symbol[i];
		const char *name = elf_string(&elf, symbol->st_name);

		if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || (symbol->st_info >> 4) == STB_LOCAL)
			continue;
		if (strncmp(name, "mrg_backend_v", 13) != 0)
			trial_fail(t, "it exports '%s'", name);
		found |= strcmp(name, MRG_BACKEND_SYMBOL) == 0;
	}
	if (!found)
		trial_fail(t, "it does not export %s", MRG_BACKEND_SYMBOL);
}

static void has_no_executable_stack(struct trial *t)
{
	struct elf_file elf = open_file(t);
	const ElfW(Phdr) *stack = elf_segment(&elf, PT_GNU_STACK);

	if (!stack)
		trial_fail(t, "it does not say that its stack is not executable (-Wl,-z,noexecstack)");
	if (stack->p_flags & PF_X)
		trial_fail(t, "it wants an executable stack");
}

static void has_no_text_relocations(struct trial *t)
{
	struct elf_file elf = open_file(t);
	ElfW(Xword) value;

	if (elf_dynamic(&elf, DT_TEXTREL, &value) || (elf_dynamic(&elf, DT_FLAGS, &value) && value & DF_TEXTREL))
		trial_fail(t, "its code is written to when it is loaded (compile with -fPIC)");
}

static void has_no_writable_code(struct trial *t)
{
	struct elf_file elf = open_file(t);

	for (size_t i = 0; i < elf.n_segments; i++)
		if (elf.segment[i].p_type == PT_LOAD && elf.segment[i].p_flags & PF_W && elf.segment[i].p_flags & PF_X)
			trial_fail(t, "it has memory that is writable and executable");
}

static void is_read_only_after_relocation(struct trial *t)
{
	struct elf_file elf = open_file(t);
	ElfW(Xword) flags = 0, flags_1 = 0, now;

	if (is_instrumented(&elf))
		trial_skip(t, "built with sanitizers");
	if (!elf_segment(&elf, PT_GNU_RELRO))
		trial_fail(t, "its tables stay writable (link with -Wl,-z,relro)");
	elf_dynamic(&elf, DT_FLAGS, &flags);
	elf_dynamic(&elf, DT_FLAGS_1, &flags_1);
	if (!(flags & DF_BIND_NOW) && !(flags_1 & DF_1_NOW) && !elf_dynamic(&elf, DT_BIND_NOW, &now))
		trial_fail(t, "its table of functions stays writable (link with -Wl,-z,now)");
}

static void looks_for_libraries_in_the_system_only(struct trial *t)
{
	struct elf_file elf = open_file(t);
	ElfW(Xword) offset;

	if (!elf_dynamic(&elf, DT_RUNPATH, &offset) && !elf_dynamic(&elf, DT_RPATH, &offset))
		return;
	for (const char *path = elf_string(&elf, offset); path && *path; path = strchr(path, ':') ? strchr(path, ':') + 1 : NULL)
		if (*path != '/' && strncmp(path, "$ORIGIN", 7) != 0)
			trial_fail(t, "its search path for libraries has a directory that is not absolute: '%s'", path);
}

/* ---- what it takes from others ------------------------------------------------------------------- */

static bool is_weak_or_defined(const ElfW(Sym) *symbol)
{
	return symbol->st_shndx != SHN_UNDEF || (symbol->st_info >> 4) == STB_WEAK;
}

/* A symbol must come from a library the plugin names, or from libmoorage; else it works by luck only. */
static void names_all_libraries_it_needs(struct trial *t)
{
	struct elf_file elf = open_file(t);
	Dl_info own;
	void *library;
	struct plugin p;

	if (is_instrumented(&elf))
		trial_skip(t, "built with sanitizers");
	plugin_map(t, &p);
	if (!dladdr((void *)(uintptr_t)mrg_new, &own))
		trial_fail(t, "the kit cannot find libmoorage");
	library = dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD);
	for (size_t i = 1; i < elf.n_symbols; i++) {
		const char *name = elf_string(&elf, elf.symbol[i].st_name);

		if (!*name || is_weak_or_defined(&elf.symbol[i]) || dlsym(p.object, name))
			continue;
		if (strncmp(name, "mrg_", 4) != 0 || !library || !dlsym(library, name))
			trial_fail(t, "it uses '%s' and names no library that has it", name);
	}
}

/* What would end, or speak for, the process that the plugin is a guest of. */
static void does_not_take_over_its_process(struct trial *t)
{
	static const char *const banned[] = {
		"exit", "quick_exit", "atexit", "system", "popen", "printf", "puts", "putchar", "perror", "vprintf", "__printf_chk",
		"__vprintf_chk", "putc", "err", "errx", "warn", "warnx", "syslog", "openlog", "daemon", "gets", "mktemp", "tmpnam",
	};
	struct elf_file elf = open_file(t);

	for (size_t i = 1; i < elf.n_symbols; i++)
		for (size_t k = 0; k < ARRAY_SIZE(banned); k++)
			if (elf.symbol[i].st_shndx == SHN_UNDEF && strcmp(elf_string(&elf, elf.symbol[i].st_name), banned[k]) == 0)
				trial_fail(t, "it calls %s()", banned[k]);
}

static void has_no_state_of_its_own(struct trial *t)
{
	static const char *const sections[] = { ".data", ".bss", ".tdata", ".tbss" };
	struct elf_file elf = open_file(t);

	if (is_instrumented(&elf))
		trial_skip(t, "built with sanitizers");
	if (elf.n_sections == 0)
		trial_skip(t, "it has no section headers");
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (elf_section_size(&elf, sections[i]) > TOOLCHAIN_DATA)
			trial_fail(t, "it has %zu bytes of variables in %s: what a verb may rely on is in the unit",
				   elf_section_size(&elf, sections[i]), sections[i]);
}

static void runs_nothing_when_it_is_loaded(struct trial *t)
{
	struct elf_file elf = open_file(t);
	ElfW(Xword) size = 0;

	if (is_instrumented(&elf))
		trial_skip(t, "built with sanitizers");
	elf_dynamic(&elf, DT_INIT_ARRAYSZ, &size);
	if (size > sizeof(void *))
		trial_fail(t, "it has constructors");
	size = 0;
	elf_dynamic(&elf, DT_FINI_ARRAYSZ, &size);
	if (size > sizeof(void *))
		trial_fail(t, "it has destructors");
}

/* ---- the table ------------------------------------------------------------------------------------ */

static struct mrg_backend table_of(struct trial *t)
{
	struct plugin p;

	plugin_map(t, &p);
	return p.table;
}

static void is_named_as_its_file(struct trial *t)
{
	struct mrg_backend table = table_of(t);

	if (!table.name || strcmp(table.name, t->kit->name) != 0)
		trial_fail(t, "it calls itself '%s'", table.name ? table.name : "(null)");
	if (!backend_name_is_valid(table.name))
		trial_fail(t, "'%s' is no name of a backend", table.name);
}

static void has_a_sane_size(struct trial *t)
{
	struct mrg_backend table = table_of(t);

	if (table.minor > MRG_ABI_MINOR)
		trial_fail(t, "it is built for minor %u, this kit knows %u", table.minor, MRG_ABI_MINOR);
	if (table.size % sizeof(void *) || table.size < offsetof(struct mrg_backend, open) || table.size > 65536)
		trial_fail(t, "its table has %u bytes", table.size);
	if (table.minor == MRG_ABI_MINOR && table.size != sizeof(table))
		trial_fail(t, "its table has %u bytes, that of minor %u has %zu", table.size, table.minor, sizeof(table));
}

static void sums_itself_up_in_a_line(struct trial *t)
{
	struct mrg_backend table = table_of(t);

	if (!table.summary || !*table.summary)
		trial_fail(t, "it has no summary");
	if (strchr(table.summary, '\n') || strlen(table.summary) > 100 || table.summary[strlen(table.summary) - 1] == '.')
		trial_fail(t, "its summary is not one line of at most 100 characters without a final stop: '%s'", table.summary);
}

static void has_the_mandatory_verbs(struct trial *t)
{
	struct plugin p;

	plugin_map(t, &p);
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (verb->kind == KIND_MANDATORY && !plugin_offers(&p, verb->name))
			trial_fail(t, "it lacks '%s'", verb->name);
}

static void has_both_halves_of_pairs(struct trial *t)
{
	struct plugin p;

	plugin_map(t, &p);
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (verb->partner && plugin_offers(&p, verb->name) && !plugin_offers(&p, verb->partner))
			trial_fail(t, "it has '%s' without '%s'", verb->name, verb->partner);
}

static size_t count_fields(struct trial *t, const struct mrg_backend *table)
{
	size_t n = 0;

	if (!table->fields)
		trial_fail(t, "it has no list of fields");
	while (n < LIST_MAX && table->fields[n] != MRG_FIELD_END)
		n++;
	if (n == LIST_MAX)
		trial_fail(t, "its list of fields has no end");
	return n;
}

static void knows_its_fields(struct trial *t)
{
	struct mrg_backend table = table_of(t);
	size_t n = count_fields(t, &table);

	for (size_t i = 0; i < n; i++)
		if (table.fields[i] >= MRG_FIELD_MAX)
			trial_fail(t, "field %u is unknown", table.fields[i]);
}

static void lists_its_fields_in_order(struct trial *t)
{
	struct mrg_backend table = table_of(t);
	size_t n = count_fields(t, &table);

	for (size_t i = 1; i < n; i++) {
		const struct mrg_field_info *info = mrg_field_info(table.fields[i]);

		if (table.fields[i] == table.fields[i - 1])
			trial_fail(t, "'%s' is listed twice", info ? info->name : "?");
		if (table.fields[i] < table.fields[i - 1])
			trial_fail(t, "'%s' stands behind a field of a higher number", info ? info->name : "?");
	}
}

/* Without them nothing can be run at all. */
static void can_run_a_command_in_a_root(struct trial *t)
{
	static const uint16_t needed[] = { MRG_FIELD_ROOT_PATH, MRG_FIELD_ARGS, MRG_FIELD_ENV };
	struct mrg_backend table = table_of(t);
	size_t n = count_fields(t, &table);

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found |= table.fields[k] == needed[i];
		if (!found)
			trial_fail(t, "it does not list '%s'", mrg_field_info(needed[i])->name);
	}
}

static bool is_type(const char *values)
{
	return values && (strcmp(values, "bool") == 0 || strcmp(values, "uint") == 0 || strcmp(values, "string") == 0 ||
			  (strncmp(values, "enum:", 5) == 0 && values[5] && values[5] != '|' && !strstr(values, "||") &&
			   values[strlen(values) - 1] != '|'));
}

static void describes_its_options(struct trial *t)
{
	struct mrg_backend table = table_of(t);
	size_t n = 0;

	for (const struct mrg_option *o = table.options; o && o->key; o++, n++) {
		if (n == LIST_MAX)
			trial_fail(t, "its list of options has no end");
		if (!backend_name_is_valid(o->key))
			trial_fail(t, "'%s' is no name of an option", o->key);
		if (!is_type(o->values))
			trial_fail(t, "option '%s' has the unknown type '%s'", o->key, o->values ? o->values : "(null)");
		if (!o->help || !*o->help || strchr(o->help, '\n'))
			trial_fail(t, "option '%s' has no line of help", o->key);
		for (const struct mrg_option *other = table.options; other != o; other++)
			if (strcmp(other->key, o->key) == 0)
				trial_fail(t, "option '%s' is there twice", o->key);
	}
}

#define STATIC(name_, run_)	{ .section = "static", .name = name_, .run = run_, .unusable = true }

const struct test static_tests[] = {
	STATIC("file and directory are safe from others", is_safe_from_others),
	STATIC("it is a shared object of this machine", is_a_shared_object),
	STATIC("it exports its table and nothing else", exports_only_the_table),
	STATIC("no executable stack", has_no_executable_stack),
	STATIC("no relocations in its code", has_no_text_relocations),
	STATIC("no memory both writable and executable", has_no_writable_code),
	STATIC("read-only after relocation", is_read_only_after_relocation),
	STATIC("no relative search path for libraries", looks_for_libraries_in_the_system_only),
	STATIC("no variables of its own", has_no_state_of_its_own),
	STATIC("no constructors", runs_nothing_when_it_is_loaded),
	STATIC("it calls nothing that takes over its process", does_not_take_over_its_process),
	STATIC("every symbol comes from libmoorage or a library it names", names_all_libraries_it_needs),
	STATIC("named as its file", is_named_as_its_file),
	STATIC("size and minor of the table", has_a_sane_size),
	STATIC("summary", sums_itself_up_in_a_line),
	STATIC("mandatory verbs", has_the_mandatory_verbs),
	STATIC("pairs of verbs", has_both_halves_of_pairs),
	STATIC("fields are known", knows_its_fields),
	STATIC("fields are in order, each once", lists_its_fields_in_order),
	STATIC("root, arguments and environment are among the fields", can_run_a_command_in_a_root),
	STATIC("options are described", describes_its_options),
	{ .name = NULL }
};
