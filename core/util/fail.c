/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of system calls: the sentence, then the reason. */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/util/fail.h"

int fail_errno(struct mrg_error *err, int code, const char *format, ...)
{
	const char *reason = strerrordesc_np(-code);
	va_list args;
	size_t length;

	va_start(args, format);
	mrg_error_setv(err, code, format, args);
	va_end(args);
	if (err) {
		length = strlen(err->message);
		snprintf(err->message + length, sizeof(err->message) - length, ": %s", reason ? reason : "unknown error");
	}
	return code;
}

int fail_memory(struct mrg_error *err)
{
	return mrg_error_set(err, -ENOMEM, "out of memory");
}
