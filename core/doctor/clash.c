/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks of several managers that cannot all be there. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"

static bool is_bridge_of(const struct network *network, const struct subnet *interface)
{
	return network->subnet.name[0] && strcmp(network->subnet.name, interface->name) == 0;
}

/* Whether it is there as its file says. What is there is judged by what the kernel says of it. */
static bool is_up(const struct network *network, const struct subnet *subnets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_bridge_of(network, &subnets[i]) && subnets_overlap(&network->subnet, &subnets[i]))
			return true;
	return false;
}

static int say_bridge(const struct doctor *d, const struct network *a, const struct network *b)
{
	char text[768];

	snprintf(text, sizeof(text), "%s (%s) and %s (%s) both make the bridge '%s': whichever comes second fails, or changes that of the other", a->owner, a->file,
		 b->owner, b->file, a->subnet.name);
	return doctor_say(d, "error", "bridges", text, b->change);
}

static int say_overlap(const struct doctor *d, const struct network *a, const struct network *b)
{
	char text[768], fix[512], first[SUBNET_SIZE], second[SUBNET_SIZE];

	snprintf(text, sizeof(text), "%s (%s, %s) and %s (%s, %s) overlap: once both are there, packets for one go to the other", a->owner,
		 subnet_show(&a->subnet, first), a->file, b->owner, subnet_show(&b->subnet, second), b->file);
	snprintf(fix, sizeof(fix), "another range for one of them: %s, or %s", a->change, b->change);
	return doctor_say(d, "warning", "networks", text, fix);
}

static int say_interface(const struct doctor *d, const struct network *network, const struct subnet *interface)
{
	char text[512], fix[256], first[SUBNET_SIZE], second[SUBNET_SIZE];

	snprintf(text, sizeof(text), "%s (%s, %s) is not there yet and overlaps with the interface '%s' (%s)", network->owner, subnet_show(&network->subnet, first),
		 network->file, interface->name, subnet_show(interface, second));
	snprintf(fix, sizeof(fix), "another range: %s", network->change);
	return doctor_say(d, "warning", "networks", text, fix);
}

static bool overlap(const struct network *a, const struct network *b)
{
	return a->subnet.prefix > 0 && b->subnet.prefix > 0 && !(a->pool && b->pool) && subnets_overlap(&a->subnet, &b->subnet);
}

static int check_pair(const struct doctor *d, const struct network *a, const struct network *b)
{
	/* Machines share a zone, and a network may have several ranges. */
	if (strcmp(a->owner, b->owner) == 0)
		return 0;
	if (a->subnet.name[0] && strcmp(a->subnet.name, b->subnet.name) == 0)
		return say_bridge(d, a, b);
	/* What is there of both is told as interfaces; what is there is not taken from a pool. */
	if (!overlap(a, b) || (a->up && b->up) || (a->pool && b->up) || (b->pool && a->up))
		return 0;
	return say_overlap(d, a, b);
}

static int check_interfaces(const struct doctor *d, const struct network *network, const struct subnet *subnets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (is_bridge_of(network, &subnets[i]) || !subnets_overlap(&network->subnet, &subnets[i]))
			continue;
		r = say_interface(d, network, &subnets[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

int doctor_check_networks(const struct doctor *d, struct networks *networks, const struct subnet *subnets, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < networks->n; i++)
		networks->item[i].up = is_up(&networks->item[i], subnets, n);
	for (size_t i = 0; i < networks->n && r == 0; i++) {
		const struct network *a = &networks->item[i];

		if (!a->up && !a->pool && a->subnet.prefix > 0)
			r = check_interfaces(d, a, subnets, n);
		for (size_t j = i + 1; j < networks->n && r == 0; j++)
			r = check_pair(d, a, &networks->item[j]);
	}
	return r;
}
