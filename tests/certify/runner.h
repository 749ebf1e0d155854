/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_RUNNER_H
#define CERTIFY_RUNNER_H

/* What the process of a test tells the judge: one message for each part. Smaller than PIPE_BUF: whole or not at all. */

#include "tests/certify/certify.h"

struct message {
	enum verdict verdict;
	bool whole;			/* the test as a whole: it did not come to its parts */
	char text[RESULT_SIZE];
};

#endif
