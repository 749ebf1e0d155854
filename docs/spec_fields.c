/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Build tool: moorage-spec(5) on standard output. Copies the page from standard input and puts every field of the table where it says @FIELDS@. */

#include <stdio.h>
#include <string.h>

#include <moorage/spec.h>

/* scdoc reads these as markup. */
static void put(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\#~[]|", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void put_field(const struct mrg_field_info *info)
{
	printf("*");
	put(info->path);
	printf("* (");
	put(info->type);
	if (info->range && *info->range) {
		printf(": ");
		put(info->range);
	}
	printf(")\n\t");
	put(info->help);
	printf("\n\n");
}

int main(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "@FIELDS@\n") != 0) {
			fputs(line, stdout);
			continue;
		}
		for (unsigned int id = 0; id < MRG_FIELD_MAX; id++) {
			const struct mrg_field_info *info = mrg_field_info(id);

			if (info)
				put_field(info);
		}
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
