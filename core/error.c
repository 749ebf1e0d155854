/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling in struct mrg_error, and the names of the codes. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include <moorage/error.h>

int mrg_error_setv(struct mrg_error *err, int code, const char *format, va_list args)
{
	if (err) {
		err->code = code;
		vsnprintf(err->message, sizeof(err->message), format, args);
	}
	return code;
}

int mrg_error_set(struct mrg_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(err, code, format, args);
	va_end(args);
	return code;
}

int mrg_error_prefix(struct mrg_error *err, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list args;
	int n;

	if (!err)
		return 0;
	memcpy(message, err->message, sizeof(message));
	va_start(args, format);
	n = vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(err->message))
		snprintf(err->message + n, sizeof(err->message) - (size_t)n, ": %s", message);
	return err->code;
}

int mrg_error_hint(struct mrg_error *err, const char *format, ...)
{
	va_list args;
	size_t length;

	if (!err)
		return 0;
	length = strcspn(err->message, "\n");
	if (length + 1 < sizeof(err->message)) {
		err->message[length++] = '\n';
		va_start(args, format);
		vsnprintf(err->message + length, sizeof(err->message) - length, format, args);
		va_end(args);
	}
	return err->code;
}

const char *mrg_error_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ MRG_E_INVALID, "invalid" },
		{ MRG_E_NOT_FOUND, "not-found" },
		{ MRG_E_EXISTS, "exists" },
		{ MRG_E_AMBIGUOUS, "ambiguous" },
		{ MRG_E_BUSY, "busy" },
		{ MRG_E_STATE, "wrong-state" },
		{ MRG_E_NOT_RUNNING, "not-running" },
		{ MRG_E_UNSUPPORTED, "unsupported" },
		{ MRG_E_NO_ENGINE, "no-backend" },
		{ MRG_E_ABI, "plugin-mismatch" },
		{ MRG_E_PERMISSION, "permission" },
		{ EACCES, "permission" },
		{ MRG_E_KERNEL, "kernel" },
		{ MRG_E_TIMEOUT, "timeout" },
		{ MRG_E_NO_COMMAND, "command-not-found" },
		{ MRG_E_NOT_EXECUTABLE, "not-executable" },
		{ ENOSPC, "no-space" },
		{ ENOMEM, "no-memory" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == -code)
			return names[i].name;
	return code == 0 ? "ok" : "failed";
}
