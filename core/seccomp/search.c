/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for a system call's number as BPF. Verdicts come in runs of numbers, so there are far fewer runs than calls; and what a
 * start pays for a filter, and a system call for being filtered, goes with the instructions. */

#include "config.h"

#include <stdlib.h>

#include "core/seccomp/program.h"
#include "core/util/cleanup.h"

#define CHUNK_MAX	200	/* runs found by short jumps, which span 255 instructions */
#define LEAVES_MAX	(UINT8_MAX - CHUNK_MAX)

/* The calls from @call.number up to the next run. */
struct run {
	struct seccomp_call call;
	size_t leaf;			/* within its chunk */
};

struct search {
	struct seccomp_program *p;
	const struct seccomp_profile *profile;
	uint64_t caps;
	struct run *runs;
	size_t n;
	size_t leaves[LEAVES_MAX];	/* of the chunk at hand: a run that ends in each */
	size_t n_leaves, base;		/* how many there are, and where the first stands */
};

static bool is_same(const struct seccomp_call *a, const struct seccomp_call *b)
{
	return !a->name && !b->name && a->verdict == b->verdict;
}

static void add_run(struct search *s, uint32_t number, uint32_t verdict, const char *name)
{
	struct seccomp_call call = { number, verdict, name };

	if (s->n == 0 || !is_same(&s->runs[s->n - 1].call, &call))
		s->runs[s->n++].call = call;
}

static int make_runs(struct search *s, const struct seccomp_call *calls, size_t n, uint32_t otherwise)
{
	uint32_t next = 0;

	s->runs = calloc(2 * n + 1, sizeof(*s->runs));
	if (!s->runs)
		return -ENOMEM;
	for (size_t i = 0; i < n; next = calls[i++].number + 1) {
		if (calls[i].number > next)
			add_run(s, next, otherwise, NULL);
		add_run(s, calls[i].number, calls[i].verdict, calls[i].name);
	}
	add_run(s, next, otherwise, NULL);
	return 0;
}

/* ---- one chunk: the comparisons, then the leaves they jump to, then the rules of those that have some ---- */

static void choose_leaves(struct search *s, size_t first, size_t last)
{
	s->n_leaves = 0;
	for (size_t i = first; i <= last; i++) {
		size_t leaf = 0;

		while (leaf < s->n_leaves && !is_same(&s->runs[s->leaves[leaf]].call, &s->runs[i].call))
			leaf++;
		if (leaf == LEAVES_MAX) {
			s->p->overflow = true;
			return;
		}
		s->runs[i].leaf = leaf;
		s->leaves[leaf] = i;
		s->n_leaves += leaf == s->n_leaves;
	}
}

/* Where the search among some runs begins when the comparisons before it end at @at. */
static size_t target(const struct search *s, size_t first, size_t last, size_t at)
{
	return first == last ? s->base + s->runs[first].leaf : at;
}

/* Among n runs there are n - 1 comparisons: the first, those of the lower half, those of the upper half. */
static void emit_comparisons(struct search *s, size_t first, size_t last)
{
	size_t middle = first + (last - first + 1) / 2, next = s->p->length + 1;

	if (first == last || s->p->overflow)
		return;
	program_add(s->p, BPF_JMP | BPF_JGE | BPF_K, s->runs[middle].call.number,
		    target(s, middle, last, next + (middle - first - 1)) - next, target(s, first, middle - 1, next) - next);
	emit_comparisons(s, first, middle - 1);
	emit_comparisons(s, middle, last);
}

static void emit_leaves(struct search *s)
{
	size_t jumps[LEAVES_MAX];

	for (size_t i = 0; i < s->n_leaves; i++)
		if (s->runs[s->leaves[i]].call.name)
			jumps[i] = program_jump(s->p);
		else
			program_return(s->p, s->runs[s->leaves[i]].call.verdict);
	for (size_t i = 0; i < s->n_leaves; i++) {
		const struct seccomp_call *call = &s->runs[s->leaves[i]].call;

		if (!call->name)
			continue;
		program_land(s->p, jumps[i]);
		seccomp_rules_emit(s->p, s->profile, call->name, s->caps);
		program_return(s->p, call->verdict);
	}
}

static void emit_chunk(struct search *s, size_t first, size_t last)
{
	choose_leaves(s, first, last);
	s->base = s->p->length + (last - first);
	emit_comparisons(s, first, last);
	emit_leaves(s);
}

static void emit(struct search *s, size_t first, size_t last)
{
	size_t middle = first + (last - first + 1) / 2, upper;

	if (last - first < CHUNK_MAX) {
		emit_chunk(s, first, last);
		return;
	}
	program_add(s->p, BPF_JMP | BPF_JGE | BPF_K, s->runs[middle].call.number, 0, 1);
	upper = program_jump(s->p);
	emit(s, first, middle - 1);
	program_land(s->p, upper);
	emit(s, middle, last);
}

int seccomp_search_emit(struct seccomp_program *p, const struct seccomp_call *calls, size_t n, uint32_t otherwise,
			const struct seccomp_profile *profile, uint64_t caps)
{
	struct search s = { .p = p, .profile = profile, .caps = caps };
	int r = make_runs(&s, calls, n, otherwise);

	if (r == 0)
		emit(&s, 0, s.n - 1);
	free(s.runs);
	return r < 0 ? r : p->overflow ? -E2BIG : 0;
}
