/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_ELF_FILE_H
#define CERTIFY_ELF_FILE_H

/* An ELF file of this machine's class, read but not loaded; every offset in it is checked. */

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

struct elf_file {
	const char *data;
	size_t size;
	const ElfW(Ehdr) *header;
	const ElfW(Phdr) *segment;
	size_t n_segments;
	const ElfW(Shdr) *section;	/* may be NULL: stripped of them */
	size_t n_sections;
	const ElfW(Dyn) *dynamic;
	size_t n_dynamic;
	const ElfW(Sym) *symbol;	/* the dynamic ones */
	size_t n_symbols;
	const char *strings;		/* their names */
	size_t strings_size;
};

/* NULL, or what is wrong with the file. */
const char *elf_open(struct elf_file *elf, const char *path);
void elf_close(struct elf_file *elf);

/* The first segment of @type, NULL: there is none. */
const ElfW(Phdr) *elf_segment(const struct elf_file *elf, ElfW(Word) type);

/* The value of the first entry @tag of the dynamic section. */
bool elf_dynamic(const struct elf_file *elf, ElfW(Sxword) tag, ElfW(Xword) *ret);

/* The size of section @name, 0: there is none. */
size_t elf_section_size(const struct elf_file *elf, const char *name);

/* A string of the dynamic string table, "" beyond its end. */
const char *elf_string(const struct elf_file *elf, size_t offset);

/* The build id in hexadecimal digits, "" when there is none. */
void elf_build_id(const struct elf_file *elf, char *ret, size_t size);

#endif
