/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_ERROR_H
#define MOORAGE_ERROR_H

/*
 * One error: a code and a sentence.
 *
 * Every function of libmoorage and every verb of a plugin returns 0 (or a
 * documented positive value), or a negative errno; on failure it fills the
 * caller's struct mrg_error, which may be NULL. The struct holds no pointer, so
 * it needs no release and crosses a pipe whole: 512 bytes, one atomic write
 * (PIPE_BUF, pipe(7)).
 */

#include <errno.h>
#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The codes that have a meaning of their own. Any other negative errno means
 * "it failed", and the sentence tells why. */
#define MRG_E_INVALID		EINVAL		/* a spec, a name or a value is not usable as given */
#define MRG_E_NOT_FOUND		ENOENT		/* no such container; used for nothing else */
#define MRG_E_EXISTS		EEXIST		/* the name is taken */
#define MRG_E_AMBIGUOUS		ENOTUNIQ	/* a name without its backend that several backends have */
#define MRG_E_BUSY		EAGAIN		/* somebody else is at work on it just now */
#define MRG_E_STATE		EBUSY		/* not in this state: running, paused, ... */
#define MRG_E_NOT_RUNNING	ESRCH		/* not in this state: it does not run */
#define MRG_E_UNSUPPORTED	EOPNOTSUPP	/* the backend lacks the verb or a field */
#define MRG_E_NO_ENGINE		ENOPKG		/* the engine or the plugin is not installed */
#define MRG_E_ABI		EPROTONOSUPPORT	/* the plugin does not fit this library */
#define MRG_E_PERMISSION	EPERM		/* rights; EACCES is read the same way */
#define MRG_E_KERNEL		ENOSYS		/* the kernel lacks what is needed */
#define MRG_E_TIMEOUT		ETIMEDOUT	/* the deadline passed */
#define MRG_E_NO_COMMAND	ENOTNAM		/* the command was not found in the container: exit status 127 */
#define MRG_E_NOT_EXECUTABLE	ENOEXEC		/* the command was found and cannot be executed: exit status 126 */

/* An error. @message is one sentence, without a final stop, user-supplied text
 * in single quotes; what follows a newline is a hint: what to do about it. */
struct mrg_error {
	int code;			/* negative errno; 0: no error */
	char message[508];		/* NUL-terminated, cut when too long */
};

/* Fills @err (may be NULL) with @code, a negative errno, and the formatted
 * sentence; an earlier error is overwritten. Returns @code, so that
 * "return mrg_error_set(err, -EINVAL, ...)" is one line. */
int mrg_error_set(struct mrg_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with a va_list. */
int mrg_error_setv(struct mrg_error *err, int code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Puts "TEXT: " in front of the sentence in @err (may be NULL) and returns the
 * code in it, 0 if @err is NULL. */
int mrg_error_prefix(struct mrg_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Appends a hint to @err (may be NULL), replacing one that is there, and returns
 * the code in it, 0 if @err is NULL. */
int mrg_error_hint(struct mrg_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The stable name of @code (negative errno) for machines: "not-found",
 * "exists", "busy", "wrong-state", "unsupported", "no-backend", "permission",
 * "timeout", "invalid", ... "failed" for every code without a meaning of its
 * own. A constant string. */
const char *mrg_error_name(int code);

#ifdef __cplusplus
}
#endif
#endif
