/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever walks makes the files of a copy, a thread fills them. Its queue has what it needs of a file: both descriptors, and how it is to be like. */

#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/migrate/tree/copy.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "core/util/thread.h"

#define JOBS		64
#define BATCH		16			/* jobs that are given at once: to wake the thread costs more than a small file */
#define PATIENCE_NS	100000000	/* between two reports of progress while we wait */

struct job {
	int source, target;
	struct statx st;
	struct buffer path;
};

struct tree_filler {
	struct tree_copier copier;	/* its own buffers, report, error */
	struct tree_options options;
	struct tree_report report;
	struct mrg_error error;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* any of these: */
	size_t given, done;		/* jobs, since the begin; those between are the thread's */
	bool ended;			/* no more will come */
	int result;			/* of the first that failed: nothing is done any more */
	atomic_bool stopped;		/* the job at hand is to be left unfinished */
	_Atomic uint64_t bytes;		/* of contents, since the begin */
	size_t made;			/* jobs, since the begin; those that are not given yet are its maker's */
	struct job jobs[JOBS];
};

static int note_progress(const struct tree_progress *done, void *data)
{
	struct tree_filler *f = data;

	f->bytes = done->bytes;
	return f->stopped ? -ECANCELED : 0;
}

static int fill(struct tree_filler *f, struct job *job)
{
	const struct tree_entry e = { .dir = -1, .fd = -1, .name = job->path.text, .path = job->path.text, .st = &job->st };

	return f->stopped ? -ECANCELED : tree_copy_file(&f->copier, &e, job->source, job->target);
}

static int do_jobs(struct tree_filler *f, size_t from, size_t to, int r)
{
	for (size_t i = from; i < to; i++) {
		struct job *job = &f->jobs[i % JOBS];

		r = r < 0 ? r : fill(f, job);
		fd_close(job->source);
		fd_close(job->target);
	}
	return r;
}

static void *work(void *data)
{
	struct tree_filler *f = data;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		size_t from = f->done, to;
		int r = f->result;

		while (f->given == f->done && !f->ended)
			pthread_cond_wait(&f->changed, &f->lock);
		to = f->given;
		if (to == from)
			break;
		pthread_mutex_unlock(&f->lock);
		r = do_jobs(f, from, to, r);
		pthread_mutex_lock(&f->lock);
		f->result = r;
		f->done = to;
		pthread_cond_signal(&f->changed);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void release(struct tree_filler *f)
{
	for (size_t i = 0; i < JOBS; i++)
		buffer_deinit(&f->jobs[i].path);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	tree_copier_deinit(&f->copier);
	tree_report_deinit(&f->report);
	free(f);
}

struct tree_filler *tree_filler_begin(const struct tree_copier *c)
{
	struct tree_filler *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->options = *c->work.options;
	f->options.progress = note_progress;
	f->options.data = f;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	if (tree_copier_init(&f->copier, &f->options, &f->report, &f->error) == 0) {
		f->copier.writeback = c->writeback;
		if (thread_begin(&f->thread, work, f) == 0)
			return f;
	}
	release(f);
	return NULL;
}

/* What it has copied meanwhile is told as ours. */
static int report(struct tree_filler *f, struct tree_copier *c)
{
	int r = tree_work_step(&c->work, 0, f->bytes - c->work.progress.bytes);

	if (r < 0)
		f->stopped = true;
	return r;
}

/* Once a job has failed its error is written no more. One that the caller has met before counts. */
static int verdict(const struct tree_filler *f, struct tree_copier *c)
{
	if (f->result < 0 && c->work.err && !c->work.err->code)
		*c->work.err = f->error;
	return f->result;
}

/* Gives what was made, and waits until at most @most jobs are left; locked. */
static int give(struct tree_filler *f, struct tree_copier *c, size_t most)
{
	int r = 0;

	f->given = f->made;
	pthread_cond_signal(&f->changed);
	while (f->given - f->done > most) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PATIENCE_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&f->changed, &f->lock, &until) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&f->lock);
		r = r < 0 ? r : report(f, c);
		pthread_mutex_lock(&f->lock);
	}
	return r < 0 ? r : verdict(f, c);
}

int tree_filler_give(struct tree_filler *f, struct tree_copier *c, const struct tree_entry *e, int source, int target)
{
	struct job *job = &f->jobs[f->made++ % JOBS];
	int r;

	*job = (struct job) { .source = source, .target = target, .st = *e->st, .path = job->path };
	job->path.length = 0;
	buffer_add(&job->path, e->path, strlen(e->path));
	if (job->path.failed)
		return fail_memory(c->work.err);
	if (f->made - f->given < BATCH)
		return 0;
	pthread_mutex_lock(&f->lock);
	r = give(f, c, JOBS - BATCH);
	pthread_mutex_unlock(&f->lock);
	return r < 0 ? r : report(f, c);
}

/* The reports of both as one. */
static int add_report(struct tree_report *to, const struct tree_report *from)
{
	to->bytes += from->bytes;
	to->changed += from->changed;
	for (size_t i = 0; i < TREE_TOLD_MAX; i++) {
		to->told[i].count += from->told[i].count;
		for (char **path = from->told[i].paths; path && *path && strv_length(to->told[i].paths) < TREE_TOLD_PATHS; path++)
			if (strv_append(&to->told[i].paths, *path) < 0)
				return -ENOMEM;
	}
	return 0;
}

int tree_filler_end(struct tree_filler *f, struct tree_copier *c, int result)
{
	int r = 0;

	if (result < 0)
		f->stopped = true;
	pthread_mutex_lock(&f->lock);
	f->ended = true;
	r = give(f, c, 0);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	if (result == 0 && r == 0)
		r = report(f, c);
	if (add_report(c->work.report, &f->report) < 0 && r == 0)
		r = fail_memory(c->work.err);
	release(f);
	return result < 0 ? result : r;
}
