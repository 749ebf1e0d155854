/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an ELF file. */

#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "tests/certify/elf_file.h"

#define ELF_CLASS	(sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

/* @n things of @size bytes at @offset, NULL when they are not all in the file. */
static const void *at(const struct elf_file *elf, size_t offset, size_t n, size_t size)
{
	if (offset > elf->size || (size && n > (elf->size - offset) / size))
		return NULL;
	return elf->data + offset;
}

static const char *map(struct elf_file *elf, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "it is not a file that can be read";
	if ((size_t)st.st_size < sizeof(ElfW(Ehdr)))
		return "it is too short for an ELF file";
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return "it cannot be mapped";
	elf->data = data;
	elf->size = (size_t)st.st_size;
	return NULL;
}

static const char *read_headers(struct elf_file *elf)
{
	elf->header = (const void *)elf->data;
	if (memcmp(elf->header->e_ident, ELFMAG, SELFMAG) != 0 || elf->header->e_ident[EI_CLASS] != ELF_CLASS)
		return "it is not an ELF file of this machine";
	if (elf->header->e_type != ET_DYN)
		return "it is not a shared object";
	elf->n_segments = elf->header->e_phnum;
	elf->segment = at(elf, elf->header->e_phoff, elf->n_segments, sizeof(*elf->segment));
	if (!elf->segment)
		return "its program headers are not in the file";
	elf->n_sections = elf->header->e_shnum;
	elf->section = at(elf, elf->header->e_shoff, elf->n_sections, sizeof(*elf->section));
	if (!elf->section)
		elf->n_sections = 0;
	return NULL;
}

/* The linker's tables of names and symbols are found by their sections: the count of symbols stands nowhere else. */
static const char *read_symbols(struct elf_file *elf)
{
	for (size_t i = 0; i < elf->n_sections; i++) {
		const ElfW(Shdr) *section = &elf->section[i], *names;

		if (section->sh_type != SHT_DYNSYM || section->sh_link >= elf->n_sections)
			continue;
		names = &elf->section[section->sh_link];
		elf->n_symbols = section->sh_size / sizeof(*elf->symbol);
		elf->symbol = at(elf, section->sh_offset, elf->n_symbols, sizeof(*elf->symbol));
		elf->strings_size = names->sh_size;
		elf->strings = at(elf, names->sh_offset, names->sh_size, 1);
		if (elf->symbol && elf->strings && elf->strings_size && !elf->strings[elf->strings_size - 1])
			return NULL;
	}
	return "it has no table of dynamic symbols";
}

static const char *read_dynamic(struct elf_file *elf)
{
	const ElfW(Phdr) *segment = elf_segment(elf, PT_DYNAMIC);

	if (!segment)
		return "it has no dynamic section";
	elf->n_dynamic = segment->p_filesz / sizeof(*elf->dynamic);
	elf->dynamic = at(elf, segment->p_offset, elf->n_dynamic, sizeof(*elf->dynamic));
	return elf->dynamic ? NULL : "its dynamic section is not in the file";
}

const char *elf_open(struct elf_file *elf, const char *path)
{
	const char *fault;

	memset(elf, 0, sizeof(*elf));
	fault = map(elf, path);
	if (!fault)
		fault = read_headers(elf);
	if (!fault)
		fault = read_dynamic(elf);
	if (!fault)
		fault = read_symbols(elf);
	if (fault)
		elf_close(elf);
	return fault;
}

void elf_close(struct elf_file *elf)
{
	if (elf->data)
		munmap((void *)(uintptr_t)elf->data, elf->size);
	elf->data = NULL;
}

const ElfW(Phdr) *elf_segment(const struct elf_file *elf, ElfW(Word) type)
{
	for (size_t i = 0; i < elf->n_segments; i++)
		if (elf->segment[i].p_type == type)
			return &elf->segment[i];
	return NULL;
}

bool elf_dynamic(const struct elf_file *elf, ElfW(Sxword) tag, ElfW(Xword) *ret)
{
	for (size_t i = 0; i < elf->n_dynamic && elf->dynamic[i].d_tag != DT_NULL; i++)
		if (elf->dynamic[i].d_tag == tag) {
			*ret = elf->dynamic[i].d_un.d_val;
			return true;
		}
	return false;
}

size_t elf_section_size(const struct elf_file *elf, const char *name)
{
	const ElfW(Shdr) *names;
	const char *text;

	if (elf->header->e_shstrndx >= elf->n_sections)
		return 0;
	names = &elf->section[elf->header->e_shstrndx];
	text = at(elf, names->sh_offset, names->sh_size, 1);
	if (!text || !names->sh_size || text[names->sh_size - 1])
		return 0;
	for (size_t i = 0; i < elf->n_sections; i++)
		if (elf->section[i].sh_name < names->sh_size && strcmp(text + elf->section[i].sh_name, name) == 0)
			return elf->section[i].sh_size;
	return 0;
}

const char *elf_string(const struct elf_file *elf, size_t offset)
{
	return offset < elf->strings_size ? elf->strings + offset : "";
}

void elf_build_id(const struct elf_file *elf, char *ret, size_t size)
{
	const ElfW(Phdr) *segment = elf_segment(elf, PT_NOTE);
	const ElfW(Nhdr) *note = segment ? at(elf, segment->p_offset, segment->p_filesz, 1) : NULL;
	const unsigned char *id;

	ret[0] = '\0';
	/* Where there are several notes the linker puts this one first or alone. */
	for (size_t i = 0; i < elf->n_segments && (!note || note->n_type != NT_GNU_BUILD_ID); i++)
		if (elf->segment[i].p_type == PT_NOTE && elf->segment[i].p_filesz >= sizeof(*note))
			note = at(elf, elf->segment[i].p_offset, elf->segment[i].p_filesz, 1);
	if (!note || note->n_type != NT_GNU_BUILD_ID || note->n_namesz != 4 || note->n_descsz > 64)
		return;
	id = at(elf, (size_t)((const char *)note - elf->data) + sizeof(*note) + 4, note->n_descsz, 1);
	for (size_t i = 0; id && i < note->n_descsz && 2 * i + 2 < size; i++)
		snprintf(ret + 2 * i, size - 2 * i, "%02x", id[i]);
}
