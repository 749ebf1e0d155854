/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets of containers that a policy drops on their way out. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"

/* Whether one of the lines is a rule of @chain for what comes in on @bridge that accepts it. */
static bool accepts(const char *rules, const char *chain, const char *bridge)
{
	char begin[64], in[32];

	snprintf(begin, sizeof(begin), "-A %s ", chain);
	snprintf(in, sizeof(in), " -i %.15s ", bridge);
	for (const char *line = rules; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char rule[512];

		snprintf(rule, sizeof(rule), "%.*s ", (int)strcspn(line, "\n"), line);
		if (strncmp(rule, begin, strlen(begin)) != 0 || !strstr(rule, " -j ACCEPT "))
			continue;
		if (strstr(rule, in) || (!strstr(rule, " -i ") && !strstr(rule, " -o ") && !strstr(rule, " -m ") && !strstr(rule, " -s ") &&
					 !strstr(rule, " -d ") && !strstr(rule, " -p ")))
			return true;
	}
	return false;
}

/* A chain of libvirt's or of a firewall's may accept it: FORWARD goes there before the policy. */
static bool accepted_anywhere(const char *rules, const char *bridge)
{
	for (const char *line = strstr(rules, "-A FORWARD "); line; line = strstr(line + 1, "-A FORWARD ")) {
		const char *target = strstr(line, " -j "), *end = line + strcspn(line, "\n");
		char chain[32];

		if (!target || target > end)
			continue;
		snprintf(chain, sizeof(chain), "%.*s", (int)strcspn(target + 4, " \n"), target + 4);
		if (accepts(rules, chain, bridge))
			return true;
	}
	return accepts(rules, "FORWARD", bridge);
}

bool forward_drops(const char *rules, const char *bridge)
{
	return strstr(rules, "-P FORWARD DROP") && !accepted_anywhere(rules, bridge);
}

/* Docker looks after its own. */
static bool is_dockers(const char *name)
{
	return strncmp(name, "docker", 6) == 0 || strncmp(name, "br-", 3) == 0;
}

static int say_drop(const struct doctor *d, const char *rules, const char *bridge)
{
	const char *chain = strstr(rules, "-N DOCKER-USER\n") ? "DOCKER-USER" : "FORWARD";
	char text[256], fix[256];

	snprintf(text, sizeof(text), "the policy of FORWARD is DROP%s: containers on '%.15s' reach nothing beyond this host",
		 strstr(rules, "-N DOCKER") ? ", which Docker sets" : "", bridge);
	snprintf(fix, sizeof(fix), "iptables -I %s -i %.15s -j ACCEPT && iptables -I %s -o %.15s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		 chain, bridge, chain, bridge);
	return doctor_say(d, "warning", "forwarding", text, fix);
}

int doctor_check_forwarding(const struct doctor *d, const struct subnet *subnets, size_t n)
{
	static const char *const argv[] = { "iptables", "-S", NULL };
	_cleanup_free_ char *rules = NULL;
	bool bridges = false, asked;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		bridges |= subnets[i].bridge && !is_dockers(subnets[i].name);
	if (!bridges)
		return 0;
	/* Who may not ask is told nothing. */
	asked = command_run(argv, &rules, NULL) == 0;
	for (size_t i = 0; i < n && r == 0 && asked; i++)
		if (subnets[i].bridge && !is_dockers(subnets[i].name) && forward_drops(rules, subnets[i].name))
			r = say_drop(d, rules, subnets[i].name);
	return r != 0 ? r : doctor_check_nft(d, subnets, n, asked && strstr(rules, "-P FORWARD DROP"));
}
