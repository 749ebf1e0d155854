/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a tar archive, packed or not; checksums of headers are made to fit, or nothing would ever be read. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/acl.h"
#include "core/archive/extract.h"
#include "core/archive/tar/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

static ssize_t give(void *data, void *buffer, size_t size, struct mrg_error *err)
{
	struct input *in = data;

	(void)err;
	size = size < in->left ? size : in->left;
	memcpy(buffer, in->data, size);
	in->data += size;
	in->left -= size;
	return (ssize_t)size;
}

static void fit(uint8_t *block)
{
	unsigned int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	for (size_t i = 6; i-- > 0; sum >>= 3)
		block[148 + i] = (uint8_t)('0' + (sum & 7));
}

static void look(struct tar_reader *tar, struct tar_entry *entry)
{
	unsigned char value[ACL_VALUE_MAX];
	const unsigned char *bytes;
	const void *attribute;
	uint64_t offset;
	size_t length, at = 0;
	char *path = NULL;

	if (extract_clean_path(entry->path, &path, NULL) == 0)
		free(path);
	while (tar_entry_xattr(entry, &at, &attribute, &length))
		;
	if (entry->acl_access && acl_from_text(entry->acl_access, value, &length) == 0)
		free(acl_to_text(value, length));
	while (tar_data(tar, &bytes, &offset, NULL) > 0)
		if (S_ISREG(entry->type) && offset > entry->size)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct input in = { copy, size };
	struct tar_entry entry = { .path = NULL };
	struct stream_reader stream;
	struct tar_reader tar;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK)
		if (copy[at])
			fit(copy + at);
	if (stream_reader_init(&stream, give, &in, NULL) == 0) {
		tar_reader_init(&tar, &stream);
		while (tar_next(&tar, &entry, NULL) > 0)
			look(&tar, &entry);
	}
	tar_entry_deinit(&entry);
	stream_reader_deinit(&stream);
	free(copy);
	return 0;
}
